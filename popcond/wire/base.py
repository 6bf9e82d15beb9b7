"""What every value on the wire is made of."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from popcond.wire.redaction import redacted, redacted_deeply

# No control characters: names are printed on terminals.
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]


Redacted = Annotated[str, AfterValidator(redacted)]  # a sentence that may quote a stranger


class Wire(BaseModel):
    """A frozen value that crosses the wire; unknown fields are ignored, so old clients survive new daemons."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Problem(Wire):
    """What went wrong, as a sentence for a person, and what to do about it. It never holds a key or a token."""

    code: str  # stable, snake_case; scripts may compare it
    message: Redacted
    cure: Redacted | None = None
    details: Annotated[dict[str, Any] | None, AfterValidator(redacted_deeply)] = None

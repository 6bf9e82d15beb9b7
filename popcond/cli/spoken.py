"""A person's words as they cross the wire: refused as wrong usage where the wire would not take them."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from popcond.cli.usage import WrongUsage
from popcond.wire import Wire

Sent = TypeVar("Sent", bound=Wire)

_WORDS = frozenset({"prompt", "motion_prompt", "pose_prompt"})  # fields that are words of the person's own


def as_sent(kind: type[Sent], **fields: Any) -> Sent:
    """A body of these fields. Raises WrongUsage, which names the field."""
    try:
        return kind(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        what = "The words" if field in _WORDS else f"The {field.replace('_', ' ')}"
        told = f"{what} cannot be used: {first['msg'].lower()}."
        raise WrongUsage(told, cure='Write it another way, in quotes, such as "a round red bear".') from error

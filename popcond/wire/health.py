"""Whether the daemon can work."""

from __future__ import annotations

from typing import Literal

from popcond.wire.base import Wire


class Check(Wire):
    """One thing that work needs."""

    name: str  # stable; scripts may compare it
    ok: bool
    message: str  # how it stands, as a sentence
    cure: str | None = None


class Readiness(Wire):
    """GET /readyz: 200 when all is well, 503 when something is broken."""

    status: Literal["ready", "broken"]
    checks: tuple[Check, ...]

"""What a check answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str  # stable, for scripts: letters and hyphens
    ok: bool  # False: something will not work until it is mended
    message: str  # what was found, as a sentence
    cure: str | None = None  # what to do; where nothing is broken, what would be better

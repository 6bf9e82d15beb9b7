"""All performances of the offline animator by name, and which one suits an action that names none."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from popcond.errors import UnknownName
from popcond.video.performance import Performance
from popcond.video.performances_joy import JOY
from popcond.video.performances_manners import MANNERS
from popcond.video.performances_mood import MOOD

PERFORMANCES: Mapping[str, Performance] = MappingProxyType({one.name: one for one in (*JOY, *MANNERS, *MOOD)})


def performance(name: str) -> Performance:
    """The performance of that name. Raises UnknownName."""
    if name not in PERFORMANCES:
        raise UnknownName(
            f"The offline animator has no performance {name!r}.",
            cure=f"Choose one of: {', '.join(sorted(PERFORMANCES))}.",
        )
    return PERFORMANCES[name]

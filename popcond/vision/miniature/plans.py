"""How long the miniature learns what: small pictures first, because on large ones nothing begins; clips once stills
are understood, but before the rate has fallen: memories begin from nothing."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi

_WARM = 0.02  # share of the time in which the rate climbs
_LAST = 0.02  # share of the highest rate that is left at the end


@dataclass(frozen=True)
class Phase:
    """One kind of lesson."""

    share: float  # of the whole time
    side: int  # pixels
    batch: int  # scenes
    frames: int = 1
    corrections: int = 2  # points after the first ones
    company: bool = True  # whether other figures stand around
    views: int = 1  # how often a batch is looked at, mirrored and pointed at anew: scenes cost time, too


@dataclass(frozen=True)
class Plan:
    """Phases in their order, and how fast to learn."""

    rate: float  # the highest learning rate
    phases: tuple[Phase, ...]

    def phase_at(self, progress: float) -> int:
        """The number of the phase at that share of the time."""
        ends = 0.0
        for number, phase in enumerate(self.phases):
            ends += phase.share
            if progress < ends - 1e-9:
                return number
        return len(self.phases) - 1

    def rate_at(self, progress: float) -> float:
        """A short climb, then half a cosine down."""
        if progress < _WARM:
            return self.rate * (0.05 + 0.95 * progress / _WARM)
        way = min(1.0, (progress - _WARM) / (1 - _WARM))
        return self.rate * (_LAST + (1 - _LAST) * 0.5 * (1 + cos(pi * way)))


PLANS = {
    "cpu": Plan(
        1.5e-3,
        (
            Phase(0.25, 96, 32, corrections=1, company=False, views=2),
            Phase(0.30, 128, 32, corrections=1, views=2),
            Phase(0.17, 128, 8, frames=4, corrections=1, views=2),
            Phase(0.18, 192, 14, views=2),
            Phase(0.10, 192, 4, frames=5, corrections=1, views=2),
        ),
    ),
    "gpu": Plan(
        2.0e-3,
        (
            Phase(0.20, 128, 384, views=2),
            Phase(0.25, 256, 160, views=3),
            Phase(0.40, 256, 28, frames=7, views=3),
            Phase(0.15, 256, 160, corrections=3, views=3),
        ),
    ),
    "trial": Plan(1e-3, (Phase(0.5, 64, 4), Phase(0.5, 64, 2, frames=3, corrections=1))),
}

"""A performance: a choreography in its own time, the effects around it, and its most telling moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from popcond.video.curves import eased, poster_phase
from popcond.video.pose import Pose


@dataclass(frozen=True)
class Performance:
    """What any character can do. `pose` has period 1 and knows nothing of cuts; `at` runs it slowly past them."""

    name: str
    pose: Callable[[float], Pose]
    effects: tuple[str, ...]
    poster: float  # the most telling moment, in the choreography's time

    @property
    def poster_phase(self) -> float:
        """The most telling moment, as a share of the clip."""
        return poster_phase(self.poster)

    def time(self, phase: float) -> float:
        """The choreography's time at a share of the clip; effects keep it too."""
        return eased(phase, self.poster)

    def at(self, phase: float) -> Pose:
        """The pose at a share of the clip."""
        return self.pose(self.time(phase))

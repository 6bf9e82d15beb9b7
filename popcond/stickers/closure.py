"""Whether a clip that was made to loop really closes, and how many of its last frames only repeat the first.

Who makes a clip whose last picture is to be its first one hands out that picture twice: played round, it is held, and
the motion stutters. Whether it was, is seen at the seam alone, so only the frames around it are looked at. Codecs draw
one picture in two ways, so a repeat is never exact. What is in doubt is kept: where a motion rests or turns round at
its seam, one frame more is not seen, and one frame less may be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from popcond.media.raster import Floats

_MOST_REPEATS = 3
_FEWEST = 12  # frames of a clip that can be judged: repeats, and what is looked at on both sides of them
_LITTLE = 0.5  # of the step that is to be expected: what is nearer to the first frame repeats it
_LOUD = 2.0  # … and what is farther than that does not, however dirty the codec
_TURNING = -0.2  # cosine of the steps into and out of the first frame: below, the motion may turn round there
_COMING_BACK = -0.3  # the same of the motions before and after it
_SMOOTH = 0.4  # cosine of a step and the motion that it is a part of
_NO_WAY = 0.15  # share of a step: a seam that leads less far along the motion leads nowhere
_JUMP = 2.0  # steps: a seam wider than that beside each of its neighbours does not close
_NOTHING = 1e-3  # grey levels


@dataclass(frozen=True)
class Closure:
    """How the end of a clip meets its beginning."""

    repeats: int  # last frames that are the first one again
    closes: bool  # without them, the seam is no jump


def closure(thumb: Callable[[int], Floats], count: int) -> Closure:
    """Looks at ten frames around the seam of `count`; `thumb` gives a frame's small picture (see `similarity`)."""
    if count < _FEWEST:
        return Closure(0, closes=True)  # too few to judge by; whoever made them is believed
    seam = _Seam(cache(thumb), count)
    repeats = seam.repeats()
    return Closure(repeats, seam.closes(repeats))


@dataclass(frozen=True)
class _Seam:
    """The frames around the end of a clip, loaded when they are asked for."""

    thumb: Callable[[int], Floats]
    count: int

    def repeats(self) -> int:
        """How many last frames are the first one again."""
        return max((number for number in range(1, _MOST_REPEATS + 1) if self._are_repeats(number)), default=0)

    def closes(self, repeats: int) -> bool:
        """Whether the step across the seam, so many last frames left out, is no jump beside its neighbours."""
        seam = _size(self._across(repeats + 1))
        beside = (*self._going(), *self._coming(repeats + 1))
        return seam <= max(_JUMP * max(_size(step) for step in beside), _NOTHING)

    def _are_repeats(self, number: int) -> bool:
        come, go = self._coming(number), self._going()
        off = max(_size(self._across(place)) for place in range(1, number + 1))
        slower = min(_size(come[0]), _size(go[0]))
        passes_on = _likeness(come[0], go[0]) > _TURNING
        # One that turns round may come to rest where it turns; one that passes on is not that slow in one place alone.
        expected = slower if passes_on else min(slower, _onwards(*come), _onwards(*go))
        if slower <= _NOTHING or off <= _LITTLE * expected:
            return slower > _NOTHING
        return passes_on and off <= _LOUD * slower and self._leads_nowhere(number)

    def _leads_nowhere(self, number: int) -> bool:
        """Whether a motion that is smooth on both sides makes no way from any of them to the first frame.

        Where it is as slow as the codec's dirt is loud, the way tells what the size of the step does not.
        """
        come, go = self._coming(number)[0], self._going()[0]
        before, after = self._motion_before(number), self._motion_after()
        is_smooth = min(_likeness(come, before), _likeness(go, after)) > _SMOOTH
        comes_back = _likeness(before, after) <= _COMING_BACK
        return (
            is_smooth
            and not comes_back
            and all(
                max(_way(across, come, before), _way(across, go, after)) <= _NO_WAY
                for across in map(self._across, range(1, number + 1))
            )
        )

    def _across(self, place: int) -> Floats:
        """From the last frame but `place` − 1 to the first one."""
        return self.thumb(0) - self.thumb(self.count - place)

    def _coming(self, number: int) -> tuple[Floats, Floats]:
        """The step to the first of so many last frames, and the step before it."""
        here = self.count - number
        return self.thumb(here) - self.thumb(here - 1), self.thumb(here - 1) - self.thumb(here - 2)

    def _going(self) -> tuple[Floats, Floats]:
        """The first step, and the one after it."""
        return self.thumb(1) - self.thumb(0), self.thumb(2) - self.thumb(1)

    def _motion_before(self, number: int) -> Floats:
        """Two steps, up to the frame before so many last ones."""
        here = self.count - number - 1
        return self.thumb(here) - self.thumb(here - 2)

    def _motion_after(self) -> Floats:
        """Two steps, from the second frame on."""
        return self.thumb(3) - self.thumb(1)


def _size(step: Floats) -> float:
    """Root mean square, in grey levels."""
    return float(np.sqrt((step**2).mean()))


def _onwards(near: Floats, far: Floats) -> float:
    """The size of the step that follows `far` and `near` when the motion goes on slowing or gathering speed so."""
    return abs(2 * _size(near) - _size(far))


def _likeness(step: Floats, other: Floats) -> float:
    """The cosine between two steps: 1 where the motion goes on, −1 where it comes back."""
    return float((step * other).mean()) / max(_size(step) * _size(other), _NOTHING**2)


def _way(across: Floats, step: Floats, motion: Floats) -> float:
    """How far the seam leads along a motion, as a share of what a step does."""
    return float((across * motion).mean()) / max(float((step * motion).mean()), _NOTHING**2)

"""Finds the best loop inside a clip that was not made to loop.

After Schödl, Szeliski, Salesin and Essa, "Video Textures" (SIGGRAPH 2000): two frames are alike when their
neighbourhoods are, so that a pendulum is not cut where it swings the other way. Distances are counted in the clip's
own usual steps: a join of one step is not seen, a join of three is a jump. Across a whole clip's own seam the steps
beside it count too, because a swing may begin where it is fastest. A loop in which little happens is passed over,
because a breathing pause closes perfectly and shows nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb

import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats
from popcond.stickers.cycle import Cycle, there_and_back
from popcond.stickers.similarity import Distances, cyclic_steps, distances, fresh, usual_step
from popcond.stickers.timing import FASTEST, longest_loop
from popcond.wire import LoopKind, Target

UNSEEN = 1.5  # a join of so many usual steps is not seen
_CLOSED = 1.25  # a whole clip whose last step is no longer than this, in usual or neighbouring steps, has no jump
_TURNED = 0.8  # of a usual step: a motion that comes back by more, from one frame to the next, has changed its way
_CLEAN = 0.75  # usual steps: a loop whose neighbourhoods differ by less goes on as the clip did
_REACH = 2  # frames on each side that are compared along with a pair
_LEAD_IN = 3.0  # a first step so much longer than usual belongs to the clip's beginning, not to the motion
_LEAD_IN_FRAMES = 3
_SHORTEST = 0.5  # seconds
_LONGEST = 8.0  # seconds, where the target names no limit
_SLOWEST = 0.5  # a loop may be slowed down to this speed to fill whole seconds
_FULL = 0.7  # a loop that reaches this share of the clip's widest pose shows the whole action
_SHOW_PRICE = 4.0
_PACE_PRICE = 0.6
_FEWEST = 4  # frames of a loop: fewer are a flicker
_EQUAL = 0.15  # among loops that score alike within this, the shorter is taken

_Plane = NDArray[np.float64]  # (T, T): rows are where a loop starts, columns where it comes round


@dataclass(frozen=True)
class Wanted:
    """The lengths of loop that a target takes, in seconds at the clip's own speed."""

    whole: tuple[int, ...] | None  # nearest to one of these
    shortest: float
    longest: float


def wanted_by(target: Target) -> Wanted:
    """What to look for on behalf of a target."""
    longest = longest_loop(target) or _LONGEST
    whole = target.loop_seconds
    return Wanted(whole, min(whole) * _SLOWEST if whole else _SHORTEST, min(longest, _LONGEST))


class LoopFinder:
    """Compares all frames of one clip once; then answers for as many targets as are asked."""

    def __init__(self, thumbs: Floats, seconds: Sequence[float]) -> None:
        steps = cyclic_steps(thumbs)
        self._kept = _without_lead_in(np.flatnonzero(fresh(steps[1:])), steps)
        self._starts = np.concatenate([[0.0], np.cumsum(seconds)])
        self._pairs = distances(thumbs[self._kept])
        self._steps = cyclic_steps(thumbs[self._kept])
        self._usual = usual_step(self._steps[1:])
        self._beside = float(min(self._steps[1 % len(self._steps)], self._steps[-1]))
        bounds = [*(int(index) for index in self._kept), len(seconds)]
        self._seconds = [float(self._starts[after] - self._starts[here]) for here, after in pairwise(bounds)]

    def find(self, wanted: Wanted, kind: LoopKind) -> Cycle:
        """The best cycle of that length: the clip itself, a loop inside it, or there and back again."""
        if len(self._kept) < 2:
            return self._whole()
        start, end, join, likeness = self._best_loop(wanted)
        if self._closes_by_itself(wanted) and not (likeness <= _CLEAN and self._is_better_cut(start, end)):
            return self._whole()
        if end > start and join <= UNSEEN:
            return self._cycle(start, end, join, "")
        if kind is LoopKind.RETURN or end == start:
            return self._back_and_forth(wanted)
        note = f"no clean loop was found: the join is {join:.1f} usual steps wide"
        return self._cycle(start, end, join, note)

    def _cycle(self, start: int, end: int, join: float, note: str) -> Cycle:
        indices = tuple(int(index) for index in self._kept[start:end])
        return Cycle(indices, tuple(self._seconds[start:end]), join, note)

    def _whole(self) -> Cycle:
        return self._cycle(0, len(self._kept), 0.0, "")

    def _closes_by_itself(self, wanted: Wanted) -> bool:
        """Whether the step from the last frame to the first is no jump."""
        if len(self._kept) < 2 * _REACH or not wanted.shortest <= sum(self._seconds) <= wanted.longest:
            return False
        no_jump = _CLOSED * max(self._usual, self._beside)
        around = max(self._pairs[-1, 1], self._pairs[-2, 0])
        return bool(self._steps[0] <= no_jump and around <= 2 * no_jump)

    def _is_better_cut(self, start: int, end: int) -> bool:
        """Whether the clip turns round at its seam and the loop inside it shows every pose of the clip.

        A bounce turns round as well: when cutting would lose something, the clip is believed.
        """
        nearest = self._pairs[:, start:end].min(axis=1)
        return bool(self._turned(len(self._kept)) and nearest.max() <= UNSEEN * self._usual)

    def _turned(self, end: int) -> float:
        """How far the motion comes back where frame 0 follows frame `end` − 1, in usual steps; 0 where it goes on.

        A swing at its end comes back too, but there it is slow.
        """
        frames = (end - 2, end - 1, 0, 1)
        back = max(_way_back(self._pairs, *three) for three in combinations(frames, 3)) / self._usual
        return back if back > _TURNED else 0.0

    def _best_loop(self, wanted: Wanted) -> tuple[int, int, float, float]:
        """(start, end, join, likeness): frames start … end − 1, and in usual steps how far frame `start` is from frame
        `end`, in whose place it comes, and how far their neighbourhoods are from each other."""
        likeness, length = self._likeness(), self._lengths()
        unshown = _to_the_end(self._missing_motion())
        score = likeness + _PACE_PRICE * _pace_misfit(length, wanted) + _SHOW_PRICE * unshown
        score[(length < wanted.shortest) | (length > wanted.longest)] = np.inf
        score[np.tri(len(score), score.shape[1], k=_FEWEST - 1, dtype=bool)] = np.inf
        if not np.isfinite(score).any():
            return 0, 0, np.inf, np.inf
        rows, columns = np.nonzero(score <= score.min() + _EQUAL)
        best = np.lexsort((score[rows, columns], np.rint(length[rows, columns] * 4)))[0]
        start, end = int(rows[best]), int(columns[best])
        return start, end, self._join(start, end), float(likeness[start, end])

    def _likeness(self) -> _Plane:
        """Neighbourhoods compared, in usual steps. The last column, where only row 0 counts, is the whole clip."""
        count = len(self._kept)
        likeness = _to_the_end(_along_diagonals(self._pairs.astype(np.float64), _REACH) / self._usual)
        likeness[1:, count] = np.inf
        likeness[0, count] = self._join(0, count)
        for end in range(max(_FEWEST, count - 1), count + 1):  # frame `end` has no neighbours in common with frame 0
            likeness[0, end] += self._turned(end)
        return likeness

    def _join(self, start: int, end: int) -> float:
        """Usual steps from frame `start` to frame `end`, in whose place it is shown.

        After the last frame comes none: there the step across the seam is held against the steps beside it.
        """
        if end < len(self._kept):
            return float(self._pairs[start, end] / self._usual)
        return max(0.0, float(self._steps[0]) - max(self._usual, self._beside)) / self._usual

    def _lengths(self) -> _Plane:
        """Seconds from the row's frame to the column's, negative below the diagonal; the last column is the end."""
        begins = self._starts[self._kept]
        ends = np.append(begins, self._starts[-1])
        return np.asarray(ends[None, :] - begins[:, None], np.float64)

    def _missing_motion(self) -> _Plane:
        """How far a loop falls short of showing the clip's widest pose, 0..1."""
        from_first = np.maximum.accumulate(np.triu(self._pairs), axis=1)
        reached = np.maximum.accumulate(from_first[::-1], axis=0)[::-1].astype(np.float64)
        widest = max(float(np.percentile(self._pairs, 99)), 1e-6)
        return np.maximum(0.0, _FULL - reached / widest) / _FULL

    def _back_and_forth(self, wanted: Wanted) -> Cycle:
        """The stretch that shows most, turned round where the motion is slowest."""
        note = "the clip does not loop, so it plays there and back again"
        first, last = self._turning_points(wanted)
        cycle = there_and_back(first, last, self._seconds)
        indices = tuple(int(self._kept[index]) for index in cycle.indices)
        return Cycle(indices, cycle.seconds, 0.0, note)

    def _turning_points(self, wanted: Wanted) -> tuple[int, int]:
        count = len(self._kept)
        both_ways = 2 * self._lengths()[:, :count]
        slow = np.convolve(np.pad(self._steps[1:], 1, mode="edge"), [0.5, 0.5], "valid") / self._usual
        score = slow[:, None] + slow[None, :] + _SHOW_PRICE * self._missing_motion()
        score = score + _PACE_PRICE * _pace_misfit(both_ways, wanted)
        score[(both_ways < wanted.shortest) | (both_ways > wanted.longest)] = np.inf
        if not np.isfinite(score).any():
            return 0, count - 1
        first, last = np.unravel_index(int(score.argmin()), score.shape)
        return int(first), int(last)


def _without_lead_in(kept: NDArray[np.intp], steps: Floats) -> NDArray[np.intp]:
    """Generated clips often open with a frame or two in another light and pose: those go."""
    usual = usual_step(steps[1:])
    lead_in = [place for place in range(1, _LEAD_IN_FRAMES + 1) if place < len(kept)]
    jumps = [place for place in lead_in if steps[kept[place]] > _LEAD_IN * usual]
    calm_after = len(kept) > 2 * _LEAD_IN_FRAMES and jumps and steps[kept[jumps[-1] + 1]] <= _LEAD_IN * usual
    return kept[jumps[-1] :] if calm_after else kept


def _to_the_end(plane: _Plane) -> _Plane:
    """With one column more, for loops that last until the clip ends: the last one again."""
    return np.pad(plane, ((0, 0), (0, 1)), mode="edge")


def _way_back(pairs: Distances, before: int, here: int, after: int) -> float:
    """How far the step from `here` to `after` undoes the one from `before` to `here`; negative where it goes on."""
    come, go, across = (float(pairs[pair]) for pair in ((before, here), (here, after), (before, after)))
    return (come**2 + go**2 - across**2) / (2 * max(come, go, 1e-6))


def _along_diagonals(pairs: _Plane, reach: int) -> _Plane:
    """Each pair averaged with its neighbours in time, binomially weighted.

    Where the clip has no neighbours on one side, those on the other count twice: less is known there, but a swing the
    other way must not look better for it.
    """
    total, weights = pairs * comb(2 * reach, reach), np.full_like(pairs, comb(2 * reach, reach))
    for offset in range(1, min(reach, len(pairs) - 1) + 1):
        earlier, later = _shifted(pairs, -offset), _shifted(pairs, offset)
        both = np.stack([np.where(np.isnan(earlier), later, earlier), np.where(np.isnan(later), earlier, later)])
        known = ~np.isnan(both)
        total += comb(2 * reach, reach + offset) * np.where(known, both, 0.0).sum(axis=0)
        weights += comb(2 * reach, reach + offset) * known.sum(axis=0)
    return np.asarray(total / weights, np.float64)


def _shifted(pairs: _Plane, offset: int) -> _Plane:
    """The pairs so many frames later; nan where the clip has none."""
    count = len(pairs)
    here = slice(max(0, -offset), min(count, count - offset))
    there = slice(here.start + offset, here.stop + offset)
    shifted = np.full_like(pairs, np.nan)
    shifted[here, here] = pairs[there, there]
    return shifted


def _pace_misfit(length: _Plane, wanted: Wanted) -> _Plane:
    """|log speed| that a loop needs to fill whole seconds, in units of the fastest that is allowed."""
    if wanted.whole is None:
        return np.zeros_like(length)
    safe = np.maximum(length, 1e-3)
    misfits = [np.abs(np.log(safe / whole)) for whole in wanted.whole]
    return np.asarray(np.minimum.reduce(misfits) / np.log(FASTEST), np.float64)

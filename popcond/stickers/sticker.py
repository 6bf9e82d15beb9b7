"""From cut-outs to a file that a store takes: loop, crop, beat, encode, judge.

    make_stickers ─ _Clip.cycle_for ─ _Strip.take ─ fit ─ examine
                    which frames     canvases      bytes  verdict

The costly part, loading cut-outs, is shared by all targets of an emoji.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from popcond.errors import NoCharacter
from popcond.media.raster import Rgba
from popcond.stickers.closure import closure
from popcond.stickers.compose import Layout, common_box, compose, layout
from popcond.stickers.cycle import Cycle, Thinned, thin, whole_clip
from popcond.stickers.fit import Bench, Fitted, Shot, fit
from popcond.stickers.loop import LoopFinder, wanted_by
from popcond.stickers.rotation import best_start
from popcond.stickers.rules import rules_of
from popcond.stickers.similarity import thumbnail
from popcond.stickers.source import CutoutShelf, CutoutSource
from popcond.stickers.timing import Length, choose_length, choose_plays, longest_loop, most_frames
from popcond.stickers.validate import examine, verdict
from popcond.wire import LoopKind, Target, Verdict

Report = Callable[[float], None]

_PACE_TOLD = 0.03  # a change of speed that is mentioned


@dataclass(frozen=True)
class EncodedSticker:
    """One file of an emoji for one target. `verdict` says whether the store takes it, and if not, why."""

    data: bytes
    width: int
    height: int
    frames: int
    seconds: float  # one loop
    plays: int  # 0: for ever
    seam: float  # last → first step over the median step, or the join inside the loop when that is wider
    trace: str  # what was given up to fit, for a person
    verdict: Verdict


def make_sticker(
    source: CutoutSource,
    target: Target,
    *,
    loop: LoopKind,
    exact_loop: bool,
    poster: float,
    report: Report,
) -> EncodedSticker:
    """One sticker. See `make_stickers`."""
    return make_stickers(source, [target], loop=loop, exact_loop=exact_loop, poster=poster, report=report)[0]


def make_stickers(
    source: CutoutSource,
    targets: Sequence[Target],
    *,
    loop: LoopKind,
    exact_loop: bool,
    poster: float,
    report: Report,
) -> list[EncodedSticker]:
    """A sticker for each target, in their order.

    `exact_loop`: the clip was made to be one loop; it is taken whole if it closes, less the last frames that repeat
    the first. Otherwise the best loop inside it is looked for. `poster`: where in the loop the most expressive frame
    is, 0..1; the file begins there or close by. `report` hears the share that is done, 0..1, and may raise to stop the
    work. Raises NoCharacter when every frame is empty. A file that breaks a rule of its target still comes back, with
    a verdict that says so.
    """
    if len(source) == 0:
        raise NoCharacter("The clip has no frames.", cure="Retry the emoji from its first stage.")
    clip = _Clip(source, loop, exact_loop, poster)
    stickers = []
    for done, target in enumerate(targets):
        stickers.append(_make(clip, target, _share(report, done, len(targets))))
        report((done + 1) / len(targets))
    return stickers


def _share(report: Report, done: int, of: int) -> Report:
    return lambda part: report((done + part) / of)


def _make(clip: _Clip, target: Target, report: Report) -> EncodedSticker:
    cycle = clip.cycle_for(target)
    length = choose_length(cycle.length, target)
    strip = _Strip(clip.shelf, cycle.repeated(length.repeats), clip.poster_in(cycle), target, report)
    bench = Bench(strip.take, target, length.seconds, choose_plays(length.seconds, target))
    fitted = fit(bench, most_frames(length.seconds, target))
    report(0.9)
    return _judged(fitted, target, cycle, _trace(fitted, target, cycle, length))


def _judged(fitted: Fitted, target: Target, cycle: Cycle, trace: str) -> EncodedSticker:
    """The file as it was found when opened again."""
    examined = examine(fitted.data, target)
    facts, pixels = examined.file, examined.pixels
    return EncodedSticker(
        data=fitted.data,
        width=facts.width,
        height=facts.height,
        frames=len(facts.delays),
        seconds=float(facts.seconds),
        plays=facts.plays or 0,
        seam=max(pixels.seam if pixels else 0.0, cycle.join),
        trace=trace,
        verdict=verdict(rules_of(examined)),
    )


# ------------------------------------------------------------------ which frames


@dataclass
class _Clip:
    """The cut-outs of one emoji, compared once for all targets."""

    source: CutoutSource
    loop: LoopKind
    exact: bool
    poster: float

    @cached_property
    def shelf(self) -> CutoutShelf:
        """The cut-outs, each loaded as rarely as possible."""
        return CutoutShelf(self.source)

    @cached_property
    def seconds(self) -> tuple[float, ...]:
        """How long each frame of the clip is shown."""
        return tuple(self.source.seconds)

    @cached_property
    def _finder(self) -> LoopFinder:
        thumbs = np.stack([thumbnail(self.shelf[index]) for index in range(len(self.source))])
        return LoopFinder(thumbs, self.seconds)

    @cached_property
    def _one_round(self) -> Cycle | None:
        """The whole clip, if it was made to loop and really does."""
        seam = closure(lambda index: thumbnail(self.shelf[index]), len(self.source)) if self.exact else None
        return whole_clip(self.seconds, repeats=seam.repeats) if seam and seam.closes else None

    def cycle_for(self, target: Target) -> Cycle:
        """The frames of the loop, for a target that may only take so many seconds of it."""
        longest = longest_loop(target)
        if self._one_round is not None and (longest is None or self._one_round.length <= longest):
            return self._one_round
        return self._finder.find(wanted_by(target), self.loop)

    def poster_in(self, cycle: Cycle) -> int:
        """The place in the cycle of the most expressive frame: where the action says, if that was kept."""
        wanted = min(int(self.poster * len(self.source)), len(self.source) - 1)
        return cycle.indices.index(wanted) if wanted in cycle.indices else int(self.poster * len(cycle))


@dataclass
class _Strip:
    """A cycle on a target's canvas, in as many frames as are asked for."""

    shelf: CutoutShelf
    cycle: Cycle
    poster: int
    target: Target
    report: Report
    _layout: Layout | None = None

    def take(self, most: int) -> Shot:
        """At most so many frames, beginning at the poster or close by."""
        chosen = thin(self.cycle.weights(), most, self.poster)
        frames = self._composed(chosen)
        start = best_start(frames, _place_of(self.poster, chosen))
        order = [(start + place) % len(frames) for place in range(len(frames))]
        return Shot([frames[place] for place in order], tuple(chosen.weights[place] for place in order))

    def _composed(self, chosen: Thinned) -> list[Rgba]:
        indices = [self.cycle.indices[position] for position in chosen.positions]
        plan = self._plan(indices)
        canvases = {index: compose(self.shelf[index], plan) for index in dict.fromkeys(indices)}
        return [canvases[index] for index in indices]

    def _plan(self, indices: Sequence[int]) -> Layout:
        """One crop box for all frames, kept when fewer frames are asked for later."""
        if self._layout is None:
            self._layout = layout(common_box(self.shelf[index] for index in self._told(indices)), self.target)
        return self._layout

    def _told(self, indices: Sequence[int]) -> Sequence[int]:
        """The different frames, in their order; loading them is most of the work, so it is reported."""
        different = sorted(set(indices))
        for done, index in enumerate(different):
            self.shelf[index]
            self.report(0.6 * (done + 1) / len(different))
        return different


def _place_of(poster: int, chosen: Thinned) -> int:
    """The chosen frame that is on screen at the poster's instant."""
    return max((place for place, position in enumerate(chosen.positions) if position <= poster), default=0)


# ------------------------------------------------------------------ what was given up


def _trace(fitted: Fitted, target: Target, cycle: Cycle, length: Length) -> str:
    parts = [_frames_told(fitted, cycle, length)]
    if abs(length.speed - 1) > _PACE_TOLD:
        parts.append(f"played at {length.speed:.0%} of its speed to last {float(length.seconds):g} s")
    parts.append("every colour kept" if fitted.colours is None else f"{fitted.colours} colours")
    parts.append(_bytes_told(len(fitted.data), target.max_bytes))
    if cycle.note:
        parts.append(cycle.note)
    return ", ".join(parts)


def _frames_told(fitted: Fitted, cycle: Cycle, length: Length) -> str:
    before = len(cycle) * length.repeats
    told = f"{before} → {fitted.frames} frames" if before != fitted.frames else f"{fitted.frames} frames"
    return told if length.repeats == 1 else f"{told} ({length.repeats} rounds)"


def _bytes_told(size: int, limit: int | None) -> str:
    kilobytes = -(-size // 1000)
    return f"{kilobytes} KB" if limit is None else f"{kilobytes} of {limit // 1000} KB"

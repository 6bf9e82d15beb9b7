"""Fits a loop into a target's bytes, turning one knob at a time.

Every colour is kept when that fits. Then colours go, from 256 downwards: bytes grow with a power of the number of
colours, so a secant in logarithms lands in two or three encodes. Frames go last, because a choppy motion is seen
sooner than a missing shade.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from popcond.media.raster import Rgba
from popcond.stickers.apng import estimate_true_colour, write_palette, write_true_colour
from popcond.stickers.gif import quantise_hard, write_gif
from popcond.stickers.palette import MOST_COLOURS, Quantised, quantise
from popcond.stickers.timing import Timing, delays, merged
from popcond.wire import StickerFormat, Target

FEWEST_COLOURS = 48  # fewer look like a poster: frames go instead
_AIM = 0.97  # of the limit
_FULL_ENOUGH = 0.92  # of the limit: no further encode is worth its time
_EXPONENT = 0.33  # bytes grow with colours to this power (measured 0.30 to 0.44)
_MOST_ENCODES = 4  # for one number of frames
_FEWER = 0.85  # frames are given up in steps of at least this
_FEWEST_FRAMES = 5


@dataclass(frozen=True)
class Shot:
    """The finished canvases of one loop, in showing order, and how long each is shown relative to the others."""

    frames: Sequence[Rgba]
    weights: tuple[int, ...]


@dataclass(frozen=True)
class Fitted:
    """A file, and what was given up for it."""

    data: bytes
    frames: int
    colours: int | None  # None: every colour was kept
    encodes: int  # how many whole files were written to find it


@dataclass(frozen=True)
class _Try:
    """One encode on the way."""

    data: bytes
    frames: int
    colours: int


Take = Callable[[int], Shot]  # the loop in at most so many frames


@dataclass(frozen=True)
class Bench:
    """The loop to fit: where its frames come from and how long it lasts."""

    take: Take
    target: Target
    seconds: Fraction
    plays: int

    def timing(self, shot: Shot) -> Timing:
        """The delays of these frames, adding up to the loop exactly."""
        return Timing(delays(self.seconds, shot.weights, self.target.format), self.plays)

    def encode(self, shot: Shot, colours: int) -> _Try:
        """The file with at most that many colours."""
        write = _gif if self.target.format is StickerFormat.GIF else _apng
        data, frames = write(shot, colours, self.timing(shot), self.target)
        return _Try(data, frames, colours)


def fit(bench: Bench, most: int) -> Fitted:
    """The best file of at most `most` frames within the target's bytes; the smallest there is when none fits."""
    shot = bench.take(most)
    kept = _every_colour(bench, shot)
    if kept is not None:
        return kept
    encodes = 0
    colours = MOST_COLOURS
    while True:
        tries = _search_colours(bench, shot, colours)
        encodes += len(tries)
        limit = bench.target.max_bytes
        fitting = [each for each in tries if limit is None or len(each.data) <= limit]
        fewer = _fewer_frames(bench.target, shot, tries)
        if fitting or fewer is None:
            best = max(fitting, key=lambda each: each.colours) if fitting else min(tries, key=lambda t: len(t.data))
            return Fitted(best.data, best.frames, best.colours, encodes)
        smaller = bench.take(fewer)
        colours = _colours_for(bench.target, shot, smaller, tries)
        shot = smaller


def _every_colour(bench: Bench, shot: Shot) -> Fitted | None:
    """The lossless file, when the format has one and it fits."""
    limit = bench.target.max_bytes
    if bench.target.format is not StickerFormat.APNG or limit is None:
        return None
    if estimate_true_colour(shot.frames, limit) > limit:
        return None
    kept = _distinct(shot.frames)
    frames = [shot.frames[index] for index in kept]
    data = write_true_colour(frames, merged(bench.timing(shot), kept), few_colours=False)
    return Fitted(data, len(frames), None, 1) if len(data) <= limit else None


# ------------------------------------------------------------------ colours


def _search_colours(bench: Bench, shot: Shot, first: int) -> list[_Try]:
    """Encodes until the limit is nearly full, or nothing is left to try."""
    tries: list[_Try] = []
    colours: int | None = first
    while colours is not None and len(tries) < _MOST_ENCODES:
        tries.append(bench.encode(shot, colours))
        colours = _next_colours(tries, bench.target.max_bytes)
    return tries


def _next_colours(tries: Sequence[_Try], limit: int | None) -> int | None:
    """The next number of colours to try; None when a file is good enough or none can be."""
    if limit is None:
        return None
    under = [each for each in tries if len(each.data) <= limit]
    over = [each for each in tries if len(each.data) > limit]
    best = max(under, key=lambda each: each.colours, default=None)
    if best is not None and (best.colours >= MOST_COLOURS or len(best.data) >= _FULL_ENOUGH * limit or not over):
        wider = best.colours < MOST_COLOURS and len(best.data) < _FULL_ENOUGH * limit
        return _unless_tried(_predicted(tries, limit), tries) if wider else None
    if min(each.colours for each in tries) <= FEWEST_COLOURS and best is None:
        return None
    return _unless_tried(_between(_predicted(tries, limit), under, over), tries)


def _predicted(tries: Sequence[_Try], limit: int) -> int:
    """Where the line through the two nearest tries, in logarithms, meets the aim."""
    nearest = sorted(tries, key=lambda each: abs(math.log(len(each.data) / limit)))[:2]
    exponent = _EXPONENT
    if len(nearest) == 2:
        first, second = nearest
        rise = math.log(len(first.data) / len(second.data)) / math.log(first.colours / second.colours)
        exponent = min(max(rise, 0.15), 1.0)
    colours = nearest[0].colours * math.pow(limit * _AIM / len(nearest[0].data), 1 / exponent)
    return round(min(max(colours, FEWEST_COLOURS), MOST_COLOURS))


def _between(colours: int, under: Sequence[_Try], over: Sequence[_Try]) -> int:
    """Inside what is known to fit and what is known not to."""
    least = max((each.colours + 1 for each in under), default=FEWEST_COLOURS)
    most = min((each.colours - 1 for each in over), default=MOST_COLOURS)
    return min(max(colours, least), max(most, FEWEST_COLOURS))


def _unless_tried(colours: int, tries: Sequence[_Try]) -> int | None:
    return None if any(each.colours == colours for each in tries) else colours


# ------------------------------------------------------------------ frames


def _fewer_frames(target: Target, shot: Shot, tries: Sequence[_Try]) -> int | None:
    """How many frames to try next; None at the floor."""
    count, limit = len(shot.frames), target.max_bytes
    floor = max(target.min_frames, min(_FEWEST_FRAMES, count))
    if limit is None or count <= floor:
        return None
    smallest = min(len(each.data) for each in tries)
    wanted = math.floor(count * min(_FEWER, limit * _AIM / smallest))
    return max(floor, wanted)


def _colours_for(target: Target, before: Shot, after: Shot, tries: Sequence[_Try]) -> int:
    """A first guess at the colours that the shorter loop affords."""
    smallest = min(tries, key=lambda each: len(each.data))
    expected = len(smallest.data) * len(after.frames) / len(before.frames)
    room = (target.max_bytes or expected) * _AIM / expected
    return round(min(max(smallest.colours * math.pow(room, 1 / _EXPONENT), FEWEST_COLOURS), MOST_COLOURS))


# ------------------------------------------------------------------ formats


def _apng(shot: Shot, colours: int, timing: Timing, target: Target) -> tuple[bytes, int]:
    quantised = quantise(shot.frames, colours)
    kept = _distinct(quantised.frames)
    frames = Quantised(tuple(quantised.frames[index] for index in kept), quantised.palette)
    if target.allows_palette:
        return write_palette(frames, merged(timing, kept)), len(kept)
    return write_true_colour(frames.rgba(), merged(timing, kept), few_colours=True), len(kept)


def _gif(shot: Shot, colours: int, timing: Timing, _target: Target) -> tuple[bytes, int]:
    quantised = quantise_hard(shot.frames, colours)
    kept = _distinct(quantised.frames)
    frames = Quantised(tuple(quantised.frames[index] for index in kept), quantised.palette)
    return write_gif(frames, merged(timing, kept)), len(kept)


def _distinct(frames: Sequence[np.typing.NDArray[np.uint8]]) -> list[int]:
    """Places of the frames that differ from the one before. Programs merge repeats; we hold the first longer."""
    return [index for index, frame in enumerate(frames) if index == 0 or not np.array_equal(frame, frames[index - 1])]

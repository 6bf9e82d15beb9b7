"""How long a loop lasts and how long each of its frames is shown: exact fractions, never floats.

LINE refuses a loop of 1.005 s, which is what fifteen frames of 67/1000 s add up to. Here every delay is a numerator
over a denominator, and the sum is what was asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from popcond.wire import StickerFormat, Target

FASTEST = 1.25  # a clip is never sped up more than this without a word
_REPEAT_PRICE = 0.15  # in log(seconds): playing a short cycle twice must be worth it
_MOST_REPEATS = 8
_GIF_TICK = 100  # a GIF counts centiseconds …
_GIF_LEAST = 2  # … and browsers slow shorter delays than this down to 10
_MILLISECONDS = 1000
_U16 = 65535


class Delay(NamedTuple):
    """How long a frame is shown: `num` / `den` seconds, as APNG stores it."""

    num: int
    den: int

    @property
    def seconds(self) -> Fraction:
        """The same as one exact number."""
        return Fraction(self.num, self.den)


@dataclass(frozen=True)
class Timing:
    """The delays of one loop, and how often it plays (0: for ever)."""

    delays: tuple[Delay, ...]
    plays: int

    @property
    def seconds(self) -> Fraction:
        """The exact length of one loop."""
        return sum((delay.seconds for delay in self.delays), Fraction())


@dataclass(frozen=True)
class Length:
    """How long one loop of the file is to last, and how often the cycle runs in it."""

    seconds: Fraction
    repeats: int
    speed: float  # above 1 the clip is sped up


def choose_length(own: float, target: Target) -> Length:
    """The target's length nearest to a cycle of `own` seconds; a short cycle may run several times in it."""
    if target.loop_seconds is None:
        seconds = _own_length(own, target)
        return Length(seconds, 1, own / float(seconds))
    choices = [
        (abs(math.log(whole / (repeats * own))) + _REPEAT_PRICE * (repeats - 1), repeats, whole)
        for whole in target.loop_seconds
        for repeats in range(1, _MOST_REPEATS + 1)
        if repeats * own / whole <= FASTEST
    ]
    if not choices:
        whole = max(target.loop_seconds)
        return Length(Fraction(whole), 1, own / whole)
    _, repeats, whole = min(choices)
    return Length(Fraction(whole), repeats, repeats * own / whole)


def _own_length(own: float, target: Target) -> Fraction:
    """To the file's own tick; no longer than the target allows."""
    tick = _GIF_TICK if target.format is StickerFormat.GIF else _MILLISECONDS
    ticks = max(_GIF_LEAST, round(own * tick))
    if target.max_seconds is not None:
        ticks = min(ticks, math.floor(target.max_seconds * tick))
    return Fraction(ticks, tick)


def longest_loop(target: Target) -> float | None:
    """The most seconds of clip that one loop can hold without being sped up unseen; None when there is no limit."""
    most = max(target.loop_seconds) if target.loop_seconds is not None else target.max_seconds
    return None if most is None else most * FASTEST


def choose_plays(seconds: Fraction, target: Target) -> int:
    """As many plays as the target allows for a loop of that length; 0 is for ever."""
    if 0 in target.plays:
        return 0
    most = target.max_seconds
    fitting = [plays for plays in target.plays if most is None or plays * seconds <= most]
    return max(fitting, default=min(target.plays))


def most_frames(seconds: Fraction, target: Target) -> int:
    """The largest number of frames that a loop of that length may have."""
    by_rate = max(1, math.floor(seconds * Fraction(target.max_fps)))
    return by_rate if target.max_frames is None else min(by_rate, target.max_frames)


def delays(seconds: Fraction, weights: Sequence[int], file_format: StickerFormat) -> tuple[Delay, ...]:
    """One delay a frame, in the ratio of `weights`, adding up to `seconds` exactly.

    Whole seconds in APNG are written as weight × seconds over the sum of weights, which is exact for every count of
    frames. Otherwise ticks (milliseconds, or a GIF's centiseconds) are dealt out with the smallest error.
    """
    total = sum(weights)
    if file_format is StickerFormat.GIF:
        return _dealt(seconds, weights, _GIF_TICK, _GIF_LEAST)
    if seconds.denominator == 1 and total <= _U16 and max(weights) * int(seconds) <= _U16:
        shared = math.gcd(*weights)
        return tuple(Delay(weight // shared * int(seconds), total // shared) for weight in weights)
    return _dealt(seconds, weights, _MILLISECONDS, 1)


def _dealt(seconds: Fraction, weights: Sequence[int], tick: int, least: int) -> tuple[Delay, ...]:
    ticks = round(seconds * tick)
    return tuple(Delay(part, tick) for part in deal(ticks, weights, least))


def deal(total: int, weights: Sequence[int], least: int) -> tuple[int, ...]:
    """`total` in whole parts, in the ratio of `weights`, none below `least`; rounding never piles up along the way.

    Raises ValueError when `least` for everybody is more than there is.
    """
    if least * len(weights) > total:
        raise ValueError(f"{total} ticks are too few for {len(weights)} parts of at least {least}")
    spare = total - least * len(weights)
    whole = sum(weights)
    shares = [max(Fraction(0), Fraction(weight * total, whole) - least) for weight in weights]
    scale = Fraction(spare) / (sum(shares) or 1)
    edges = [Fraction(0)]
    for share in shares:
        edges.append(edges[-1] + share * scale)
    marks = [math.floor(edge + Fraction(1, 2)) for edge in edges]
    return tuple(least + after - before for before, after in pairwise(marks))


def merged(timing: Timing, kept: Sequence[int]) -> Timing:
    """The timing when only the frames at `kept` (rising, from 0) remain and each is held until the next one."""
    bounds = [*kept, len(timing.delays)]
    held = [timing.delays[start:end] for start, end in pairwise(bounds)]
    return Timing(tuple(Delay(sum(delay.num for delay in group), group[0].den) for group in held), timing.plays)

"""Periodic curves of time: keyed poses with easing, swings and the slow-downs that hide a loop's seam.

A phase is a place in the loop, 0 ≤ phase < 1; every curve here is smooth and has period 1, so that the frame after the
last one is the first one, exactly.
"""

from __future__ import annotations

from math import cos, floor, pi, sin

Key = tuple[float, float]  # phase, value

_SLOW_HALF_WIDTH = 0.12  # of the loop; how long it takes to slow down and to get going again
_SLOW_DEPTH = 0.72  # the share of speed that is lost in the middle of a slow-down


def wrap(phase: float) -> float:
    """The same place in the loop, in [0, 1)."""
    wrapped = phase - floor(phase)
    return 0.0 if wrapped >= 1.0 else wrapped


def swing(phase: float, beats: int = 1, lag: float = 0.0) -> float:
    """−1..1, a cosine with `beats` per loop; it is at its extreme, and so at rest, in phase `lag`."""
    return cos(2.0 * pi * beats * (phase - lag))


def sway(phase: float, beats: int = 1, lag: float = 0.0) -> float:
    """−1..1, a sine with `beats` per loop; it passes through the middle in phase `lag`."""
    return sin(2.0 * pi * beats * (phase - lag))


def breath(phase: float, beats: int = 1, lag: float = 0.0) -> float:
    """0..1 and back, `beats` times a loop; 0 in phase `lag`."""
    return 0.5 - 0.5 * swing(phase, beats, lag)


def keyed(phase: float, *keys: Key, gain: float = 0.0) -> float:
    """The value at `phase` of the periodic curve through `keys` (phases rising, within [0, 1)).

    A monotone cubic: it stands still at every turning point, so poses ease in and out, and it never overshoots a key.
    Overshoot and settling are therefore keys of their own. With `gain` every loop ends that much higher than it began:
    1 for a figure that has turned round once. (Fritsch and Butland, "A method for constructing local monotone
    piecewise cubic interpolants", 1984.)
    """
    at = wrap(phase)
    left = max((index for index, key in enumerate(keys) if key[0] <= at), default=-1)
    start, end = _key(keys, left, gain), _key(keys, left + 1, gain)
    span = end[0] - start[0]
    share = (at - start[0]) / span
    slope_in, slope_out = _slope(keys, left, gain) * span, _slope(keys, left + 1, gain) * span
    squared, cubed = share * share, share * share * share
    return (
        (2 * cubed - 3 * squared + 1) * start[1]
        + (cubed - 2 * squared + share) * slope_in
        + (3 * squared - 2 * cubed) * end[1]
        + (cubed - squared) * slope_out
    )


def leap(phase: float, start: float, end: float) -> float:
    """A thrown thing's height between two phases: 0 on the ground, 1 at the top, a parabola between."""
    share = (wrap(phase) - start) / (end - start)
    return 4.0 * share * (1.0 - share) if 0.0 < share < 1.0 else 0.0


def _key(keys: tuple[Key, ...], index: int, gain: float) -> Key:
    """Key `index` of the endless row of which `keys` is one loop."""
    loop, place = divmod(index, len(keys))
    return keys[place][0] + loop, keys[place][1] + loop * gain


def _slope(keys: tuple[Key, ...], index: int, gain: float) -> float:
    """The curve's slope in key `index`: none at turning points, else the weighted harmonic mean of its two sides."""
    last, this, following = (_key(keys, index + step, gain) for step in (-1, 0, 1))
    before, after = this[0] - last[0], following[0] - this[0]
    rise_before, rise_after = (this[1] - last[1]) / before, (following[1] - this[1]) / after
    if rise_before * rise_after <= 0.0:
        return 0.0
    weight_before, weight_after = 2.0 * after + before, after + 2.0 * before
    return (weight_before + weight_after) / (weight_before / rise_before + weight_after / rise_after)


def eased(phase: float, poster: float) -> float:
    """The choreography's own time at clip time `phase`: it runs slowly past 0 and past `poster`, never backwards.

    A loop is cut at 0 or at its poster, the frame that a store shows; both cuts then fall between frames that are
    closer to each other than most. `poster` is in the choreography's time; see `poster_phase` for the clip's.
    """
    lost = _braked(phase, 0.0) + _braked(phase, poster_phase(poster))
    origin = _braked(0.0, 0.0) + _braked(0.0, poster_phase(poster))
    return (phase - _SLOW_DEPTH * (lost - origin)) / (1.0 - 2.0 * _SLOW_DEPTH * _SLOW_HALF_WIDTH)


def poster_phase(poster: float) -> float:
    """The clip time at which the choreography's time `poster` is reached."""
    both = 2.0 * _SLOW_DEPTH * _SLOW_HALF_WIDTH
    return poster * (1.0 - both) + both / 2.0


def _braked(phase: float, centre: float) -> float:
    """The integral of a raised-cosine bump around `centre`, repeated every whole phase."""
    nearest = floor(phase - centre + 0.5)
    distance = phase - centre - nearest
    return nearest * _SLOW_HALF_WIDTH + _bump_area(distance)


def _bump_area(distance: float) -> float:
    held = min(max(distance, -_SLOW_HALF_WIDTH), _SLOW_HALF_WIDTH)
    return 0.5 * (held + _SLOW_HALF_WIDTH / pi * sin(pi * held / _SLOW_HALF_WIDTH))

"""Curves as polygons: ellipses, bands, pen strokes and smooth outlines through a few points.

An outline is a float64 array (N, 2) of x, y; x grows to the right, y downwards, as in frames. Angles are radians,
clockwise as seen, 0 to the right. An outline must not cross itself, for a crossing would be painted as a hole.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import numpy as np
from numpy.typing import NDArray

Outline = NDArray[np.float64]  # (N, 2): x right, y down; closed, the first point is not repeated


def outline(points: Sequence[tuple[float, float]]) -> Outline:
    """The points as they are."""
    return np.asarray(points, np.float64)


def angles(count: int, start: float = 0.0, end: float = 2 * pi) -> NDArray[np.float64]:
    """Evenly spaced angles; of a whole turn the last is left out, because it is the first."""
    return np.linspace(start, end, count, endpoint=end - start < 2 * pi - 1e-9)


def smooth(points: Sequence[tuple[float, float]], *, closed: bool = True, steps: int = 10) -> Outline:
    """A Catmull-Rom curve through the points, `steps` samples between two of them."""
    knots = np.asarray(points, np.float64)
    ring = np.concatenate([knots[-1:], knots, knots[:2]]) if closed else np.concatenate([knots[:1], knots, knots[-1:]])
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[:, None]
    spans = [_span(ring[i : i + 4], t) for i in range(len(ring) - 3)]
    return np.concatenate(spans if closed else [*spans, knots[-1:]])


def _span(four: Outline, t: Outline) -> Outline:
    before, start, end, after = four
    slope_in, slope_out = (end - before) / 2, (after - start) / 2
    bend = 3 * (end - start) - 2 * slope_in - slope_out
    return np.asarray(start + slope_in * t + bend * t**2 + (slope_in + slope_out - 2 * (end - start)) * t**3)


def ellipse(x: float, y: float, width: float, height: float, turn: float = 0.0, count: int = 28) -> Outline:
    """An ellipse around (x, y) with half axes `width` and `height`, turned clockwise by `turn` radians."""
    around = angles(count)
    flat = np.stack([width * np.cos(around), height * np.sin(around)], axis=1)
    return np.asarray(turned(flat, turn) + np.array([x, y]), np.float64)


def turned(shape: Outline, turn: float) -> Outline:
    """The outline turned clockwise, as seen, around the origin."""
    cos, sin = np.cos(turn), np.sin(turn)
    return np.asarray(shape @ np.array([[cos, sin], [-sin, cos]]), np.float64)


def ribbon(path: Outline, half_widths: float | NDArray[np.float64]) -> Outline:
    """A band along an open path, (N, 2), with its half width at every point; the ends are cut square."""
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) * np.broadcast_to(half_widths, len(path))[:, None]
    return np.concatenate([path + across, (path - across)[::-1]])


def stroke(path: Outline, half_width: float) -> Outline:
    """A band along an open path with round ends, as a pen of that half width leaves it."""
    start = np.arctan2(*(path[0] - path[1])[::-1])
    end = np.arctan2(*(path[-1] - path[-2])[::-1])
    sides = ribbon(path, half_width)
    return np.concatenate(
        [
            sides[: len(path)],
            path[-1] + round_end(end, half_width),
            sides[len(path) :],
            path[0] + round_end(start, half_width),
        ]
    )


def round_end(direction: float, radius: float) -> Outline:
    """The half circle around the origin that ends a stroke of that direction."""
    around = direction + np.linspace(pi / 2, -pi / 2, 9)[1:-1]
    return radius * np.stack([np.cos(around), np.sin(around)], axis=1)


def arc(x: float, y: float, radius: float, start: float, end: float, count: int = 16) -> Outline:
    """An open path along a circle, clockwise as seen when `end` > `start`; 0 points to the right."""
    around = np.linspace(start, end, count)
    return np.stack([x + radius * np.cos(around), y + radius * np.sin(around)], axis=1)

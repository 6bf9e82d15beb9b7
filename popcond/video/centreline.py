"""The line along the middle of a limb, from where it leaves the body to its tip, also around a bent elbow."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats
from popcond.video.anchors import Point

Solid = NDArray[np.bool_]

BONES = 12  # of a centreline

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_SQUARE = np.ones((3, 3), np.uint8)


def centreline(part: Solid, joint: Solid) -> tuple[Point, ...] | None:
    """BONES + 1 evenly spaced points through `part`, from `joint`, the pixels by which it hangs on.

    None for a part that is too small to have one.
    """
    steps = _walk(part, joint)
    longest = int(steps.max())
    if longest < BONES:
        return None
    rows, columns = np.nonzero(steps > 0)
    bins = np.minimum((steps[rows, columns] - 1) * BONES // longest, BONES - 1)
    count = np.bincount(bins, minlength=BONES)
    x = np.bincount(bins, columns + 0.5, BONES) / count
    y = np.bincount(bins, rows + 0.5, BONES) / count
    root_rows, root_columns = np.nonzero(joint & part)
    tip = steps[rows, columns] >= longest - 1
    root = float(root_columns.mean()) + 0.5, float(root_rows.mean()) + 0.5
    end = float(columns[tip].mean()) + 0.5, float(rows[tip].mean()) + 0.5
    return _evenly(np.array([root, *zip(x, y, strict=True), end], np.float32))


def _walk(part: Solid, joint: Solid) -> NDArray[np.int32]:
    """(H, W) how many steps inside the part each of its pixels is away from the joint, from 1 on; 0 outside."""
    reached = (part & joint).astype(np.uint8)
    steps = reached.astype(np.int32)
    number = 1
    while True:
        kernel = _CROSS if number % 2 else _SQUARE  # in turn: an octagon, nearly a circle
        fresh = (cv2.dilate(reached, kernel) > 0) & part & (reached == 0)
        number += 1
        if not fresh.any():
            return steps
        steps[fresh] = number
        reached[fresh] = 1


def _evenly(path: Floats) -> tuple[Point, ...]:
    """The path made smooth, its points at equal distances."""
    for _ in range(2):
        path[1:-1] = 0.25 * path[:-2] + 0.5 * path[1:-1] + 0.25 * path[2:]
    gone = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    wanted = np.linspace(0.0, gone[-1], BONES + 1)
    x, y = np.interp(wanted, gone, path[:, 0]), np.interp(wanted, gone, path[:, 1])
    return tuple((float(a), float(b)) for a, b in zip(x, y, strict=True))

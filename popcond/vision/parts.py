"""The connected parts of a mask: the character, and the effects that float around it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Alpha
from popcond.wire import Part

_ALSO_CHARACTER = 0.25  # a part of this share of the largest one is no effect: a floating head, a second body


def parts_of(alpha: Alpha) -> tuple[Part, ...]:
    """The parts with alpha ≥ 128, largest first; the largest ones are the character, the others effects."""
    visible = cv2.threshold(alpha, 127, 1, cv2.THRESH_BINARY)[1]
    left, top, width, height = cv2.boundingRect(visible)
    if not width or not height:
        return ()
    box = visible[top : top + height, left : left + width]
    count, _, stats, _ = cv2.connectedComponentsWithStats(box, connectivity=8)
    stats[:, :2] += (left, top)
    rows = sorted((_row(stats[n]) for n in range(1, count)), key=lambda row: -row[4])
    return tuple(_part(row, of=rows[0][4]) for row in rows)


def _row(stats: NDArray[np.int32]) -> tuple[int, int, int, int, int]:
    x, y, width, height, area = (int(value) for value in stats)
    return x, y, width, height, area


def _part(row: tuple[int, int, int, int, int], *, of: int) -> Part:
    x, y, width, height, area = row
    kind = "character" if area >= _ALSO_CHARACTER * of else "effect"
    return Part(kind=kind, x=x, y=y, width=width, height=height, area=area)  # type: ignore[arg-type]

"""The part of a picture that differs from its backdrop, and what is known of it; later steps look at it alone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats, Rgb
from popcond.vision.backdrop import Backdrop

Mask = NDArray[np.uint8]  # (H, W), 0 or 1
Box = tuple[slice, slice]  # rows and columns

_ROOM = 12  # pixels round what differs


@dataclass(frozen=True)
class Crop:
    """Rasters of one size, and figures of the whole picture."""

    rgb: Rgb
    field: Floats  # (H, W, 3) the backdrop without the character, levels
    gaps: Floats  # (H, W) how far each pixel is from the field, ΔE
    backdrop: Backdrop
    side: int  # the smaller side of the whole picture, pixels

    def part(self, box: Box) -> Crop:
        """A part of it."""
        return Crop(self.rgb[box], self.field[box], self.gaps[box], self.backdrop, self.side)


def differing(like: Mask) -> Box | None:
    """The box that holds all that is not `like` the backdrop, with some room; None when there is nothing."""
    x, y, width, height = cv2.boundingRect(1 - like)
    if not width or not height:
        return None
    return slice(max(y - _ROOM, 0), y + height + _ROOM), slice(max(x - _ROOM, 0), x + width + _ROOM)

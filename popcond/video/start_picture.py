"""The first frame that a video model starts from: the character on a flat square, with room to move around it."""

from __future__ import annotations

import cv2
import numpy as np

from popcond.media.raster import Colour, Rgb, Rgba, flatten, resize

_TALLEST, _WIDEST = 0.64, 0.7  # of the square: the figure's height and width
_GROUND = 0.88  # of the square: where it stands; jumps go upwards
_FAINTEST = 8  # alpha that still counts as visible


def start_picture(cutout: Rgba, backdrop: Colour, side: int) -> Rgb:
    """(side, side, 3): the visible part of the cut-out, scaled to fit, standing in the middle."""
    left, top, width, height = cv2.boundingRect((cutout[..., 3] > _FAINTEST).astype(np.uint8))
    square = np.empty((side, side, 3), np.uint8)
    square[:] = backdrop
    if not width:
        return square
    scale = side * min(_TALLEST / height, _WIDEST / width)
    figure = resize(
        cutout[top : top + height, left : left + width], max(1, round(width * scale)), max(1, round(height * scale))
    )
    x, y = (side - figure.shape[1]) // 2, round(_GROUND * side) - figure.shape[0]
    square[y : y + figure.shape[0], x : x + figure.shape[1]] = flatten(figure, backdrop)
    return square

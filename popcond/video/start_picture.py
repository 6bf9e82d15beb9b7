"""What a model is shown: opaque pictures on a flat colour, of sides that every model takes.

A video model starts from the character on a square, with room to move around it; so does one that draws a pose, for
what it draws becomes such a first frame.
"""

from __future__ import annotations

import cv2
import numpy as np

from popcond.media.raster import Colour, Rgb, Rgba, flatten, is_see_through, resize

_TALLEST, _WIDEST = 0.64, 0.7  # of the square: the figure's height and width
_GROUND = 0.88  # of the square: where it stands; jumps go upwards
_FAINTEST = 8  # alpha that still counts as visible
_SIDE = 1024  # pixels of a cut-out's square
_SHORTEST, _LONGEST = 384, 1280  # pixels of a shown picture's sides; some models take no less than the first


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


def shown_picture(picture: Rgb | Rgba, backdrop: Colour) -> Rgb:
    """(H, W, 3): a cut-out like a start picture, an opaque picture as it is, both with sides that models take."""
    rgba = _with_alpha(picture)
    if is_see_through(rgba[..., 3]):
        return start_picture(rgba, backdrop, _SIDE)
    return _padded(_scaled(flatten(rgba, backdrop)), backdrop)


def _with_alpha(picture: Rgb | Rgba) -> Rgba:
    if picture.ndim == 2:
        picture = np.dstack([picture] * 3)
    if picture.shape[2] == 4:
        return picture
    return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])


def _scaled(picture: Rgb) -> Rgb:
    """Larger while its shorter side is too short, then smaller while its longer one is too long."""
    height, width = picture.shape[:2]
    scale = max(1.0, _SHORTEST / min(height, width))
    scale = min(scale, _LONGEST / max(height, width))
    if scale == 1.0:
        return picture
    how = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def _padded(picture: Rgb, backdrop: Colour) -> Rgb:
    """In the middle of the flat colour where it is so long and thin that one of its sides stays too short."""
    height, width = picture.shape[:2]
    canvas = np.empty((max(height, _SHORTEST), max(width, _SHORTEST), 3), np.uint8)
    canvas[:] = backdrop
    top, left = (canvas.shape[0] - height) // 2, (canvas.shape[1] - width) // 2
    canvas[top : top + height, left : left + width] = picture
    return canvas

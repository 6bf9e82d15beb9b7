"""The cut-out: a frame with its mask as alpha, and with the backdrop's colour taken out of its soft edge.

Works for masks of any origin: keyed, drawn by a person, or from a segmenter. A pixel of the edge is a mixture; shown on
another backdrop it would carry a fringe of the old one. Its own colour is solved from the mixture where it is solid
enough, and fetched from inside where it is not.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Alpha, Floats, Rgb, Rgba
from popcond.vision.nearest import is_mixture, nearest_colours, share_of

_TRUSTED = 0.45  # alpha from which a mixture is solved rather than replaced

_SHADE = 24.0  # levels by which a mixed pixel may be lighter or darker than its inner colour, of which it keeps the hue
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def cut_out(rgb: Rgb, alpha: Alpha) -> Rgba:
    """(H, W, 4) straight alpha with decontaminated colours; transparent pixels are (0, 0, 0, 0)."""
    cutout = np.zeros((*alpha.shape, 4), np.uint8)
    x, y, width, height = cv2.boundingRect(alpha)
    if width and height:
        box = _padded(slice(y, y + height), alpha.shape[0]), _padded(slice(x, x + width), alpha.shape[1])
        cutout[box] = _cut_out(np.ascontiguousarray(rgb[box]), np.ascontiguousarray(alpha[box]))
    return cutout


def _padded(span: slice, end: int) -> slice:
    return slice(max(span.start - 8, 0), min(span.stop + 8, end))


def _cut_out(rgb: Rgb, alpha: Alpha) -> Rgba:
    visible = np.asarray(cv2.threshold(alpha, 0, 255, cv2.THRESH_BINARY)[1], np.uint8)
    own = rgb.reshape(-1, 3).copy()
    rim = np.flatnonzero(_rim(alpha))
    if rim.size:
        own[rim] = _own_colours(rgb, alpha, rim)
    colours = cv2.bitwise_and(own.reshape(rgb.shape), cv2.merge([visible, visible, visible]))
    return np.asarray(cv2.merge([*cv2.split(colours), alpha]), np.uint8)


def _rim(alpha: Alpha) -> NDArray[np.bool_]:
    """Visible pixels that are not solid, or that are within two pixels of one that is not visible."""
    least = np.asarray(cv2.erode(alpha, np.ones((5, 5), np.uint8)))
    return np.asarray((alpha > 0) & ((alpha < 255) | (least < 128)), np.bool_)


def _own_colours(rgb: Rgb, alpha: Alpha, rim: NDArray[np.intp]) -> NDArray[np.uint8]:
    pixels = rgb.reshape(-1, 3)[rim].astype(np.float32)
    claimed = alpha.ravel()[rim].astype(np.float32) / 255.0
    outer = nearest_colours(rgb, _fullest(cv2.bitwise_not(alpha), 5) & (alpha <= 5), rim)
    inner = nearest_colours(rgb, _fullest(alpha, 3) & (alpha > 0), rim)
    mixed = is_mixture(pixels, inner, outer)
    beside = nearest_colours(rgb, _fullest(alpha, 1) & (alpha > 0), rim)
    inner = np.where(mixed[:, None], inner, beside)
    seen = np.where(mixed, np.minimum(claimed, share_of(pixels - outer, inner - outer)), claimed)
    own = _solved(pixels, inner, outer, seen[:, None])
    own = np.where(mixed[:, None], inner + np.clip((own - inner) @ _LUMA, -_SHADE, _SHADE)[:, None], own)
    return np.asarray(np.rint(np.clip(own, 0.0, 255.0)), np.uint8)


def _solved(pixels: Floats, inner: Floats, outer: Floats, seen: Floats) -> Floats:
    """The colour that mixes with the outer one to each pixel; the inner one instead where too little of it is seen."""
    own = (pixels - (1.0 - seen) * outer) / np.maximum(seen, 0.05)
    trust = np.clip((seen - _TRUSTED * 0.5) / (_TRUSTED * 0.5), 0.0, 1.0)
    return np.asarray(trust * np.clip(own, 0.0, 255.0) + (1.0 - trust) * inner, np.float32)


def _fullest(alpha: cv2.typing.MatLike, window: int) -> NDArray[np.bool_]:
    """The pixels that are as full as any near them: all of the inside, and the middle line of what is thin or faint."""
    full = cv2.blur(alpha, (window, window), borderType=cv2.BORDER_REPLICATE)
    most = cv2.dilate(full, np.ones((7, 7), np.uint8))
    return np.asarray(cv2.subtract(most, full), np.uint8) <= 6

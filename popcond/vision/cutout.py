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

_NEAR = 7  # pixels, the window in which inner and outer colours are looked for first
_TRUSTED = 0.45  # alpha from which a mixture is solved rather than replaced


def cut_out(rgb: Rgb, alpha: Alpha) -> Rgba:
    """(H, W, 4) straight alpha with decontaminated colours; transparent pixels are (0, 0, 0, 0)."""
    cutout = np.dstack([rgb, alpha])
    cutout[alpha == 0] = 0
    rim = np.flatnonzero(_rim(alpha))
    if rim.size:
        cutout.reshape(-1, 4)[rim, :3] = _own_colours(rgb, alpha, rim)
    return cutout


def _rim(alpha: Alpha) -> NDArray[np.bool_]:
    """Visible pixels that are not solid, or that touch one that is not visible."""
    least = cv2.erode(alpha, np.ones((3, 3), np.uint8))
    return np.asarray((alpha > 0) & ((alpha < 255) | (np.asarray(least) < 128)), np.bool_)


def _own_colours(rgb: Rgb, alpha: Alpha, rim: NDArray[np.intp]) -> NDArray[np.uint8]:
    solid = np.asarray(cv2.erode((alpha >= 250).astype(np.uint8), np.ones((3, 3), np.uint8)), np.uint8)
    empty = np.asarray(cv2.erode((alpha <= 5).astype(np.uint8), np.ones((5, 5), np.uint8)), np.uint8)
    pixels = rgb.reshape(-1, 3)[rim].astype(np.float32)
    inner = _nearby(rgb, solid, alpha >= 128, rim)
    outer = _nearby(rgb, empty, alpha <= 5, rim)
    seen = np.minimum(alpha.ravel()[rim].astype(np.float32) / 255.0, _implied(pixels, inner, outer))[:, None]
    own = (pixels - (1.0 - seen) * outer) / np.maximum(seen, 0.05)
    trust = np.clip((seen - _TRUSTED * 0.5) / (_TRUSTED * 0.5), 0.0, 1.0)
    mixed = trust * np.clip(own, 0.0, 255.0) + (1.0 - trust) * inner
    return np.asarray(np.rint(np.clip(mixed, 0.0, 255.0)), np.uint8)


def _implied(pixels: Floats, inner: Floats, outer: Floats) -> Floats:
    """The alpha that the colours themselves tell, for masks that claim more than is there."""
    step = inner - outer
    length = np.einsum("ij,ij->i", step, step)
    told = np.einsum("ij,ij->i", pixels - outer, step) / np.maximum(length, 1.0)
    return np.asarray(np.where(length < 400.0, 1.0, np.clip(told, 0.0, 1.0)), np.float32)


def _nearby(rgb: Rgb, sure: NDArray[np.uint8], fair: NDArray[np.bool_], places: NDArray[np.intp]) -> Floats:
    """(N, 3) mean colour of the sure pixels near each place; of fair ones, and from farther away, where there are none."""
    near = _means(rgb, sure, _NEAR, places)
    fallback = _means(rgb, fair.astype(np.uint8), _NEAR, places)
    far = _means(rgb, fair.astype(np.uint8), 6 * _NEAR, places)
    colour = np.where(near[:, 3:] > 0.03, near[:, :3], np.where(fallback[:, 3:] > 0.03, fallback[:, :3], far[:, :3]))
    lost = (near[:, 3] <= 0.03) & (fallback[:, 3] <= 0.03) & (far[:, 3] <= 1e-4)
    colour[lost] = rgb.reshape(-1, 3)[places[lost]]
    return np.asarray(colour, np.float32)


def _means(rgb: Rgb, mask: NDArray[np.uint8], window: int, places: NDArray[np.intp]) -> Floats:
    """(N, 4): mean colour of the masked pixels in a square window round each place, and their share of it."""
    weighted = np.dstack([rgb * mask[..., None], mask * 255]).astype(np.float32)
    blurred = np.asarray(cv2.blur(weighted, (window, window), borderType=cv2.BORDER_CONSTANT), np.float32)
    sums = blurred.reshape(-1, 4)[places]
    share = sums[:, 3:] / 255.0
    return np.concatenate([sums[:, :3] / np.maximum(share, 1e-6), share], axis=1)

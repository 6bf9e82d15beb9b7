"""How solid the pixels along a keyed edge are.

The backdrop is known, so along the edge each pixel is taken apart: pixel = alpha · inner + (1 − alpha) · backdrop, with
the inner colour fetched from a little way inside. Lightness is trusted more than colour, because video stores colour at
half the resolution and smears it over the edge.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Alpha, Floats, Rgb
from popcond.vision.nearest import is_mixture, nearest_colours

Mask = NDArray[np.uint8]  # (H, W), 0 or 1

_LUMA = np.array(  # BT.601 luma and two colour differences of a straight RGB colour
    [[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32
)
_TRUST = np.array([1.0, 0.35, 0.35], np.float32)  # of luma and of the colour differences
_FAINT, _PLAIN = 30.0, 20.0  # ΔE from which an edge pixel of a third colour shows, and how much more makes it solid
_EMPTY, _SOLID = 0.2, 0.84  # alpha outside of these is snapped


def soften(rgb: Rgb, field: Floats, inside: Mask, gaps: Floats, *, smeared: bool) -> Alpha:
    """(H, W) alpha from a hard mask: unmixed within a few pixels of its edge, solid and empty elsewhere.

    `gaps` (H, W) is how far, in ΔE, each pixel is from the backdrop `field`. `smeared` is true for video before a
    backdrop that is far from the character: then what is weak is the codec's.
    """
    reach = 2 if max(rgb.shape[:2]) < 900 else 3
    alpha = np.asarray(inside * 255, np.uint8)
    depth = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 3), np.float32)
    near = np.asarray(cv2.dilate(inside, np.ones((3, 3), np.uint8)))
    band = np.flatnonzero((near > 0) & (depth <= reach + 0.5))
    if band.size == 0 or not inside.any():
        return alpha
    found = _explained(rgb, field, depth, gaps, band, reach, smeared=smeared)
    alpha.ravel()[band] = snapped(found)
    return alpha


def _explained(
    rgb: Rgb, field: Floats, depth: Floats, gaps: Floats, band: NDArray[np.intp], reach: int, *, smeared: bool
) -> Floats:
    """(N,) alpha 0..1 of the band's pixels, each taken apart into its inner and its outer colour.

    An outline has its own inner colour. A pixel inside that no two colours explain is a hairline: it is solid, or in
    video as solid as it is plain to see.
    """
    strong = _strong(gaps) if smeared else np.ones(gaps.shape, np.bool_)
    outer, pixels = (raster.reshape(-1, 3)[band].astype(np.float32) for raster in (field, rgb))
    inner = nearest_colours(rgb, _core(depth, reach) & strong, band)
    beside = nearest_colours(rgb, _core(depth, 1) & strong, band)
    outlined = ~is_mixture(beside, inner, outer, loosely=True)
    inner[outlined] = beside[outlined]
    found = unmixed(pixels, inner, outer)
    hairline = (depth.ravel()[band] > 0) & ~is_mixture(pixels, inner, outer, loosely=True)
    plain = np.clip((gaps.ravel()[band] - _FAINT) / _PLAIN, 0.0, 1.0) if smeared else np.float32(1.0)
    return np.where(hairline, np.maximum(found, plain), found)


def _strong(gaps: Floats) -> NDArray[np.bool_]:
    """What differs from the backdrop nearly as much as anything around it does."""
    return np.asarray(gaps > 0.4 * np.asarray(cv2.dilate(gaps, np.ones((9, 9), np.uint8))), np.bool_)


def _core(depth: Floats, reach: int) -> NDArray[np.bool_]:
    """What is surely solid: deeper than `reach`; in limbs and drops that are nowhere so deep, their middle line."""
    window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    deepest = np.asarray(cv2.dilate(depth, window), np.float32)
    return np.asarray((depth > 0) & (depth > np.minimum(reach, deepest - 0.7)), np.bool_)


def unmixed(pixels: Floats, inner: Floats, outer: Floats) -> Floats:
    """(N,) alpha 0..1 that best explains each pixel as a mixture of its inner and outer colour."""
    step = (inner - outer) @ _LUMA.T
    seen = (pixels - outer) @ _LUMA.T
    length = np.asarray((step * step) @ _TRUST, np.float32)
    return np.asarray(((seen * step) @ _TRUST) / np.maximum(length, 1.0), np.float32)


def snapped(solid: Floats) -> Alpha:
    """Alpha 0..1 as 0..255, with both ends made clean."""
    stretched = (solid - _EMPTY) / (_SOLID - _EMPTY)
    return np.asarray(np.rint(np.clip(stretched, 0.0, 1.0) * 255.0), np.uint8)

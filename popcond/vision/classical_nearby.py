"""Which side of a known picture each pixel of the next one resembles most, nearby: the character's or the backdrop's.

Over a whole picture a busy backdrop has every colour that the character has. Within a few pixels it hardly ever has.
So each pixel is compared with all pixels round its place in the picture before, inside and outside of the known mask,
the farther ones at a discount (local matching, as in FEELVOS, Voigtlaender et al. 2019, with colours for features).
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats, Rgb

Lab = NDArray[np.uint8]  # (H, W, 3) CIELAB by the 8-bit table

_STEP = 2  # pixels between two places that are compared: colours are smoothed, so nothing falls between
_FARTHER = 0.6  # ΔE for each pixel of distance
_ALIKE = 3.0  # ΔE that tells nothing
_SURE = 2.5  # log odds beyond which one pixel is not believed
_TO_DELTA_E = np.array([[1.0 / 2.55, 1.0, 1.0]], np.float32)


def lab_of(rgb: Rgb) -> Lab:
    """A picture as `odds_nearby` wants it: CIELAB, a little smoothed against grain."""
    lab = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB)
    return np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.7), np.uint8)


def odds_nearby(now: Lab, before: Lab, inside: NDArray[np.uint8], reach: int) -> Floats:
    """(H, W) log odds that a pixel of `now` belongs inside, by the pixels of `before` within `reach` pixels.

    `before` and its mask `inside` (0 or 1) should be warped to where things are by now.
    """
    height, width = inside.shape
    known, mask, other = (
        _framed(raster, reach) for raster in (before, inside * np.uint8(255), 255 - inside * np.uint8(255))
    )
    to_inside = np.full((height, width), 255, np.uint8)
    to_outside = to_inside.copy()
    for down, right in _places(reach):
        there = slice(reach + down, reach + down + height), slice(reach + right, reach + right + width)
        gap = cv2.transform(cv2.absdiff(now, known[there]), _TO_DELTA_E)
        gap = cv2.add(gap, round(_FARTHER * float(np.hypot(down, right))))  # type: ignore[call-overload]
        cv2.min(to_inside, cv2.max(gap, other[there]), dst=to_inside)
        cv2.min(to_outside, cv2.max(gap, mask[there]), dst=to_outside)
    odds = np.log((to_outside.astype(np.float32) + _ALIKE) / (to_inside.astype(np.float32) + _ALIKE))
    return np.asarray(np.clip(odds, -_SURE, _SURE), np.float32)


def _framed(raster: NDArray[np.uint8], by: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.copyMakeBorder(raster, by, by, by, by, cv2.BORDER_REPLICATE), np.uint8)


def _places(reach: int) -> Iterator[tuple[int, int]]:
    """Every second place within a circle."""
    for down in range(-reach, reach + 1, _STEP):
        for right in range(-reach, reach + 1, _STEP):
            if down * down + right * right <= reach * reach:
                yield down, right

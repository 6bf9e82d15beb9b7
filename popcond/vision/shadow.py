"""The soft shadow that a character throws on its plain backdrop, which would be a grey stain on any other.

A shadow is the backdrop's own colour, darker; it fades into the backdrop without a step; it lies low and is wider than
high; and where the character begins there is a step. All of this must hold, because a pale character's own shading
looks much like it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats, Rgb

Mask = NDArray[np.uint8]  # (H, W), 0 or 1

_DARKEST = 0.4  # of the backdrop's brightness
_TINT = 0.045  # how much a shadow's three channels may differ, as shares of the backdrop's
_STEP = 9.0  # levels between shadow and character that make a border
_SMOOTH = 0.028  # of 255 a pixel, on a side of 512: steeper is an edge, not a shadow
_FADED = 5.0  # ΔE from the backdrop where a shadow ends
_MOST = 0.2  # share of the picture that a shadow may cover


def shadow(rgb: Rgb, field: Floats, inside: Mask, gaps: Floats) -> Mask:
    """(H, W; 0 or 1): the part of `inside` that is a shadow under the character, if there surely is one.

    `field` is the backdrop and `gaps` (H, W) how far, in ΔE, each pixel is from it.
    """
    darker = _darker_backdrop(rgb, field)
    found = _surely(rgb, inside, np.asarray(inside & darker & _even(rgb), np.uint8), gaps)
    grown = np.asarray(cv2.dilate(found, np.ones((5, 5), np.uint8)), np.uint8)
    return np.asarray(grown & darker & inside, np.uint8)


def _surely(rgb: Rgb, inside: Mask, smooth: Mask, gaps: Floats) -> Mask:
    smooth = np.asarray(cv2.morphologyEx(smooth, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(smooth, connectivity=8)
    outer = (np.asarray(cv2.dilate(1 - inside, np.ones((5, 5), np.uint8))) > 0) & (smooth > 0)
    touching = np.bincount(labels[outer], minlength=count)
    fading = np.bincount(labels[outer & (gaps < _FADED)], minlength=count)
    found = np.zeros_like(inside)
    for number in range(1, count):
        if fading[number] > 0.7 * max(touching[number], 1) and _lies_low(stats[number], inside):
            part = (labels == number).astype(np.uint8)
            found |= part if _ends_at_a_step(rgb, part, inside) else np.uint8(0)
    return found


def _darker_backdrop(rgb: Rgb, field: Floats) -> Mask:
    """Pixels that are the backdrop times something below one, the same in all channels."""
    shares = rgb.astype(np.float32) / np.maximum(field, 1.0)
    middle = shares.mean(axis=2)
    tint = shares.max(axis=2) - shares.min(axis=2)
    return np.asarray((middle > _DARKEST) & (middle < 1.0) & (tint < 2 * _TINT * middle), np.uint8)


def _even(rgb: Rgb) -> Mask:
    """Pixels where the brightness changes slowly."""
    grey = cv2.blur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (3, 3)).astype(np.float32)
    slope = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8.0
    steepest = _SMOOTH * 255.0 * min(1.5, max(0.5, 512.0 / min(rgb.shape[:2])))
    return np.asarray(slope < steepest, np.uint8)


def _lies_low(stats: NDArray[np.int32], inside: Mask) -> bool:
    _, top, width, height, area = (int(value) for value in stats)
    _, character_top, _, character_height = cv2.boundingRect(inside)
    low = top > character_top + 0.55 * character_height
    return low and width > 1.5 * height and 0.0008 * inside.size < area < _MOST * inside.size


def _ends_at_a_step(rgb: Rgb, part: Mask, inside: Mask) -> bool:
    """True when the character beside the shadow is of clearly another brightness or colour than the shadow."""
    grown = np.asarray(cv2.dilate(part, np.ones((11, 11), np.uint8)))
    beside = (grown > 0) & (inside > 0) & (np.asarray(cv2.dilate(part, np.ones((7, 7), np.uint8))) == 0)
    if np.count_nonzero(beside) < 8:
        return False
    _, labels = cv2.distanceTransformWithLabels(1 - part, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    places = np.flatnonzero(part)
    place_of = np.zeros(places.size + 1, np.intp)
    place_of[np.asarray(labels).ravel()[places]] = places
    nearest = rgb.reshape(-1, 3)[place_of[np.asarray(labels)[beside]]].astype(np.int16)
    steps = np.abs(rgb[beside].astype(np.int16) - nearest).max(axis=1)
    return float(np.mean(steps > _STEP)) > 0.75

"""The soft shadow that a character throws on its plain backdrop, which would be a grey stain on any other.

A shadow is the backdrop's own colour, darker; it is entered from the backdrop without a step; it lies low and is wider
than high; and where the character begins there is a step. All of this must hold, because a pale character's own shading
looks much like it.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from popcond.media.raster import Floats, Rgb
from popcond.vision.crop import Crop, Mask

_DARKEST = 0.45  # of the backdrop's brightness
_TINT = 5.0  # levels that a channel may be off the backdrop's darkened colour
_STEEP = 6.0  # levels a pixel, on a side of 512: steeper is an edge, not a shadow
_LOW = 0.6  # of the character's height: a shadow's middle lies below
_LEAST, _MOST = 0.0008, 0.2  # share of the picture that a shadow may cover
_FAINT = 0.5  # of the ΔE in its middle: less than that it has where it meets the backdrop …
_FAINTER, _GOES_ON = 0.9, 0.25  # … or less than that, and this share of it is left three pixels farther out
_OPEN = 0.25  # share of its outline that lies against the backdrop
_WIDE = 2.5  # of its height: a shadow's width at least
_STEP = 9.0  # levels between shadow and character that make a border …
_ENDS = 0.5  # … and the share of the border where there must be one


def shadow(crop: Crop, like: Mask, outside: Mask) -> Mask:
    """(H, W; 0 or 1): the shadow under the character, if there surely is one.

    `like` is what looks like the backdrop, `outside` the part of it that is reached from the border.
    """
    inside = 1 - outside
    found = np.zeros_like(inside)
    top, height = _extent(inside)
    low = slice(top + height // 2, None), slice(None)
    if height >= 8:
        found[low] = _shadows(crop.part(low), like[low], inside[low], (_LOW - 0.5) * height)
    return found


def _extent(inside: Mask) -> tuple[int, int]:
    """Top and height of the character in rows; the few pixels of effects above and below do not count."""
    rows = np.asarray(cv2.reduce(inside, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)).ravel()
    full = np.flatnonzero(rows > 0.15 * rows.max())
    return (int(full[0]), int(full[-1] - full[0] + 1)) if full.size else (0, 0)


def _shadows(crop: Crop, like: Mask, inside: Mask, lowest: float) -> Mask:
    """The parts that are surely shadow, if they are wider than high together, and what lies in one row with them."""
    rgb, gaps, side = crop.rgb, crop.gaps, crop.side
    darker = _darker_backdrop(rgb, crop.field, inside & (1 - like))
    nothing = np.zeros_like(inside)
    if np.count_nonzero(darker) < _LEAST * side * side:
        return nothing
    smooth = np.asarray(darker & (_slope(rgb) < _STEEP * min(1.6, max(0.6, 512.0 / side))), np.uint8)
    smooth = np.asarray(cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), np.uint8) & inside
    outer = np.asarray(cv2.dilate(1 - inside, np.ones((3, 3), np.uint8)), np.uint8)
    parts = _Parts(smooth, outer)
    fading = [
        n for n in parts.between(_LEAST * side * side, _MOST * side * side) if _fades(parts.of(n), inside, outer, gaps)
    ]
    within = 1 - np.asarray(cv2.dilate(like, np.ones((3, 3), np.uint8)), np.uint8)
    low = [n for n in fading if parts.is_open(n) and parts.middle(n) > lowest]
    sure = [n for n in low if _ends_at_a_step(rgb, parts.of(n), within)]
    found = parts.all_of(sure)
    _, top, width, height = cv2.boundingRect(found)
    if width <= _WIDE * height:
        return nothing
    in_row = [n for n in fading if n not in sure and top <= parts.middle(n) <= top + height]
    return _grown(parts.all_of([*sure, *in_row]), darker, inside)


class _Parts:
    """The connected parts of a mask, and how much of their outline lies against the outside."""

    def __init__(self, mask: Mask, outer: Mask) -> None:
        self._count, self._labels, self._stats, self._middles = cv2.connectedComponentsWithStats(mask, connectivity=4)
        rim = np.asarray(mask - cv2.erode(mask, np.ones((3, 3), np.uint8), borderValue=0), np.bool_)
        self._rims = np.bincount(self._labels[rim], minlength=self._count)
        self._open = np.bincount(self._labels[rim & (outer > 0)], minlength=self._count)

    def between(self, least: float, most: float) -> list[int]:
        """Those of that many pixels that touch the outside."""
        areas = self._stats[:, cv2.CC_STAT_AREA]
        return [int(n) for n in np.flatnonzero((areas > least) & (areas < most) & (self._open > 0)) if n]

    def of(self, number: int) -> Mask:
        """The mask of one."""
        return np.asarray(self._labels == number, np.uint8)

    def all_of(self, numbers: Sequence[int]) -> Mask:
        """The mask of several."""
        return np.asarray(np.isin(self._labels, numbers), np.uint8)

    def middle(self, number: int) -> float:
        """The row of its middle."""
        return float(self._middles[number][1])

    def is_open(self, number: int) -> bool:
        """Whether much of its outline lies against the outside."""
        return bool(self._open[number] > _OPEN * self._rims[number])


def _fades(part: Mask, inside: Mask, outer: Mask, gaps: Floats) -> bool:
    """True when it is faint where it meets the backdrop, or goes on beyond, fainter still: no edge is there."""
    meeting, middle = float(np.median(gaps[(part & outer) > 0])), float(np.percentile(gaps[part > 0], 90))
    far, near = (np.asarray(cv2.dilate(part, np.ones((size, size), np.uint8)), np.uint8) for size in (9, 5))
    beyond = gaps[(far & (1 - near) & (1 - inside)) > 0]
    goes_on = beyond.size > 0 and float(np.median(beyond)) > _GOES_ON * meeting
    return meeting < _FAINT * middle or (goes_on and meeting < _FAINTER * middle)


def _grown(found: Mask, darker: Mask, inside: Mask) -> Mask:
    """With its faint rim, and with the dark line right under the character."""
    near = np.asarray(cv2.dilate(found, np.ones((7, 7), np.uint8)), np.uint8)
    return np.asarray(near & darker & inside, np.uint8)


def _darker_backdrop(rgb: Rgb, field: Floats, inside: Mask) -> Mask:
    """Pixels of `inside` that are the backdrop times something below one, the same in all channels."""
    places = np.flatnonzero(inside)
    seen, behind = rgb.reshape(-1, 3)[places].astype(np.float32), field.reshape(-1, 3)[places]
    share = (seen @ np.ones(3, np.float32)) / np.maximum(behind @ np.ones(3, np.float32), 1.0)
    off = np.abs(seen - behind * share[:, None])
    worst = np.maximum(np.maximum(off[:, 0], off[:, 1]), off[:, 2])
    darker = np.zeros(inside.size, np.uint8)
    darker[places] = (share > _DARKEST) & (share < 1.0) & (worst < _TINT)
    return darker.reshape(inside.shape)


def _slope(rgb: Rgb) -> Floats:
    """(H, W): how many levels the brightness changes a pixel."""
    grey = cv2.blur(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), (3, 3))
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(across, down), np.float32) / 8.0


def _ends_at_a_step(rgb: Rgb, part: Mask, inside: Mask) -> bool:
    """True when the character beside the shadow is clearly of another brightness or colour."""
    x, y, width, height = cv2.boundingRect(part)
    box = slice(max(y - 6, 0), y + height + 6), slice(max(x - 6, 0), x + width + 6)
    rgb, part, inside = rgb[box], part[box], inside[box]
    away, labels = cv2.distanceTransformWithLabels(1 - part, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    beside = (away > 2.5) & (away < 5.0) & (inside > 0)
    if np.count_nonzero(beside) < 8:
        return True
    places = np.flatnonzero(part)
    place_of = np.zeros(places.size + 1, np.intp)
    place_of[np.asarray(labels).ravel()[places]] = places
    nearest = rgb.reshape(-1, 3)[place_of[np.asarray(labels)[beside]]].astype(np.int16)
    steps = np.abs(rgb[beside].astype(np.int16) - nearest).max(axis=1)
    return float(np.mean(steps > _STEP)) > _ENDS

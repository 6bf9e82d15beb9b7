"""Views through the character: regions it encloses in which the backdrop shows, and not a white belly or an eye.

A belly that is painted white is hardly ever the very colour of the backdrop beside it, which drifts and darkens towards
the corners. The mean over a region tells them apart far below what a single noisy pixel does. Where the backdrop is
plain white or plain black the two can be the same colour exactly; then the region is the character's.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats
from popcond.vision.backdrop import Backdrop
from popcond.vision.crop import Crop, Mask

_LEAST = 4e-5  # share of the picture that a view through fills at least
_ALIKE, _ALIKE_NOISE = 1.8, 2.0  # levels that a view's mean may differ from the backdrop's, and for each ΔE of noise …
_ALIKE_SURE = 6.0  # … and where the backdrop is of a colour that the character is not
_NARROW = 0.012  # of the picture's smaller side: half the width of a passage that parts two chambers
_PLAIN = 4.0  # levels, beyond that, to which codecs and grain bring plain white and black
_FRAME, _FRAMED = 20.0, 0.7  # ΔE of an edge that frames a view, and the share of its rim that must lie at one


def views_through(crop: Crop, like: Mask, outside: Mask, *, sure: bool) -> Mask:
    """(H, W; 0 or 1): where the backdrop shows in what looks `like` it and is not reached from `outside`.

    `sure` says that the character has nothing of the backdrop's colour.
    """
    enclosed = like & (1 - outside)
    views = np.zeros_like(enclosed)
    if not enclosed.any() or not (sure or can_compare(crop.backdrop)):
        return views
    x, y, width, height = cv2.boundingRect(enclosed)
    box = slice(max(y - 1, 0), y + height + 1), slice(max(x - 1, 0), x + width + 1)
    part, least = crop.part(box), max(6.0, _LEAST * crop.side * crop.side)
    views[box] = _plainly(part, enclosed[box], least) if sure else _compared(part, enclosed[box], like[box], least)
    return views


def _plainly(crop: Crop, enclosed: Mask, least: float) -> Mask:
    """The regions of the backdrop's colour."""
    regions = np.asarray(cv2.connectedComponents(enclosed, connectivity=4)[1], np.int32)
    rooms = _Rooms(crop, regions)
    return rooms.where((rooms.gap < _ALIKE_SURE) & (rooms.areas >= least))


def _compared(crop: Crop, enclosed: Mask, like: Mask, least: float) -> Mask:
    """The chambers of exactly the backdrop's colour, where that is no paint's, that end at edges all round."""
    chambers = _chambers(enclosed, _NARROW * crop.side)
    rooms, most = _Rooms(crop, chambers), _most(crop.backdrop)
    alike = (rooms.gap < most) & rooms.has_core & _is_no_paint(rooms.behind, most) & (rooms.areas >= least)
    return rooms.where(alike & _framed(chambers, like, crop.gaps)) if alike.any() else np.zeros_like(enclosed)


class _Rooms:
    """Figures of numbered regions of a crop; 0 is none of them."""

    def __init__(self, crop: Crop, numbers: NDArray[np.int32]) -> None:
        self._numbers = numbers
        count = int(numbers.max()) + 1
        core = np.asarray(cv2.erode(np.asarray(numbers > 0, np.uint8), np.ones((5, 5), np.uint8)), np.bool_)
        self.areas = np.bincount(numbers.ravel(), minlength=count)
        self.has_core = (
            np.bincount(numbers[core], minlength=count) > 0
        )  # a slit has none: a dark eye that fades to white
        places = np.flatnonzero(core | (~self.has_core[numbers] & (numbers > 0)))
        behind = crop.field.reshape(-1, 3)[places]
        apart = crop.rgb.reshape(-1, 3)[places].astype(np.float32) - behind
        self.behind = _means(behind, numbers.ravel()[places], count)  # (N, 3) the backdrop's mean colour there, levels
        self.gap = np.abs(_means(apart, numbers.ravel()[places], count)).max(axis=1)  # (N,) levels of the worst channel

    def where(self, wanted: NDArray[np.bool_]) -> Mask:
        """(H, W; 0 or 1) the regions that are `wanted`."""
        wanted[0] = False
        return np.asarray(wanted[self._numbers], np.uint8)


def _means(values: Floats, numbers: NDArray[np.int32], count: int) -> Floats:
    """(count, 3): the mean of the values with each number."""
    sums = np.stack([np.bincount(numbers, values[:, k], count) for k in range(3)], axis=1)
    return np.asarray(sums / np.maximum(np.bincount(numbers, minlength=count), 1)[:, None], np.float32)


def _framed(chambers: NDArray[np.int32], like: Mask, gaps: Floats) -> NDArray[np.bool_]:
    """(N,) the chambers that end at edges nearly all round, but for their openings; a lit belly ends in its shading."""
    rim = (np.asarray(cv2.erode(like, np.ones((3, 3), np.uint8), borderValue=1)) == 0) & (chambers > 0)
    around = np.asarray(cv2.dilate(gaps, np.ones((13, 13), np.uint8)))
    count = int(chambers.max()) + 1
    framed = np.bincount(chambers[rim & (around > _FRAME)], minlength=count)
    return np.asarray(framed >= _FRAMED * np.maximum(np.bincount(chambers[rim], minlength=count), 1), np.bool_)


def _chambers(enclosed: Mask, narrow: float) -> NDArray[np.int32]:
    """(H, W) the number of each connected region, parted where narrower than 2 × `narrow` pixels; 0 elsewhere."""
    _, regions = cv2.connectedComponents(enclosed, connectivity=4)
    depth = np.asarray(cv2.distanceTransform(enclosed, cv2.DIST_L2, 3))
    if depth.max() <= narrow:
        return np.asarray(regions, np.int32)
    count, cores = cv2.connectedComponents(np.asarray(depth > narrow, np.uint8), connectivity=4)
    _, nearest = cv2.distanceTransformWithLabels(
        np.asarray(cores == 0, np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_CCOMP
    )
    places = np.flatnonzero(enclosed)
    pairs = regions.ravel()[places] * (count + 1) + np.asarray(nearest).ravel()[places] * (count > 1)
    number_of = np.cumsum(np.bincount(pairs) > 0)
    numbers = np.zeros(enclosed.size, np.int32)
    numbers[places] = number_of[pairs]
    return numbers.reshape(enclosed.shape)


def can_compare(backdrop: Backdrop) -> bool:
    """Whether the backdrop is anywhere a colour that can be told from plain white and plain black."""
    return bool(_is_no_paint(np.asarray([backdrop.darkest, backdrop.colour], np.float32), _most(backdrop)).any())


def _most(backdrop: Backdrop) -> float:
    return _ALIKE + _ALIKE_NOISE * backdrop.noise


def _is_no_paint(colours: Floats, most: float) -> NDArray[np.bool_]:
    """(N,) which colours are farther from plain white and plain black than the comparison is exact."""
    room = most + _PLAIN
    return np.asarray((colours.min(axis=1) < 255.0 - room) & (colours.max(axis=1) > room), np.bool_)

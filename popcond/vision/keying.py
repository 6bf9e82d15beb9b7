"""Keying: which pixels a picture's backdrop fills, from its border inwards.

A pixel is backdrop when it looks like the backdrop field within a tolerance that follows the measured noise, and when
the backdrop can be reached from the border. What lies enclosed is a question of policy: see `Enclosed`.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

import cv2
import numpy as np

from popcond.media.raster import Alpha, Rgb
from popcond.vision.backdrop import Backdrop
from popcond.vision.codec import clear_edge_lines, ringing, smears
from popcond.vision.crop import Crop, Mask, differing
from popcond.vision.edges import soften
from popcond.vision.reach import reached
from popcond.vision.shadow import shadow
from popcond.vision.views import can_compare, views_through

_CLEAR = 14.0  # ΔE that a small part must reach somewhere, or it is what a JPEG leaves around an edge
_CHOSEN_TOLERANCE = 5.0  # ΔE, and the noise, before a chosen backdrop
_GAP = 0.045  # of the picture's smaller side: a gap in an outline through which the backdrop does not run in …
_HOLLOW = 0.2  # … if the room behind is as large as this share of all that is drawn
_FAR = 22.0  # ΔE that is far …
_NOT_FAR = 0.01  # … if no larger share of the character's inside is nearer
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601


class Enclosed(StrEnum):
    """What becomes of backdrop-coloured regions that the character encloses."""

    GOES = "goes"  # it is a view through, between arm and body
    STAYS = "stays"  # it is a white belly, the white of an eye
    COMPARED = "compared"  # it goes where it is the very colour of the backdrop beside it, and no plain white or black


def policy_for(backdrop: Backdrop, *, far: bool) -> Enclosed:
    """A colour that the character has not shows through: a strong one, or a chosen one that is `far` from its own.

    Nobody can say that of white and black: what is drawn in lines on white seems far from it, and is filled with it.
    """
    told = backdrop.chosen and far and can_compare(backdrop)
    return Enclosed.GOES if backdrop.is_colourful or told else Enclosed.COMPARED


def key(rgb: Rgb, backdrop: Backdrop, enclosed: Enclosed | None = None) -> Alpha:
    """(H, W) alpha of what stands before the backdrop: solid inside, soft along edges, 0 where backdrop shows."""
    gaps = backdrop.gaps(rgb)
    like = np.asarray(cv2.threshold(gaps, backdrop.tolerance, 1.0, cv2.THRESH_BINARY_INV)[1], np.uint8)
    clear_edge_lines(like)
    alpha = np.zeros(like.shape, np.uint8)
    box = differing(like)
    if box is not None:
        field = np.ascontiguousarray(backdrop.field(*like.shape)[box])
        crop = Crop(np.ascontiguousarray(rgb[box]), field, np.ascontiguousarray(gaps[box]), backdrop, min(like.shape))
        alpha[box] = _keyed(crop, np.ascontiguousarray(like[box]), enclosed)
    return alpha


def _keyed(crop: Crop, like: Mask, enclosed: Enclosed | None) -> Alpha:
    like = like | ringing(crop, like)
    far = _is_far(crop, like)
    if far and crop.backdrop.chosen:  # as far from the effects' colours, so that all that is weak is the codec's
        like = like | np.asarray(crop.gaps < _CHOSEN_TOLERANCE + 3.2 * crop.backdrop.noise, np.uint8)
    like = like | smears(crop, like, far=far)
    outside = _outside(crop, like, enclosed or policy_for(crop.backdrop, far=far), far=far)
    return soften(crop, _without_weak_parts(crop, 1 - outside), far=far)


def _outside(crop: Crop, like: Mask, policy: Enclosed, *, far: bool) -> Mask:
    """All that the backdrop fills, a shadow on it and the views through the character included."""
    outside = _run_in(crop, like, policy)
    dark = shadow(crop, like, outside)
    if dark.any():
        like = like | dark
        outside = _run_in(crop, like, policy)
    if policy is Enclosed.STAYS:
        return outside
    sure = policy is Enclosed.GOES
    if sure and far and crop.backdrop.chosen:
        crop = _by_lightness(crop, like & (1 - outside))
    return outside | views_through(crop, like, outside, sure=sure)


def _by_lightness(crop: Crop, enclosed: Mask) -> Crop:
    """The crop whose `enclosed` pixels differ from the backdrop in lightness only.

    Video stores colour at half the resolution, so that a small view is tinted all over by what surrounds it; where no
    colour of the character is near the backdrop's, the lightness alone tells that it is one.
    """
    places = np.flatnonzero(enclosed)
    behind = crop.field.reshape(-1, 3)[places]
    apart = (crop.rgb.reshape(-1, 3)[places].astype(np.float32) - behind) @ _LUMA
    rgb = crop.rgb.copy()
    rgb.reshape(-1, 3)[places] = np.rint(np.clip(behind + apart[:, None], 0.0, 255.0)).astype(np.uint8)
    return replace(crop, rgb=rgb)


def _run_in(crop: Crop, like: Mask, policy: Enclosed) -> Mask:
    """What the backdrop fills from the border inwards, without running into a figure through a gap in its outline.

    A figure that is drawn in lines is mostly hollow; the small rooms between limbs and effects are not kept back.
    """
    if policy is Enclosed.GOES:
        return reached(like)
    return reached(like, _GAP * crop.side, room=_HOLLOW * (like.size - np.count_nonzero(like)))


def _is_far(crop: Crop, like: Mask) -> bool:
    """Whether all of the character, but its very edge, is of colours far from the backdrop's."""
    deep = np.asarray(cv2.erode(1 - like, np.ones((9, 9), np.uint8)), np.bool_)
    count = int(np.count_nonzero(deep))
    return count > 0 and int(np.count_nonzero(deep & (crop.gaps < _FAR))) < _NOT_FAR * count


def _without_weak_parts(crop: Crop, inside: Mask) -> Mask:
    """Parts that nowhere stand out from the backdrop are its noise; small ones must stand out clearly."""
    count, labels = cv2.connectedComponents(inside, connectivity=8)
    places = np.flatnonzero(inside)
    numbers, strengths = labels.ravel()[places], crop.gaps.ravel()[places]
    least = 2.0 * crop.backdrop.tolerance
    small = np.bincount(numbers, minlength=count) < 1e-4 * crop.side * crop.side
    some = np.bincount(numbers[strengths > least], minlength=count) > 0
    clear = np.bincount(numbers[strengths > max(least, _CLEAR)], minlength=count) > 0
    kept = np.where(small, clear, some)
    kept[0] = False
    return np.asarray(kept[labels], np.uint8)

"""Keying: which pixels a picture's backdrop fills, from its border inwards.

A pixel is backdrop when it looks like the backdrop field within a tolerance that follows the measured noise, and when
the backdrop can be reached from the border. What lies enclosed is a question of policy: see `Enclosed`.
"""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Alpha, Floats, Rgb
from popcond.vision.backdrop import Backdrop
from popcond.vision.edges import soften
from popcond.vision.shadow import shadow

Mask = NDArray[np.uint8]  # (H, W), 0 or 1


_SMEAR_CHOSEN = 0.28  # of the strongest ΔE nearby, where the backdrop is known to be far from the character
_CLEAR = 14.0  # ΔE that a small part must reach somewhere, or it is what a JPEG leaves around an edge
_SMEAR = 0.1  # where the character may be as pale as its backdrop


class Enclosed(StrEnum):
    """What becomes of backdrop-coloured regions that the character encloses."""

    GOES = (
        "goes"  # it is a view through, between arm and body; right when the colour was chosen far from the character's
    )
    STAYS = "stays"  # it is a white belly, the white of an eye; right for a white picture that somebody drew


def policy_for(backdrop: Backdrop) -> Enclosed:
    """A chosen or a strongly coloured backdrop shows through; a neutral one may be the character's own colour too."""
    return Enclosed.GOES if backdrop.chosen or backdrop.is_colourful else Enclosed.STAYS


def key(rgb: Rgb, backdrop: Backdrop, enclosed: Enclosed | None = None) -> Alpha:
    """(H, W) alpha of what stands before the backdrop: solid inside, soft along edges, 0 where backdrop shows."""
    policy = enclosed or policy_for(backdrop)
    gaps, field = backdrop.gaps(rgb), backdrop.field(*rgb.shape[:2])
    like = _like_backdrop(gaps, backdrop)
    inside = _before(like, gaps, backdrop, policy)
    if not backdrop.chosen and (dark := shadow(rgb, field, inside, gaps)).any():
        inside = _before(like | dark, gaps, backdrop, policy)
    return soften(rgb, field, inside, gaps, smeared=backdrop.chosen)


def _before(like: Mask, gaps: Floats, backdrop: Backdrop, policy: Enclosed) -> Mask:
    """What stands before the backdrop, when `like` is what looks like it."""
    outside = _reached(like, narrowest=_narrowest(like.shape) if policy is Enclosed.STAYS else 0)
    if policy is Enclosed.GOES:
        outside = outside | _views_through(like, outside, gaps, backdrop)
    return _without_weak_parts(1 - outside, gaps, backdrop)


def _narrowest(shape: tuple[int, ...]) -> int:
    """Half the width, in pixels, of a gap in an outline through which the backdrop does not flow in."""
    return max(1, min(shape) // 400)


# ------------------------------------------------------------------ what the backdrop fills


def _like_backdrop(gaps: Floats, backdrop: Backdrop) -> Mask:
    """Within the tolerance, or so much weaker than something strong nearby that it is what a codec smeared off it."""
    like = np.asarray(gaps < backdrop.tolerance, np.uint8)
    smeared = _smeared(gaps, _SMEAR_CHOSEN if backdrop.chosen else _SMEAR)
    like = np.maximum(like, smeared if backdrop.chosen else _thin(cv2.subtract(smeared, like)))
    _clear_edge_lines(like)
    return like


def _smeared(gaps: Floats, share: float) -> Mask:
    """Pixels that differ from the backdrop by less than a share of what the strongest pixel in reach does."""
    reach = _smear_reach(gaps.shape)
    strongest = cv2.dilate(gaps, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    return np.asarray(gaps < share * np.asarray(strongest), np.uint8)


def _thin(mask: cv2.typing.MatLike) -> Mask:
    """The mask without its thick places: a smear is a seam, a pale belly is not."""
    thick = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    return np.asarray(cv2.subtract(mask, cv2.dilate(thick, np.ones((5, 5), np.uint8))), np.uint8)


def _smear_reach(shape: tuple[int, ...]) -> int:
    """How far, in pixels, a codec smears: its blocks are of one size, whatever the picture's."""
    return 8 if min(shape[:2]) >= 160 else 4


def _clear_edge_lines(like: Mask) -> None:
    """Encoders leave lines along the picture's border: a strip that is no backdrop before one that is."""
    band = max(2, round(min(like.shape) * 0.015))
    for view in (like, like[::-1], like.T, like.T[::-1]):
        shares = view[: band + 1].mean(axis=1)
        faulty = np.flatnonzero(shares[:band] < 0.6 * shares[band])
        if shares[band] > 0.3 and faulty.size:
            depth = int(faulty[-1]) + 1
            view[:depth] |= view[depth]


def _reached(like: Mask, *, narrowest: int) -> Mask:
    """The part of `like` that is reached from outside the picture, not through gaps under 2 × narrowest + 1 pixels."""
    ringed = cv2.copyMakeBorder(like, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    if narrowest == 0:
        return _of_corner(np.asarray(ringed, np.uint8))[1:-1, 1:-1]
    return _reached_widely(np.asarray(ringed, np.uint8), narrowest)[1:-1, 1:-1]


def _of_corner(mask: Mask) -> Mask:
    """The connected part that holds the top left pixel."""
    _, labels = cv2.connectedComponents(mask, connectivity=4)
    return np.asarray(labels == labels[0, 0], np.uint8)


def _reached_widely(ringed: Mask, narrowest: int) -> Mask:
    """Reach through wide ways only, then take the narrow ends that lead to no room of their own."""
    wide = np.asarray(cv2.erode(ringed, _disc(narrowest), borderValue=1), np.uint8)
    reached = np.asarray(cv2.dilate(_of_corner(wide), _disc(narrowest)), np.uint8) & ringed
    left = ringed & (1 - reached)
    if not left.any():
        return reached
    count, labels = cv2.connectedComponents(left, connectivity=4)
    touching = np.bincount(labels[np.asarray(cv2.dilate(reached, _disc(1))) > 0], minlength=count) > 0
    rooms = np.bincount(labels[wide > 0], minlength=count) > 0
    flows = touching & ~rooms
    flows[0] = False
    return np.asarray(reached | flows[labels], np.uint8)


def _disc(radius: int) -> Mask:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)


def _views_through(like: Mask, outside: Mask, gaps: Floats, backdrop: Backdrop) -> Mask:
    """Enclosed regions that are clearly the backdrop: mostly within its tolerance, and more than noise in size."""
    enclosed = like & (1 - outside)
    places = np.flatnonzero(enclosed)
    if places.size == 0:
        return enclosed
    count, labels = cv2.connectedComponents(enclosed, connectivity=4)
    numbers = labels.ravel()[places]
    areas = np.bincount(numbers, minlength=count)
    exact = np.bincount(numbers[gaps.ravel()[places] < backdrop.tolerance], minlength=count)
    clear = (areas >= _least_area(like.shape)) & (exact > 0.4 * areas)
    return np.asarray(clear[labels], np.uint8)


def _least_area(shape: tuple[int, ...]) -> float:
    return max(6.0, shape[0] * shape[1] * 4e-5)


def _without_weak_parts(inside: Mask, gaps: Floats, backdrop: Backdrop) -> Mask:
    """Parts that nowhere stand out from the backdrop are its noise; small ones must stand out clearly."""
    count, labels = cv2.connectedComponents(inside, connectivity=8)
    places = np.flatnonzero(inside)
    numbers, strengths = labels.ravel()[places], gaps.ravel()[places]
    small = np.bincount(numbers, minlength=count) < 1e-4 * inside.size
    some = np.bincount(numbers[strengths > 2.0 * backdrop.tolerance], minlength=count) > 0
    clear = np.bincount(numbers[strengths > max(2.0 * backdrop.tolerance, _CLEAR)], minlength=count) > 0
    kept = np.where(small, clear, some)
    kept[0] = False
    return np.asarray(kept[labels], np.uint8)

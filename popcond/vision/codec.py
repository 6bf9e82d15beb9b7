"""What a codec leaves on a plain backdrop: ringing and smears around strong edges, and lines along the border.

How much of it there is differs from clip to clip by a factor of ten, so it is measured where it lies, next to the
edges, and not on the calm part of the backdrop.
"""

from __future__ import annotations

import cv2
import numpy as np

from popcond.vision.crop import Crop, Mask
from popcond.vision.reach import reached

_STRONG = 25.0  # ΔE of an edge that a codec rings around …
_BLOCK = 16  # … as far as its blocks reach, in pixels, whatever the picture's size
_RINGING, _RINGING_MOST = 6.0, 7.0  # times what one in four of its pixels exceeds; and the ΔE that it never does
_LEAST_SEEN = 64  # pixels that are enough to measure it
_SMEAR = 0.1  # of the strongest ΔE nearby, where the character may be as pale as its backdrop
_SMEAR_FAR = 0.25  # … and where it is far from it everywhere
_BAND = 0.015  # of the picture's side: how wide a line along the border may be


def ringing(crop: Crop, like: Mask) -> Mask:
    """(H, W; 0 or 1): what is so near strong edges, and as weak as most of what is seen just outside of them."""
    strong = np.asarray(cv2.threshold(crop.gaps, _STRONG, 1.0, cv2.THRESH_BINARY)[1], np.uint8)
    around = _grown(strong, _BLOCK)
    beside = around & _grown(reached(like), 4) & (1 - _grown(strong, 3))
    seen = crop.gaps[(beside > 0) & (crop.gaps < _RINGING_MOST)]
    if seen.size < _LEAST_SEEN:
        return np.zeros_like(like)
    level = min(_RINGING * float(np.percentile(seen, 75)), _RINGING_MOST)
    return around & np.asarray(crop.gaps < level, np.uint8)


def smears(crop: Crop, like: Mask, *, far: bool) -> Mask:
    """(H, W; 0 or 1): what is so much weaker than something nearby that a codec smeared it off that.

    Before a backdrop that is not `far` from the character only seams count: a smear is thin, a pale belly is not.
    """
    strongest = np.asarray(cv2.dilate(crop.gaps, np.ones((17, 17), np.uint8)))
    weak = np.asarray(crop.gaps < (_SMEAR_FAR if far else _SMEAR) * strongest, np.uint8)
    return weak if far else _thin(np.asarray(cv2.subtract(weak, like), np.uint8))


def clear_edge_lines(like: Mask) -> None:
    """Fill in `like` the strips along the border that are no backdrop before ones that are."""
    band = max(2, round(min(like.shape) * _BAND))
    for view in (like, like[::-1], like.T, like.T[::-1]):
        shares = view[: band + 1].mean(axis=1)
        faulty = np.flatnonzero(shares[:band] < 0.9 * shares[band])
        if shares[band] > 0.3 and faulty.size:
            depth = int(faulty[-1]) + 1
            view[:depth] |= view[depth]


def _thin(mask: Mask) -> Mask:
    """The mask without its thick places."""
    thick = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), np.uint8)
    return np.asarray(cv2.subtract(mask, _grown(thick, 2)), np.uint8)


def _grown(mask: Mask, by: int) -> Mask:
    return np.asarray(cv2.dilate(mask, np.ones((2 * by + 1, 2 * by + 1), np.uint8)), np.uint8)

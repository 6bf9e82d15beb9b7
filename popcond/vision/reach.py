"""Where the backdrop reaches from the picture's border, and where it only leaks in.

The outline of a drawing may have gaps, and a white figure on white must not run empty through them. So the backdrop
takes wide ways only, and then the narrow ends that lead to no room of their own.
"""

from __future__ import annotations

import cv2
import numpy as np

from popcond.vision.crop import Mask


def reached(like: Mask, gap: float = 0.0, room: float = 0.0) -> Mask:
    """The part of `like` (H, W; 0 or 1) that is reached from outside, not through gaps narrower than `gap` pixels.

    What lies behind such a gap is reached after all when it has no more than `room` pixels.
    """
    ringed = np.asarray(cv2.copyMakeBorder(like, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1), np.uint8)
    found = _widely(ringed, gap / 2.0, room) if gap else _of_corner(ringed)
    return np.ascontiguousarray(found[1:-1, 1:-1])


def _of_corner(mask: Mask) -> Mask:
    """The connected part that holds the top left pixel."""
    found = np.asarray(mask, np.uint8).copy()
    cv2.floodFill(found, None, (0, 0), (2,))
    return np.asarray(found >> 1, np.uint8)


def _widely(ringed: Mask, narrow: float, room: float) -> Mask:
    """Reach through ways wider than 2 × `narrow` only, then take the narrow ends that lead to no room."""
    roomy = cv2.copyMakeBorder(ringed, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    wide = np.asarray(cv2.distanceTransform(roomy, cv2.DIST_L2, 3)[1:-1, 1:-1] > narrow, np.uint8)
    wide[0], wide[-1], wide[:, 0], wide[:, -1] = 1, 1, 1, 1
    away = cv2.distanceTransform(1 - _of_corner(wide), cv2.DIST_L2, 3)
    found = _of_corner(np.asarray(away <= narrow + 0.5, np.uint8) & ringed)  # not across an outline
    left = ringed & (1 - found)
    if not left.any():
        return found
    count, labels = cv2.connectedComponents(left, connectivity=4)
    touching = np.bincount(labels[np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8))) > 0], minlength=count) > 0
    rooms = np.bincount(labels.ravel(), minlength=count) > room
    flows = touching & ~rooms
    flows[0] = False
    return np.asarray(found | flows[labels], np.uint8)

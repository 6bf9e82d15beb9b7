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
    found = _of_corner(_near_wide_ways(ringed, narrow) & ringed)  # not across an outline
    left = ringed & (1 - found)
    if not left.any():
        return found
    count, labels = cv2.connectedComponents(left, connectivity=4)
    touching = np.bincount(labels[np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8))) > 0], minlength=count) > 0
    rooms = np.bincount(labels.ravel(), minlength=count) > room
    flows = touching & ~rooms
    flows[0] = False
    return np.asarray(found | flows[labels], np.uint8)


def _near_wide_ways(ringed: Mask, narrow: float) -> Mask:
    """What is within `narrow` pixels of the middle of the ways that wide; looked for at half the size."""
    height, width = ringed.shape
    even = np.asarray(cv2.copyMakeBorder(ringed, 1, 1 + height % 2, 1, 1 + width % 2, cv2.BORDER_REPLICATE), np.uint8)
    half = even[::2, ::2] & even[1::2, ::2] & even[::2, 1::2] & even[1::2, 1::2]  # a thin outline stays closed
    wide = np.asarray(cv2.distanceTransform(half, cv2.DIST_L2, 3) > narrow / 2.0, np.uint8)
    wide[0], wide[-1], wide[:, 0], wide[:, -1] = 1, 1, 1, 1
    away = np.asarray(cv2.distanceTransform(1 - _of_corner(wide), cv2.DIST_L2, 3))
    near = np.asarray(away <= narrow / 2.0 + 0.5, np.uint8)
    return np.repeat(np.repeat(near, 2, axis=0), 2, axis=1)[1 : height + 1, 1 : width + 1]

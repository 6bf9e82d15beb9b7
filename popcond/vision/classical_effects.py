"""Tears, hearts and sparks beside a character, before a backdrop that is not plain but stands still.

The backdrop is put together from all frames, each place from those in which the character is elsewhere. What a frame
shows differently, and is a clear spot and no grain, is an effect. Before a backdrop that moves nothing is found, and
what stands still all the time belongs to the backdrop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats
from popcond.vision.classical_cut import Mask
from popcond.vision.classical_follow import Seen
from popcond.vision.classical_place import lab_of

_LEAST_FRAMES = 4  # in which a place must be seen without the character, to know what is behind it
_STILL, _MOVED = 8.0, 0.06  # ΔE that a place which stands still hardly ever differs by, and how much may all the same
_CLEAR, _TIMES = 14.0, 5.0  # ΔE of an effect from the backdrop, and times what is usual at the place
_SPOT = 2.5e-4  # share of the frame that an effect covers at least …
_MOST = 0.5  # … and share of the character that all effects together cover at most
_RIM = 7  # pixels round the character that are its own edge


@dataclass(frozen=True)
class StillBackdrop:
    """What is behind the character, as far as it was seen."""

    lab: Floats  # (H, W, 3) in ΔE
    usual: Floats  # (H, W) ΔE that frames differ from it
    known: NDArray[np.bool_]  # (H, W)

    @classmethod
    def of(cls, frames: Sequence[Seen], masks: Sequence[Mask]) -> StillBackdrop | None:
        """From some frames of a clip with the character's masks; None when it does not stand still, or hardly shows."""
        if len(frames) < _LEAST_FRAMES:
            return None
        labs = np.stack([lab_of(frame.rgb) for frame in frames])
        free = np.stack([_grown(mask, _RIM) == 0 for mask in masks])
        counts = free.sum(axis=0)
        lab = _medians(labs, free, counts)
        gaps = np.linalg.norm(labs - lab, axis=3).astype(np.float32)[..., None]
        usual = _medians(gaps, free, counts)[..., 0]
        known = counts >= _LEAST_FRAMES
        seen = gaps[free & known]
        stands_still = seen.size > 0 and float(np.mean(seen > _STILL)) < _MOVED
        return cls(lab, usual, known) if stands_still else None

    def effects(self, seen: Seen, inside: Mask) -> Mask:
        """(H, W; 0 or 1) what a frame shows beside the character `inside` and before the backdrop."""
        gaps = np.asarray(cv2.blur(np.linalg.norm(lab_of(seen.rgb) - self.lab, axis=2), (3, 3)), np.float32)
        clear = (gaps > np.maximum(_CLEAR, _TIMES * self.usual)) & self.known & (_grown(inside, _RIM) == 0)
        spots = cv2.morphologyEx(clear.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(spots, connectivity=8)
        kept = stats[:, cv2.CC_STAT_AREA] >= _SPOT * inside.size
        kept[0] = False
        found = np.asarray(kept[labels], np.uint8) if count > 1 else np.zeros_like(inside)
        too_much = int(np.count_nonzero(found)) > _MOST * int(np.count_nonzero(inside))
        return np.zeros_like(inside) if too_much else found


def _medians(values: Floats, free: NDArray[np.bool_], counts: NDArray[np.integer]) -> Floats:
    """(H, W, C) over the frames in which each place is free."""
    ordered = np.sort(np.where(free[..., None], values, np.float32(np.inf)), axis=0)
    middle = np.maximum(counts - 1, 0) // 2
    found = np.take_along_axis(ordered, middle[None, ..., None].astype(np.intp), axis=0)[0]
    return np.asarray(np.where(np.isfinite(found), found, 0.0), np.float32)


def _grown(mask: Mask, by: int) -> Mask:
    return np.asarray(cv2.dilate(mask, np.ones((2 * by + 1, 2 * by + 1), np.uint8)), np.uint8)

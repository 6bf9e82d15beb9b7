"""Where a loop begins: at its most expressive frame, or near it, where the step across the seam is small."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from popcond.media.raster import Floats, Rgba, premultiply
from popcond.stickers.similarity import cyclic_steps, seam_of, thumbnails

_CALM = 0.9  # of the median step: below 1, so that quantising the colours cannot push it over
_SIDE = 128  # pixels a side of the pictures that the second measure compares


def best_start(frames: Sequence[Rgba], poster: int) -> int:
    """The frame nearest to `poster` into which the step from its predecessor is no longer than the median step.

    Measured twice, as root mean square of small pictures and as mean difference of larger ones: a seam must be small
    by either. Half of all steps are at most the median, so there is always such a frame; the calmest is the fallback.
    """
    count = len(frames)
    if count < 3:
        return poster % max(count, 1)
    measures = (cyclic_steps(thumbnails(frames)), _mean_differences(frames))
    seams = [max(seam_of(steps, start) for steps in measures) for start in range(count)]
    calm = [start for start in range(count) if seams[start] <= _CALM]
    if not calm:
        return min(range(count), key=lambda start: seams[start])
    return min(calm, key=lambda start: (_around(start, poster, count), seams[start]))


def _around(start: int, poster: int, count: int) -> int:
    ahead = (start - poster) % count
    return min(ahead, count - ahead)


def _mean_differences(frames: Sequence[Rgba]) -> Floats:
    """(T,): the mean absolute difference of each frame from the one before, the first from the last."""
    small = [cv2.resize(premultiply(frame), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA) for frame in frames]
    return np.array([np.abs(small[i] - small[i - 1]).mean() for i in range(len(small))], np.float32)

"""What colours the character has and what colours stand behind it, learned once and kept: the memory of an engine
without weights.

Frozen on purpose: a model that follows its own masks from frame to frame learns its own mistakes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats, Rgb

_BINS = 32  # a side of the cube of colours
_STEP = 256 // _BINS
_UNSEEN = 3e-6  # share that a colour which was never seen is given on both sides, so that it tells nothing


@dataclass(frozen=True)
class Colours:
    """Two smoothed histograms over CIELAB: of the character and of what is behind it."""

    inside: Floats  # (32³,) shares that add up to 1
    outside: Floats

    @property
    def overlap(self) -> float:
        """0..1: the share of colours that both sides have in common."""
        return float(np.minimum(self.inside, self.outside).sum())

    def likeness(self, rgb: Rgb) -> Floats:
        """(H, W) 0..1: how much likelier each pixel's colour is the character's; 0.5 where nothing is known."""
        bins = _bins(rgb)
        inside, outside = self.inside[bins] + np.float32(_UNSEEN), self.outside[bins] + np.float32(_UNSEEN)
        return np.asarray(inside / (inside + outside), np.float32)


def learned(rgb: Rgb, inside: NDArray[np.bool_], outside: NDArray[np.bool_]) -> Colours:
    """The colours of a picture where a mask says `inside` and `outside`; what is in neither is not looked at."""
    bins = _bins(rgb)
    return Colours(_histogram(bins[inside]), _histogram(bins[outside]))


def together(lessons: Sequence[Colours]) -> Colours:
    """What several pictures have taught, each as much as the others."""
    inside, outside = (
        np.mean(side, axis=0) for side in ([one.inside for one in lessons], [one.outside for one in lessons])
    )
    return Colours(np.asarray(inside, np.float32), np.asarray(outside, np.float32))


def _bins(rgb: Rgb) -> NDArray[np.intp]:
    lab = np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB)).astype(np.intp) // _STEP
    return np.asarray((lab[..., 0] * _BINS + lab[..., 1]) * _BINS + lab[..., 2], np.intp)


def _histogram(bins: NDArray[np.intp]) -> Floats:
    cube = np.bincount(bins, minlength=_BINS**3).astype(np.float32).reshape(_BINS, _BINS, _BINS)
    for axis in range(3):  # codecs and light move a colour into the bins beside it
        cube = (np.roll(cube, 1, axis) + 2.0 * cube + np.roll(cube, -1, axis)) / 4.0
    return np.asarray(cube.ravel() / max(float(cube.sum()), 1.0), np.float32)

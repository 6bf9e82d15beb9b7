"""Where cut-outs come from: the seam between stickers and whoever keeps frames, masks and edits.

A source may be slow and large, so `CutoutShelf` stands in front of it: it loads a frame when it is first asked for,
keeps only the part that is not empty, and forgets the oldest frames when they outgrow its budget.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Rgba

SHELF_BYTES = 160_000_000
_VISIBLE = 24  # alpha from which a pixel counts for the crop box; softer veils are kept but do not widen it
_FEWEST = 2  # visible pixels that a row or column needs: a single stray one is dirt


class CutoutSource(Protocol):
    """The cut-out frames of one clip."""

    def __len__(self) -> int:
        """How many frames there are."""
        ...

    @property
    def seconds(self) -> Sequence[float]:
        """How long each frame is shown."""
        ...

    def load(self, index: int) -> Rgba:
        """Frame `index`: straight alpha, decontaminated colours, every frame the same size. May be slow."""
        ...


@dataclass(frozen=True)
class CutoutList:
    """Cut-outs that are in memory already."""

    frames: Sequence[Rgba]
    seconds: Sequence[float]

    def __len__(self) -> int:
        return len(self.frames)

    def load(self, index: int) -> Rgba:
        """The frame itself, not a copy."""
        return self.frames[index]


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels; right and bottom are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top

    def union(self, other: Box) -> Box:
        """The smallest box that holds both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


@dataclass(frozen=True)
class Cutout:
    """One frame without its empty surroundings."""

    pixels: Rgba  # only the area of `extent`
    extent: Box  # where the pixels lie in the frame: all alpha above 0
    visible: Box | None  # the box that counts for cropping; None when nothing can be seen
    width: int  # of the whole frame
    height: int


class CutoutShelf:
    """Loads each frame as rarely as its budget of bytes allows."""

    def __init__(self, source: CutoutSource, budget: int = SHELF_BYTES) -> None:
        self.source = source
        self.loads = 0
        self._budget = budget
        self._held = 0
        self._shelf: OrderedDict[int, Cutout] = OrderedDict()

    def __getitem__(self, index: int) -> Cutout:
        if index in self._shelf:
            self._shelf.move_to_end(index)
            return self._shelf[index]
        self.loads += 1
        cutout = _trimmed(self.source.load(index))
        self._shelf[index] = cutout
        self._held += cutout.pixels.nbytes
        while self._held > self._budget and len(self._shelf) > 1:
            self._held -= self._shelf.popitem(last=False)[1].pixels.nbytes
        return cutout


def _trimmed(rgba: Rgba) -> Cutout:
    alpha = rgba[..., 3]
    height, width = alpha.shape
    extent = _box_of(alpha > 0, 1) or Box(0, 0, 1, 1)
    inside = rgba[extent.top : extent.bottom, extent.left : extent.right]
    seen = _box_of(inside[..., 3] >= _VISIBLE, _FEWEST)
    visible = None if seen is None else _moved(seen, extent.left, extent.top)
    return Cutout(np.ascontiguousarray(inside), extent, visible, width, height)


def _box_of(where: NDArray[np.bool_], fewest: int) -> Box | None:
    rows = np.flatnonzero(where.sum(axis=1) >= fewest)
    columns = np.flatnonzero(where.sum(axis=0) >= fewest)
    if not len(rows) or not len(columns):
        return None
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _moved(box: Box, right: int, down: int) -> Box:
    return Box(box.left + right, box.top + down, box.right + right, box.bottom + down)

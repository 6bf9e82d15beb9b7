"""An arm as a layer of its own: its pixels, bent by its bones, on its part of a frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from popcond.media.raster import Floats, Rgb, Rgba
from popcond.video.arms import JointedArm
from popcond.video.chain import Chain, Places, carried
from popcond.video.compositing import composite, resampled, thinned
from popcond.video.warp import Warp

_CELL = 16  # pixels between the places at which the body's warp is asked …
_FINE = 4  # … and between those at which the bones are
_JUMP = 3.0 * _FINE  # pixels; places side by side that come from farther apart are not interpolated
_RIM = 4  # pixels by which soft edges and blending reach beyond the outline

Box = tuple[int, int, int, int]  # left, top, right, bottom


@dataclass(frozen=True)
class Layer:
    """An arm that bends from its shoulder on, before the body or behind it."""

    joints: JointedArm
    raster: Rgba  # premultiplied, the frame's size
    outline: Floats  # (N, 2) points around it

    def covered(self, held: Chain, warp: Warp) -> Floats:
        """(N, 2) points around the arm as it is held by that chain in that pose."""
        x, y = carried(self.joints.chain, held, *self.outline.T)
        drift = self._drift(warp)
        x, y = warp.forward(x, y, head=False)
        return np.stack([x + drift[0], y + drift[1]], axis=-1).astype(np.float32)

    def draw(self, canvas: Rgb, held: Chain, warp: Warp) -> None:
        """Paint it over the frame (S, S, 3), in place."""
        box = _box(self.covered(held, warp), canvas.shape[0])
        if box is None:
            return
        left, top, right, bottom = box
        x, y = self._source(box, held, warp)
        patch = resampled(thinned(self.raster, warp.pose.turn), x, y)
        composite(canvas[top:bottom, left:right], patch)

    def _source(self, box: Box, held: Chain, warp: Warp) -> tuple[Places, Places]:
        """Where every pixel of the box comes from: interpolated, but exact where a folded arm meets itself."""
        width, height = box[2] - box[0], box[3] - box[1]
        arriving = self._arriving(box, warp)
        rough = np.stack(carried(held, self.joints.chain, arriving[..., 0], arriving[..., 1]), axis=-1)
        fine = _pixels(rough.astype(np.float32), width, height)
        torn = _pixels(_torn(rough), width, height) > 0.0
        if torn.any():
            exact = _pixels(arriving, width, height)[torn]
            fine[torn] = np.stack(carried(held, self.joints.chain, exact[:, 0], exact[:, 1]), axis=-1)
        return fine[..., 0], fine[..., 1]

    def _arriving(self, box: Box, warp: Warp) -> Floats:
        """(h, w, 2) for every few pixels of the box, and one place more around it: where that is at the body's rest."""
        left, top, right, bottom = box
        drift = self._drift(warp)
        columns = np.arange(left - _CELL, right + _CELL, _CELL, dtype=np.float32) + (_CELL - 1) / 2.0 - drift[0]
        rows = np.arange(top - _CELL, bottom + _CELL, _CELL, dtype=np.float32) + (_CELL - 1) / 2.0 - drift[1]
        coarse = np.stack(warp.backward(*np.meshgrid(columns, rows), head=False), axis=-1).astype(np.float32)
        steps = _CELL // _FINE
        return np.ascontiguousarray(_larger(coarse, steps)[steps - 1 : 1 - steps, steps - 1 : 1 - steps])

    def _drift(self, warp: Warp) -> tuple[float, float]:
        """How far the head takes the shoulder along; the rest of the arm follows it."""
        x, y = np.array([self.joints.arm.shoulder], np.float32).T
        (with_x, with_y), (x, y) = warp.forward(x, y), warp.forward(x, y, head=False)
        return float(with_x[0] - x[0]), float(with_y[0] - y[0])


def _torn(rough: Places) -> Floats:
    """(h, w) 1 for places whose neighbours come from far away, else 0."""
    torn = np.zeros(rough.shape[:2], np.float32)
    for axis, here, there in ((0, np.s_[1:], np.s_[:-1]), (1, np.s_[:, 1:], np.s_[:, :-1])):
        far = np.abs(np.diff(rough, axis=axis)).max(axis=-1) > _JUMP
        torn[here] = np.maximum(torn[here], far)
        torn[there] = np.maximum(torn[there], far)
    return torn


def _pixels(grid: Floats, width: int, height: int) -> Floats:
    """The grid of places, one more on each side than needed, as one value a pixel."""
    return np.ascontiguousarray(_larger(grid, _FINE)[_FINE : _FINE + height, _FINE : _FINE + width])


def _box(covered: Floats, size: int) -> Box | None:
    """Left, top, right and bottom of whole cells around the points, inside the frame; None outside of it."""
    low = np.floor((covered.min(axis=0) - _RIM) / _CELL).astype(int) * _CELL
    high = np.ceil((covered.max(axis=0) + _RIM) / _CELL).astype(int) * _CELL
    left, top = (max(0, int(place)) for place in low)
    right, bottom = (min(size, int(place)) for place in high)
    return (left, top, right, bottom) if right > left and bottom > top else None


def _larger(grid: Floats, factor: int) -> Floats:
    return np.asarray(cv2.resize(grid, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR), np.float32)

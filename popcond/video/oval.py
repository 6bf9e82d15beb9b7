"""An upright oval: how this package thinks of a head."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, sqrt

import numpy as np
from numpy.typing import NDArray

from popcond.video.anchors import Point


@dataclass(frozen=True)
class Oval:
    """Centre and half axes, in pixels."""

    x: float
    y: float
    half_width: float
    half_height: float

    @property
    def centre(self) -> Point:
        """x and y as a point."""
        return self.x, self.y

    @property
    def radius(self) -> float:
        """Of the circle with the same area."""
        return sqrt(self.half_width * self.half_height)

    def scaled(self, factor: float, x: float = 0.0, y: float = 0.0) -> Oval:
        """The same oval on a raster that was scaled by `factor`, then moved by x, y."""
        return Oval(self.x * factor + x, self.y * factor + y, self.half_width * factor, self.half_height * factor)

    def distance(self, point: Point) -> float:
        """0 in the centre, 1 on the rim."""
        return hypot((point[0] - self.x) / self.half_width, (point[1] - self.y) / self.half_height)

    def distances(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """(H, W) squared distances of a raster's pixels: 0 in the centre, 1 on the rim."""
        rows = (np.arange(shape[0], dtype=np.float32) - self.y) / self.half_height
        columns = (np.arange(shape[1], dtype=np.float32) - self.x) / self.half_width
        return np.asarray(rows[:, None] ** 2 + columns[None, :] ** 2, np.float32)

"""What procedural figures are drawn with: outlines in a unit square, and a sheet that they are filled on.

Outlines are (N, 2) of x to the right and y downwards, in shares of the sheet's side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats, Rgba, unpremultiply

Outline = NDArray[np.float64]

_FINE = 2  # drawn this many times larger, then averaged
_ROOM = 0.76  # of the sheet: what parts may stick out by stays on it
_SHIFT = 4  # fractional bits of OpenCV's coordinates


def oval(x: float, y: float, wide: float, high: float, turn: float = 0.0, power: float = 2.0) -> Outline:
    """An ellipse with half axes `wide` and `high`; a power above 2 makes it boxy, below 2 pointed."""
    around = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    cos, sin = np.cos(around), np.sin(around)
    flat = np.stack(
        [wide * np.sign(cos) * np.abs(cos) ** (2 / power), high * np.sign(sin) * np.abs(sin) ** (2 / power)], 1
    )
    return np.asarray(turned(flat, turn) + np.array([x, y]))


def lump(rng: np.random.Generator, x: float, y: float, wide: float, high: float, rough: float) -> Outline:
    """An oval with a few waves in its outline."""
    shape = oval(0, 0, wide, high)
    around = np.linspace(0, 2 * np.pi, len(shape), endpoint=False)
    waves = sum(rng.normal(0, rough / n) * np.cos(n * around + rng.uniform(0, 6.3)) for n in range(2, 7))
    return np.asarray(shape * (1 + np.asarray(waves)[:, None]) + np.array([x, y]))


def limb(path: Sequence[tuple[float, float]], start: float, end: float) -> Outline:
    """A bent band through two or three points, from one half width to another, with a round end."""
    points = np.asarray(path, np.float64)
    t = np.linspace(0, 1, 16)[:, None]
    middle = points[1] if len(points) > 2 else points.mean(axis=0)
    line = (1 - t) ** 2 * points[0] + 2 * t * (1 - t) * middle + t**2 * points[-1]
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], 1) * np.linspace(start, end, 16)[:, None]
    heading = np.arctan2(along[-1, 1], along[-1, 0])
    bow = heading + np.linspace(np.pi / 2, -np.pi / 2, 9)
    cap = line[-1] + end * np.stack([np.cos(bow), np.sin(bow)], 1)
    return np.concatenate([line + across, cap, (line - across)[::-1]])


def star(x: float, y: float, size: float, points: int, depth: float, turn: float = 0.0) -> Outline:
    """A star, or with a depth near 1 a polygon."""
    around = turn + np.linspace(0, 2 * np.pi, 2 * points, endpoint=False)
    reach = np.where(np.arange(2 * points) % 2 == 0, size, size * depth)
    return np.stack([x + reach * np.cos(around), y + reach * np.sin(around)], 1)


def heart(x: float, y: float, size: float) -> Outline:
    """A heart of that half width."""
    t = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    across = 16 * np.sin(t) ** 3
    down = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return np.stack([x + size * across / 16, y + size * down / 16], 1)


def polygon(*points: tuple[float, float]) -> Outline:
    """The points as they are."""
    return np.asarray(points, np.float64)


def turned(shape: Outline, turn: float) -> Outline:
    """Turned clockwise, as seen, around the origin; radians."""
    cos, sin = np.cos(turn), np.sin(turn)
    return np.asarray(shape @ np.array([[cos, sin], [-sin, cos]]))


@dataclass(frozen=True)
class Pen:
    """How the parts of one figure are drawn."""

    ink: Floats  # colour of the line
    width: float  # of the line, in shares of the side; 0 for none
    shading: float  # 0 flat … 1 full
    light: float  # radians, where the light comes from


class Sheet:
    """A transparent square to draw on."""

    def __init__(self, side: int, pen: Pen) -> None:
        self._side, self._pen = side, pen
        self._fine = side * _FINE
        self._pixels: Floats = np.zeros((self._fine, self._fine, 4), np.float32)

    def part(self, outline: Outline, colour: Floats, *, lined: bool = True) -> None:
        """A filled outline, with the pen's line around it and the pen's shading on it."""
        if lined and self._pen.width:
            self._lay(self._mask(outline, 2 * self._pen.width), self._pen.ink)
        mask = self._mask(outline)
        self._lay(mask, self._lit(mask, colour))

    def mark(self, outline: Outline, colour: Floats, *, within: Outline) -> None:
        """A flat patch, cut at the edge of another part."""
        mask = self._mask(outline)
        self._lay(np.asarray(mask * (self._mask(within) > 0.5), np.float32), colour)

    def line(self, path: Outline, width: float, colour: Floats) -> None:
        """An open stroke."""
        mask = np.zeros((self._fine, self._fine), np.uint8)
        cv2.polylines(mask, [self._fixed(path)], False, 255, self._thick(width), cv2.LINE_AA, _SHIFT)
        self._lay(_share(mask), colour)

    def picture(self) -> Rgba:
        """(side, side, 4) straight alpha."""
        small = cv2.resize(self._pixels, (self._side, self._side), interpolation=cv2.INTER_AREA)
        return unpremultiply(np.asarray(small, np.float32))

    def _lit(self, mask: Floats, colour: Floats) -> Floats:
        """The colour, or where there is light (height, width, 3) for the box around the mask."""
        if not self._pen.shading:
            return colour
        _, _, wide, high = cv2.boundingRect((mask > 0).astype(np.uint8))
        across = np.linspace(-0.5, 0.5, max(wide, 1)) * np.cos(self._pen.light)
        down = np.linspace(-0.5, 0.5, max(high, 1)) * np.sin(self._pen.light)
        light = 1 + self._pen.shading * (across + down[:, None])
        return np.asarray(np.clip(colour * light[..., None], 0, 255), np.float32)

    def _lay(self, mask: Floats, colour: Floats) -> None:
        x, y, wide, high = cv2.boundingRect((mask > 0).astype(np.uint8))
        box = slice(y, y + high), slice(x, x + wide)
        cover = mask[box][..., None]
        self._pixels[box] *= 1 - cover
        self._pixels[box][..., :3] += cover * colour
        self._pixels[box][..., 3:] += 255 * cover

    def _mask(self, outline: Outline, line: float = 0.0) -> Floats:
        mask = np.zeros((self._fine, self._fine), np.uint8)
        fixed = self._fixed(outline)
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SHIFT)
        if line:
            cv2.polylines(mask, [fixed], True, 255, self._thick(line), cv2.LINE_AA, _SHIFT)
        return _share(mask)

    def _fixed(self, outline: Outline) -> NDArray[np.int32]:
        inside = 0.5 + _ROOM * (outline - 0.5)
        return np.asarray(np.rint(inside * self._fine * (1 << _SHIFT)), np.int32)

    def _thick(self, width: float) -> int:
        return max(1, round(width * self._fine))


def _share(mask: NDArray[np.uint8]) -> Floats:
    """0..255 as 0..1."""
    return np.asarray(mask, np.float32) / np.float32(255)

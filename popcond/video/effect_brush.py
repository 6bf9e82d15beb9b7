"""Paints glyphs on frames: placed, sized and turned to fractions of a pixel, rimmed dark, and never over the border.

Colours are solid; only edges are smoothed, for the clip is keyed afterwards. Nothing smaller than a few pixels is
painted, so that an effect which comes or goes leaves no dust.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Colour, Rgb
from popcond.video.anchors import Anchors, Point
from popcond.video.effect_shapes import Glyph
from popcond.video.outlines import Outline, turned

RIM: Colour = (
    54,
    34,
    58,
)  # the dark line around every effect; not black, so that it dims on a dark chat without vanishing
SHINE: Colour = (255, 255, 255)

_SMALLEST = 3.5  # pixels of radius; anything smaller is dust
_MARGIN = 3.0  # pixels kept free along the frame's border
_MAGNIFIED = 3  # times; painting on a larger patch is what makes edges smooth
_SHIFT = 4  # fractional bits of OpenCV's coordinates


@dataclass(frozen=True)
class Brush:
    """A frame to paint on, and where the character's head is on it.

    `unit` is the size that effects are scaled by: the head's radius, kept within bounds so that signs beside a very
    small or a very large head stay readable. `reach` is how far floating signs keep from the head's centre.
    """

    canvas: Rgb
    anchors: Anchors

    @property
    def unit(self) -> float:
        """Pixels."""
        short_side = min(self.canvas.shape[:2])
        return float(np.clip(self.anchors.head_radius, 0.1 * short_side, 0.2 * short_side))

    @property
    def reach(self) -> float:
        """Pixels."""
        return max(self.unit, self.anchors.head_radius)

    def by_head(self, x: float, y: float) -> Point:
        """The point x, y away from the head's centre, in reaches along the head's own axes (it may lean)."""
        return self.lean(self.anchors.head, x * self.reach, y * self.reach)

    def lean(self, origin: Point, x: float, y: float) -> Point:
        """The point x, y pixels away from `origin`, along the axes of the leaning head."""
        tilt = self.anchors.upright
        return origin[0] + x * cos(tilt) - y * sin(tilt), origin[1] + x * sin(tilt) + y * cos(tilt)

    def paint(
        self,
        glyph: Glyph,
        at: Point,
        size: float,
        fill: Colour,
        *,
        turn: float = 0.0,
        stretch: tuple[float, float] = (1.0, 1.0),
        rim: float = 0.075,
    ) -> None:
        """Paint the glyph with its unit circle's centre at `at` and its radius `size` units.

        `stretch` scales its own x and y first, `turn` (radians, clockwise) comes after; `rim` is the width of the dark
        line in units. Where the glyph would cross the border it is moved inwards.
        """
        radius = size * self.unit
        if radius < _SMALLEST:
            return
        edge = max(2.0, rim * self.unit * min(1.0, 0.4 + size))
        body = [turned(outline * stretch, turn) * radius for outline in glyph.body]
        shine = [turned(outline * stretch, turn) * radius for outline in glyph.shine]
        place = self._inside(np.concatenate(body), np.asarray(at), edge)
        self._stamp([outline + place for outline in body], edge, fill, [outline + place for outline in shine])

    def band(self, outline: Outline, fill: Colour, shine: Outline, rim: float = 0.075) -> None:
        """Paint an outline given in pixels, and the light on it; what crosses the border is pressed inwards."""
        edge = max(2.0, rim * self.unit)
        self._stamp([self._pressed(outline, edge)], edge, fill, [self._pressed(shine, edge)])

    def flat(self, outline: Outline, fill: Colour) -> None:
        """Fill an outline given in pixels, without a rim; what crosses the border is pressed inwards."""
        self._stamp([self._pressed(outline, 0.0)], 0.0, fill, [])

    def _stamp(self, body: list[Outline], edge: float, fill: Colour, shine: list[Outline]) -> None:
        """Rim, fill and light, on a magnified patch of the frame that is scaled back: smooth edges, solid colours."""
        patch, corner = self._patch(np.concatenate(body), edge)
        large = cv2.resize(patch, None, fx=_MAGNIFIED, fy=_MAGNIFIED, interpolation=cv2.INTER_NEAREST)
        around = [_fixed_point(outline - corner) for outline in body]
        if edge > 0.0:
            thickness = max(1, round(2 * edge * _MAGNIFIED))
            cv2.polylines(large, around, True, RIM, thickness, cv2.LINE_AA, _SHIFT)
        for path in around:  # one by one: where two overlap there is no hole
            cv2.fillPoly(large, [path], fill, cv2.LINE_AA, _SHIFT)
        for light in shine:
            cv2.fillPoly(large, [_fixed_point(light - corner)], SHINE, cv2.LINE_AA, _SHIFT)
        patch[:] = cv2.resize(large, patch.shape[1::-1], interpolation=cv2.INTER_AREA)

    def _patch(self, outline: Outline, edge: float) -> tuple[Rgb, Outline]:
        """The part of the frame that an outline with its rim touches, and its top left corner, x and y."""
        size = np.asarray(self.canvas.shape[1::-1])
        low = np.clip(np.floor(outline.min(axis=0) - edge - 2.0), 0, size - 1).astype(int)
        high = np.clip(np.ceil(outline.max(axis=0) + edge + 3.0), low + 1, size).astype(int)
        return self.canvas[low[1] : high[1], low[0] : high[0]], low.astype(np.float64)

    def _pressed(self, outline: Outline, edge: float) -> Outline:
        return np.clip(outline, _MARGIN + edge, np.asarray(self.canvas.shape[1::-1]) - 1 - _MARGIN - edge)

    def _inside(self, body: Outline, place: Outline, edge: float) -> Outline:
        low = _MARGIN + edge - body.min(axis=0)
        high = np.asarray(self.canvas.shape[1::-1]) - 1 - _MARGIN - edge - body.max(axis=0)
        return np.clip(place, low, np.maximum(low, high))


def _fixed_point(outline: Outline) -> NDArray[np.int32]:
    """Places on the frame as OpenCV's fixed-point places on the magnified patch; pixel centres are at halves there."""
    magnified = (outline + 0.5) * _MAGNIFIED - 0.5
    return np.asarray(np.rint(magnified * (1 << _SHIFT)), np.int32)

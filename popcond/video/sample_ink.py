"""The ink that the sample character is drawn with: filled outlines, soft shading, pen strokes.

Drawing happens in units of a thousandth of the picture's side, larger than asked and in premultiplied floats, and is
scaled down once at the end; so edges are smooth and no colour bleeds.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Colour, Floats, Rgba, unpremultiply
from popcond.video.outlines import Outline

UNITS = 1000.0
LINE: Colour = (84, 42, 44)  # the dark line around every part

_FINEST = 1536  # pixels of the drawing's side that are enough for any size asked
_SHIFT = 4  # fractional bits of OpenCV's coordinates

Window = tuple[slice, slice]


class Ink:
    """A transparent square sheet to draw on."""

    def __init__(self, size: int, *, middle: tuple[float, float] = (500.0, 500.0), zoom: float = 1.0) -> None:
        """A sheet that will be handed out as `size` × `size` pixels, with the unit `middle` at its centre.

        `zoom` is how much of the sheet 1000 units fill.
        """
        self.size = size
        self._side = max(size, min(_FINEST, 3 * size))
        self._scale = zoom * self._side / UNITS
        self._origin = self._side / 2 - np.asarray(middle) * self._scale
        self._sheet: Floats = np.zeros((self._side, self._side, 4), np.float32)

    def picture(self) -> Rgba:
        """The finished drawing, (size, size, 4), straight alpha."""
        scaled = cv2.resize(self._sheet, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return unpremultiply(np.asarray(scaled, np.float32))

    def line(self, outlines: list[Outline], width: float = 9.0, colour: Colour = LINE) -> None:
        """A line of that width, in units, around the union of the outlines; fill them afterwards."""
        for outline in outlines:
            self._lay(colour, *self._pen(outline, 2 * width, closed=True))

    def pen(self, path: Outline, width: float, colour: Colour = LINE) -> None:
        """An open stroke with round ends."""
        self._lay(colour, *self._pen(path, width, closed=False))

    def fill(self, outline: Outline, colour: Colour, *, within: Outline | None = None) -> None:
        """One flat colour, cut at the edge of `within`."""
        window = self._window(outline)
        self._lay(colour, window, self._cut(self._mask(outline, window), window, within))

    def gradient(self, outline: Outline, light: Colour, dark: Colour, *, within: Outline | None = None) -> None:
        """From `light` at the top left to `dark` at the bottom right."""
        window = self._window(outline)
        mask = self._cut(self._mask(outline, window), window, within)
        rows, columns = mask.shape
        ramp = np.linspace(0, 0.65, rows)[:, None] + np.linspace(0, 0.35, columns)
        mixed = np.asarray(light) + ramp[..., None] * np.subtract(dark, light)
        self._lay(mixed.astype(np.float32), window, mask)

    def shade(self, outline: Outline, colour: Colour, depth: float, strength: float = 1.0) -> None:
        """Soft shadow along the lower right edge of an outline, `depth` units deep, or light when depth is negative."""
        window = self._window(outline)
        mask = self._mask(outline, window)
        lit = self._mask(outline - (0.55 * depth, depth), window)
        shadow = mask * (1.0 - self._blur(lit, 0.45 * abs(depth)))
        self._lay(colour, window, np.asarray(strength * shadow, np.float32))

    def glow(self, outline: Outline, colour: Colour, blur: float, strength: float = 1.0, *, within: Outline) -> None:
        """An outline with soft edges, `blur` units wide, cut at the edge of `within`."""
        window = self._window(outline, 2.5 * blur)
        mask = self._blur(self._mask(outline, window), blur) * strength
        self._lay(colour, window, self._cut(mask, window, within))

    def _blur(self, mask: Floats, sigma: float) -> Floats:
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.3, sigma * self._scale)), np.float32)

    def _lay(self, colour: Colour | Floats, window: Window, mask: Floats) -> None:
        sheet = self._sheet[window]
        cover = mask[..., None]
        sheet *= 1.0 - cover
        sheet[..., :3] += cover * np.asarray(colour, np.float32)
        sheet[..., 3:] += cover * 255.0

    def _cut(self, mask: Floats, window: Window, within: Outline | None) -> Floats:
        return mask if within is None else mask * self._mask(within, window)

    def _mask(self, outline: Outline, window: Window) -> Floats:
        mask = _blank(window)
        cv2.fillPoly(mask, [self._fixed_point(outline, window)], 255, cv2.LINE_AA, _SHIFT)
        return mask.astype(np.float32) / 255.0

    def _pen(self, path: Outline, width: float, *, closed: bool) -> tuple[Window, Floats]:
        window = self._window(path, width)
        mask = _blank(window)
        thickness = max(1, round(width * self._scale))
        cv2.polylines(mask, [self._fixed_point(path, window)], closed, 255, thickness, cv2.LINE_AA, _SHIFT)
        return window, mask.astype(np.float32) / 255.0

    def _fixed_point(self, outline: Outline, window: Window) -> NDArray[np.int32]:
        pixels = self._pixels(outline) - (window[1].start, window[0].start)
        return np.asarray(np.rint(pixels * (1 << _SHIFT)), np.int32)

    def _pixels(self, outline: Outline) -> Outline:
        return np.asarray(outline * self._scale + self._origin, np.float64)

    def _window(self, outline: Outline, margin: float = 0.0) -> Window:
        """The part of the sheet that an outline touches."""
        pad = margin * self._scale + 2.0
        pixels = self._pixels(outline)
        low = np.clip(np.floor(pixels.min(axis=0) - pad), 0, self._side - 1).astype(int)
        high = np.clip(np.ceil(pixels.max(axis=0) + pad), low + 1, self._side).astype(int)
        return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def _blank(window: Window) -> NDArray[np.uint8]:
    return np.zeros((window[0].stop - window[0].start, window[1].stop - window[1].start), np.uint8)

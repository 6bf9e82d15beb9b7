"""Resampling premultiplied rasters and laying them over frames."""

from __future__ import annotations

from math import cos

import cv2
import numpy as np

from popcond.media.raster import Rgb, Rgba
from popcond.video.warp import Places

_THINNEST_VIEW = 0.08  # of its width: as far as a turned figure is averaged


def thinned(raster: Rgba, turn: float) -> Rgba:
    """Averaged along its rows as far as the turned figure is narrower, so that the thin view does not sparkle."""
    width = 2 * round(0.5 / max(abs(cos(turn)), _THINNEST_VIEW)) - 1  # odd: OpenCV 5.0 makes ones of zeros at width 2
    return raster if width < 3 else np.asarray(cv2.blur(raster, (width, 1)), np.uint8)


def resampled(raster: Rgba, x: Places, y: Places) -> Rgba:
    """The raster's pixels at these places; what lies outside of it is transparent."""
    return np.asarray(cv2.remap(raster, np.ascontiguousarray(x), np.ascontiguousarray(y), cv2.INTER_LINEAR), np.uint8)


def composite(canvas: Rgb, premultiplied: Rgba) -> None:
    """Lay a premultiplied raster over an opaque one of the same size, in place."""
    left, top, width, height = cv2.boundingRect(premultiplied[..., 3])
    if width == 0:
        return
    place = slice(top, top + height), slice(left, left + width)
    over = premultiplied[place]
    through = cv2.cvtColor(255 - over[..., 3], cv2.COLOR_GRAY2RGB)
    under = cv2.multiply(np.ascontiguousarray(canvas[place]), through, scale=1.0 / 255.0)
    canvas[place] = cv2.add(under, np.ascontiguousarray(over[..., :3]))

"""How different two colours look: CIELAB (D65) and ΔE*ab, for whole rasters and for a handful of colours.

Distances here are plain ΔE 1976: about 1 is just visible side by side, 10 is seen at a glance, black to white is 100.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from popcond.media.raster import Colour, Floats, Rgb

_TABLE_SCALE = np.array([2.55, 1.0, 1.0], np.float32)  # the 8-bit table's steps in one L*, a*, b*
_TABLE_ZERO = np.array([0.0, 128.0, 128.0], np.float32)
_SQUARES = np.array([[1.0 / 2.55**2, 1.0, 1.0]], np.float32)


def gaps_from(coarse_lab: Floats, rgb: Rgb) -> Floats:
    """(H, W) ΔE of each pixel from a coarse grid of L*, a*, b* scaled up to the picture.

    By an 8-bit table: quick, and right to about half a unit.
    """
    height, width = rgb.shape[:2]
    field = cv2.resize(coarse_lab * _TABLE_SCALE + _TABLE_ZERO, (width, height), interpolation=cv2.INTER_LINEAR)
    table = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB)
    apart = cv2.subtract(table, field, dtype=cv2.CV_32F)
    return np.asarray(cv2.sqrt(cv2.transform(cv2.multiply(apart, apart), _SQUARES)), np.float32)


def exact_lab(colours: Floats) -> Floats:
    """(N, 3) colours in 0..255 to (N, 3) L*, a*, b*, in full precision."""
    flat = np.ascontiguousarray(np.clip(colours, 0.0, 255.0), np.float32).reshape(-1, 1, 3) / np.float32(255.0)
    return np.asarray(cv2.cvtColor(flat, cv2.COLOR_RGB2LAB), np.float32).reshape(-1, 3)


def lab_of(colours: Sequence[Colour]) -> Floats:
    """(N, 3) L*, a*, b* of a few colours."""
    return exact_lab(np.asarray(colours, np.float32).reshape(-1, 3))


def distance(one: Floats, other: Floats) -> Floats:
    """ΔE over the last axis, broadcast."""
    gap = one - other
    return np.asarray(np.sqrt(np.einsum("...k,...k->...", gap, gap)), np.float32)

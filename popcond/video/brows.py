"""Brows: two strokes above the eyes that say angry or sorry at once, also on a face that smiles."""

from __future__ import annotations

import cv2
import numpy as np

from popcond.media.raster import Colour, Rgb
from popcond.video.anatomy import Anatomy
from popcond.video.warp import Warp

_SHIFT = 4  # fractional bits of OpenCV's coordinates
_POINTS = 9  # of one stroke


def draw_brows(canvas: Rgb, anatomy: Anatomy, warp: Warp, mood: float, skin: Colour) -> None:
    """Paint brows that move with the posed head; `mood` is 1 for angry, −1 for sorry, and they fade out towards 0."""
    eyes = anatomy.eyes
    apart = eyes.right[0] - eyes.left[0]
    unit = float(np.clip(0.3 * apart, 0.8 * eyes.half_width, 0.2 * anatomy.head_radius))
    strength = min(1.0, 2.0 * abs(mood))
    thickness = max(2, round(0.42 * unit * strength))
    dark = tuple(int(0.22 * channel) for channel in skin)
    along = np.linspace(-1.0, 1.0, _POINTS, dtype=np.float32)  # from the nose outwards
    for eye, side in ((eyes.left, -1.0), (eyes.right, 1.0)):
        lifted = eye[1] - eyes.half_height - 0.55 * unit
        x = np.float32(eye[0]) + np.float32(side * 1.05 * unit) * along
        y = np.float32(lifted) - np.float32(0.5 * unit) * np.float32(mood) * along
        y = y - np.float32(0.16 * unit) * (1.0 - along * along)
        points = np.stack(warp.forward(x.astype(np.float32), y.astype(np.float32)), axis=-1)
        line = np.rint(points * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(canvas, [line], False, dark, thickness, cv2.LINE_AA, _SHIFT)

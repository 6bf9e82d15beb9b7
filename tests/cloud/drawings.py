"""Real pictures: words become a figure whose colours follow them, on the flat colour that they name or on white; a
picture that was shown comes back a little tilted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from popcond.media.raster import Colour, Rgb, from_png, png

_NAMED = re.compile("#([0-9a-f]{6})", re.IGNORECASE)
_FAR = 110.0  # in RGB
_PAINTS: Sequence[Colour] = (
    (205, 35, 45),
    (240, 140, 20),
    (245, 215, 60),
    (35, 150, 60),
    (25, 60, 190),
    (70, 20, 130),
    (215, 50, 160),
    (90, 50, 20),
    (20, 190, 200),
)


@lru_cache(maxsize=8)
def drawing_of(prompt: str, shown: bytes, side: int, *, is_cut_off: bool = False) -> bytes:
    """PNG bytes; the same for the same order."""
    drawing = _tilted(from_png(shown), side) if shown else _figure(prompt, side)
    return png(_without_feet(drawing) if is_cut_off else drawing)


def _figure(prompt: str, side: int) -> Rgb:
    """Somebody in full height: a head, a body, two arms, two legs."""
    skin, shirt, trousers = _colours(prompt)
    picture = np.empty((side, side, 3), np.uint8)
    picture[:] = _backdrop(prompt)

    def at(x: float, y: float) -> tuple[int, int]:
        return round(x * side), round(y * side)

    thick = round(0.06 * side)
    for x in (0.44, 0.56):
        cv2.line(picture, at(x, 0.6), at(x, 0.88), trousers, thick, cv2.LINE_AA)
    for hand in (0.28, 0.72):
        cv2.line(picture, at(0.5, 0.4), at(hand, 0.55), shirt, thick, cv2.LINE_AA)
    cv2.ellipse(picture, at(0.5, 0.5), at(0.13, 0.17), 0, 0, 360, shirt, -1, cv2.LINE_AA)
    cv2.circle(picture, at(0.5, 0.23), round(0.13 * side), skin, -1, cv2.LINE_AA)
    for x in (0.455, 0.545):
        cv2.circle(picture, at(x, 0.22), round(0.018 * side), (20, 20, 30), -1, cv2.LINE_AA)
    return picture


def _tilted(shown: Rgb, side: int) -> Rgb:
    """In the ordered area and the shape of what was shown."""
    height, width = shown.shape[:2]
    scale = side / (height * width) ** 0.5
    size = max(1, round(width * scale)), max(1, round(height * scale))
    large = cv2.resize(shown, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    turn = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), 4.0, 0.97)
    return np.asarray(cv2.warpAffine(large, turn, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _without_feet(drawing: Rgb) -> Rgb:
    """Moved down until its lower third is outside."""
    third = drawing.shape[0] // 3
    return np.vstack([np.repeat(drawing[:1], third, axis=0), drawing[:-third]])


def _colours(prompt: str) -> Sequence[Colour]:
    """Three that depend on the words, each of them far from the backdrop."""
    backdrop = np.array(_backdrop(prompt))
    visible = [colour for colour in _PAINTS if np.linalg.norm(backdrop - colour) > _FAR]
    digest = hashlib.sha256(prompt.encode()).digest()
    return [visible[byte % len(visible)] for byte in digest[:3]]


def _backdrop(prompt: str) -> Colour:
    named = _NAMED.search(prompt)
    red, green, blue = bytes.fromhex(named[1]) if named else (255, 255, 255)
    return red, green, blue

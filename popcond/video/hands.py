"""Hands that help out: drawn in the character's own colour, for characters without an arm to wave or clap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, sin

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Colour, Floats, Rgb, Rgba
from popcond.video.anchors import Point
from popcond.video.eyes import Eyes
from popcond.video.oval import Oval
from popcond.video.pose import Grip

_ART_SIDE = 192  # pixels of the drawing that is scaled onto frames
_SKIN = 0.9  # how much of the character's colour a hand has, the rest is white
_DARKEST = 96.0  # brightness below which a hand is lightened, or its fingers could not be told apart
_RIM: Colour = (54, 34, 58)
_OUTLINE = 0.06  # of the drawing's side
_WRIST = 0.7  # of a hand's size below its centre: the point about which it turns
_REACH = 0.62  # of half the drawing's side: one unit of the strokes

Stroke = tuple[Point, Point, float]  # from, to, half thickness; in −1..1 with y down

_STROKES: dict[Grip, tuple[Stroke, ...]] = {
    Grip.PALM: (
        ((-0.02, 0.3), (0.02, 0.16), 0.37),
        ((-0.24, 0.0), (-0.36, -0.44), 0.135),
        ((-0.04, -0.1), (-0.08, -0.66), 0.14),
        ((0.17, -0.05), (0.22, -0.58), 0.135),
        ((0.3, 0.1), (0.48, -0.3), 0.12),
        ((-0.25, 0.36), (-0.64, 0.06), 0.135),
        ((0.02, 0.5), (0.02, 0.86), 0.2),
    ),
    Grip.FIST: (
        ((-0.08, 0.12), (0.12, 0.12), 0.42),
        ((-0.3, -0.16), (-0.3, -0.06), 0.17),
        ((-0.05, -0.22), (-0.05, -0.1), 0.17),
        ((0.2, -0.18), (0.2, -0.06), 0.17),
        ((-0.34, 0.26), (-0.05, 0.2), 0.15),
    ),
    Grip.FLAT: (
        ((0.0, 0.34), (0.0, 0.16), 0.27),
        ((0.0, 0.1), (0.02, -0.6), 0.17),
        ((-0.06, 0.22), (-0.3, -0.1), 0.12),
    ),
    Grip.POINT: (
        ((-0.04, 0.26), (0.1, 0.26), 0.36),
        ((-0.14, 0.0), (-0.16, -0.62), 0.15),
        ((0.1, -0.06), (0.1, 0.04), 0.16),
        ((0.3, 0.02), (0.3, 0.1), 0.14),
        ((-0.3, 0.34), (0.02, 0.2), 0.13),
    ),
}


@dataclass(frozen=True)
class PlacedHand:
    """One hand on a frame."""

    grip: Grip
    side: int  # −1 mirrors it
    centre: Point  # when it is not turned
    size: float  # pixels of half its height, roughly
    turn: float  # radians about the wrist, clockwise as seen

    @property
    def middle(self) -> Point:
        """The centre of the turned hand."""
        low = _WRIST * self.size
        return self.centre[0] + low * sin(self.turn), self.centre[1] + low * (1.0 - cos(self.turn))


def skin_of(cutout: Rgba, head: Oval, eyes: Eyes) -> Colour:
    """The colour that most of the face has, or of the head where no eyes tell the face; hands and brows take it up."""
    inside = _face(head, eyes).distances(cutout.shape[:2]) < 0.8**2
    pixels = cutout[inside & (cutout[..., 3] > 200)][:, :3]
    if len(pixels) == 0:
        return (255, 214, 170)
    bins = (pixels // 32).astype(np.int32)
    keys = bins[:, 0] * 64 + bins[:, 1] * 8 + bins[:, 2]
    common = np.bincount(keys).argmax()
    skin = pixels[keys == common].mean(axis=0)
    return int(skin[0]), int(skin[1]), int(skin[2])


def _face(head: Oval, eyes: Eyes) -> Oval:
    """Around the eyes and the nose, without hat, hair and beard."""
    if not eyes.found:
        return head
    x, y = (eyes.left[0] + eyes.right[0]) / 2.0, (eyes.left[1] + eyes.right[1]) / 2.0
    wide = 0.5 * (eyes.right[0] - eyes.left[0]) + 1.6 * eyes.half_width
    return Oval(x, y + 0.3 * wide, wide, 0.8 * wide)


def draw_hands(canvas: Rgb, hands: Sequence[PlacedHand], skin: Colour) -> None:
    """Paint the hands on the frame (H, W, 3), in place; they stay inside it."""
    for hand in hands:
        if hand.size >= 4.0:
            _paint(canvas, hand, _art(hand.grip, skin))


def _paint(canvas: Rgb, hand: PlacedHand, art: Rgba) -> None:
    height, width = canvas.shape[:2]
    reach = hand.size * 1.05
    x = float(np.clip(hand.middle[0], reach + 2.0, width - reach - 2.0))
    y = float(np.clip(hand.middle[1], reach + 2.0, height - reach - 2.0))
    scale = hand.size / (0.5 * _REACH * _ART_SIDE)
    cosine, sine = scale * cos(hand.turn), scale * sin(hand.turn)
    matrix = np.array([[cosine * hand.side, -sine, 0.0], [sine * hand.side, cosine, 0.0]])
    side = 2 * int(reach * 1.25) + 4
    left, top = int(x) - side // 2, int(y) - side // 2
    matrix[:, 2] = np.array([x - left, y - top]) - matrix[:, :2] @ np.array([_ART_SIDE / 2.0, _ART_SIDE / 2.0])
    patch = cv2.warpAffine(art, matrix, (side, side), flags=cv2.INTER_AREA)
    _lay(canvas, np.asarray(patch, np.uint8), left, top)


def _lay(canvas: Rgb, patch: Rgba, left: int, top: int) -> None:
    """Composite a premultiplied patch whose top left corner is at left, top; what lies outside is dropped."""
    height, width = canvas.shape[:2]
    rows = slice(max(top, 0), min(top + patch.shape[0], height))
    columns = slice(max(left, 0), min(left + patch.shape[1], width))
    inner = patch[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    under = canvas[rows, columns].astype(np.uint16)
    alpha = inner[..., 3:].astype(np.uint16)
    canvas[rows, columns] = np.minimum(inner[..., :3] + (under * (255 - alpha) + 127) // 255, 255).astype(np.uint8)


@lru_cache(maxsize=16)
def _art(grip: Grip, skin: Colour) -> Rgba:
    """A premultiplied drawing of the right hand, fingers up."""
    side = 2 * _ART_SIDE
    shape = _filled(grip, side, 0.0)
    rim = _filled(grip, side, _OUTLINE * 2.0)
    shade = np.linspace(1.06, 0.9, side, dtype=np.float32)[:, None, None]
    fill = np.clip(_lightened(skin) * shade, 0.0, 255.0)
    dark = np.asarray(_RIM, np.float32)
    inside = (shape.astype(np.float32) / 255.0)[..., None]
    creases = (_creases(grip, side).astype(np.float32) / 255.0)[..., None] * inside
    colour = (fill * (1.0 - creases) + dark * creases) * inside + dark * (1.0 - inside)
    alpha = rim.astype(np.float32)[..., None]
    premultiplied = np.concatenate([colour * alpha / 255.0, alpha], axis=-1)
    return np.asarray(cv2.resize(premultiplied, (_ART_SIDE, _ART_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _lightened(skin: Colour) -> Floats:
    """The skin's colour with some white in it, more when it is dark."""
    colour = np.asarray(skin, np.float32)
    bright = float(colour @ np.array([0.3, 0.59, 0.11], np.float32))
    share = min(_SKIN, (255.0 - _DARKEST) / max(255.0 - bright, 1.0))
    return np.asarray(share * colour + (1.0 - share) * 255.0, np.float32)


def _filled(grip: Grip, side: int, wider: float) -> NDArray[np.uint8]:
    mask = np.zeros((side, side), np.uint8)
    for start, end, half in _STROKES[grip]:
        thickness = max(1, round((half + wider) * _REACH * side))
        cv2.line(mask, _pixel(start, side), _pixel(end, side), 255, thickness, cv2.LINE_AA)
    return mask


def _creases(grip: Grip, side: int) -> NDArray[np.uint8]:
    """Thin lines where fingers touch, so that they read as fingers."""
    mask = np.zeros((side, side), np.uint8)
    for start, end, half in _STROKES[grip][1:]:
        ring = np.zeros_like(mask)
        thickness = max(1, round(half * _REACH * side))
        cv2.line(ring, _pixel(start, side), _pixel(end, side), 255, thickness + 5, cv2.LINE_AA)
        cv2.line(ring, _pixel(start, side), _pixel(end, side), 0, max(1, thickness - 3), cv2.LINE_AA)
        below = round(side * 0.5 + 0.06 * side)
        ring[below:] = 0
        mask = np.maximum(mask, ring)
    return mask


def _pixel(point: Point, side: int) -> tuple[int, int]:
    return round(side * (0.5 + 0.5 * _REACH * point[0])), round(side * (0.5 + 0.5 * _REACH * point[1]))

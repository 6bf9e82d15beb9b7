"""Eyes: twin blobs side by side in a head, found cheaply, and closed by pressing them flat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from math import pi
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats, Rgba
from popcond.video.anchors import Point
from popcond.video.oval import Oval

_DARKER_BY = (30, 44, 64, 100)  # of 255: how much darker than its surroundings an eye is; higher parts what touches
_LIGHTER_BY = (90, 120)  # the same for glowing eyes, which are rarer than gleams and windows
_GLOWING = 0.6  # how far light pairs are trusted against dark ones
_FAINT = 50  # what stands out by less must be a nearly perfect pair
_CLEAR = 110  # what stands out by more is as dark as eyes are in line art and flat pictures
_FORM = 12  # a side of the small picture on which forms are compared


Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Eyes:
    """Two places; `found` says whether they were seen or only supposed."""

    left: Point  # at the viewer's left
    right: Point
    half_width: float
    half_height: float
    found: bool

    def scaled(self, factor: float, x: float = 0.0, y: float = 0.0) -> Eyes:
        """The same eyes on a raster that was scaled, then moved."""
        return replace(
            self,
            left=(self.left[0] * factor + x, self.left[1] * factor + y),
            right=(self.right[0] * factor + x, self.right[1] * factor + y),
            half_width=self.half_width * factor,
            half_height=self.half_height * factor,
        )


@dataclass(frozen=True)
class _Blob:
    x: float
    y: float
    half_width: float
    half_height: float
    area: float
    depth: float  # how much it stands out, 0..255
    form: Floats  # (_FORM, _FORM) its box filled by its form, 0..1


def find_eyes(picture: Rgba, head: Oval) -> Eyes:
    """The eyes of the head at `head`, in the picture's pixels."""
    dark, light = _standing_out(picture, head)
    pairs = [*_pairs(dark, head, 1.0), *_pairs(light, head, _GLOWING)]
    if not pairs:
        return no_eyes(head)
    _, left, right = max(pairs, key=lambda pair: pair[0])
    return Eyes(
        left=(left.x, left.y),
        right=(right.x, right.y),
        half_width=min(max(left.half_width, right.half_width), 0.4 * head.radius),
        half_height=min(max(left.half_height, right.half_height), 0.45 * head.radius),
        found=True,
    )


def _pairs(blobs: list[_Blob], head: Oval, trust: float) -> list[tuple[float, _Blob, _Blob]]:
    return [
        (trust * score, left, right)
        for left, right in combinations(sorted(blobs, key=_x), 2)
        if (score := _likeness(left, right, head)) > 0.0
    ]


def _x(blob: _Blob) -> float:
    return blob.x


def find_lone_eye(picture: Rgba, box: Box) -> Point | None:
    """The eye of a figure seen from its side: one small dark spot high up."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    whole = Oval((left + right) / 2.0, (top + bottom) / 2.0, 0.75 * width, 0.75 * height)
    spots = [
        (spot.depth * (1.0 - (spot.y - top) / height), spot)
        for spot in _standing_out(picture, whole, 0.13 * min(width, height))[0]
        if spot.depth > 70.0
        and spot.y < top + 0.5 * height
        and 0.0006 < spot.area / (width * height) < 0.012
        and 0.4 < spot.half_width / spot.half_height < 1.8
        and spot.area > 0.6 * 4.0 * spot.half_width * spot.half_height
    ]
    if not spots:
        return None
    _, best = max(spots, key=lambda spot: spot[0])
    return best.x, best.y


def no_eyes(head: Oval, near: Point | None = None) -> Eyes:
    """Where eyes may be supposed in a head that shows none: a little below its middle, or both `near` the only one."""
    x, y = near or (head.x, head.y + 0.14 * head.half_height)
    side = (0.36 if near is None else 0.16) * head.half_width
    left, right = (x - side, y), (x + side, y)
    return Eyes(left, right, 0.13 * head.half_width, 0.15 * head.half_height, found=False)


def _standing_out(picture: Rgba, head: Oval, reach: float = 0.0) -> tuple[list[_Blob], list[_Blob]]:
    """Blobs darker, and blobs lighter, than what lies around them, inside the head's ellipse."""
    grey = cv2.cvtColor(np.ascontiguousarray(picture[..., :3]), cv2.COLOR_RGB2GRAY)
    inside = (head.distances(grey.shape) < 0.92**2) & (picture[..., 3] > 200)
    if inside.sum() < 30:
        return [], []
    filled = np.where(inside, grey, np.uint8(np.median(grey[inside]))).astype(np.uint8)
    side = max(3, 2 * round(reach or 0.3 * head.radius) + 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    dark = np.asarray(cv2.morphologyEx(filled, cv2.MORPH_BLACKHAT, kernel), np.uint8)
    light = np.asarray(cv2.morphologyEx(filled, cv2.MORPH_TOPHAT, kernel), np.uint8)
    return _blobs(dark, _DARKER_BY), _blobs(light, _LIGHTER_BY)


def _blobs(depth: NDArray[np.uint8], levels: tuple[int, ...]) -> list[_Blob]:
    """The connected parts of what stands out, at every level."""
    return [blob for level in levels for blob in _blobs_above(depth, level)]


def _blobs_above(depth: NDArray[np.uint8], level: int) -> list[_Blob]:
    _, labels, stats, centres = cv2.connectedComponentsWithStats((depth > level).astype(np.uint8), connectivity=8)
    return [
        _blob(labels == label, depth, stat, centre)
        for label, (stat, centre) in enumerate(zip(stats, centres, strict=True))
        if label and stat[cv2.CC_STAT_AREA] >= 4
    ]


def _blob(part: NDArray[np.bool_], depth: NDArray[np.uint8], stat: NDArray[Any], centre: NDArray[Any]) -> _Blob:
    left, top, width, height, area = (int(number) for number in stat)
    box = part[top : top + height, left : left + width].astype(np.float32)
    return _Blob(
        x=float(centre[0]) + 0.5,
        y=float(centre[1]) + 0.5,
        half_width=width / 2.0,
        half_height=height / 2.0,
        area=float(area),
        depth=float(depth[part].mean()),
        form=np.asarray(cv2.resize(box, (_FORM, _FORM), interpolation=cv2.INTER_AREA), np.float32),
    )


def _likeness(left: _Blob, right: _Blob, head: Oval) -> float:
    """How much two blobs look like a pair of eyes; 0 when they cannot be one."""
    alike = _twinned(left, right)
    share = (left.area + right.area) / (pi * head.radius**2)
    if alike == 0.0 or not 0.004 < share < 0.3:
        return 0.0
    return alike * min(1.0, share / 0.03) * _well_placed(left, right, head) * (left.depth + right.depth)


def _twinned(left: _Blob, right: _Blob) -> float:
    """How much one blob is the other's mirror image, 0..1; 0 for stripes and for what is of different size."""
    alike = min(left.area, right.area) / max(left.area, right.area)
    wide, high = _ratio(left.half_width, right.half_width), _ratio(left.half_height, right.half_height)
    if alike < 0.5 or min(wide, high) < 0.6 or _ratio(left.depth, right.depth) < 0.65:
        return 0.0
    for blob in (left, right):
        filled = blob.area / (4.0 * blob.half_width * blob.half_height)
        if filled < 0.42 or not 0.3 < blob.half_width / blob.half_height < 3.2:
            return 0.0
    mirrored = right.form[:, ::-1]
    same = float(np.minimum(left.form, mirrored).sum() / np.maximum(left.form, mirrored).sum())
    least = 0.7 if min(left.depth, right.depth) < _FAINT else 0.55
    return alike * same if same > least else 0.0


def _ratio(one: float, other: float) -> float:
    return min(one, other) / max(one, other)


def _well_placed(left: _Blob, right: _Blob, head: Oval) -> float:
    """How much two places are those of eyes, 0..1: level, about the head's middle, and not too low."""
    apart = (right.x - left.x) / head.half_width
    level = abs(right.y - left.y) / head.radius
    askew = abs((left.x + right.x) / 2.0 - head.x) / head.half_width
    up = ((left.y + right.y) / 2.0 - head.y) / head.half_height
    touching = right.x - left.x < 1.3 * (left.half_width + right.half_width)
    lowest = 0.36 if min(left.depth, right.depth) < _CLEAR else 0.52  # clear ones may be low, under hair or a hat
    if touching or not (0.2 < apart < 1.35 and level < 0.2 and askew < 0.42 and -0.8 < up < lowest):
        return 0.0
    return (1.0 - askew) * (1.0 - 2.0 * level) * (1.0 - 0.4 * abs(up + 0.1))


def close_eye(premultiplied: Rgba, eye: Point, half_width: float, half_height: float, closed: float) -> None:
    """Press the eye flat, in place, on a premultiplied raster of any number of channels; `closed` is 0..1."""
    reach_x, reach_y = 1.9 * half_width, 2.2 * half_height
    height, width = premultiplied.shape[:2]
    left, right = max(0, int(eye[0] - reach_x)), min(width, int(eye[0] + reach_x) + 2)
    top, bottom = max(0, int(eye[1] - reach_y)), min(height, int(eye[1] + reach_y) + 2)
    if closed <= 0.01 or right - left < 3 or bottom - top < 3:
        return
    rows, columns = np.mgrid[top:bottom, left:right].astype(np.float32)
    across, along = (columns - eye[0]) / reach_x, (rows - eye[1]) / half_height
    weight = np.clip(1.5 * (1.0 - across * across), 0.0, 1.0) * closed
    pressed = _pressed(np.abs(along), weight)
    source_rows = eye[1] + np.sign(along) * pressed * half_height
    premultiplied[top:bottom, left:right] = cv2.remap(
        premultiplied, columns, source_rows.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def _pressed(along: Floats, weight: Floats) -> Floats:
    """Where the pixel at distance `along` (in eye half-heights) comes from: steep in the middle, itself from 2.2 on.

    The eye, 0..1 in the source, ends up in 0..1 − 0.86·weight; the skin above and below is drawn in after it.
    """
    lid, brow = 1.0 - 0.86 * weight, 2.2
    drawn_in = 1.0 + (along - lid) * (brow - 1.0) / (brow - lid)
    return np.asarray(np.where(along < lid, along / lid, drawn_in), np.float32)

"""Where in a frame a cut-out lies: looked for in all sizes and both ways round, in whatever light, also partly outside.

For every place the mean squared difference over the cut-out's visible pixels is had from a few correlations. A common
shift of all colours, as other light makes it, is allowed for at a price.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from popcond.media.raster import Floats, Rgb, Rgba
from popcond.vision.classical_cut import small

_SIDE = 112  # the longer side of the frame in which the cut-out is looked for
_SIZES = np.geomspace(0.25, 1.5, 23)  # of the frame's height
_NEAR_SIZES = np.array([0.9, 0.95, 1.0, 1.055, 1.11])  # times the size in the frame that it was found in
_NEAR = 0.16  # of the frame's side: how far it may have moved from there
_OUTSIDE = 0.45  # of the frame's side that may lie beyond its border
_SEEN = 0.5  # of the cut-out that must lie within the frame
_LEAST = 60  # pixels of it that say something
_LIGHT_PRICE = 0.2  # share of its square that a common shift of the colours costs
_LARGER = 0.15  # exponent by which the larger of two equally good places is better: it explains more
_TO_DELTA_E = np.array([1.0 / 2.55, 1.0, 1.0], np.float32)  # from the steps of the 8-bit CIELAB table


@dataclass(frozen=True)
class Place:
    """Where a cut-out lies in a frame, in shares of the frame's height."""

    x: float
    y: float
    height: float
    is_mirrored: bool
    light: tuple[float, float, float]  # ΔE along L*, a*, b* by which the frame shows its colours shifted
    error: float  # mean ΔE between the frame and the cut-out there, in that light
    rating: float  # lower is better


def located(rgb: Rgb, cutout: Rgba, near: Place | None = None) -> Place | None:
    """Where the character is in a frame: anywhere in any size, or about where and as large as it was in `near`."""
    look = small(rgb, _SIDE)
    height = look.shape[0]
    frame = _Framed.of(look)
    sides = (False, True) if near is None else (near.is_mirrored,)
    turned = {side: np.ascontiguousarray(cutout[:, ::-1]) if side else cutout for side in sides}
    sizes = _SIZES if near is None else near.height * _NEAR_SIZES
    wanted = ((_scaled(turned[side], round(size * height)), side) for size in sizes for side in sides)
    places = (_best(frame, scaled, height, near, is_mirrored=side) for scaled, side in wanted)
    return min((place for place in places if place is not None), key=lambda place: place.rating, default=None)


def in_light(rgb: Rgb, light: tuple[float, float, float]) -> Rgb:
    """The picture with its colours shifted by ΔE along L*, a*, b*."""
    lab = lab_of(rgb) + np.asarray(light, np.float32)
    table = np.asarray(np.clip(np.rint(lab / _TO_DELTA_E), 0, 255), np.uint8)
    return np.asarray(cv2.cvtColor(table, cv2.COLOR_LAB2RGB), np.uint8)


def lab_of(rgb: Rgb) -> Floats:
    """(H, W, 3) in ΔE, by the 8-bit table: L* from 0, a* and b* from their table's zero."""
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2LAB).astype(np.float32) * _TO_DELTA_E)


@dataclass(frozen=True)
class _Framed:
    """A small frame with an empty margin, ready to be correlated with."""

    lab: Floats  # (H, W, 3), zero where there is nothing
    squares: Floats  # (H, W) their squares, summed
    there: Floats  # (H, W) 1 within the frame
    margin: int

    @classmethod
    def of(cls, look: Rgb) -> _Framed:
        margin = round(_OUTSIDE * max(look.shape[:2]))
        margins = (margin,) * 4
        lab = np.asarray(cv2.GaussianBlur(lab_of(look), (0, 0), 0.8), np.float32)
        there = np.ones(look.shape[:2], np.float32)
        raster, mask = (np.asarray(cv2.copyMakeBorder(r, *margins, 0), np.float32) for r in (lab, there))  # a black one
        return cls(raster, np.asarray((raster**2).sum(axis=2), np.float32), mask, margin)

    def around(self, near: Place | None, frame_height: int, shape: tuple[int, ...]) -> tuple[_Framed, int, int]:
        """The part in which something of that shape may lie, and its left and top."""
        if near is None:
            return self, 0, 0
        room = round(_NEAR * frame_height)
        left, top = (max(0, round(at * frame_height) + self.margin - room) for at in (near.x, near.y))
        box = slice(top, top + shape[0] + 2 * room), slice(left, left + shape[1] + 2 * room)
        lab, squares, there = (np.ascontiguousarray(r[box]) for r in (self.lab, self.squares, self.there))
        return _Framed(lab, squares, there, self.margin), left, top


def _scaled(cutout: Rgba, height: int) -> Rgba:
    width = max(3, round(cutout.shape[1] * height / cutout.shape[0]))
    return np.asarray(cv2.resize(cutout, (width, max(6, height)), interpolation=cv2.INTER_AREA), np.uint8)


def _best(frame: _Framed, scaled: Rgba, frame_height: int, near: Place | None, *, is_mirrored: bool) -> Place | None:
    """The best place of one size; None when it does not fit, or shows too little."""
    solid = np.asarray(scaled[..., 3] >= 250, np.float32)
    count = float(solid.sum())
    part, left, top = frame.around(near, frame_height, scaled.shape)
    if count < _LEAST or solid.shape[0] > part.there.shape[0] or solid.shape[1] > part.there.shape[1]:
        return None
    seen, squares, shifts = _differences(part, lab_of(scaled[..., :3]), solid)
    is_seen = seen > _SEEN * count
    pixels = np.maximum(seen, 1.0)
    mean = (squares - (shifts**2).sum(axis=0) / (pixels * (1.0 + _LIGHT_PRICE))) / pixels
    errors = np.sqrt(np.maximum(mean, 0.0))
    ratings = np.where(is_seen, errors * pixels**-_LARGER, np.inf)
    row, column = (int(v) for v in np.unravel_index(int(ratings.argmin()), ratings.shape))
    if not is_seen[row, column]:
        return None
    light = shifts[:, row, column] / (pixels[row, column] * (1.0 + _LIGHT_PRICE))
    return Place(
        (column + left - frame.margin) / frame_height,
        (row + top - frame.margin) / frame_height,
        solid.shape[0] / frame_height,
        is_mirrored,
        (float(light[0]), float(light[1]), float(light[2])),
        float(errors[row, column]),
        float(ratings[row, column]),
    )


def _differences(frame: _Framed, lab: Floats, solid: Floats) -> tuple[Floats, Floats, Floats]:
    """For every place: pixels seen, squared differences summed, and (3, …) the differences themselves, summed."""
    own = lab * solid[..., None]
    seen = _correlated(frame.there, solid)
    squares = _correlated(frame.squares, solid) + _correlated(frame.there, np.asarray((own**2).sum(axis=2), np.float32))
    squares -= 2.0 * _correlated(frame.lab, own)
    shifts = [
        _correlated(np.ascontiguousarray(frame.lab[..., k]), solid)
        - _correlated(frame.there, np.ascontiguousarray(own[..., k]))
        for k in range(3)
    ]
    return seen, np.asarray(squares, np.float32), np.asarray(shifts, np.float32)


def _correlated(raster: Floats, template: Floats) -> Floats:
    return np.asarray(cv2.matchTemplate(raster, np.asarray(template, np.float32), cv2.TM_CCORR), np.float32)

"""Whether a drawn picture shows what was asked for: one whole figure, large, on a plain backdrop.

It looks at the cut-out only, so it can tell that feet are cut off by the border, not that a figure was drawn without
any. Effects, and what belongs to a figure without touching it (a hat, ears, hands), are no flaws.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import combinations
from typing import Literal

import cv2
import numpy as np

from popcond.media.raster import Alpha, Rgb, Rgba
from popcond.vision.backdrop import estimate
from popcond.vision.parts import parts_of
from popcond.wire import Part

_LEAST_AREA = 0.004  # share of the picture: less is a speck
_VISIBLE = 12.0  # ΔE from the backdrop that is no noise

_EDGE = 0.004  # of the picture's smaller side: so near the border counts as touching it
_CUT = 0.008  # of a side that the figure touches: a thinner thing is a strand of hair or the tip of a tail
_GROUND = 0.9  # … a wider one is no figure but a floor, a wall or a frame
_AGAIN, _OFTEN = 0.2, 3  # of two opposite sides, and how many times each: what touches so is a pattern

_TALL, _WIDE = 0.45, 0.7  # of the picture: a figure of this height or width is large enough
_BELONGS = 0.02  # of the largest part's area: what stands in one column with it and is no smaller is the figure's

_BODY_AREA, _BODY_HEIGHT = 0.3, 0.55  # of the largest part: as large as this is a body …
_APART, _LEVEL = 0.35, 0.25  # … if their columns overlap less, and their feet are nearly on one level, of the height
_PIECE = 0.12  # of the largest part's area: a drawing of its own, if it stands beside …
_PIECES, _BESIDE = 3, 0.6  # … and so many of them, or so much of the largest part's area, make a sheet

_SMALL_SIDE = 160  # pixels: joined figures are looked for in this size
_WAISTS = (0.02, 0.04, 0.06)  # of the height: half the width of what joins two figures
_JOINED_AREA, _JOINED_HEIGHT, _JOINED_LEVEL = 0.55, 0.7, 0.12  # as above, but more alike


class Flaw(StrEnum):
    """What is wrong with a drawing, gravest first: a sentence for a person, and one for whoever draws it again."""

    sentence: str
    remedy: str

    def __new__(cls, value: str, sentence: str = "", remedy: str = "") -> Flaw:
        """A flaw whose value is its stable name; a flaw is found again by that name alone."""
        flaw = str.__new__(cls, value)
        flaw._value_, flaw.sentence, flaw.remedy = value, sentence, remedy
        return flaw

    NOTHING = (
        "nothing",
        "There is no figure in the picture.",
        "It showed no figure: draw a large, clear one.",
    )
    NOT_PLAIN = (
        "not_plain",
        "The background is not plain, so the figure could not be cut out cleanly.",
        "Its background was not plain: draw one flat colour only.",
    )
    MORE_THAN_ONE = (
        "more_than_one",
        "There is more than one figure in the picture.",
        "It showed more than one figure: draw just one.",
    )
    CUT_OFF_BOTTOM = (
        "cut_off_bottom",
        "The figure is cut off at the bottom of the picture.",
        "Its lower end was cut off: leave space below both feet.",
    )
    CUT_OFF_TOP = (
        "cut_off_top",
        "The figure is cut off at the top of the picture.",
        "Its top was cut off: leave space above the head.",
    )
    CUT_OFF_LEFT = (
        "cut_off_left",
        "The figure is cut off at the left side of the picture.",
        "Its left side was cut off: leave space there.",
    )
    CUT_OFF_RIGHT = (
        "cut_off_right",
        "The figure is cut off at the right side of the picture.",
        "Its right side was cut off: leave space there.",
    )
    TOO_SMALL = (
        "too_small",
        "The figure is small: it uses less than half of the picture's height.",
        "It was too small: fill three quarters of the height.",
    )


def flaws(cutout: Rgba, background: Literal["alpha", "keyed", "kept"]) -> tuple[Flaw, ...]:
    """What is wrong with a drawing, by its cut-out (H, W, 4) and what became of its background; gravest first."""
    if background == "kept":
        return (Flaw.NOTHING if _is_empty(np.ascontiguousarray(cutout[..., :3])) else Flaw.NOT_PLAIN,)
    parts = parts_of(cutout[..., 3])
    if not parts or parts[0].area < _LEAST_AREA * cutout[..., 3].size:
        return (Flaw.NOTHING,)
    touched = dict(_touched(_bodies(cutout[..., 3], parts)))
    if max(touched.values()) > _GROUND or _is_pattern(cutout[..., 3]):
        return (Flaw.NOT_PLAIN,)
    found = [flaw for flaw, share in touched.items() if share > _CUT]
    if _is_sheet(parts) or _is_joined(cutout[..., 3], parts[0]):
        return (Flaw.MORE_THAN_ONE, *found)
    return (*found, Flaw.TOO_SMALL) if _is_small(parts, *cutout.shape[:2]) else tuple(found)


def _is_empty(picture: Rgb) -> bool:
    """Whether a picture that could not be cut out is all backdrop."""
    backdrop = estimate(picture)
    return backdrop is not None and float(np.mean(backdrop.gaps(picture) > _VISIBLE)) < _LEAST_AREA


# ------------------------------------------------------------------ the border


def _bodies(alpha: Alpha, parts: Sequence[Part]) -> Alpha:
    """(H, W; 0 or 1): the parts that are bodies and no effects."""
    _, labels = cv2.connectedComponents(np.asarray(alpha >= 128, np.uint8), connectivity=8)
    bodies = np.zeros(alpha.shape, np.uint8)
    for part in parts:
        if part.kind == "character":
            box = slice(part.y, part.y + part.height), slice(part.x, part.x + part.width)
            numbers, counts = np.unique(labels[box][labels[box] > 0], return_counts=True)
            bodies[box] |= (labels[box] == numbers[np.argmax(counts)]).astype(np.uint8)
    return bodies


def _touched(body: Alpha) -> Iterator[tuple[Flaw, float]]:
    """The share of each side of the picture that the body touches."""
    edge = max(1, round(_EDGE * min(body.shape)))
    yield Flaw.CUT_OFF_BOTTOM, float(body[-edge:].max(axis=0).mean())
    yield Flaw.CUT_OFF_TOP, float(body[:edge].max(axis=0).mean())
    yield Flaw.CUT_OFF_LEFT, float(body[:, :edge].max(axis=1).mean())
    yield Flaw.CUT_OFF_RIGHT, float(body[:, -edge:].max(axis=1).mean())


def _is_pattern(alpha: Alpha) -> bool:
    """Whether two opposite sides are touched again and again, as no figure does."""
    seen = np.asarray(alpha >= 128, np.int8)
    depth = max(1, round(_EDGE * min(seen.shape)))
    sides = [seen[depth], seen[-1 - depth], seen[:, depth], seen[:, -1 - depth]]
    top, bottom, left, right = (np.mean(side) > _AGAIN and np.sum(np.diff(side) > 0) >= _OFTEN for side in sides)
    return bool((top and bottom) or (left and right))


# ------------------------------------------------------------------ how large


def _is_small(parts: Sequence[Part], height: int, width: int) -> bool:
    """Whether the figure, with its hat and its feet where they do not touch it, uses too little of the picture."""
    own = [part for part in parts if part.area >= _BELONGS * parts[0].area and _overlap(part, parts[0]) > 0.5]
    tall = max(part.y + part.height for part in own) - min(part.y for part in own)
    wide = max(part.x + part.width for part in own) - min(part.x for part in own)
    return tall < _TALL * height and wide < _WIDE * width


# ------------------------------------------------------------------ how many


def _is_sheet(parts: Sequence[Part]) -> bool:
    """Whether a second body stands beside another one, or a good deal of other drawings does."""
    largest = parts[0]
    bodies = [
        part
        for part in parts
        if part.area >= _BODY_AREA * largest.area and part.height >= _BODY_HEIGHT * largest.height
    ]
    if any(_stand_side_by_side(*pair, level=_LEVEL) for pair in combinations(bodies, 2)):
        return True
    pieces = [part for part in parts[1:] if part.area >= _PIECE * largest.area and _overlap(part, largest) < _APART]
    return len(pieces) >= _PIECES or sum(part.area for part in pieces) >= _BESIDE * largest.area


def _is_joined(alpha: Alpha, figure: Part) -> bool:
    """Whether the largest part comes apart into two bodies where it is narrow."""
    mask = _small(alpha, figure)
    for waist in _WAISTS:
        radius = max(1, round(waist * mask.shape[0]))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        lobes = parts_of(np.asarray(cv2.erode(mask, disc, borderValue=0), np.uint8))
        bodies = [
            lobe
            for lobe in lobes
            if lobe.area >= _JOINED_AREA * lobes[0].area and lobe.height >= _JOINED_HEIGHT * mask.shape[0] - 2 * radius
        ]
        if any(_stand_side_by_side(*pair, level=_JOINED_LEVEL) for pair in combinations(bodies, 2)):
            return True
    return False


def _small(alpha: Alpha, figure: Part) -> Alpha:
    """The figure's box, scaled down."""
    box = alpha[figure.y : figure.y + figure.height, figure.x : figure.x + figure.width]
    scale = min(1.0, _SMALL_SIDE / max(box.shape))
    size = max(1, round(box.shape[1] * scale)), max(1, round(box.shape[0] * scale))
    return np.asarray(cv2.resize(box, size, interpolation=cv2.INTER_AREA), np.uint8)


def _stand_side_by_side(one: Part, other: Part, *, level: float) -> bool:
    """Whether two parts have columns of their own and feet on nearly one level."""
    feet_apart = abs(one.y + one.height - other.y - other.height)
    return _overlap(one, other) < _APART and feet_apart <= level * max(one.height, other.height)


def _overlap(one: Part, other: Part) -> float:
    """The share of the narrower one's columns that both have."""
    common = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    return max(0, common) / min(one.width, other.width)

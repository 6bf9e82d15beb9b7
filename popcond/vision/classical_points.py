"""What the points of one object mean in one frame, without weights: point after point, each correcting what is there.

The first point chooses among three readings; a later foreground point lets the object grow towards it; a background
point cuts off what is like its place and never adds a pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from popcond.media.raster import Alpha, Floats, Rgb
from popcond.vision.backdrop import estimate
from popcond.vision.classical_cut import (
    DISC,
    SIDE,
    Mask,
    Spot,
    central_prior,
    depth,
    enlarged,
    parts_touching,
    pointed,
    reduced_mask,
    seeds_from,
    small,
    solved,
    with_parts_at,
)
from popcond.vision.keying import key
from popcond.vision.segmenter import Candidate, Point

_BORDER, _BORDER_SHADED = 0.6, 0.9  # share of the border that must show a backdrop before keying is believed, and …
_SHADED = 12.0  # … from this many ΔE between its most different places
_LEAST, _MOST = 0.004, 0.8  # coverage outside of these is no object
_SURE_KEYED, _SURE_CUT, _SURE_PATCH = 0.95, 0.7, 0.4  # what the readings expect of themselves, IoU
_GIVEN, _BETTER = 0.9, 0.02  # what a mask that was handed in is expected to be worth, and a further point
_ONE_COLOUR = 9  # levels of the 8-bit CIELAB table that a patch of one colour differs from its point
_DOUBT = 1.5  # pixels of the small picture from the outline at which a mask's own word is worth one step of log odds
_CUT_OFF = 0.5  # of the object: a patch of one colour that is larger is not cut off whole


@dataclass(frozen=True)
class Reading:
    """What an object's points have come to mean."""

    mask: Alpha  # (H, W), 0 or 255
    score: float  # 0..1, the IoU that is expected
    candidates: tuple[Candidate, ...] = ()  # when the last point was the object's first

    @classmethod
    def of_start(cls, start: Alpha | None, shape: tuple[int, ...]) -> Reading:
        """Before any point: the mask that somebody handed in, or nothing."""
        if start is None:
            return cls(np.zeros(shape[:2], np.uint8), 0.0)
        return cls(np.asarray((start >= 128) * np.uint8(255), np.uint8), _GIVEN)


def after(rgb: Rgb, reading: Reading, said: Sequence[Point], point: Point) -> Reading:
    """The reading after one more point; `said` are the object's points before it."""
    is_first = not reading.mask.any() and not any(earlier.is_foreground for earlier in said)
    if is_first and not point.is_foreground:
        return reading
    if not is_first:
        return Reading(_corrected(rgb, reading.mask, said, point), min(1.0, reading.score + _BETTER))
    candidates = first_readings(rgb, point)
    chosen = candidates[_best_of(candidates) if point.candidate is None else point.candidate]
    return Reading(chosen.mask, chosen.score, candidates)


def first_readings(rgb: Rgb, point: Point) -> tuple[Candidate, ...]:
    """Three readings of a first foreground point, in a fixed order: keyed, cut by GrabCut, the patch of one colour.

    Where the backdrop is not plain the first two are the same.
    """
    reduced = small(rgb)
    spot = _spot(point, rgb, reduced)
    cut = _cut(reduced, spot)
    by_grabcut = Candidate(enlarged(cut, rgb.shape), _trust(cut))
    patch = Candidate(enlarged(_with_disc(_patch(reduced, spot), spot), rgb.shape), _SURE_PATCH)
    keyed = _keyed(rgb, point)
    return (by_grabcut if keyed is None else Candidate(keyed, _SURE_KEYED), by_grabcut, patch)


def _best_of(candidates: Sequence[Candidate]) -> int:
    return max(range(len(candidates)), key=lambda place: candidates[place].score)


def _corrected(rgb: Rgb, mask: Alpha, said: Sequence[Point], point: Point) -> Alpha:
    """(H, W; 0 or 255) the mask after one more point."""
    reduced = small(rgb)
    before = reduced_mask(mask, reduced.shape)
    inside = [_spot(p, rgb, reduced) for p in said if p.is_foreground]
    outside = [_spot(p, rgb, reduced) for p in said if not p.is_foreground]
    step = _grown if point.is_foreground else _cut_back
    spot = _spot(point, rgb, reduced)
    now = step(reduced, before, inside, outside, spot)
    here = _with_disc(np.zeros_like(before), spot)
    if point.is_foreground:
        added = parts_touching(np.asarray((now & (1 - before)) | here, np.uint8), here)
        return _stamped(np.asarray(cv2.bitwise_or(mask, enlarged(added, rgb.shape)), np.uint8), point)
    gone = parts_touching(np.asarray((before & (1 - now)) | here, np.uint8), here)
    return _stamped(np.asarray(cv2.bitwise_and(mask, cv2.bitwise_not(enlarged(gone, rgb.shape))), np.uint8), point)


def _stamped(mask: Alpha, point: Point) -> Alpha:
    """With a few pixels round the point as the point says, whatever the rest came to."""
    radius = max(1, round(DISC * max(mask.shape) / SIDE / 2))
    centre = min(int(point.x), mask.shape[1] - 1), min(int(point.y), mask.shape[0] - 1)
    cv2.circle(mask, centre, radius, 255 if point.is_foreground else 0, -1)
    return mask


def _spot(point: Point, rgb: Rgb, reduced: Rgb) -> Spot:
    (height, width), (rows, columns) = rgb.shape[:2], reduced.shape[:2]
    return min(int(point.x * columns / width), columns - 1), min(int(point.y * rows / height), rows - 1)


# ------------------------------------------------------------------ the first point


def _keyed(rgb: Rgb, point: Point) -> Alpha | None:
    """The part at the point of all that stands before a plain backdrop; None where there is no such thing."""
    backdrop = estimate(rgb)
    if backdrop is None or backdrop.border < (_BORDER if backdrop.span < _SHADED else _BORDER_SHADED):
        return None
    visible = np.asarray(key(rgb, backdrop) >= 128, np.uint8)
    _, labels = cv2.connectedComponents(visible, connectivity=8)
    label = labels[min(int(point.y), rgb.shape[0] - 1), min(int(point.x), rgb.shape[1] - 1)]
    found = np.asarray((labels == label) * np.uint8(255), np.uint8)
    is_object = label > 0 and _LEAST / 10 < float(np.mean(found > 0)) < _MOST
    return found if is_object else None


def _cut(reduced: Rgb, spot: Spot) -> Mask:
    seeds = pointed(seeds_from(central_prior(reduced)), [spot], is_foreground=True)
    return _with_disc(with_parts_at(solved(reduced, seeds, 4), [spot]), spot)


def _with_disc(mask: Mask, spot: Spot) -> Mask:
    """The point itself belongs to whatever was meant."""
    cv2.circle(mask, spot, DISC // 2, 1, -1)
    return mask


def _trust(cut: Mask) -> float:
    """How much is to be expected of a cut: little when it is tiny, nearly everything, or runs along the border."""
    share = float(cut.mean())
    if not _LEAST < share < _MOST:
        return _SURE_PATCH / 2
    border = np.concatenate([cut[0], cut[-1], cut[:, 0], cut[:, -1]])
    return float(_SURE_CUT * (1.0 - 0.5 * border.mean()))


def _patch(reduced: Rgb, spot: Spot) -> Mask:
    """The connected pixels round the spot that have its colour."""
    lab = cv2.GaussianBlur(cv2.cvtColor(np.ascontiguousarray(reduced), cv2.COLOR_RGB2LAB), (0, 0), 1.0)
    found = np.zeros((reduced.shape[0] + 2, reduced.shape[1] + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (1 << 8)
    cv2.floodFill(lab, found, spot, (0,), (_ONE_COLOUR,) * 3, (_ONE_COLOUR,) * 3, flags)
    return np.ascontiguousarray(found[1:-1, 1:-1])


# ------------------------------------------------------------------ later points


def _grown(reduced: Rgb, before: Mask, inside: list[Spot], outside: list[Spot], spot: Spot) -> Mask:
    """The object with what is at a new foreground point."""
    patch = _patch(reduced, spot)
    for other in outside:
        patch[other[1], other[0]] = 0
    seeds = seeds_from(_doubted(before))
    seeds[(patch > 0) & (seeds != cv2.GC_FGD)] = cv2.GC_PR_FGD
    around = np.zeros_like(before)
    cv2.circle(around, spot, SIDE // 6, 1, -1)
    seeds[(around > 0) & (seeds == cv2.GC_BGD)] = cv2.GC_PR_BGD
    pointed(seeds, outside, is_foreground=False)
    pointed(seeds, [*inside, spot], is_foreground=True)
    found = with_parts_at(solved(reduced, seeds), [*inside, spot], also=before)
    return _with_disc(np.asarray(found | (before & _far_from(spot, before)), np.uint8), spot)


def _far_from(spot: Spot, mask: Mask) -> Mask:
    """(H, W; 0 or 1) what a new point says nothing about."""
    far = np.ones_like(mask)
    cv2.circle(far, spot, SIDE // 3, 0, -1)
    return far


def _cut_back(reduced: Rgb, before: Mask, inside: list[Spot], outside: list[Spot], spot: Spot) -> Mask:
    """The object without what is at a new background point."""
    seeds = np.where(before > 0, cv2.GC_PR_FGD, cv2.GC_BGD).astype(np.uint8)
    patch = _patch(reduced, spot) & before
    holds_a_point = any(patch[row, column] for column, row in inside)
    if not holds_a_point and np.count_nonzero(patch) < _CUT_OFF * np.count_nonzero(before):
        seeds[patch > 0] = cv2.GC_BGD
    pointed(seeds, inside, is_foreground=True)
    pointed(seeds, [*outside, spot], is_foreground=False)
    left = solved(reduced, seeds) & before
    return with_parts_at(np.asarray(left, np.uint8), inside) & before if inside else np.asarray(left, np.uint8)


def _doubted(mask: Mask) -> Floats:
    """(H, W) 0..1: a mask as a prior, in doubt near its outline."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(depth(mask), -40.0, 40.0) / _DOUBT)), np.float32)

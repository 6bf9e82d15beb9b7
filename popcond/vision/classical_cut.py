"""One frame cut in two by GrabCut (Rother, Kolmogorov, Blake 2004), small, from what is known beforehand.

Known is a prior: how likely each pixel is the character, from the middle of the picture, or from anybody's mask.
Everything here is a pure function, and repeatable: GrabCut's dice are thrown from the same seed each time.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Alpha, Floats, Rgb
from popcond.vision.classical_colours import learned

Seeds = NDArray[np.uint8]  # (H, W) of cv2's GC_BGD, GC_FGD, GC_PR_BGD, GC_PR_FGD
Mask = NDArray[np.uint8]  # (H, W), 0 or 1
Spot = tuple[int, int]  # column and row in the small picture

SIDE = 256  # the longer side of what GrabCut is given: four times as many pixels take five times as long
DISC = 4  # pixels round a point that are what the point says

_BORDER = 3  # pixels along the border that are never the character's when nothing is known …
_BAND = 0.05  # … and the share of the picture whose colours are taken for the backdrop's
_MIDDLE = 0.2  # of each side: what is farther in is taken for the character's
_REACH, _FALL = 0.75, 0.12  # of half a side: where the middle ends, and how softly
_NO_BOX = (0, 0, 1, 1)  # not looked at when there is a mask
_HOLE = 0.02  # of the character: a hole that is smaller is filled, unless it touches the border


def small(rgb: Rgb, side: int = SIDE) -> Rgb:
    """The picture with its longer side at `side` pixels at most."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1.0:
        return rgb
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def fitted(rgb: Rgb, likely: Floats) -> Alpha:
    """(H, W; 0 or 255): anybody's soft mask (H, W; 0..1), such as a small model's, fitted to the picture's edges."""
    reduced = small(rgb)
    height, width = reduced.shape[:2]
    prior = np.asarray(cv2.resize(likely, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    return enlarged(solved(reduced, seeds_from(prior)), rgb.shape)


def enlarged(mask: Mask, shape: tuple[int, ...]) -> Alpha:
    """A small mask at the size of its frame, 0 or 255."""
    larger = cv2.resize(mask.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.threshold(larger, 0.5, 255.0, cv2.THRESH_BINARY)[1], np.uint8)


def reduced_mask(mask: Alpha, shape: tuple[int, ...]) -> Mask:
    """A frame's mask at the size of a small picture."""
    smaller = cv2.resize(mask, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(np.asarray(smaller) >= 128, np.uint8)


def depth(inside: Mask) -> Floats:
    """(H, W) pixels to the outline: positive inside, negative outside."""
    if not inside.any():
        return np.full(inside.shape, -1e4, np.float32)
    inwards, outwards = (cv2.distanceTransform(side, cv2.DIST_L2, 5) for side in (inside, 1 - inside))
    return np.asarray(inwards - outwards, np.float32)


def central_prior(rgb: Rgb) -> Floats:
    """(H, W) 0..1 for a small picture of which nothing is known: in the middle, and not of the border's colours."""
    height, width = rgb.shape[:2]
    inside, outside = np.zeros((height, width), np.bool_), np.ones((height, width), np.bool_)
    far_y, far_x = round(_MIDDLE * height), round(_MIDDLE * width)
    inside[far_y : height - far_y, far_x : width - far_x] = True
    band = max(_BORDER, round(_BAND * height))
    outside[band:-band, band:-band] = False
    likeness = np.asarray(cv2.GaussianBlur(learned(rgb, inside, outside).likeness(rgb), (0, 0), 1.5), np.float32)
    prior = np.minimum(likeness, _middle(height, width))
    prior[:_BORDER], prior[-_BORDER:], prior[:, :_BORDER], prior[:, -_BORDER:] = 0.0, 0.0, 0.0, 0.0
    return np.asarray(np.where(prior > 0.0, np.clip(prior, 0.1, 0.9), 0.0), np.float32)


def _middle(height: int, width: int) -> Floats:
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return np.asarray(1.0 / (1.0 + np.exp((np.hypot(x, y) - _REACH) / _FALL)), np.float32)


def seeds_from(prior: Floats, *, sure_inside: float = 0.97, sure_outside: float = 0.02) -> Seeds:
    """What is likely, and what is certain, by a prior 0..1."""
    seeds = np.where(prior > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    seeds[prior > sure_inside] = cv2.GC_FGD
    seeds[prior < sure_outside] = cv2.GC_BGD
    return seeds


def pointed(seeds: Seeds, spots: list[Spot], *, is_foreground: bool) -> Seeds:
    """The seeds with discs that are certain."""
    for spot in spots:
        cv2.circle(seeds, spot, DISC, cv2.GC_FGD if is_foreground else cv2.GC_BGD, -1)
    return seeds


def solved(rgb: Rgb, seeds: Seeds, rounds: int = 3) -> Mask:
    """(H, W; 0 or 1): the cut of a small picture; the seeds' own word where they name one side only."""
    inside = (seeds == cv2.GC_FGD) | (seeds == cv2.GC_PR_FGD)
    if inside.all() or not inside.any():
        return np.asarray(inside, np.uint8)
    found, behind, before = seeds.copy(), np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    cv2.grabCut(np.ascontiguousarray(rgb), found, _NO_BOX, behind, before, rounds, cv2.GC_INIT_WITH_MASK)
    return np.asarray(found & 1, np.uint8)


def with_parts_at(mask: Mask, spots: list[Spot], also: Mask | None = None) -> Mask:
    """The connected parts that hold a spot or touch `also`, with their small holes filled."""
    touched = np.zeros_like(mask) if also is None else (also > 0).astype(np.uint8)
    for column, row in spots:
        touched[row, column] = 1
    return _filled(parts_touching(mask, touched))


def parts_touching(mask: Mask, others: Mask) -> Mask:
    """The connected parts that share a pixel with `others`."""
    count, labels = cv2.connectedComponents(mask, connectivity=4)
    kept = np.zeros(count, np.bool_)
    kept[labels[(others > 0) & (mask > 0)]] = True
    return np.asarray(kept[labels], np.uint8)


def _filled(mask: Mask) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    at_border = np.zeros(count, np.bool_)
    for line in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        at_border[np.unique(line)] = True
    holes = ~at_border & (stats[:, cv2.CC_STAT_AREA] < _HOLE * np.count_nonzero(mask))
    return np.asarray(mask | (holes[labels] & (mask == 0)), np.uint8)

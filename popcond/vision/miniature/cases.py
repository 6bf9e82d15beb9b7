"""The questions that the miniature is measured by, the person who asks them, and the tables that come of it.

The person sets the first point in the deepest place of the figure and every further one in the deepest place of the
larger error of what is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.vision.miniature.backdrops import KINDS
from popcond.vision.miniature.scenes import Cast, Scene, Wish, scene
from popcond.vision.segmenter import Point

SIDE = 480  # pixels of the frames
POINTS = 3
FRAMES = 60

_SEED = 7_001
_LEAST, _MOST = 0.05, 0.6  # share of the frame that an evaluated figure covers
_PACE = 0.12  # of clips: 60 frames are a whole emoji

Region = NDArray[np.bool_]
Figures = list[float]


@dataclass(frozen=True)
class Case:
    """One question: which figure, on which backdrop."""

    source: str
    kind: str
    scene: Scene

    @property
    def frames(self) -> NDArray[np.uint8]:
        """(T, SIDE, SIDE, 3)."""
        return self.scene.frames

    @property
    def truth(self) -> Region:
        """(T, SIDE, SIDE)."""
        return self.scene.alphas[:, 0] > 127


def stills(casts: dict[str, Cast], each: int) -> Iterator[Case]:
    """`each` stills of every source on every backdrop; the same ones every time."""
    for source, cast in casts.items():
        for number, kind in enumerate(KINDS):
            rng = np.random.default_rng([_SEED, number, len(source)])
            for _ in range(each):
                yield Case(source, kind, _suitable(cast, Wish(SIDE, 1, kind, company=False), rng))


def clips(casts: dict[str, Cast]) -> Iterator[Case]:
    """Clips without end, of one source after the other on one backdrop after the other; the same ones every time."""
    sources = list(casts)
    for number in count():
        source, kind = sources[number % len(sources)], KINDS[number % len(KINDS)]
        wish = Wish(SIDE, FRAMES, kind, company=False, pace=_PACE)
        yield Case(source, kind, _suitable(casts[source], wish, np.random.default_rng([_SEED, FRAMES, number])))


def _suitable(cast: Cast, wish: Wish, rng: np.random.Generator) -> Scene:
    while True:
        made = scene(cast, wish, rng)
        covered = (made.alphas[:, 0] > 127).mean(axis=(1, 2))
        if covered.min() > _LEAST and covered.max() < _MOST:
            return made


# ------------------------------------------------------------------ the person


def first_point(truth: Region) -> Point:
    """Where somebody points who wants this figure."""
    return _deepest(truth, is_foreground=True)


def next_point(shown: Region, truth: Region) -> Point | None:
    """Where somebody points who sees this mask; None when nothing is wrong with it."""
    missed, extra = truth & ~shown, shown & ~truth
    add = bool(missed.sum() >= extra.sum())
    region = missed if add else extra
    return _deepest(region, is_foreground=add) if region.any() else None


def _deepest(region: Region, *, is_foreground: bool) -> Point:
    depth = cv2.distanceTransform(np.pad(region, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return Point(float(x) + 0.5, float(y) + 0.5, is_foreground)


# ------------------------------------------------------------------ figures


def iou(one: Region, other: Region) -> float:
    """Intersection over union; 1 when both are empty."""
    union = int((one | other).sum())
    return int((one & other).sum()) / union if union else 1.0


def of_clip(shown: Iterable[Region], truth: Region) -> Figures:
    """IoU in the first frame, its mean in those followed, in the last frame, in the worst of those followed."""
    each = [iou(mask, meant) for mask, meant in zip(shown, truth, strict=True)]
    return [each[0], float(np.mean(each[1:])), each[-1], min(each[1:])]


def table(measured: Iterable[tuple[Case, Figures]]) -> dict[str, Figures]:
    """Means by backdrop, by source and of all."""
    rows: dict[str, list[Figures]] = {}
    for case, figures in measured:
        for name in (case.kind, case.source, "all"):
            rows.setdefault(name, []).append(figures)
    return {name: [round(float(value), 3) for value in np.mean(values, axis=0)] for name, values in rows.items()}

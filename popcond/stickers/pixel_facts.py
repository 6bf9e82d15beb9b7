"""What a sticker's decoded pictures show: repeats, empty corners, flashes, and whether first and last agree."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats, Rgba, flatten
from popcond.stickers.similarity import cyclic_steps, seam_of, thumbnails

_CORNER = 2  # pixels a side
_SMALL = 64  # pixels a side of the pictures in which flashes are counted
_FLASH = 0.10  # of full brightness: a smaller change is no flash (WCAG 2.3.1)
_DARK = 0.80  # … and one of the two must be darker than this
_AREA = 0.25  # of the picture that must flash together
_WHITE = (255, 255, 255)
_TO_LINEAR = np.where(
    np.arange(256) <= 10, np.arange(256) / 255 / 12.92, ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4
).astype(np.float32)


@dataclass(frozen=True)
class PixelFacts:
    """The facts of the decoded frames, each composited as a viewer sees it."""

    frames: int
    repeats: tuple[int, ...]  # numbers (from 1) of frames that equal the one before
    pictures: int  # how many different ones there are
    corners_empty: bool  # in every frame
    has_transparency: bool
    coloured: bool  # some pixel is not grey
    seam: float  # last → first step over the median step
    flashes_per_second: float


@dataclass
class _Seen:
    """What has been gathered while frames pass by."""

    count: int = 0
    repeats: list[int] = field(default_factory=list)
    pictures: set[bytes] = field(default_factory=set)
    corners_empty: bool = True
    has_transparency: bool = False
    coloured: bool = False
    thumbs: list[Floats] = field(default_factory=list)
    brightness: list[Floats] = field(default_factory=list)


def look_at(frames: Iterable[Rgba], seconds: Fraction) -> PixelFacts:
    """Looks at every frame once, in order; `seconds` is the length of the loop."""
    seen = _Seen()
    before: Rgba | None = None
    for frame in frames:
        _look(frame, before, seen)
        before = frame
    return PixelFacts(
        frames=seen.count,
        repeats=tuple(seen.repeats),
        pictures=len(seen.pictures),
        corners_empty=seen.corners_empty,
        has_transparency=seen.has_transparency,
        coloured=seen.coloured,
        seam=seam_of(cyclic_steps(np.stack(seen.thumbs))) if seen.count > 1 else 0.0,
        flashes_per_second=_flashes(seen.brightness) / max(float(seconds), 1.0),
    )


def _look(frame: Rgba, before: Rgba | None, seen: _Seen) -> None:
    seen.count += 1
    shown = _as_seen(frame)
    if before is not None and np.array_equal(shown, _as_seen(before)):
        seen.repeats.append(seen.count)
    seen.pictures.add(hashlib.sha256(shown.tobytes()).digest())
    seen.corners_empty = seen.corners_empty and not _corners(frame).any()
    seen.has_transparency = seen.has_transparency or bool((frame[..., 3] < 255).any())
    seen.coloured = seen.coloured or bool((shown[..., :3] != shown[..., :1]).any())
    seen.thumbs.append(thumbnails([frame])[0])
    seen.brightness.append(_brightness(frame))


def _as_seen(frame: Rgba) -> Rgba:
    """With the colours of invisible pixels wiped: two such frames look the same when they are the same."""
    return np.asarray(np.where(frame[..., 3:] == 0, np.uint8(0), frame), np.uint8)


def _corners(frame: Rgba) -> NDArray[np.uint8]:
    alpha = frame[..., 3]
    top, bottom = alpha[:_CORNER], alpha[-_CORNER:]
    return np.concatenate([side[:, part] for side in (top, bottom) for part in (slice(_CORNER), slice(-_CORNER, None))])


def _brightness(frame: Rgba) -> Floats:
    """Relative luminance on white (WCAG), small."""
    small = cv2.resize(flatten(frame, _WHITE), (_SMALL, _SMALL), interpolation=cv2.INTER_AREA)
    return np.asarray(_TO_LINEAR[small] @ np.array([0.2126, 0.7152, 0.0722], np.float32), np.float32)


def _flashes(brightness: list[Floats]) -> int:
    """Pairs of opposing changes in one loop, each over a large area (after WCAG 2.3.1)."""
    turns, direction = 0, 0
    for before, after in pairwise(brightness):
        change = after - before
        counts = (np.abs(change) >= _FLASH) & (np.minimum(before, after) < _DARK)
        now = 1 if (counts & (change > 0)).mean() >= _AREA else -1 if (counts & (change < 0)).mean() >= _AREA else 0
        if now and now != direction:
            turns, direction = turns + 1, now
    return turns // 2

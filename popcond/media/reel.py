"""The words that clip readers share: what a clip is, what one frame of it is, and how much of it we take.

A Reel is an opened clip. Each container family has a reader of its own that hands out Stills in the order in which
they are shown; `clip` turns those into frames with true durations. Nothing here opens anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from popcond.errors import TooLarge, UnreadableClip
from popcond.media import raster
from popcond.media.raster import Alpha, Rgb, Rgba


@dataclass(frozen=True)
class ClipLimits:
    """How much of a clip is taken. What is longer or bigger in the file is refused; fps and frames are thinned."""

    max_seconds: float = 30.0
    max_frames: int = 300  # handed out; evenly thinned to stay below
    max_fps: float = 30.0
    max_side: int = 720  # pixels of the frames handed out; larger ones are scaled down
    max_pixels: int = 4096 * 4096  # of one frame as it is in the file
    min_side: int = 16
    max_mib: int = 512
    max_file_frames: int = 20_000  # as they are in the file, before thinning
    min_share_decoded: float = 0.8  # fewer intact frames than this, and the clip is refused


@dataclass(frozen=True)
class ClipFacts:
    """What a clip is, as far as its container and its first frame tell."""

    container: str  # mp4/mov, webm/matroska, gif, apng or webp
    width: int  # pixels as shown: upright and with square pixels, before any scaling down
    height: int
    frames: int  # in the file; counted without decoding, so hidden ones may be among them
    seconds: float  # from the first frame's start to the last one's end
    fps: float  # mean
    has_alpha: bool  # the first frame really has transparent pixels
    rotated: bool  # turned upright by a phone's rotation mark
    notes: tuple[str, ...] = ()  # what a person should know


@dataclass(frozen=True)
class ClipFrame:
    """One frame, upright, with square pixels, no side longer than ClipLimits.max_side."""

    index: int  # from 0, without gaps
    rgb: Rgb
    alpha: Alpha | None  # straight; None throughout when the clip has no transparency
    seconds: float  # how long it is shown


@dataclass(frozen=True)
class Still:
    """A frame that could be read; its pixels are only made when somebody wants them."""

    at: float  # seconds after the start of the clip
    draw: Callable[[], Rgba]  # (H, W, 3 or 4), upright, square pixels, at most max_side


class Reel(Protocol):
    """An opened clip."""

    facts: ClipFacts
    promised: int  # frames that the container announces; 0 when it says nothing

    def stills(self) -> Iterator[Still | None]:
        """Every frame in order; None for one that cannot be decoded. Raises UnreadableClip when no more can come."""
        ...


def check_extent(name: str, width: int, height: int, limits: ClipLimits) -> None:
    """Raises TooLarge or UnreadableClip, with the cure, for a frame that is too big or too small."""
    if not width or not height:
        raise UnreadableClip(f"{name} has frames of an impossible size.", cure="Export it again as MP4 with H.264.")
    if width * height > limits.max_pixels or max(width, height) > 16_384:
        raise TooLarge(
            f"{name} has frames of {width}×{height} pixels, which is too many.",
            cure=f"Export it with no side longer than {limits.max_side} pixels.",
        )
    if min(width, height) < limits.min_side:
        raise UnreadableClip(
            f"{name} has frames of {width}×{height} pixels; a side needs at least {limits.min_side}.",
            cure="Export it larger: 512 pixels is a good side.",
        )


def check_length(name: str, frames: int, seconds: float, limits: ClipLimits) -> None:
    """Raises TooLarge for a clip that is too long, with the cure to cut it."""
    if seconds > limits.max_seconds + 0.5 or frames > limits.max_file_frames:
        raise TooLarge(
            f"{name} lasts {seconds:.0f} s ({frames} frames) or more; at most {limits.max_seconds:.0f} s are taken.",
            cure="Cut out the part with the action; 2 to 4 seconds make the best sticker.",
        )


def check_moves(name: str, frames: int, seconds: float) -> None:
    """Raises UnreadableClip for fewer than two frames, and for frames without times."""
    if frames < 1:
        raise UnreadableClip(f"{name} has no frames.", cure="Export it again and check that it plays.")
    if frames == 1:
        raise UnreadableClip(f"{name} has only one frame, so nothing moves.", cure="Use it as a character instead.")
    if seconds <= 0:
        raise UnreadableClip(f"{name} does not say when its frames are shown.", cure="Export it again as MP4.")


def check_whole(name: str, intact: int, promised: int, limits: ClipLimits) -> None:
    """Raises UnreadableClip when too few of the frames that the container announces are there."""
    if intact < limits.min_share_decoded * promised:
        raise UnreadableClip(
            f"{name} is damaged or not complete: {intact} of {promised} frames can be read.",
            cure="Export or download it again, and check that it plays to its end.",
        )


def fitted(width: int, height: int, max_side: int) -> tuple[int, int]:
    """The largest size of the same shape with no side over `max_side`, never enlarged, at least 1×1."""
    scale = min(1.0, max_side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def shrunk(still: Rgba, width: int, height: int) -> Rgba:
    """An RGB or RGBA still at width × height by area averaging; colours of invisible pixels do not bleed."""
    if (width, height) == (still.shape[1], still.shape[0]):
        return still
    if still.shape[2] == 4:
        return raster.resize(still, width, height)
    return np.asarray(cv2.resize(still, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

"""Clips for the tests of stickers, drawn in code: a figure that moves in eased, exactly periodic ways."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Rgba, unpremultiply
from popcond.stickers.source import CutoutList

SIDE = 160
_OVER = 2  # drawn larger and shrunk, so that edges are soft

_Place = tuple[float, float]
Motion = Callable[[float], tuple[float, float]]  # phase → shift right and down, in shares of the side


def eased_jump(phase: float) -> tuple[float, float]:
    """Crouch, leap, hang, land: fast and slow parts, calm at the beginning and at the top."""
    height = 0.5 - 0.5 * math.cos(2 * math.pi * phase)
    return 0.02 * math.sin(2 * math.pi * phase), -0.22 * height * height * (3 - 2 * height)


def pendulum(phase: float) -> tuple[float, float]:
    """Passes every pose twice in a period, in opposite directions."""
    return 0.16 * math.sin(2 * math.pi * phase), 0.0


def hop(phase: float) -> tuple[float, float]:
    """Bounces off the ground, where it is fastest, once in a period."""
    return 0.0, -0.2 * abs(math.sin(math.pi * phase))


def walk_away(phase: float) -> tuple[float, float]:
    """Never comes back."""
    return 0.5 * phase - 0.25, 0.02 * math.sin(6 * math.pi * phase)


def figure(phase: float, motion: Motion = eased_jump, side: int = SIDE) -> Rgba:
    """One frame: a shaded, outlined character with eyes, and a small separate spark that circles it."""
    right, down = motion(phase)
    big = side * _OVER
    canvas = np.zeros((big, big, 4), np.float32)
    centre = (0.5 + right, 0.62 + down)
    _disc(canvas, centre, 0.21, (40, 30, 60, 255))
    _disc(canvas, centre, 0.195, (250, 190, 70, 255))
    _disc(canvas, _moved(centre, 0.03, 0.05), 0.12, (255, 215, 120, 255))
    for eye in (-0.07, 0.07):
        _disc(canvas, _moved(centre, eye, -0.04), 0.028, (30, 25, 50, 255))
    turn = 2 * math.pi * phase
    _disc(canvas, _moved(centre, 0.26 * math.cos(turn), -0.2 + 0.04 * math.sin(turn)), 0.03, (230, 60, 90, 255))
    small = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)
    return unpremultiply(np.asarray(small, np.float32))


def _moved(place: _Place, right: float, down: float) -> _Place:
    return place[0] + right, place[1] + down


def _disc(canvas: NDArray[np.float32], centre: _Place, radius: float, colour: tuple[int, int, int, int]) -> None:
    side = canvas.shape[0]
    place = (int(centre[0] * side), int(centre[1] * side))
    cv2.circle(canvas, place, int(radius * side), colour, -1, cv2.LINE_8)


def loop(count: int, motion: Motion = eased_jump, side: int = SIDE, fps: float = 30.0) -> CutoutList:
    """One exact period in `count` frames."""
    return CutoutList([figure(index / count, motion, side) for index in range(count)], (1 / fps,) * count)


def stretch(count: int, period: float, motion: Motion, fps: float = 24.0, start: float = 0.0) -> CutoutList:
    """`count` frames of a motion that comes round every `period` frames; not cut to a loop."""
    frames = [figure(((index + start) / period) % 1.0, motion) for index in range(count)]
    return CutoutList(frames, (1 / fps,) * count)


def noisy(clip: CutoutList, strength: float = 14.0, seed: int = 1) -> CutoutList:
    """The same with grain in its colours, as video has it: far too many colours to be kept."""
    rng = np.random.default_rng(seed)
    return CutoutList([_grained(frame, rng, strength) for frame in clip.frames], clip.seconds)


def _grained(frame: Rgba, rng: np.random.Generator, strength: float) -> Rgba:
    grain = rng.normal(0.0, strength, (*frame.shape[:2], 3))
    result = frame.copy()
    result[..., :3] = np.clip(frame[..., :3] + grain, 0, 255).astype(np.uint8)
    result[frame[..., 3] == 0] = 0
    return result

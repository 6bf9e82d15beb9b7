"""From a cut-out and a performance to frames: the pure half of the offline animator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from popcond.media.raster import Colour, Rgb, Rgba, resize
from popcond.video.anatomy import study
from popcond.video.anchors import Anchors
from popcond.video.effects import draw_effects
from popcond.video.figure import Figure
from popcond.video.figure_making import make_figure
from popcond.video.performance import Performance
from popcond.video.performances import performance as find_performance
from popcond.video.pose import Pose

_TALLEST = 0.6  # of the frame: the figure's height at rest
_WIDEST = 0.62
_MARGIN = 0.03  # of the frame, kept free on every side
_GROUND = 0.86  # of the frame: where figures stand when there is room
_DETAIL = 1.25  # frame sides: no cut-out is taken larger
_LOOKS = 48  # phases that are looked at to see how much room a performance needs
_SOFT_RIM = 3.0  # pixels by which soft edges reach beyond the outline


def render(
    cutout: Rgba, performance: str, *, backdrop: Colour, size: int = 512, seconds: float = 2.0, fps: int = 30
) -> Iterator[Rgb]:
    """The frames of one loop, (size, size, 3) each: the character performing on a flat backdrop.

    The frame after the last one is the first one. Raises UnknownName for a performance that does not exist.
    """
    played = find_performance(performance)
    figure = place(cutout, played, size)
    count = frame_count(seconds, fps)
    empty = np.empty((size, size, 3), np.uint8)
    empty[:] = backdrop
    return (_frame(figure, played, index / count, empty) for index in range(count))


def frame_count(seconds: float, fps: int) -> int:
    """How many frames `render` gives."""
    return max(2, round(seconds * fps))


def anchors_of(figure: Figure, played: Performance, phase: float) -> Anchors:
    """Where the figure's parts are at that share of the clip."""
    return figure.anchors(played.at(phase))


def _frame(figure: Figure, played: Performance, phase: float, empty: Rgb) -> Rgb:
    time, pose = played.time(phase), played.at(phase)
    anchors = figure.anchors(pose)
    canvas = empty.copy()
    draw_effects(canvas, played.effects, time, anchors, "behind")
    figure.draw(canvas, pose)
    draw_effects(canvas, played.effects, time, anchors, "front")
    return canvas


def place(cutout: Rgba, played: Performance, size: int) -> Figure:
    """The figure laid out so that no moment of the performance touches the frame's border."""
    cutout = _within(cutout, round(_DETAIL * size))
    anatomy = study(cutout)
    poses = [played.at(step / _LOOKS) for step in range(_LOOKS)]
    left, top, width, height = _visible_box(cutout)
    scale = size * min(_TALLEST / height, _WIDEST / width)
    middle = (size - (2 * left + width) * scale) / 2.0, (size - (2 * top + height) * scale) / 2.0
    at = middle[0] + anatomy.middle * scale, middle[1] + anatomy.bottom * scale
    room = _room(make_figure(cutout, anatomy, size=size, scale=scale, at=at), poses)
    free = size * (1.0 - 2.0 * _MARGIN)
    shrink = min(1.0, free / (room.right - room.left), free / (room.bottom - room.top))
    x = _held(size / 2.0, room.left * shrink, room.right * shrink, size)
    y = _held(_GROUND * size, room.top * shrink, room.bottom * shrink, size)
    return make_figure(cutout, anatomy, size=size, scale=scale * shrink, at=(x, y))


def _within(cutout: Rgba, side: int) -> Rgba:
    """The cut-out, no larger than needed."""
    factor = side / max(cutout.shape[:2])
    if factor >= 1.0:
        return cutout
    return resize(cutout, max(1, round(cutout.shape[1] * factor)), max(1, round(cutout.shape[0] * factor)))


def _visible_box(cutout: Rgba) -> tuple[int, int, int, int]:
    """Left, top, width and height of everything visible, loose parts too; the whole raster when nothing is."""
    left, top, width, height = cv2.boundingRect((cutout[..., 3] > 8).astype(np.uint8))
    return (left, top, width, height) if width else (0, 0, cutout.shape[1], cutout.shape[0])


def _held(wanted: float, before: float, after: float, size: int) -> float:
    """`wanted`, moved so that wanted + before … wanted + after lies inside the margins."""
    margin = _MARGIN * size
    return min(max(wanted, margin - before), size - margin - after)


@dataclass(frozen=True)
class _Room:
    """All that a performance covers, in pixels from the ground point."""

    left: float
    top: float
    right: float
    bottom: float


def _room(figure: Figure, poses: list[Pose]) -> _Room:
    covered = np.concatenate([figure.covered(pose) for pose in poses])
    left, top = covered.min(axis=0) - _SOFT_RIM
    right, bottom = covered.max(axis=0) + _SOFT_RIM
    x, y = figure.anatomy.middle, figure.anatomy.bottom
    return _Room(float(left) - x, float(top) - y, float(right) - x, float(bottom) - y)

"""Lines that show movement: brackets beside the body, rays behind the head, streaks behind a runner."""

from __future__ import annotations

from math import cos, pi, sin

from popcond.media.raster import Colour
from popcond.video.anchors import Point
from popcond.video.effect_brush import Brush
from popcond.video.effect_face import BREATH
from popcond.video.effect_shapes import cloud, streak, swoosh, wedge
from popcond.video.effect_timing import LANDING, TAKE_OFF, bloom, burst, life, pulse

CHALK: Colour = (250, 250, 255)
SUN: Colour = (255, 214, 70)
_RAYS = 14


def motion_lines(brush: Brush, phase: float) -> None:
    """Pairs of brackets that spring outwards beside the head and the body, left and right in turn."""
    anchors = brush.anchors
    for side, edge in ((-1, anchors.left), (1, anchors.right)):
        for number in range(2):
            lived = life(phase, 0.25 * (side + 1) + 0.16 * number, 2)
            size = (0.3 + 0.14 * number) * bloom(lived, 0.25, 0.35)
            out = 0.34 + 0.3 * number + 0.18 * lived
            at = edge[0] + side * out * brush.unit, edge[1]
            _bracket(brush, at, size, side)
            _bracket(brush, brush.by_head(side * (1.0 + out), -0.2), 0.9 * size, side)


def _bracket(brush: Brush, at: Point, size: float, side: int) -> None:
    brush.paint(swoosh(), at, size, CHALK, stretch=(side, 1.0), rim=0.055)


def shock_lines(brush: Brush, phase: float) -> None:
    """Wedges behind the head that point at it and shoot outwards, every second one in turn."""
    for number in range(_RAYS):
        angle = pi * (0.86 + 1.28 * number / (_RAYS - 1))
        burst = 0.72 + 0.28 * pulse(phase, 0.5 * (number % 2), 3)
        length = min(1.15 * burst * (1.0 if number % 2 else 0.72), _room(brush, angle) - 1.28)
        if length < 0.25:
            continue
        at = _on_ray(brush, angle, 1.28 + length / 2)
        half = length / 2 * brush.reach / brush.unit
        brush.paint(wedge(), at, half, SUN, turn=angle, stretch=(1.0, min(1.0, 0.5 / half)), rim=0.055)


def _on_ray(brush: Brush, angle: float, distance: float) -> Point:
    x, y = brush.anchors.head
    return x + distance * brush.reach * cos(angle), y + distance * brush.reach * sin(angle)


def _room(brush: Brush, angle: float) -> float:
    """How many reaches there are from the head's centre to the border in that direction."""
    height, width = brush.canvas.shape[:2]
    x, y = brush.anchors.head
    across = (width - 1 - x if cos(angle) > 0 else x) / max(abs(cos(angle)), 1e-6)
    along = (height - 1 - y if sin(angle) > 0 else y) / max(abs(sin(angle)), 1e-6)
    return (min(across, along) - 0.2 * brush.unit) / brush.reach


def speed_lines(brush: Brush, phase: float) -> None:
    """Streaks and dust behind a character that runs to the right as seen."""
    anchors = brush.anchors
    top, low = anchors.crown[1] + 0.3 * brush.unit, anchors.ground[1] - 0.3 * brush.unit
    for number in range(6):
        lived = life(phase, number * 0.382, 2)
        y = top + (low - top) * ((number * 0.618 + 0.1) % 1.0)
        x = anchors.left[0] - (0.25 + 1.1 * lived) * brush.unit
        size = (0.85 if number % 2 else 0.6) * bloom(lived, 0.3, 0.4)
        brush.paint(streak(), (x, y), size, CHALK, stretch=(1.0, 0.75 / max(size, 0.4)), rim=0.05)
    for number in range(3):
        _dust(brush, life(phase, number / 3, 2))


def _dust(brush: Brush, lived: float) -> None:
    x, y = brush.anchors.ground
    at = x - (0.55 + 1.3 * lived) * brush.unit, y - (0.12 + 0.3 * lived) * brush.unit
    brush.paint(cloud(), at, 0.32 * (0.55 + 0.45 * lived) * bloom(lived, 0.2, 0.4), BREATH, rim=0.055)


def leap_dust(brush: Brush, phase: float) -> None:
    """Dust that bursts from the floor at take-off and, more of it, at landing; streaks below the feet on the way up."""
    for start, size in ((TAKE_OFF - 0.03, 0.3), (LANDING - 0.02, 0.42)):
        lived = burst(phase, start, 0.3)
        for number in range(3):
            for side in (-1, 1):
                _floor_puff(brush, side, number, size, lived)
    rising = burst(phase, TAKE_OFF + 0.05, 0.26)
    for number in (-1, 0, 1):
        _upward_streak(brush, number, rising)


def _floor_puff(brush: Brush, side: int, number: int, size: float, lived: float) -> None:
    anchors, spread = brush.anchors, lived * (2.0 - lived)
    foot = 0.3 * min(anchors.right[0] - anchors.left[0], 5.0 * brush.unit)
    out = foot + ((0.1 + 0.26 * number) + (0.35 + 0.3 * number) * spread) * brush.unit
    low = anchors.ground[1] + anchors.lifted
    at = anchors.ground[0] + side * out, low - (0.12 + (0.34 - 0.1 * number) * lived) * brush.unit
    grown = size * (1.0 - 0.2 * number) * (0.6 + 0.5 * spread) * bloom(lived, 0.14, 0.45)
    brush.paint(cloud(), at, grown, BREATH, stretch=(side, 1.0), rim=0.055)


def _upward_streak(brush: Brush, number: int, lived: float) -> None:
    x, y = brush.anchors.ground
    length = (0.4 if number else 0.55) * bloom(lived, 0.25, 0.4)
    at = x + 0.5 * number * brush.unit, y + (0.22 + length + 0.3 * lived) * brush.unit
    brush.paint(streak(), at, length, CHALK, turn=-pi / 2, stretch=(1.0, 2.0), rim=0.05)

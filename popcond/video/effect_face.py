"""Effects that belong to the face: tears, sweat, blush, breath."""

from __future__ import annotations

from math import atan2, pi

import numpy as np

from popcond.media.raster import Colour
from popcond.video.anchors import Point
from popcond.video.curves import sway
from popcond.video.effect_brush import Brush
from popcond.video.effect_shapes import cloud, drop
from popcond.video.effect_timing import bloom, life, pulse
from popcond.video.outlines import Outline, ellipse, ribbon

WATER: Colour = (88, 186, 255)
ROSE: Colour = (255, 122, 134)
BREATH: Colour = (236, 242, 250)

_SPRAYED = 3  # drops that fly off on either side


def tears(brush: Brush, phase: float) -> None:
    """Two streams down the cheeks, and drops that fly off to both sides."""
    eyes = brush.anchors.left_eye, brush.anchors.right_eye
    for side, eye in zip((-1, 1), eyes, strict=True):
        _stream(brush, eye, side, phase)
        for number in range(_SPRAYED):
            _sprayed_drop(brush, side, life(phase, number / _SPRAYED + 0.06 * side, 2))


def _stream(brush: Brush, eye: Point, side: int, phase: float) -> None:
    size = min(brush.unit, 1.1 * brush.anchors.head_radius)
    down = np.linspace(0.0, 1.0, 18)
    path = np.stack([side * 0.16 * down**1.5, 0.08 + 0.68 * down], axis=1) * size
    wave = np.sin(2 * pi * (2.5 * down - 3 * phase))
    width = (np.minimum(0.03 + 0.4 * down, 0.07 + 0.07 * down) + 0.022 * wave * down) * size
    glint = slice(3, 15)
    light = path[glint] + np.stack([0.025 * size * wave[glint], 0 * down[glint]], axis=1)
    taper = np.sin(np.linspace(0.0, pi, 12)) * (0.6 + 0.4 * np.sin(2 * pi * (1.5 * down[glint] - 3 * phase)))
    shine = ribbon(_by_eye(brush, eye, light), 0.035 * size * taper)
    brush.band(_rounded(_by_eye(brush, eye, path), width), WATER, shine, 0.06)


def _by_eye(brush: Brush, eye: Point, path: Outline) -> Outline:
    return np.asarray([brush.lean(eye, x, y) for x, y in path], np.float64)


def _rounded(path: Outline, width: Outline) -> Outline:
    """A ribbon whose ends are half circles; the stream's foot is a bead of water."""
    around = np.linspace(0.0, 1.0, 10)[1:-1]
    swell = np.sqrt(1 - around**2) * width[-1]
    foot = path[-1] + np.outer(around * width[-1], (path[-1] - path[-2]) / np.hypot(*(path[-1] - path[-2])))
    return ribbon(np.concatenate([path, foot]), np.concatenate([width, swell]))


def _sprayed_drop(brush: Brush, side: int, lived: float) -> None:
    across, up, pull = side * 1.08, -2.0, 5.4
    place = brush.by_head(side * 1.16 + across * lived, -0.1 + up * lived + pull / 2 * lived * lived)
    tail = atan2(-across, up + pull * lived) + brush.anchors.upright  # the tip trails behind the flight
    size = (0.155 + 0.035 * lived) * bloom(lived, 0.14, 0.18)
    brush.paint(drop(), place, size, WATER, turn=tail, rim=0.06)


def sweat(brush: Brush, phase: float) -> None:
    """A large drop that slides down the temple, and small ones that start from the crown."""
    lived = life(phase, 0.0)
    stretch = 1.0 - 0.12 * sway(phase, 2), 1.0 + 0.12 * sway(phase, 2)
    at = brush.by_head(0.98, -0.62 + 0.85 * lived * lived)
    brush.paint(drop(), at, 0.32 * bloom(lived, 0.15, 0.12), WATER, turn=brush.anchors.upright, stretch=stretch)
    for number, lean in enumerate((-0.75, -0.25, 0.35)):
        _startled_drop(brush, lean, life(phase, 0.13 * number, 2))


def _startled_drop(brush: Brush, lean: float, lived: float) -> None:
    distance = 1.3 + 0.42 * lived
    at = brush.by_head(distance * np.sin(lean), -distance * np.cos(lean))
    brush.paint(drop(), at, 0.15 * bloom(lived, 0.2, 0.3), WATER, turn=lean + brush.anchors.upright + pi, rim=0.055)


def blush(brush: Brush, phase: float) -> None:
    """A rosy oval with two strokes on each cheek, glowing up and down."""
    anchors = brush.anchors
    size = anchors.head_radius / brush.unit
    glow = 0.9 + 0.13 * pulse(phase, 0.0, 2)
    for side, eye in ((-1, anchors.left_eye), (1, anchors.right_eye)):
        cheek = brush.lean(eye, side * 0.14 * anchors.head_radius, 0.3 * anchors.head_radius)
        _cheek(brush, cheek, 0.23 * size * glow)


def _cheek(brush: Brush, at: Point, size: float) -> None:
    radius, tilt = size * brush.unit, brush.anchors.upright
    brush.flat(ellipse(*at, radius, 0.62 * radius, tilt), ROSE)
    for x in (-0.38, 0.02, 0.42):
        middle = brush.lean(at, x * radius, 0.0)
        brush.flat(ellipse(*middle, 0.3 * radius, 0.07 * radius, tilt - 1.05, 16), _DEEP_ROSE)


_DEEP_ROSE: Colour = (226, 58, 84)


def puff(brush: Brush, phase: float) -> None:
    """Clouds of breath that leave the head on both sides, swell and vanish."""
    for number in range(2):
        for side in (-1, 1):
            lived = life(phase, number / 2 + 0.06 * side, 2)
            at = brush.by_head(side * (1.22 + 0.75 * lived), -0.05 - 0.6 * lived)
            size = 0.34 * (0.6 + 0.5 * lived) * bloom(lived, 0.15, 0.35)
            brush.paint(cloud(), at, size, BREATH, stretch=(side, 1.0), rim=0.06)

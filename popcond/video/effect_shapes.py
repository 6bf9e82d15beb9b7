"""The glyphs that effects are drawn from. No pixels, no colours, no time.

A glyph's outlines fit into the circle of radius 1 around the origin, so that a brush can place, turn and size any of
them alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from popcond.video.outlines import Outline, angles, arc, ellipse, outline, ribbon, round_end, stroke, turned


@dataclass(frozen=True)
class Glyph:
    """One drawable sign: outlines of one colour that share a rim, and the light spots on them."""

    body: tuple[Outline, ...]
    shine: tuple[Outline, ...] = ()


def heart() -> Glyph:
    """A plump heart with a light spot on its left cheek."""
    around = angles(48)
    x = np.sin(around) ** 3
    y = -(13 * np.cos(around) - 5 * np.cos(2 * around) - 2 * np.cos(3 * around) - np.cos(4 * around)) / 16.5
    return Glyph((np.stack([x, y], axis=1) * 0.94,), (ellipse(-0.44, -0.36, 0.2, 0.13, -0.7, 16),))


def star(points: int = 5, waist: float = 0.52) -> Glyph:
    """A star with straight sides, one point up; `waist` is the radius of its inner corners."""
    around = angles(2 * points) - pi / 2
    radius = np.where(np.arange(2 * points) % 2 == 0, 1.0, waist)
    body = np.stack([radius * np.cos(around), radius * np.sin(around)], axis=1)
    return Glyph((body,), (ellipse(-0.16, -0.2, 0.19, 0.11, -0.8, 14),))


def twinkle() -> Glyph:
    """A four-point star with hollow sides."""
    around = angles(48)
    x, y = np.cos(around), np.sin(around)
    body = np.stack([np.sign(x) * np.abs(x) ** 2.4, np.sign(y) * np.abs(y) ** 2.4], axis=1)
    return Glyph((body,), (ellipse(0.0, 0.0, 0.17, 0.17, 0.0, 12),))


def drop() -> Glyph:
    """A drop of water, its tip up, with a light spot low on the left."""
    around = angles(40, 0.0, 2 * pi)
    x = 0.76 * np.sin(around) * np.sin(around / 2) ** 1.5
    y = -np.cos(around)
    return Glyph((np.stack([x, y], axis=1),), (ellipse(-0.24, 0.38, 0.11, 0.22, 0.35, 14),))


def exclamation() -> Glyph:
    """An exclamation mark: a tapering bar over a dot."""
    top = arc(0.0, -0.7, 0.27, -pi, 0.0, 12)
    body = np.concatenate([top, outline([(0.12, 0.26), (0.0, 0.33), (-0.12, 0.26)])])
    shine = stroke(outline([(-0.09, -0.68), (-0.06, -0.2)]), 0.05)
    return Glyph((body, ellipse(0.0, 0.74, 0.22, 0.22)), (shine,))


def question() -> Glyph:
    """A question mark with round ends."""
    bow = arc(0.0, -0.45, 0.37, -1.06 * pi, 0.28 * pi, 22)
    tail = outline([(0.1, 0.02), (0.02, 0.14), (0.0, 0.3)])
    hook = stroke(np.concatenate([bow, tail]), 0.17)
    return Glyph(
        (hook, ellipse(0.0, 0.76, 0.2, 0.2)), (stroke(arc(0.0, -0.45, 0.39, -0.95 * pi, -0.62 * pi, 8), 0.05),)
    )


def letter_z() -> Glyph:
    """A slab letter Z, as sleepers breathe it."""
    body = [(-0.7, -0.72), (0.72, -0.72), (0.72, -0.38), (-0.14, 0.36), (0.72, 0.36)]
    body += [(0.72, 0.74), (-0.74, 0.74), (-0.74, 0.38), (0.12, -0.34), (-0.7, -0.34)]
    return Glyph((outline(body),), (stroke(outline([(-0.52, -0.56), (0.1, -0.56)]), 0.055),))


def note() -> Glyph:
    """A quaver: head, stem and flag."""
    head = ellipse(-0.24, 0.62, 0.36, 0.27, -0.35, 22)
    stem = outline([(-0.05, -0.9), (0.1, -0.9), (0.1, 0.6), (-0.05, 0.6)])
    flag = ribbon(
        np.stack([0.04 + 0.55 * np.sin(np.linspace(0, 1.9, 10)), np.linspace(-0.76, -0.02, 10)], axis=1),
        np.linspace(0.2, 0.05, 10),
    )
    return Glyph((head, stem, flag), (ellipse(-0.36, 0.54, 0.11, 0.07, -0.35, 12),))


def beamed_notes() -> Glyph:
    """Two quavers under one beam."""
    left = ellipse(-0.56, 0.56, 0.28, 0.22, -0.35, 20)
    right = ellipse(0.46, 0.4, 0.28, 0.22, -0.35, 20)
    stems = [outline([(x, top), (x + 0.15, top), (x + 0.15, low), (x, low)]) for x, top, low in _BEAMED_STEMS]
    beam = outline([(-0.45, -0.66), (0.72, -0.84), (0.72, -0.5), (-0.45, -0.32)])
    return Glyph((left, right, *stems, beam), (ellipse(-0.64, 0.5, 0.09, 0.06, -0.35, 12),))


_BEAMED_STEMS = ((-0.45, -0.6, 0.54), (0.57, -0.76, 0.38))  # x of the left side, top, bottom


def check() -> Glyph:
    """A disc with a tick in it: yes."""
    return Glyph(
        (ellipse(0.0, 0.0, 0.9, 0.9, 0.0, 36),), (stroke(outline([(-0.42, 0.04), (-0.1, 0.38), (0.46, -0.34)]), 0.13),)
    )


def cross() -> Glyph:
    """A disc with a cross in it: no."""
    bars = [stroke(outline([(-0.36 * turn, -0.36), (0.36 * turn, 0.36)]), 0.14) for turn in (1, -1)]
    return Glyph((ellipse(0.0, 0.0, 0.9, 0.9, 0.0, 36),), tuple(bars))


def bubble() -> Glyph:
    """A speech bubble whose tail points down to the right."""
    around = angles(40)
    body = np.stack([np.cos(around), 0.74 * np.sin(around) - 0.14], axis=1) * 0.96
    return Glyph((body, outline([(0.2, 0.4), (0.62, 0.26), (0.74, 0.86)])))


def hi() -> Glyph:
    """The word Hi! in round strokes."""
    bars = [((-0.62, -0.44), (-0.62, 0.4)), ((-0.12, -0.44), (-0.12, 0.4)), ((-0.62, 0.0), (-0.12, 0.0))]
    bars += [((0.24, -0.06), (0.24, 0.4)), ((0.24, -0.4), (0.24, -0.38)), ((0.6, -0.44), (0.6, 0.08))]
    bars += [((0.6, 0.38), (0.6, 0.4))]
    return Glyph(tuple(stroke(outline(bar), 0.075) for bar in bars))


def flower() -> Glyph:
    """Five round petals; its heart is painted over it."""
    around = angles(60)
    radius = 0.6 + 0.38 * np.abs(np.sin(2.5 * around)) ** 0.8
    return Glyph((np.stack([radius * np.sin(around), -radius * np.cos(around)], axis=1),))


def dot() -> Glyph:
    """A disc."""
    return Glyph((ellipse(0.0, 0.0, 0.95, 0.95, 0.0, 24),))


def cloud() -> Glyph:
    """A puff of breath or dust, flat below."""
    humps = [(-0.5, 0.16, 0.42), (-0.1, -0.22, 0.5), (0.42, 0.0, 0.46), (0.02, 0.26, 0.4)]
    body = tuple(ellipse(x, y, r, r, 0.0, 24) for x, y, r in humps)
    return Glyph(body)


def anger_mark() -> Glyph:
    """The bulging veins of comics: four bent strokes around an empty middle."""
    corner = arc(0.88, 0.88, 0.6, pi + 0.02, 1.5 * pi - 0.02, 10)
    return Glyph(tuple(stroke(turned(corner, quarter * pi / 2), 0.19) for quarter in range(4)))


def scrap() -> Glyph:
    """A paper scrap of confetti."""
    return Glyph((outline([(-0.56, -0.8), (0.56, -0.8), (0.56, 0.8), (-0.56, 0.8)]),))


def streak() -> Glyph:
    """A long streak from its point at (−1, 0) to its round end at (1, 0)."""
    path = np.stack([np.linspace(-1.0, 0.93, 8), np.zeros(8)], axis=1)
    sides = ribbon(path, np.linspace(0.0, 0.07, 8))
    return Glyph((np.concatenate([sides[:8], path[-1] + round_end(0.0, 0.07), sides[8:]]),))


def wedge() -> Glyph:
    """A long wedge from its point at (−1, 0) to its blunt end at (1, 0)."""
    return Glyph((outline([(-1.0, 0.0), (0.86, -0.17), (1.0, 0.0), (0.86, 0.17)]),))


def swoosh(bend: float = 0.85) -> Glyph:
    """A bracket of movement that opens to the left: part of a circle, thick in its middle."""
    path = arc(1.0 - 1.0 / bend, 0.0, 1.0 / bend, -bend, bend, 14)
    path[:, 0] -= (path[:, 0].min() + path[:, 0].max()) / 2
    path *= 0.95 / np.abs(path).max()
    return Glyph((ribbon(path, 0.13 * np.sin(np.linspace(0.35, pi - 0.35, 14))),))

"""Figures that nobody designed: people, animals, ghosts, robots, plants and things, drawn from a seed.

They differ in build, colours, outlines, shading, limbs, faces and what they wear or carry, so that the miniature learns
what belongs together rather than what certain pictures look like.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from popcond.media.raster import Floats, Rgba
from popcond.vision.miniature.art import SPRITE_SIDE, Sprites
from popcond.vision.miniature.brush import Outline, Pen, Sheet, heart, limb, lump, oval, polygon, star


def draw_figures(count: int, seed: int) -> Sprites:
    """(count, side, side, 4), straight alpha; the same for the same seed."""
    return np.stack([draw_figure(np.random.default_rng([seed, number])) for number in range(count)])


def draw_figure(rng: np.random.Generator) -> Rgba:
    """One figure, (side, side, 4), in the middle of its square."""
    draw = _KINDS[int(rng.integers(len(_KINDS)))]
    look = _Look.any(rng)
    sheet = Sheet(SPRITE_SIDE, look.pen)
    draw(rng, sheet, look)
    return sheet.picture()


@dataclass(frozen=True)
class _Look:
    pen: Pen
    body: Floats
    second: Floats
    third: Floats
    skin: Floats

    @classmethod
    def any(cls, rng: np.random.Generator) -> _Look:
        ink = _colour(rng) * 0.25 if rng.random() < 0.8 else np.full(3, 250, np.float32)
        pen = Pen(
            ink=np.asarray(ink, np.float32),
            width=float(rng.uniform(0.006, 0.022)) if rng.random() < 0.65 else 0.0,
            shading=float(rng.uniform(0.15, 0.7)) if rng.random() < 0.6 else 0.0,
            light=float(rng.uniform(0, 2 * np.pi)),
        )
        skin = np.clip(np.array([246, 200, 160]) * rng.uniform(0.35, 1.03) + rng.normal(0, 8, 3), 0, 255)
        return cls(pen, _colour(rng), _colour(rng), _colour(rng), skin.astype(np.float32))


def _colour(rng: np.random.Generator) -> Floats:
    colour = rng.uniform(20, 255, 3)
    if rng.random() < 0.3:
        colour = rng.choice([rng.uniform(235, 255), rng.uniform(15, 70), rng.uniform(90, 200)]) + rng.normal(0, 8, 3)
    return np.asarray(np.clip(colour, 0, 255), np.float32)


# ------------------------------------------------------------------ kinds


def _person(rng: np.random.Generator, sheet: Sheet, look: _Look) -> None:
    head, neck = float(rng.uniform(0.13, 0.24)), float(rng.uniform(0.38, 0.5))
    wide, hips = float(rng.uniform(0.08, 0.15)), float(rng.uniform(0.66, 0.74))
    thick = float(rng.uniform(0.018, 0.05))
    for side in (-1, 1):
        foot = (0.5 + side * rng.uniform(0.04, 0.2), rng.uniform(0.86, 0.96))
        knee = (0.5 + side * rng.uniform(0.04, 0.2), 0.8)
        sheet.part(limb([(0.5 + side * wide * 0.5, hips - 0.03), knee, foot], thick * 1.2, thick), look.third)
        sheet.part(oval(foot[0] + side * 0.02, foot[1], thick * 1.8, thick), look.second)
    for side in (-1, 1):
        hand = (0.5 + side * rng.uniform(0.12, 0.38), rng.uniform(0.2, 0.75))
        elbow = (0.5 + side * rng.uniform(0.15, 0.3), rng.uniform(0.45, 0.66))
        sheet.part(limb([(0.5 + side * wide * 0.8, neck + 0.05), elbow, hand], thick, thick * 0.9), look.skin)
        sheet.part(oval(*hand, thick * 1.4, thick * 1.4), look.skin)
        if rng.random() < 0.2:
            _carried(rng, sheet, look, *hand)
    body = oval(0.5, (neck + hips) / 2, wide, (hips - neck) / 2 + 0.05, power=float(rng.uniform(1.8, 5)))
    sheet.part(body, look.body)
    _texture(rng, sheet, look, body)
    _head(rng, sheet, look, 0.5 + rng.normal(0, 0.015), neck - head * 0.75, head)


def _animal(rng: np.random.Generator, sheet: Sheet, look: _Look) -> None:
    sits = rng.random() < 0.6
    head = float(rng.uniform(0.14, 0.22))
    x, y = (0.5, 0.34) if sits else (float(rng.uniform(0.26, 0.34)), 0.38)
    _tail(rng, sheet, look, 0.62 if sits else 0.76, 0.72 if sits else 0.55)
    middle = (0.5, 0.68) if sits else (0.55, 0.6)
    body = lump(rng, *middle, *((0.17, 0.22) if sits else (0.26, 0.15)), 0.04)
    for leg in range(2 if sits else 4):
        foot = middle[0] + (leg - (0.5 if sits else 1.5)) * (0.16 if sits else 0.12)
        sheet.part(limb([(foot, middle[1]), (foot + rng.normal(0, 0.02), 0.9)], 0.045, 0.035), look.body)
    sheet.part(body, look.body)
    _texture(rng, sheet, look, body)
    for side in (-1, 1):
        _ear(rng, sheet, look, x + side * head * 0.65, y - head * 0.75, side, head)
    face = oval(x, y, head * rng.uniform(0.95, 1.25), head)
    sheet.part(face, look.body)
    sheet.mark(oval(x, y + head * 0.45, head * 0.5, head * 0.35), look.second, within=face)
    _face(rng, sheet, look, x, y, head)


def _ghost(rng: np.random.Generator, sheet: Sheet, look: _Look) -> None:
    wide, high = rng.uniform(0.2, 0.4, 2)
    body = lump(rng, 0.5, 0.52, float(wide), float(high), float(rng.uniform(0.02, 0.12)))
    for side in (-1, 1):
        if rng.random() < 0.7:
            end = (0.5 + side * rng.uniform(0.25, 0.45), rng.uniform(0.25, 0.8))
            sheet.part(limb([(0.5 + side * wide * 0.7, 0.55), end], 0.05, 0.03), look.body)
        if rng.random() < 0.5:
            sheet.part(limb([(0.5 + side * wide * 0.4, 0.7), (0.5 + side * 0.12, 0.93)], 0.045, 0.04), look.second)
    if rng.random() < 0.4:
        sheet.part(limb([(0.5, 0.52 - high), (0.55, 0.1)], 0.012, 0.012), look.third)
        sheet.part(oval(0.55, 0.1, 0.04, 0.04), look.second)
    sheet.part(body, look.body)
    _texture(rng, sheet, look, body)
    _face(rng, sheet, look, 0.5, 0.45, float(min(wide, high)) * 0.8)


def _robot(rng: np.random.Generator, sheet: Sheet, look: _Look) -> None:
    wide = float(rng.uniform(0.14, 0.24))
    for side in (-1, 1):
        shoulder = (0.5 + side * wide, 0.52)
        elbow = (0.5 + side * (wide + rng.uniform(0.05, 0.14)), rng.uniform(0.45, 0.7))
        hand = (elbow[0] + side * rng.uniform(-0.05, 0.08), rng.uniform(0.3, 0.8))
        sheet.part(limb([shoulder, elbow], 0.022, 0.022), look.third)
        sheet.part(limb([elbow, hand], 0.022, 0.03), look.third)
        sheet.part(oval(0.5 + side * wide * 0.6, 0.86, 0.06, 0.08, power=6), look.second)
    body = oval(0.5, 0.62, wide, 0.17, power=float(rng.uniform(4, 12)))
    sheet.part(body, look.body)
    _texture(rng, sheet, look, body)
    head = oval(0.5, 0.3, wide * rng.uniform(0.7, 1.15), 0.13, power=float(rng.uniform(3, 12)))
    sheet.line(polygon((0.5, 0.2), (0.5 + rng.normal(0, 0.05), 0.08)), 0.016, look.pen.ink)
    sheet.part(head, look.second)
    _face(rng, sheet, look, 0.5, 0.3, 0.11)


def _plant(rng: np.random.Generator, sheet: Sheet, look: _Look) -> None:
    stem = limb([(0.5, 0.92), (0.5 + rng.normal(0, 0.08), 0.6), (0.5, 0.35)], 0.025, 0.018)
    sheet.part(stem, look.third)
    for _ in range(int(rng.integers(1, 5))):
        side, y = rng.choice([-1, 1]), float(rng.uniform(0.5, 0.8))
        sheet.part(oval(0.5 + side * 0.12, y, 0.12, 0.045, float(-side * rng.uniform(0.1, 0.9)), 1.5), look.third)
    petals, reach = int(rng.integers(5, 12)), float(rng.uniform(0.12, 0.2))
    for around in np.linspace(0, 2 * np.pi, petals, endpoint=False):
        x, y = 0.5 + reach * np.cos(around), 0.32 + reach * np.sin(around)
        sheet.part(oval(x, y, reach * 0.6, reach * 0.35, float(around)), look.body)
    middle = oval(0.5, 0.32, reach * 0.75, reach * 0.75)
    sheet.part(middle, look.second)
    _face(rng, sheet, look, 0.5, 0.32, reach * 0.6)


def _thing(rng: np.random.Generator, sheet: Sheet, look: _Look) -> None:
    size = float(rng.uniform(0.24, 0.42))
    shapes: list[Callable[[], Outline]] = [
        lambda: star(0.5, 0.5, size, int(rng.integers(4, 10)), float(rng.uniform(0.4, 0.9)), float(rng.uniform(0, 6))),
        lambda: heart(0.5, 0.5, size),
        lambda: oval(0.5, 0.5, size, size * float(rng.uniform(0.5, 1)), 0, float(rng.uniform(2, 9))),
        lambda: polygon(
            (0.5 - size, 0.5), (0.5, 0.5 - size), (0.5 + size, 0.5), (0.5 + size * 0.8, 0.85), (0.25, 0.85)
        ),
        lambda: np.concatenate([oval(0.5, 0.6, size, size * 0.4)[:24], [[0.5 - size, 0.3], [0.5 + size, 0.3]]]),
        lambda: lump(rng, 0.5, 0.5, size, size * 0.7, 0.15),
    ]
    shape = shapes[int(rng.integers(len(shapes)))]()
    if rng.random() < 0.4:
        sheet.part(limb([(0.5 + size * 0.7, 0.45), (0.95, 0.5), (0.5 + size * 0.7, 0.68)], 0.03, 0.03), look.second)
    if rng.random() < 0.3:
        sheet.part(limb([(0.5, 0.6), (0.5 + rng.normal(0, 0.1), 0.95)], 0.03, 0.03), look.third)
    sheet.part(shape, look.body)
    _texture(rng, sheet, look, shape)
    if rng.random() < 0.5:
        _face(rng, sheet, look, 0.5, 0.52, size * 0.5)


def _bird(rng: np.random.Generator, sheet: Sheet, look: _Look) -> None:
    _tail(rng, sheet, look, 0.74, 0.56)
    for x in (0.48, 0.58):
        sheet.line(polygon((x, 0.7), (x + rng.normal(0, 0.02), 0.92)), 0.02, look.third)
    body = oval(0.52, 0.58, 0.24, 0.17, float(rng.uniform(-0.4, 0.2)))
    sheet.part(body, look.body)
    _texture(rng, sheet, look, body)
    wing = oval(0.58, 0.56 - rng.uniform(0, 0.15), 0.15, 0.08, float(rng.uniform(-1.2, 0.4)), 1.6)
    sheet.part(wing, look.second)
    head = float(rng.uniform(0.1, 0.16))
    sheet.part(polygon((0.34 - head, 0.36), (0.34 - head * 1.9, 0.4), (0.34 - head * 0.8, 0.43)), look.third)
    sheet.part(oval(0.34, 0.38, head, head), look.body)
    _face(rng, sheet, look, 0.32, 0.37, head * 0.8)


_KINDS = (_person, _person, _person, _animal, _animal, _ghost, _robot, _plant, _thing, _thing, _bird)


# ------------------------------------------------------------------ parts


def _head(rng: np.random.Generator, sheet: Sheet, look: _Look, x: float, y: float, size: float) -> None:
    if rng.random() < 0.7:
        _hair(rng, sheet, look, x, y, size)
    for side in (-1, 1):
        if rng.random() < 0.25:
            _ear(rng, sheet, look, x + side * size * 0.6, y - size * 0.8, side, size)
    face = oval(x, y, size * rng.uniform(0.85, 1.15), size, 0, float(rng.uniform(1.9, 3)))
    sheet.part(face, look.skin)
    _face(rng, sheet, look, x, y, size)
    if rng.random() < 0.5:
        sheet.mark(oval(x + rng.normal(0, 0.03), y - size * 0.8, size * 1.1, size * 0.45), look.third, within=face)
    if rng.random() < 0.3:
        _hat(rng, sheet, look, x, y - size * 0.75, size)


def _hair(rng: np.random.Generator, sheet: Sheet, look: _Look, x: float, y: float, size: float) -> None:
    if rng.random() < 0.5:
        sheet.part(lump(rng, x, y + size * rng.uniform(-0.2, 0.4), size * 1.2, size * 1.25, 0.08), look.third)
        return
    for around in np.linspace(np.pi * 0.95, np.pi * 2.05, int(rng.integers(4, 9))):
        puff = size * float(rng.uniform(0.3, 0.55))
        sheet.part(oval(x + size * np.cos(around), y + size * np.sin(around), puff, puff), look.third)


def _face(rng: np.random.Generator, sheet: Sheet, look: _Look, x: float, y: float, size: float) -> None:
    apart, high, eye = size * rng.uniform(0.3, 0.5), y - size * rng.uniform(-0.1, 0.2), size * rng.uniform(0.08, 0.22)
    dark, white = np.full(3, rng.uniform(10, 60), np.float32), np.full(3, 250, np.float32)
    for side in (-1, 1):
        place = (x + side * apart, high)
        if rng.random() < 0.6:
            sheet.part(oval(*place, eye, eye * 1.2), white, lined=False)
        sheet.part(oval(*place, eye * 0.6, eye * 0.8), dark, lined=False)
        if rng.random() < 0.4:
            cheek = oval(x + side * apart * 1.3, high + size * 0.35, eye, eye * 0.6)
            sheet.part(cheek, np.asarray(look.body * 0.4 + np.array([150, 70, 70]), np.float32), lined=False)
    curve = rng.uniform(-0.15, 0.3) * size
    mouth = np.stack([np.linspace(-0.3, 0.3, 9) * size, curve * (1 - np.linspace(-1, 1, 9) ** 2)], 1)
    sheet.line(mouth + np.array([x, high + size * 0.45]), 0.012, dark)


def _ear(rng: np.random.Generator, sheet: Sheet, look: _Look, x: float, y: float, side: int, size: float) -> None:
    long = float(rng.uniform(0.35, 1.1)) * size
    if rng.random() < 0.5:
        sheet.part(oval(x, y - long * 0.3, size * 0.3, long, side * float(rng.uniform(0, 0.6))), look.body)
    else:
        low = size * 0.45
        tip = (x + side * size * 0.3, y - long)
        sheet.part(polygon((x - low, y + low), tip, (x + low, y + low)), look.body)


def _tail(rng: np.random.Generator, sheet: Sheet, look: _Look, x: float, y: float) -> None:
    end = (min(0.96, x + rng.uniform(0.08, 0.25)), y + rng.uniform(-0.3, 0.15))
    bend = (x + rng.uniform(0.05, 0.25), y + rng.uniform(-0.05, 0.15))
    sheet.part(limb([(x - 0.05, y), bend, end], *rng.uniform(0.012, 0.06, 2).tolist()), look.body)


def _hat(rng: np.random.Generator, sheet: Sheet, look: _Look, x: float, y: float, size: float) -> None:
    high = size * float(rng.uniform(0.5, 1.2))
    if rng.random() < 0.5:
        sheet.part(
            polygon((x - size * 0.8, y), (x + rng.normal(0, 0.04), max(0.03, y - high)), (x + size * 0.8, y)),
            look.second,
        )
    else:
        sheet.part(oval(x, y - high * 0.4, size * 0.65, high * 0.55, 0, 5), look.second)
        sheet.part(oval(x, y, size * 1.1, size * 0.16), look.second)


def _carried(rng: np.random.Generator, sheet: Sheet, look: _Look, x: float, y: float) -> None:
    size = float(rng.uniform(0.05, 0.11))
    top = max(0.1, y - float(rng.uniform(0.05, 0.25)))
    sheet.line(polygon((x, y), (x, top)), 0.014, look.pen.ink)
    shape = heart(x, top, size) if rng.random() < 0.4 else star(x, top, size, 5, float(rng.uniform(0.4, 1)))
    sheet.part(shape, look.second)


def _texture(rng: np.random.Generator, sheet: Sheet, look: _Look, body: Outline) -> None:
    """Stripes, spots or a patch on a body, or nothing."""
    low, high = body.min(axis=0), body.max(axis=0)
    (x, y), (wide, tall) = (low + high) / 2, (high - low) / 2
    kind = rng.random()
    if kind < 0.2:
        for stripe in np.linspace(low[1], high[1], int(rng.integers(3, 8))):
            band = polygon((low[0], stripe), (high[0], stripe), (high[0], stripe + 0.03), (low[0], stripe + 0.03))
            sheet.mark(band, look.second, within=body)
    elif kind < 0.4:
        for _ in range(int(rng.integers(3, 12))):
            spot = rng.uniform(low, high)
            sheet.mark(oval(*spot, *rng.uniform(0.01, 0.05, 2)), look.second, within=body)
    elif kind < 0.6:
        sheet.mark(oval(x, y + tall * 0.25, wide * 0.6, tall * 0.6), look.second, within=body)

"""Figures of many builds, drawn in code: people, animals, blobs, and what belongs to one without touching it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import MappingProxyType

import cv2
import numpy as np

from popcond.media.raster import Colour, Rgba
from popcond.video.sample import draw_sample
from tests.composites import EFFECTS, HELD_OUT, STYLES, scene
from tests.popcond.video.puppet_cast import face, person, plank, pole

INK, SKIN, RED, BLUE, GOLD = (36, 30, 40), (240, 196, 160), (214, 62, 70), (64, 104, 200), (240, 190, 60)


class _Paper:
    """400 × 400 units to draw on; what is left of it is the figure's own box."""

    def __init__(self) -> None:
        self.rgba = np.zeros((800, 800, 4), np.uint8)

    def oval(self, x: float, y: float, wide: float, high: float, colour: Colour, turn: float = 0.0) -> None:
        cv2.ellipse(self.rgba, _at(x, y), _at(wide, high), turn, 0, 360, (*colour, 255), -1, cv2.LINE_AA)

    def limb(self, *points: tuple[float, float], colour: Colour, thick: float) -> None:
        line = np.array([_at(*point) for point in points], np.int32)
        cv2.polylines(self.rgba, [line], False, (*colour, 255), round(2 * thick), cv2.LINE_AA)

    def shape(self, *points: tuple[float, float], colour: Colour) -> None:
        cv2.fillPoly(self.rgba, [np.array([_at(*point) for point in points], np.int32)], (*colour, 255), cv2.LINE_AA)


def _at(x: float, y: float) -> tuple[int, int]:
    return round(2 * x), round(2 * y)


def _person(paper: _Paper, *, arms: bool = True) -> None:
    for side in (-1, 1):
        paper.limb((200 + 18 * side, 250), (200 + 24 * side, 350), colour=INK, thick=20)
        paper.oval(200 + 30 * side, 352, 20, 9, INK)
        if arms:
            paper.limb((200 + 34 * side, 190), (200 + 80 * side, 250), colour=SKIN, thick=16)
    paper.oval(200, 220, 45, 60, BLUE)
    _head(paper, 130)


def _head(paper: _Paper, y: float) -> None:
    paper.oval(200, y, 55, 50, SKIN)
    for side in (-1, 1):
        paper.oval(200 + 20 * side, y, 6, 9, INK)


def _hands_apart(paper: _Paper) -> None:
    _person(paper, arms=False)
    for side in (-1, 1):
        paper.oval(200 + 95 * side, 220, 19, 19, SKIN)


def _head_apart(paper: _Paper) -> None:
    for side in (-1, 1):
        paper.oval(200 + 25 * side, 345, 22, 12, INK)
        paper.oval(200 + 90 * side, 240, 17, 17, SKIN)
    paper.oval(200, 255, 48, 55, RED)
    _head(paper, 125)


def _hat_and_ears_apart(paper: _Paper) -> None:
    _person(paper)
    paper.shape((160, 62), (240, 62), (200, 10), colour=RED)
    for side in (-1, 1):
        paper.oval(200 + 78 * side, 90, 14, 22, SKIN, 20.0 * side)


def _long_tail(paper: _Paper) -> None:
    _person(paper)
    paper.limb((230, 270), (300, 300), (345, 250), (350, 180), (375, 150), colour=GOLD, thick=13)


def _wings(paper: _Paper) -> None:
    for side in (-1, 1):
        paper.oval(200 + 95 * side, 190, 60, 95, (230, 236, 250), 25.0 * side)
    _person(paper)


def _long_wings(paper: _Paper) -> None:
    for side in (-1, 1):
        paper.oval(200 + 80 * side, 220, 46, 132, (236, 226, 190), -8.0 * side)
    _person(paper)


def _cape(paper: _Paper) -> None:
    paper.shape((170, 170), (230, 170), (310, 345), (90, 345), colour=RED)
    _person(paper)


def _balloon(paper: _Paper) -> None:
    _person(paper)
    paper.limb((280, 250), (320, 120), colour=INK, thick=1.5)
    paper.oval(320, 80, 42, 52, RED)


def _toy_beside(paper: _Paper) -> None:
    _person(paper)
    paper.oval(310, 325, 32, 36, GOLD)
    paper.oval(310, 275, 24, 22, GOLD)


def _umbrella(paper: _Paper) -> None:
    _person(paper)
    paper.limb((280, 250), (285, 60), colour=INK, thick=4)
    cv2.ellipse(paper.rgba, _at(250, 75), _at(120, 62), 0, 180, 360, (*RED, 255), -1, cv2.LINE_AA)


def _sword(paper: _Paper) -> None:
    _person(paper)
    paper.limb((280, 250), (350, 40), colour=(180, 186, 200), thick=9)


def _speech(paper: _Paper) -> None:
    _person(paper)
    paper.oval(320, 60, 62, 42, (255, 255, 255))
    cv2.ellipse(paper.rgba, _at(320, 60), _at(62, 42), 0, 0, 360, (*INK, 255), 5, cv2.LINE_AA)


def _confetti(paper: _Paper) -> None:
    _person(paper)
    places = np.random.default_rng(8).uniform(8, 392, (40, 2))
    for n, (x, y) in enumerate(places):
        if not 100 < x < 300:
            paper.oval(float(x), float(y), 5, 4, (RED, BLUE, GOLD)[n % 3], 30.0 * n)


def _blob(paper: _Paper) -> None:
    paper.oval(200, 220, 120, 130, (120, 200, 120))
    for side in (-1, 1):
        paper.oval(200 + 45 * side, 350, 30, 14, (90, 160, 90))
        paper.oval(200 + 40 * side, 180, 12, 16, INK)


def _long_hair(paper: _Paper) -> None:
    paper.shape((150, 120), (250, 120), (275, 330), (125, 330), colour=(120, 70, 40))
    _person(paper)


def _gown(paper: _Paper) -> None:
    paper.shape((180, 190), (220, 190), (320, 350), (80, 350), colour=(180, 90, 160))
    _head(paper, 140)
    for side in (-1, 1):
        paper.limb((200 + 20 * side, 195), (200 + 75 * side, 240), colour=SKIN, thick=13)
        paper.oval(200 + 30 * side, 354, 18, 8, INK)


def _spider(paper: _Paper) -> None:
    for side in (-1, 1):
        for n in range(4):
            knee = (200 + (90 + 14 * n) * side, 150 + 30 * n)
            paper.limb((200, 230), knee, (200 + (100 + 16 * n) * side, 330 + 5 * n), colour=INK, thick=9)
    paper.oval(200, 230, 75, 65, (90, 60, 110))
    for side in (-1, 1):
        paper.oval(200 + 25 * side, 210, 12, 14, (255, 255, 255))


def _long_legs(paper: _Paper) -> None:
    for side in (-1, 1):
        paper.limb((200 + 14 * side, 150), (200 + 30 * side, 355), colour=BLUE, thick=24)
        paper.limb((200 + 30 * side, 110), (200 + 70 * side, 170), colour=SKIN, thick=12)
    paper.oval(200, 125, 38, 42, BLUE)
    paper.oval(200, 60, 34, 34, SKIN)


def _crocodile(paper: _Paper) -> None:
    paper.oval(200, 200, 120, 42, (90, 150, 80))
    paper.limb((90, 205), (30, 230), (8, 205), colour=(90, 150, 80), thick=22)
    paper.limb((300, 190), (392, 195), colour=(90, 150, 80), thick=34)
    for x in (120, 160, 245, 285):
        paper.limb((x, 220), (x, 262), colour=(70, 120, 60), thick=18)


def _four_legs(paper: _Paper) -> None:
    for x in (120, 155, 255, 290):
        paper.limb((x, 250), (x, 345), colour=(150, 110, 80), thick=22)
    paper.oval(205, 235, 110, 50, (170, 126, 92))
    paper.limb((290, 220), (310, 150), colour=(170, 126, 92), thick=44)
    paper.oval(315, 135, 48, 40, (170, 126, 92))
    paper.limb((100, 220), (55, 160), colour=(150, 110, 80), thick=12)


BUILDS: tuple[Callable[[_Paper], None], ...] = (
    *(_person, _hands_apart, _head_apart, _hat_and_ears_apart, _long_tail, _wings, _long_wings, _cape, _balloon),
    *(_toy_beside, _umbrella, _sword, _speech, _confetti, _blob, _long_hair, _gown, _spider, _long_legs),
    *(_crocodile, _four_legs),
)


@cache
def figures() -> Mapping[str, Rgba]:
    """Every figure by name, cropped to what is visible of it."""
    return MappingProxyType(dict(_figures()))


def _figures() -> Iterator[tuple[str, Rgba]]:
    yield "sample", _cropped(draw_sample(768))
    for name, drawn in (("person", person()), ("face", face()), ("plank", plank()), ("pole", pole())):
        yield f"cast {name}", _cropped(drawn)
    for style in (*STYLES, *HELD_OUT):
        yield style, _cropped(scene(style, 0.1, size=384).rgba)
        yield f"{style}, effects", _cropped(scene(style, 0.6, size=384, effects=EFFECTS).rgba)
    for build in BUILDS:
        paper = _Paper()
        build(paper)
        yield build.__name__.strip("_").replace("_", " "), _cropped(paper.rgba)


def whole_figures() -> Mapping[str, Rgba]:
    """Those of which everything at the rim is the figure's own: no effects, nothing apart from it."""
    apart = ("effects", "apart", "beside", "speech", "confetti")
    return {name: figure for name, figure in figures().items() if not any(word in name for word in apart)}


def made_up(seed: int) -> Rgba:
    """A figure of chance: head, body, limbs, ears, tail, wings, hat, hair and what it carries, as the dice fall."""
    chance, paper = np.random.default_rng(seed), _Paper()
    body, hair, cloth, skin = (_colour(chance) for _ in range(4))
    head, wide, high = chance.uniform(28, 75), chance.uniform(22, 70), chance.uniform(35, 80)
    legs, arms = chance.uniform(25, 100), chance.uniform(30, 90)
    top = 370 - legs - 2 * high - 1.7 * head
    middle, neck = 370 - legs - high, 370 - legs - 2 * high
    if chance.random() < 0.25:
        _wing_pair(paper, chance, wide, middle)
    if chance.random() < 0.3:
        paper.oval(200, top + head, 1.25 * head, chance.uniform(1.1, 2.2) * head, hair)
    if chance.random() < 0.3:
        tip = (200 + chance.uniform(90, 170), middle + chance.uniform(-90, 40))
        paper.limb((200, middle + 0.7 * high), (200 + wide + 30, middle + high), tip, colour=cloth, thick=12)
    for side in (-1, 1):
        foot = 200 + (0.5 * wide + chance.uniform(0, 14)) * side
        paper.limb((200 + 0.5 * wide * side, 370 - legs - 20), (foot, 370), colour=skin, thick=chance.uniform(9, 24))
        hand = (200 + (wide + 0.8 * arms) * side, neck + chance.uniform(-0.8, 0.9) * arms)
        if chance.random() < 0.8:
            paper.limb((200 + 0.7 * wide * side, neck + 20), hand, colour=skin, thick=chance.uniform(8, 20))
        if chance.random() < 0.25:
            paper.oval(*hand, chance.uniform(12, 34), chance.uniform(12, 34), cloth)
        if chance.random() < 0.4:
            ear = chance.uniform(0.2, 0.5) * head
            paper.oval(200 + 0.8 * head * side, top + 0.15 * head, 0.6 * ear, ear, body, 20.0 * side)
    paper.oval(200, middle, wide, high, body)
    paper.oval(200, top + head, head, head, skin)
    for side in (-1, 1):
        paper.oval(200 + 0.4 * head * side, top + head, 0.1 * head, 0.15 * head, INK)
    if chance.random() < 0.3:
        gap = chance.uniform(-10, 14)
        paper.shape((200 - 0.6 * head, top - gap), (200 + 0.6 * head, top - gap), (200, top - gap - 45), colour=cloth)
    for _ in range(int(chance.integers(0, 9))):
        paper.oval(float(chance.choice([30, 60, 340, 370])), chance.uniform(20, 360), 7, 7, _colour(chance))
    return _cropped(paper.rgba)


def _wing_pair(paper: _Paper, chance: np.random.Generator, wide: float, middle: float) -> None:
    size, colour = chance.uniform(30, 90), _colour(chance)
    for side in (-1, 1):
        paper.oval(200 + (wide + 0.5 * size) * side, middle - 0.3 * size, 0.6 * size, size, colour, 25.0 * side)


def _colour(chance: np.random.Generator) -> Colour:
    """One that no backdrop of ours has: light and strong, or dark."""
    red, green, blue = (int(v) for v in chance.choice([20, 60, 215, 250], 3))
    return (red, green, blue) if len({red, green, blue}) > 1 else (red, 60, 215)


def _cropped(rgba: Rgba) -> Rgba:
    left, top, width, height = cv2.boundingRect((rgba[..., 3] >= 128).astype(np.uint8))
    return np.ascontiguousarray(rgba[top : top + height, left : left + width])

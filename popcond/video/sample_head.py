"""The sample character's head: a face under a cloud of popcorn."""

from __future__ import annotations

from math import pi

from popcond.media.raster import Colour
from popcond.video.outlines import Outline, arc, ellipse, smooth
from popcond.video.sample_ink import LINE, Ink

SKIN: Colour = (255, 230, 202)
SKIN_LOW: Colour = (255, 213, 176)
SKIN_SHADE: Colour = (240, 170, 132)
CORN: Colour = (255, 249, 228)
CORN_LOW: Colour = (255, 232, 170)
CORN_SHADE: Colour = (248, 198, 96)
HULL: Colour = (246, 190, 88)
TOFFEE: Colour = (186, 112, 52)  # softer than the dark line: the eyes stay the darkest places of the head
EYE: Colour = (66, 34, 38)
IRIS: Colour = (176, 92, 40)
ROSE: Colour = (255, 138, 122)
LIPS: Colour = (150, 36, 48)
TONGUE: Colour = (255, 122, 118)
WHITE: Colour = (255, 255, 255)

Puff = tuple[float, float, float]  # x, y, radius

_CLOUD: tuple[Puff, ...] = (
    (304, 366, 56), (694, 366, 56), (290, 278, 82), (708, 280, 80), (352, 182, 92), (648, 180, 94), (504, 138, 106),
)  # fmt: skip
_FRINGE: tuple[Puff, ...] = ((328, 254, 47), (674, 250, 50), (604, 202, 64), (394, 206, 60), (494, 184, 76))
_FACE: tuple[tuple[float, float], ...] = (
    (500, 190), (622, 220), (690, 318), (686, 420), (612, 494),
    (500, 516), (388, 494), (314, 420), (310, 318), (378, 220),
)  # fmt: skip


def draw_head(ink: Ink) -> None:
    """Hair behind, face, features, fringe."""
    puffs(ink, _CLOUD)
    folds(ink, _CLOUD[:4])
    face = smooth(_FACE)
    ink.line([face])
    ink.gradient(face, SKIN, SKIN_LOW)
    ink.shade(face, SKIN_SHADE, 22, 0.7)
    ink.glow(ellipse(500, 240, 190, 62), SKIN_SHADE, 16, 0.75, within=face)
    for side in (-1, 1):
        _cheek(ink, 500 + side * 130, 424, face)
        _eye(ink, 500 + side * 80, 360)
        _brow(ink, side)
    _nose_and_mouth(ink)
    puffs(ink, _FRINGE, 8.0, TOFFEE)
    folds(ink, _FRINGE)


def puffs(ink: Ink, cloud: tuple[Puff, ...], width: float = 9.0, colour: Colour = LINE) -> None:
    """A cluster of popped corn with one line around all of it."""
    ink.line([ellipse(x, y, r, r, 0.0, 40) for x, y, r in cloud], width, colour)
    for x, y, radius in cloud:
        ball = ellipse(x, y, radius, radius, 0.0, 40)
        ink.gradient(ball, CORN, CORN_LOW)
        ink.shade(ball, CORN_SHADE, 0.42 * radius, 0.8)
        light = ellipse(x - 0.3 * radius, y - 0.42 * radius, 0.34 * radius, 0.2 * radius, -0.5)
        ink.glow(light, WHITE, 0.07 * radius, within=ball)


def folds(ink: Ink, cloud: tuple[Puff, ...]) -> None:
    """The fold on each corn where it has burst, turned away from the middle of the figure."""
    for x, y, radius in cloud:
        lean = (500 - x) / 230
        fold = arc(x + 0.1 * radius, y + 0.12 * radius, 0.42 * radius, 0.18 * pi + lean, 0.82 * pi + lean, 12)
        ink.pen(fold, 0.085 * radius, HULL)


def _eye(ink: Ink, x: float, y: float) -> None:
    white = ellipse(x, y, 39, 49)
    pupil = ellipse(x, y + 2, 33, 44)
    ink.line([white], 5)
    ink.fill(white, WHITE)
    ink.fill(pupil, EYE, within=white)
    ink.glow(ellipse(x, y + 28, 23, 18), IRIS, 6, within=pupil)
    ink.fill(ellipse(x - 11, y - 17, 13, 16), WHITE)
    ink.fill(ellipse(x + 13, y + 20, 7, 8), WHITE)
    ink.pen(arc(x, y - 1, 47, 1.19 * pi, 1.81 * pi, 16), 10)


def _brow(ink: Ink, side: int) -> None:
    x = 500 + side * 84
    ink.pen(smooth([(x - 26, 283 - side * 2), (x, 275), (x + 26, 283 + side * 2)], closed=False), 10, (176, 104, 56))


def _cheek(ink: Ink, x: float, y: float, face: Outline) -> None:
    ink.glow(ellipse(x, y, 38, 24), ROSE, 9, 0.9, within=face)


def _nose_and_mouth(ink: Ink) -> None:
    ink.pen(smooth([(491, 408), (500, 414), (509, 408)], closed=False), 8, (214, 128, 92))
    mouth = smooth([(452, 446), (475, 451), (500, 453), (525, 451), (548, 446), (541, 472), (500, 496), (459, 472)])
    ink.line([mouth], 7)
    ink.fill(mouth, LIPS)
    ink.fill(ellipse(500, 495, 34, 21), TONGUE, within=mouth)
    ink.fill(smooth([(454, 436), (500, 444), (546, 436), (534, 460), (500, 464), (466, 460)]), WHITE, within=mouth)
    for side in (-1, 1):
        ink.pen(smooth([(500 + side * 46, 449), (500 + side * 54, 447), (500 + side * 59, 441)], closed=False), 8, LINE)

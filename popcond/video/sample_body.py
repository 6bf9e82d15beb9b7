"""The sample character's body: a striped popcorn tub with arms and legs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from popcond.media.raster import Colour
from popcond.video.outlines import Outline, ellipse, outline, ribbon, smooth, stroke
from popcond.video.sample_head import SKIN, SKIN_LOW, SKIN_SHADE, WHITE, Puff, folds, puffs
from popcond.video.sample_ink import Ink

RED: Colour = (236, 72, 62)
RED_SHADE: Colour = (178, 34, 48)
CREAM: Colour = (255, 248, 232)
CREAM_SHADE: Colour = (232, 206, 176)
BLUE: Colour = (66, 132, 216)
BLUE_SHADE: Colour = (36, 82, 160)

_COLLAR: tuple[Puff, ...] = ((402, 564, 33), (598, 564, 33), (448, 572, 40), (554, 572, 40), (500, 577, 45))
_TUB = ((372, 566), (628, 566), (592, 786), (408, 786))  # its corners, clockwise from the top left


def draw_neck(ink: Ink) -> None:
    """What is seen between the head and the collar."""
    neck = outline([(456, 480), (544, 480), (556, 570), (444, 570)])
    ink.line([neck])
    ink.fill(neck, SKIN_LOW)
    ink.glow(ellipse(500, 510, 60, 22), SKIN_SHADE, 8, within=neck)


def draw_tub(ink: Ink) -> None:
    """The striped tub with its popcorn collar."""
    tub = smooth_corners(_TUB)
    ink.line([tub])
    ink.gradient(tub, CREAM, CREAM)
    for stripe in range(4):
        ink.fill(_stripe(stripe), RED, within=tub)
    ink.shade(tub, RED_SHADE, 30, 0.55)
    ink.glow(ellipse(500, 590, 130, 26), RED_SHADE, 12, 0.5, within=tub)
    puffs(ink, _COLLAR, 8)
    folds(ink, _COLLAR)


def _stripe(number: int) -> Outline:
    """Every second of seven stripes, narrowing downwards with the tub."""
    left, right = (2 * number) / 7, (2 * number + 1) / 7
    top, low = (366.0, 268.0), (402.0, 196.0)  # left side and width
    return outline(
        [
            (top[0] + left * top[1], 550),
            (top[0] + right * top[1], 550),
            (low[0] + right * low[1], 800),
            (low[0] + left * low[1], 800),
        ]
    )


def smooth_corners(corners: Sequence[tuple[float, float]], radius: float = 18.0) -> Outline:
    """The polygon with its corners rounded."""
    points = np.asarray(corners, np.float64)
    rounded = []
    for before, corner, after in zip(np.roll(points, 1, 0), points, np.roll(points, -1, 0), strict=True):
        start = corner + radius * (before - corner) / np.hypot(*(before - corner))
        end = corner + radius * (after - corner) / np.hypot(*(after - corner))
        t = np.linspace(0, 1, 8)[:, None]
        rounded.append((1 - t) ** 2 * start + 2 * t * (1 - t) * corner + t**2 * end)
    return np.concatenate(rounded)


def draw_leg(ink: Ink, side: int) -> None:
    """A leg, a sock and a shoe; −1 is the viewer's left."""
    hip, ankle = 500 + side * 48, 500 + side * 56
    leg = ribbon(smooth([(hip, 770), (hip + side * 4, 830), (ankle, 900)], closed=False), 25.0)
    ink.line([leg])
    ink.gradient(leg, SKIN, SKIN_LOW)
    ink.shade(leg, SKIN_SHADE, 14, 0.8)
    sock = outline([(ankle - 30, 852), (ankle + 30, 852), (ankle + 29, 905), (ankle - 29, 905)])
    ink.line([sock], 8)
    ink.fill(sock, CREAM)
    ink.fill(outline([(ankle - 30, 862), (ankle + 30, 862), (ankle + 30, 874), (ankle - 30, 874)]), RED)
    ink.shade(sock, CREAM_SHADE, 12, 0.9)
    _shoe(ink, ankle, side)


def _shoe(ink: Ink, x: float, side: int) -> None:
    upper = [(-36, 886), (0, 894), (34, 884), (66, 906), (88, 930), (84, 950), (20, 954), (-38, 950), (-44, 916)]
    shoe = smooth([(x + side * dx, y) for dx, y in upper])
    sole = smooth_corners([(x - side * 44, 940), (x + side * 92, 940), (x + side * 90, 962), (x - side * 42, 962)], 9)
    ink.line([shoe, sole])
    ink.gradient(shoe, BLUE, BLUE)
    ink.shade(shoe, BLUE_SHADE, 16)
    ink.glow(ellipse(x + side * 10, 908, 20, 7, 0.2 * side), (150, 200, 255), 4, 0.9, within=shoe)
    ink.fill(sole, CREAM)
    ink.shade(sole, CREAM_SHADE, 8)
    for lace in (0, 20):
        ends = [(x + side * (26 + lace), 900 + 0.4 * lace), (x + side * (10 + lace), 918 + 0.3 * lace)]
        ink.pen(outline(ends), 7, WHITE)


def draw_resting_arm(ink: Ink) -> None:
    """The arm at the viewer's left hangs down, away from the body."""
    path = smooth([(392, 606), (338, 640), (302, 690), (286, 736)], closed=False)
    _sleeve_and_arm(ink, path)
    hand = [(258, 742), (284, 726), (312, 744), (316, 778), (296, 806), (266, 804), (248, 778)]
    thumb = stroke(outline([(308, 752), (328, 774)]), 12)
    _hand(ink, smooth(hand), [thumb])


def draw_waving_arm(ink: Ink) -> None:
    """The arm at the viewer's right is raised, its hand open."""
    path = smooth([(606, 612), (674, 630), (744, 606), (800, 550)], closed=False)
    _sleeve_and_arm(ink, path)
    palm = ellipse(824, 510, 43, 44, 0.45)
    fingers = [
        stroke(outline([(796, 500), (768, 464)]), 15),
        stroke(outline([(816, 484), (806, 428)]), 16.5),
        stroke(outline([(838, 484), (852, 428)]), 16.5),
        stroke(outline([(856, 502), (899, 470)]), 16),
    ]
    _hand(ink, palm, fingers)


def _sleeve_and_arm(ink: Ink, path: Outline) -> None:
    arm = ribbon(path, np.linspace(33, 24, len(path)))
    ink.line([arm])
    ink.gradient(arm, SKIN, SKIN_LOW)
    ink.shade(arm, SKIN_SHADE, 15, 0.8)
    sleeve = ribbon(path[:14], np.linspace(42, 38, 14))
    ink.line([sleeve], 8)
    ink.gradient(sleeve, CREAM, CREAM)
    ink.shade(sleeve, CREAM_SHADE, 14)


def _hand(ink: Ink, palm: Outline, fingers: list[Outline]) -> None:
    ink.line([palm, *fingers])
    for finger in fingers:
        ink.gradient(finger, SKIN, SKIN_LOW)
        ink.shade(finger, SKIN_SHADE, 8, 0.6)
    ink.gradient(palm, SKIN, SKIN_LOW)
    ink.shade(palm, SKIN_SHADE, 14, 0.7)

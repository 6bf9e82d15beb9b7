"""Characters for the animator's tests, drawn with known parts."""

from __future__ import annotations

import cv2
import numpy as np

from popcond.media.raster import Colour, Rgba

BACKDROP: Colour = (0, 200, 60)

SKIN = (236, 190, 150, 255)
SHIRT = (70, 90, 200, 255)
DARK = (40, 30, 35, 255)

EYES = ((88.0, 70.0), (128.0, 70.0))  # of the `person`, pixels


def person() -> Rgba:
    """300 × 216: a big head with eyes, a body, a raised arm at the viewer's right, a hanging one, two legs."""
    picture = np.zeros((300, 216, 4), np.uint8)
    cv2.line(picture, (88, 220), (84, 284), DARK, 22)
    cv2.line(picture, (128, 220), (132, 284), DARK, 22)
    cv2.line(picture, (78, 158), (36, 206), SHIRT, 17)
    cv2.line(picture, (138, 158), (196, 128), SHIRT, 17)
    cv2.ellipse(picture, (108, 184), (42, 54), 0, 0, 360, SHIRT, -1)
    cv2.circle(picture, (108, 72), 62, SKIN, -1)
    for x, y in EYES:
        cv2.circle(picture, (int(x), int(y)), 8, DARK, -1)
    cv2.ellipse(picture, (108, 96), (22, 12), 0, 0, 180, DARK, 3)
    return picture


def face() -> Rgba:
    """200 × 200: a head without a body."""
    picture = np.zeros((200, 200, 4), np.uint8)
    cv2.circle(picture, (100, 100), 92, (250, 205, 60, 255), -1)
    for x in (66, 134):
        cv2.circle(picture, (x, 84), 13, DARK, -1)
    cv2.ellipse(picture, (100, 120), (48, 34), 0, 0, 180, DARK, -1)
    return picture


def plank() -> Rgba:
    """60 × 400: a wide thing without any part, filling its picture."""
    picture = np.zeros((60, 400, 4), np.uint8)
    picture[:] = (150, 110, 70, 255)
    picture[::6, :, :3] = (120, 80, 50)
    return picture


def pole() -> Rgba:
    """500 × 40: a tall thing without any part."""
    return np.ascontiguousarray(np.rot90(plank()))[:, :40]


def twins() -> Rgba:
    """Two heads that do not touch."""
    one = face()
    return np.concatenate([one, np.zeros((200, 60, 4), np.uint8), one], axis=1)

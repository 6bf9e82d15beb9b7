"""Clips of drawn characters before backdrops that are not plain: gradients, blobs, textures, shapes, stripes.

The figures are those of `tests.composites`, moved, turned and scaled over the clip, with their true alpha; the
backdrops are made here, stand still or pan. Everything is deterministic.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from popcond.media.raster import Alpha, Floats, Rgb, Rgba, premultiply
from tests.composites import as_h264, scene

BACKDROPS = ("gradient", "blobs", "photo", "shapes", "stripes")

_ROOM = 1.25  # a backdrop is so much larger than the frame, so that it can pan


@dataclass(frozen=True)
class BusyClip:
    """Frames as a codec leaves them, the truth, and the character's cut-out as its owner handed it in."""

    frames: list[Rgb]
    alphas: list[Alpha]
    cutout: Rgba


def busy_clip(
    style: str,
    backdrop: str,
    *,
    count: int = 12,
    size: int = 320,
    pans: bool = False,
    seed: int = 0,
    crf: int = 23,
    effects: tuple[str, ...] = (),
    figure: bool = True,
) -> BusyClip:
    """A character in a style of `tests.composites`, or no `figure`, before a backdrop of BACKDROPS, through H.264."""
    rng = np.random.default_rng([seed, BACKDROPS.index(backdrop)])
    wide = _backdrop(backdrop, round(size * _ROOM), rng)
    path = rng.uniform(-1.0, 1.0, 5).astype(np.float32)
    frames, alphas = [], []
    for number in range(count):
        phase = number / count
        drawn = _placed(premultiply(scene(style, phase, size=size, effects=effects).rgba), path, phase) * figure
        alpha = drawn[..., 3:] / 255.0
        behind = _panned(wide, size, 2.0 * np.pi * phase if pans else 0.0)
        frames.append(np.asarray(np.clip(np.rint(drawn[..., :3] + behind * (1.0 - alpha)), 0, 255), np.uint8))
        alphas.append(np.asarray(np.rint(drawn[..., 3]), np.uint8))
    return BusyClip(as_h264(frames, crf=crf), alphas, scene(style, 0.6, size=size).rgba)


def _placed(drawn: Floats, path: Floats, phase: float) -> Floats:
    """The premultiplied figure, smaller and on its way: it sways, turns a little and breathes."""
    size = drawn.shape[0]
    turn = 2.0 * np.pi * phase
    scale = 0.82 + 0.08 * path[0] + 0.04 * np.sin(turn + path[1])
    matrix = cv2.getRotationMatrix2D((size / 2, size / 2), 7.0 * path[2] * np.sin(turn), float(scale))
    matrix[:, 2] += np.array([path[3] + 0.8 * np.sin(turn), path[4] + 0.5 * np.cos(turn)]) * 0.06 * size
    return np.asarray(cv2.warpAffine(drawn, matrix, (size, size), flags=cv2.INTER_AREA), np.float32)


def _panned(wide: Floats, size: int, turn: float) -> Floats:
    room = (wide.shape[0] - size) / 2.0
    matrix = np.array([[1.0, 0.0, -room * (1.0 + np.sin(turn))], [0.0, 1.0, -room * (1.0 + 0.5 * np.sin(turn))]])
    return np.asarray(cv2.warpAffine(wide, matrix, (size, size), borderMode=cv2.BORDER_REFLECT), np.float32)


def _backdrop(kind: str, side: int, rng: np.random.Generator) -> Floats:
    """(side, side, 3) RGB in 0..255."""
    made = {"gradient": _gradient, "blobs": _blobs, "photo": _photo, "shapes": _shapes, "stripes": _stripes}[kind]
    return np.asarray(np.clip(made(side, rng), 0.0, 255.0), np.float32)


def _gradient(side: int, rng: np.random.Generator) -> Floats:
    """Two colours and a lit spot, bent further than a smooth field of second order."""
    line = np.linspace(0.0, 1.0, side, dtype=np.float32)
    x, y = np.meshgrid(line, line)
    one, other, third = rng.uniform(30, 235, (3, 3)).astype(np.float32)
    way = 0.5 - 0.5 * np.cos(2.4 * np.pi * (0.6 * x + 0.4 * y))[..., None]
    spot = np.exp(-((x - 0.3) ** 2 + (y - 0.4) ** 2) / 0.05)[..., None]
    return np.asarray(one * way + other * (1 - way) + 0.5 * spot * (third - other), np.float32)


def _blobs(side: int, rng: np.random.Generator) -> Floats:
    """Soft clouds of a few colours."""
    return _clouds(side, 5, rng) + 0.4 * (_clouds(side, 12, rng) - 128.0)


def _photo(side: int, rng: np.random.Generator) -> Floats:
    """What a camera sees out of focus, with texture: clouds of all sizes, discs of light, a floor, grain."""
    base = sum((_clouds(side, n, rng) - 128.0) * share for n, share in ((3, 0.7), (8, 0.5), (24, 0.4), (70, 0.35)))
    grey = np.asarray(base, np.float32).mean(axis=2, keepdims=True)
    picture = np.asarray(1.4 * grey + 0.25 * (base - grey) + rng.uniform(80, 170, 3), np.float32)
    for _ in range(14):
        disc = np.zeros((side, side), np.float32)
        cv2.circle(disc, tuple(int(v) for v in rng.integers(0, side, 2)), int(rng.integers(6, side // 10)), 1.0, -1)
        disc = np.asarray(cv2.GaussianBlur(disc, (0, 0), 1.5), np.float32) * float(rng.uniform(0.2, 0.6))
        picture = picture * (1 - disc[..., None]) + rng.uniform(60, 255, 3).astype(np.float32) * disc[..., None]
    floor = round(side * rng.uniform(0.6, 0.8))
    picture[floor:] = 0.6 * picture[floor:] + 0.4 * rng.uniform(40, 200, 3)
    return np.asarray(picture + rng.normal(0.0, 3.0, picture.shape), np.float32)


def _shapes(side: int, rng: np.random.Generator) -> Floats:
    """Hard-edged polygons and discs in loud colours."""
    picture = np.empty((side, side, 3), np.float32)
    picture[:] = rng.uniform(30, 225, 3)
    for number in range(26):
        colour = tuple(float(v) for v in rng.uniform(10, 245, 3))
        if number % 2:
            cv2.circle(
                picture, tuple(int(v) for v in rng.integers(0, side, 2)), int(rng.integers(8, side // 7)), colour, -1
            )
        else:
            corners = rng.integers(0, side, 2) + rng.integers(-side // 5, side // 5, (4, 2))
            cv2.fillPoly(picture, [cv2.convexHull(corners.astype(np.int32))], colour)
    return picture


def _stripes(side: int, rng: np.random.Generator) -> Floats:
    """Wallpaper: slanting stripes of three colours with dots."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    slant = rng.uniform(0.0, np.pi)
    bands = ((x * np.cos(slant) + y * np.sin(slant)) / (side * 0.06)).astype(np.int32) % 3
    picture = np.asarray(rng.uniform(40, 235, (3, 3)).astype(np.float32)[bands], np.float32)
    step = side // 9
    dots = np.hypot(x % step - step / 2, y % step - step / 2) < 0.16 * step
    picture[dots] = rng.uniform(20, 240, 3)
    return picture


def _clouds(side: int, cells: int, rng: np.random.Generator) -> Floats:
    coarse = rng.uniform(0.0, 255.0, (cells, cells, 3)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)

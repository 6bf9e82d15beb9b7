"""What stands behind the figures of a training scene: seven kinds, all drawn from noise and a seed.

A kind is a name, so that evaluation can report each by itself.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from popcond.media.raster import Floats

KINDS = ("flat", "gradient", "soft", "photo", "shapes", "busy", "pattern")
_TRAINING_SHARE = (0.10, 0.12, 0.16, 0.22, 0.14, 0.14, 0.12)


def any_kind(rng: np.random.Generator) -> str:
    """A kind as often as it is trained on."""
    return str(rng.choice(KINDS, p=_TRAINING_SHARE))


def backdrop(kind: str, rng: np.random.Generator, side: int) -> Floats:
    """(side, side, 3) RGB in 0..255 of that kind."""
    return np.asarray(np.clip(_PAINTERS[kind](rng, side), 0.0, 255.0), np.float32)


def _colour(rng: np.random.Generator) -> Floats:
    """Any colour; pale and dark ones oftener than a cube would give."""
    colour = rng.uniform(0, 255, 3)
    if rng.random() < 0.35:
        grey = rng.choice([rng.uniform(0, 60), rng.uniform(190, 255), rng.uniform(0, 255)])
        colour = grey + 0.25 * (colour - 127)
    return np.asarray(np.clip(colour, 0, 255), np.float32)


def _flat(rng: np.random.Generator, side: int) -> Floats:
    return np.full((side, side, 3), _colour(rng), np.float32)


def _gradient(rng: np.random.Generator, side: int) -> Floats:
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side - 0.5
    if rng.random() < 0.3:
        cx, cy = rng.uniform(-0.4, 0.4, 2)
        ramp = np.hypot(x - cx, y - cy) * rng.uniform(0.8, 1.6)
    else:
        turn = rng.uniform(0, 2 * np.pi)
        ramp = np.cos(turn) * x + np.sin(turn) * y + 0.5
    share = np.clip(ramp, 0, 1)[..., None]
    return np.asarray(_colour(rng) * share + _colour(rng) * (1 - share), np.float32)


def _soft(rng: np.random.Generator, side: int) -> Floats:
    """A few colours that run into each other."""
    cells = int(rng.integers(2, 13))
    grid = np.stack([_colour(rng) for _ in range(cells * cells)]).reshape(cells, cells, 3)
    return np.asarray(cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


# ------------------------------------------------------------------ like a photograph


def _photo(rng: np.random.Generator, side: int) -> Floats:
    """A textured ground under a sky or a wall, things out of focus, light from one side."""
    picture = _cloudy(rng, side)
    if rng.random() < 0.6:
        picture = _with_ground(rng, side, picture)
    for _ in range(int(rng.integers(0, 9))):
        picture = _with_thing(rng, side, picture)
    if rng.random() < 0.6:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 0.03 * side)), np.float32)
    if rng.random() < 0.4:
        picture = _with_bokeh(rng, side, picture)
    return picture * _light(rng, side) + rng.normal(0, rng.uniform(0.5, 5), picture.shape).astype(np.float32)


def octaves(rng: np.random.Generator, side: int, roughness: float) -> Floats:
    """(side, side) noise in about −1..1, finer layers weaker by `roughness` each."""
    total = np.zeros((side, side), np.float32)
    cells, weight, weights = int(rng.integers(2, 5)), 1.0, 0.0
    while cells < side:
        layer = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
        total += weight * np.asarray(cv2.resize(layer, (side, side), interpolation=cv2.INTER_CUBIC))
        weights += weight
        weight *= roughness
        cells *= 2
    return total / max(weights, 1e-3) * 1.6


def _cloudy(rng: np.random.Generator, side: int) -> Floats:
    first, second, third = (_colour(rng) for _ in range(3))
    share = np.clip(octaves(rng, side, rng.uniform(0.4, 0.9)) * 0.5 + 0.5, 0, 1)[..., None]
    spots = np.clip(octaves(rng, side, rng.uniform(0.5, 0.95)), 0, 1)[..., None] * rng.uniform(0, 0.8)
    return np.asarray((first * share + second * (1 - share)) * (1 - spots) + third * spots, np.float32)


def _with_ground(rng: np.random.Generator, side: int, above: Floats) -> Floats:
    texture = _cloudy(rng, side)
    squeezed = cv2.resize(texture, (side, max(2, int(side * rng.uniform(0.2, 0.6)))), interpolation=cv2.INTER_AREA)
    horizon = side - squeezed.shape[0]
    out = above.copy()
    out[horizon:] = squeezed
    return out


def _with_thing(rng: np.random.Generator, side: int, picture: Floats) -> Floats:
    """A shaded, textured and blurred shape."""
    mask = np.zeros((side, side), np.float32)
    _draw_shape(rng, mask, 1.0, largest=side // 3)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.4, 0.03 * side)), np.float32)[..., None]
    shading = 1.0 + rng.uniform(0.1, 0.5) * octaves(rng, side, 0.6)[..., None]
    return np.asarray(picture * (1 - mask) + _colour(rng) * shading * mask, np.float32)


def _with_bokeh(rng: np.random.Generator, side: int, picture: Floats) -> Floats:
    layer = np.zeros_like(picture)
    for _ in range(int(rng.integers(4, 22))):
        where = tuple(int(v) for v in rng.integers(0, side, 2))
        glow = _colour(rng) * rng.uniform(0.2, 0.7)
        cv2.circle(layer, where, int(rng.integers(2, max(4, side // 9))), glow.tolist(), -1, cv2.LINE_AA)
    return np.asarray(picture + cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.4, 2.0)), np.float32)


def _light(rng: np.random.Generator, side: int) -> Floats:
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side - 0.5
    slope = rng.uniform(-0.5, 0.5, 2)
    corners = rng.uniform(0, 0.6) * (x * x + y * y)
    return np.asarray((1 + slope[0] * x + slope[1] * y - corners)[..., None], np.float32)


# ------------------------------------------------------------------ shapes and patterns


def _shapes(rng: np.random.Generator, side: int) -> Floats:
    canvas = (_gradient if rng.random() < 0.5 else _soft)(rng, side)
    for _ in range(int(rng.integers(4, 26))):
        _draw_shape(rng, canvas, _colour(rng), largest=side // 4)
    return canvas


def _busy(rng: np.random.Generator, side: int) -> Floats:
    """Much of everything: a pattern or a scene, shapes with outlines, scribbles."""
    canvas = (_pattern if rng.random() < 0.4 else _photo)(rng, side)
    for _ in range(int(rng.integers(10, 45))):
        if rng.random() < 0.3:
            _draw_scribble(rng, canvas)
        else:
            _draw_outlined(rng, canvas)
    return canvas


def _draw_outlined(rng: np.random.Generator, canvas: Floats) -> None:
    side = canvas.shape[0]
    mask = np.zeros((side, side), np.float32)
    _draw_shape(rng, mask, 1.0, largest=side // 6)
    if rng.random() < 0.5:
        width = int(rng.integers(2, 5))
        grown = np.asarray(cv2.dilate(mask, np.ones((width, width), np.uint8)))[..., None]
        canvas *= 1 - grown
        canvas += grown * _colour(rng) * rng.uniform(0, 0.4)
    canvas *= 1 - mask[..., None]
    canvas += mask[..., None] * _colour(rng)


def _draw_shape(rng: np.random.Generator, canvas: Floats, value: float | Floats, *, largest: int) -> None:
    side = canvas.shape[0]
    paint = [float(v) for v in np.atleast_1d(value)]
    points = rng.integers(0, side, (2, 2))
    first, second = (tuple(int(v) for v in point) for point in points)
    kind = int(rng.integers(4))
    if kind == 0:
        cv2.circle(canvas, first, int(rng.integers(2, max(3, largest))), paint, -1, cv2.LINE_AA)
    elif kind == 1:
        axes = (int(rng.integers(2, max(3, largest))), int(rng.integers(2, max(3, largest))))
        cv2.ellipse(canvas, first, axes, float(rng.uniform(0, 180)), 0, 360, paint, -1, cv2.LINE_AA)
    elif kind == 2:
        around = np.asarray(first) + rng.integers(-largest, largest + 1, (int(rng.integers(3, 7)), 2))
        cv2.fillPoly(canvas, [cv2.convexHull(around.astype(np.int32))], paint, cv2.LINE_AA)
    else:
        cv2.line(canvas, first, second, paint, int(rng.integers(1, max(2, side // 20))), cv2.LINE_AA)


def _draw_scribble(rng: np.random.Generator, canvas: Floats) -> None:
    """Something like a line of writing."""
    side = canvas.shape[0]
    x, y = rng.uniform(0, side, 2)
    steps = rng.normal(0, side / 40, (int(rng.integers(6, 30)), 2)) + np.array([side / 60, 0])
    path = np.asarray(np.cumsum(steps, axis=0) + np.array([x, y]), np.int32)
    cv2.polylines(canvas, [path], False, _colour(rng).tolist(), int(rng.integers(1, 4)), cv2.LINE_AA)


def _pattern(rng: np.random.Generator, side: int) -> Floats:
    """Stripes, checks, dots or tiles, at any angle."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    turn, step = rng.uniform(0, np.pi), rng.uniform(0.04, 0.3) * side
    u = (np.cos(turn) * x + np.sin(turn) * y) / step
    v = (np.cos(turn) * y - np.sin(turn) * x) / step
    waves: list[Callable[[], Floats]] = [
        lambda: np.sin(2 * np.pi * u),
        lambda: np.sin(2 * np.pi * u) * np.sin(2 * np.pi * v),
        lambda: 0.35 - np.hypot(u % 1 - 0.5, v % 1 - 0.5),
        lambda: np.minimum(np.abs(u % 1 - 0.5), np.abs(v % 1 - 0.5)) - rng.uniform(0.03, 0.2),
        lambda: np.sin(2 * np.pi * (u + 0.3 * np.sin(2 * np.pi * v))),
    ]
    wave = waves[int(rng.integers(len(waves)))]()
    share = np.clip(wave * rng.uniform(1, 12) * 0.5 + 0.5, 0, 1)[..., None]
    shade = 1.0 + rng.uniform(0, 0.2) * octaves(rng, side, 0.6)[..., None]
    return np.asarray((_colour(rng) * share + _colour(rng) * (1 - share)) * shade, np.float32)


_PAINTERS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "flat": _flat,
    "gradient": _gradient,
    "soft": _soft,
    "photo": _photo,
    "shapes": _shapes,
    "busy": _busy,
    "pattern": _pattern,
}

"""Characters and effects drawn in code, with their true alpha, laid on backdrops as videos and pictures show them.

What is compared with a computed mask is never the drawing itself but what a codec left of it: drifting backdrop, dark
corners, grain, JPEG or H.264. Everything is deterministic.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Alpha, Colour, Floats, Rgb, Rgba, flatten, unpremultiply

FINE = 3  # drawn this many times larger, then averaged: exact soft edges

STYLES = ("shaded", "flat", "white", "line", "soft", "thin", "dark")  # the thresholds of the cut-out were set on these
HELD_OUT = ("pale", "grey", "open", "blurred")  # drawn when they were done, and never used to set one
EFFECTS = ("tears", "hearts", "sparkles", "lines")

_FILLS: dict[str, Colour] = {
    "shaded": (242, 170, 60),
    "flat": (88, 170, 230),
    "white": (250, 250, 250),
    "line": (255, 255, 255),
    "soft": (176, 120, 84),
    "thin": (236, 96, 110),
    "dark": (44, 44, 52),
    "pale": (238, 240, 244),
    "grey": (148, 150, 156),
    "open": (255, 255, 255),
    "blurred": (120, 90, 200),
}
_EFFECT_FILLS: dict[str, Colour] = {
    "tears": (96, 184, 250),
    "hearts": (238, 60, 96),
    "sparkles": (255, 222, 90),
    "lines": (60, 60, 60),
}


@dataclass(frozen=True)
class Scene:
    """One frame without its backdrop: the character with its effects, and where each effect is."""

    rgba: Rgba  # (H, W, 4) straight, exact
    effects: tuple[NDArray[np.bool_], ...]  # (H, W) each: pixels of one effect with alpha ≥ 128


@dataclass(frozen=True)
class Behind:
    """A backdrop as clips have it."""

    colour: Colour
    drift: float = 0.0  # levels that it moves over the clip
    vignette: float = 0.0  # levels that the corners are darker
    slope: float = 0.0  # levels from left to right
    grain: float = 0.0  # standard deviation of the noise, levels
    first: float = 0.0  # levels that the first frame is brighter
    shadow: float = 0.0  # share that the shadow under the feet is darker, in its middle

    def field(self, size: int, phase: float) -> Floats:
        """(size, size, 3) RGB in 0..255."""
        line = np.linspace(-1.0, 1.0, size, dtype=np.float32)
        x, y = np.meshgrid(line, line)
        shade = self.drift * np.sin(2 * np.pi * phase) - self.vignette * (x * x + y * y) / 2 + self.slope * x / 2
        shade = shade + (self.first if phase == 0.0 else 0.0)
        lit = np.clip(np.asarray(self.colour, np.float32) + shade[..., None], 0.0, 255.0)
        return np.asarray(lit * (1.0 - self.shadow * _under_feet(size))[..., None], np.float32)


def _under_feet(size: int) -> Floats:
    """(size, size) 0..1: the soft spot that the character stands on."""
    spot = np.zeros((size, size), np.float32)
    cv2.ellipse(spot, (size // 2, round(0.925 * size)), (round(0.2 * size), round(0.02 * size)), 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(spot, (0, 0), 0.01 * size), np.float32)


# ------------------------------------------------------------------ drawing


class _Canvas:
    """A fine premultiplied raster; coordinates are in units of the picture's side, origin at its middle."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.side = size * FINE
        self.pixels = np.zeros((self.side, self.side, 4), np.float32)

    def paint(self, mask: Alpha, colour: Colour, *, shade: bool = False, blur: float = 0.0) -> NDArray[np.bool_]:
        """Lay a shape on the canvas; returns where it is, at the picture's size."""
        cover = mask.astype(np.float32) / 255.0
        if blur:
            cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), blur * FINE), np.float32)
        x, y, width, height = cv2.boundingRect((cover > 0).astype(np.uint8))
        box = slice(y, y + height), slice(x, x + width)
        fill = np.broadcast_to(np.asarray(colour, np.float32), (height, width, 3))
        if shade:
            fill = np.clip(fill * self._light(mask)[box][..., None], 0.0, 255.0)
        solid = cover[box][..., None]
        self.pixels[box] *= 1.0 - solid
        self.pixels[box][..., :3] += fill * solid
        self.pixels[box][..., 3:] += 255.0 * solid
        small = cv2.resize(cover, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return np.asarray(np.asarray(small) >= 0.5, np.bool_)

    def _light(self, mask: Alpha) -> Floats:
        rows, columns = np.nonzero(mask)
        if rows.size == 0:
            return np.ones(mask.shape, np.float32)
        y, x = np.mgrid[0 : self.side, 0 : self.side].astype(np.float32)
        x = (x - columns.mean()) / max(np.ptp(columns), 1.0) * 2
        y = (y - rows.mean()) / max(np.ptp(rows), 1.0) * 2
        return np.asarray(1.12 - 0.22 * np.hypot(x + 0.3, y + 0.4) ** 1.5, np.float32)

    def ellipse(self, x: float, y: float, wide: float, high: float, turn: float = 0.0) -> Alpha:
        mask = np.zeros((self.side, self.side), np.uint8)
        box = (round(wide * self.side), round(high * self.side))
        cv2.ellipse(mask, self._place(x, y), box, turn, 0, 360, 255, -1, cv2.LINE_AA)
        return mask

    def limb(self, x: float, y: float, to_x: float, to_y: float, thick: float) -> Alpha:
        mask = np.zeros((self.side, self.side), np.uint8)
        width = max(1, round(thick * self.side))
        cv2.line(mask, self._place(x, y), self._place(to_x, to_y), 255, width, cv2.LINE_AA)
        return mask

    def polygon(self, points: Sequence[tuple[float, float]]) -> Alpha:
        mask = np.zeros((self.side, self.side), np.uint8)
        cv2.fillPoly(mask, [np.array([self._place(x, y) for x, y in points], np.int32)], 255, cv2.LINE_AA)
        return mask

    def grown(self, mask: Alpha, by: float) -> Alpha:
        radius = max(1, round(by * self.side))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        return np.asarray(cv2.dilate(mask, disc), np.uint8)

    def picture(self) -> Rgba:
        small = cv2.resize(self.pixels, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return unpremultiply(np.asarray(small, np.float32))

    def _place(self, x: float, y: float) -> tuple[int, int]:
        return round((x + 0.5) * self.side), round((y + 0.5) * self.side)


def scene(style: str, phase: float = 0.0, *, size: int = 512, effects: Sequence[str] = ()) -> Scene:
    """The character in a style of STYLES or HELD_OUT at a phase 0..1 of its wave, with effects of EFFECTS."""
    canvas = _Canvas(size)
    if style == "blurred":
        _moving(canvas, style, phase)
    else:
        _character(canvas, style, phase)
    kept = [place for name in effects for place in _effect(canvas, name, phase)]
    return Scene(canvas.picture(), tuple(kept))


def _moving(canvas: _Canvas, style: str, phase: float) -> None:
    """The mean of what an open shutter saw."""
    seen = []
    for late in np.linspace(0.0, 0.03, 12):
        still = _Canvas(canvas.size)
        _character(still, style, phase + float(late))
        seen.append(still.pixels)
    canvas.pixels[...] = np.mean(seen, axis=0)


def _character(canvas: _Canvas, style: str, phase: float) -> None:
    bob = 0.015 * np.sin(2 * np.pi * phase)
    swing = 0.10 * np.sin(2 * np.pi * phase)
    thick = 0.014 if style == "thin" else 0.06
    shapes = [
        canvas.limb(-0.07, 0.20, -0.09, 0.40, thick),
        canvas.limb(0.07, 0.20, 0.09, 0.40, thick),
        canvas.limb(-0.12, 0.02 + bob, -0.24, 0.10 + bob, thick),  # hand on hip: the arm encloses a view through
        canvas.limb(-0.24, 0.10 + bob, -0.12, 0.22 + bob, thick),
        canvas.limb(0.12, 0.02 + bob, 0.27 + swing / 2, -0.10 - swing, thick),
        canvas.ellipse(0.0, 0.12 + bob, 0.13, 0.17),
        canvas.ellipse(0.0, -0.16 + 1.4 * bob, 0.19, 0.18),
    ]
    fill = _FILLS[style]
    if style in ("flat", "line", "white", "open"):
        outline = (20, 20, 24) if style != "white" else (150, 156, 170)
        for shape in shapes:
            canvas.paint(canvas.grown(shape, 0.006), outline)
    for shape in shapes:
        canvas.paint(
            shape,
            fill,
            shade=style in ("shaded", "white", "soft", "pale", "grey"),
            blur=1.6 if style == "soft" else 0.0,
        )
    if style == "open":
        for x, y in ((-0.13, -0.03), (0.155, -0.26), (0.125, 0.2)):  # where the pen was lifted
            canvas.paint(canvas.ellipse(x, y + bob, 0.012, 0.012), fill)
    _face(canvas, style, bob)


def _face(canvas: _Canvas, style: str, bob: float) -> None:
    ink = (230, 230, 236) if style == "dark" else (36, 30, 40)
    for side in (-1, 1):
        canvas.paint(canvas.ellipse(0.07 * side, -0.18 + 1.4 * bob, 0.02, 0.03), ink)
    canvas.paint(canvas.ellipse(0.0, -0.10 + 1.4 * bob, 0.05, 0.015), ink)
    canvas.paint(canvas.ellipse(0.0, 0.14 + bob, 0.07, 0.09), (255, 255, 255) if style != "dark" else (70, 70, 80))


def _effect(canvas: _Canvas, name: str, phase: float) -> list[NDArray[np.bool_]]:
    draw: Callable[[float, int], Alpha] = {
        "tears": lambda at, n: _drop(
            canvas, (-1) ** n * (0.25 + 0.05 * at), -0.22 + 0.3 * at, 0.022 * (1.1 - 0.5 * at)
        ),
        "hearts": lambda at, n: _heart(canvas, 0.26 + 0.06 * n, -0.30 - 0.1 * at, 0.035),
        "sparkles": lambda at, n: _star(canvas, -0.32 + 0.05 * n, -0.34 + 0.16 * n, 0.012 + 0.02 * np.sin(np.pi * at)),
        "lines": lambda at, n: canvas.limb(0.34, 0.05 * n + 0.1, 0.42 + 0.02 * at, 0.06 * n + 0.1, 0.006),
    }[name]
    return [canvas.paint(draw((phase + 0.37 * n) % 1.0, n), _EFFECT_FILLS[name]) for n in range(3)]


def _drop(canvas: _Canvas, x: float, y: float, size: float) -> Alpha:
    point = canvas.polygon([(x, y - 2 * size), (x - 0.85 * size, y - 0.4 * size), (x + 0.85 * size, y - 0.4 * size)])
    return np.asarray(np.maximum(point, canvas.ellipse(x, y, size, size)), np.uint8)


def _heart(canvas: _Canvas, x: float, y: float, size: float) -> Alpha:
    turn = np.linspace(0.0, 2 * np.pi, 48)
    across = 16 * np.sin(turn) ** 3 / 17
    down = -(13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn)) / 17
    return canvas.polygon([(x + size * float(a), y + size * float(d)) for a, d in zip(across, down, strict=True)])


def _star(canvas: _Canvas, x: float, y: float, size: float) -> Alpha:
    turn = np.linspace(0.0, 2 * np.pi, 9)[:-1]
    reach = [size if n % 2 == 0 else size * 0.3 for n in range(8)]
    return canvas.polygon(
        [(x + r * float(np.cos(t)), y + r * float(np.sin(t))) for r, t in zip(reach, turn, strict=True)]
    )


# ------------------------------------------------------------------ on a backdrop


def laid_on(scene_rgba: Rgba, behind: Behind, phase: float = 0.0, *, seed: int = 0) -> Rgb:
    """(H, W, 3): the scene on its backdrop, with grain, before any codec."""
    size = scene_rgba.shape[0]
    alpha = scene_rgba[..., 3:].astype(np.float32) / 255.0
    mixed = scene_rgba[..., :3] * alpha + behind.field(size, phase) * (1.0 - alpha)
    if behind.grain:
        mixed = mixed + np.random.default_rng(seed).normal(0.0, behind.grain, (size, size, 1))
    return np.asarray(np.clip(np.rint(mixed), 0, 255), np.uint8)


def on_flat(rgba: Rgba, colour: Colour) -> Rgb:
    """The picture flattened on one colour."""
    return flatten(rgba, colour)


def as_jpeg(rgb: Rgb, quality: int) -> Rgb:
    """What a JPEG of that quality (colour at half the resolution) shows."""
    _, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def as_h264(frames: Sequence[Rgb], *, crf: int) -> list[Rgb]:
    """What an H.264 clip of that quality shows, yuv420p as every provider sends it."""
    data = io.BytesIO()
    with av.open(data, "w", format="mp4") as container:
        stream = cast(Any, container.add_stream("libx264", rate=24, options={"crf": str(crf), "preset": "veryfast"}))
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for rgb in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    data.seek(0)
    with av.open(data, "r") as clip:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in clip.decode(video=0)]


def phases(count: int) -> Iterator[float]:
    """Evenly over one loop."""
    return (n / count for n in range(count))


# ------------------------------------------------------------------ figures


def iou(found: Alpha, truth: Alpha) -> float:
    """Intersection over union of the pixels with alpha ≥ 128; 1 when both are empty."""
    one, other = found >= 128, truth >= 128
    union = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / union if union else 1.0


def alpha_error(found: Alpha, truth: Alpha) -> float:
    """Mean absolute error of alpha over the whole picture, 0..1."""
    return float(np.mean(np.abs(found.astype(np.float32) - truth))) / 255.0


def edge_error(found: Alpha, truth: Alpha) -> float:
    """Mean absolute error of alpha, 0..1, within two pixels of the true edge."""
    disc = np.ones((5, 5), np.uint8)
    band = np.asarray(cv2.dilate(truth, disc)) != np.asarray(cv2.erode(truth, disc))
    return float(np.mean(np.abs(found[band].astype(np.float32) - truth[band]))) / 255.0


def share_kept(found: Alpha, effects: Sequence[NDArray[np.bool_]]) -> float:
    """Share of the effects of which at least half the pixels are there; 1 when there are none."""
    seen = [place for place in effects if place.any()]
    return float(np.mean([np.mean(found[place] >= 128) >= 0.5 for place in seen])) if seen else 1.0

"""One palette with alpha for a whole clip, so that colours do not flicker from frame to frame.

libimagequant through its C interface: its Python wrapper walks over pixels one by one. A palette per frame would also
change pixels that stand still, and every changed pixel costs bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from imagequant import ffi, lib
from numpy.typing import NDArray

from popcond.media.raster import Rgba
from popcond.stickers.compose import EMPTY_BELOW, SOLID_FROM

MOST_COLOURS = 256
_SPEED = 4  # 1 slow and best … 10; 4 is libimagequant's own default
_LARGE = 3_000_000  # pixels from which every second frame is enough for the histogram, and a quicker search
_QUICK = 7
_LUMA = np.array([0.2126, 0.7152, 0.0722])

Indices = NDArray[np.uint8]  # (H, W), places in a palette


@dataclass(frozen=True)
class Quantised:
    """Frames as indices into one palette. Entry 0 is empty; soft entries come next, solid ones last, dark to light."""

    frames: tuple[Indices, ...]
    palette: Rgba  # (N, 4), straight

    def rgba(self) -> list[Rgba]:
        """The frames as true colour again."""
        return [self.palette[frame] for frame in self.frames]


def quantise(frames: Sequence[Rgba], colours: int, dither: float = 0.0) -> Quantised:
    """All frames through one palette of at most `colours` entries, one of them empty."""
    pixels = sum(frame.shape[0] * frame.shape[1] for frame in frames)
    speed, every = (_QUICK, 2) if pixels > _LARGE else (_SPEED, 1)
    with _attributes(colours, speed) as attributes, _palette_of(frames[::every], attributes) as result:
        lib.liq_set_dithering_level(result, dither)
        indices = [_remapped(frame, attributes, result) for frame in frames]
        palette = _entries(result)
    return _ordered(indices, palette)


@contextmanager
def _attributes(colours: int, speed: int) -> Iterator[Any]:
    attributes = lib.liq_attr_create()
    try:
        lib.liq_set_max_colors(attributes, colours)
        lib.liq_set_speed(attributes, speed)
        lib.liq_set_quality(attributes, 0, 100)  # never refuse for want of quality
        yield attributes
    finally:
        lib.liq_attr_destroy(attributes)


@contextmanager
def _palette_of(frames: Sequence[Rgba], attributes: Any) -> Iterator[Any]:
    histogram = lib.liq_histogram_create(attributes)
    answer = ffi.new("liq_result**")
    try:
        empty = ffi.new("liq_color*", [0, 0, 0, 0])[0]
        lib.liq_histogram_add_fixed_color(histogram, empty, 0.0)
        for frame in frames:
            with _image(np.ascontiguousarray(frame), attributes) as image:
                lib.liq_histogram_add_image(histogram, attributes, image)
        code = lib.liq_histogram_quantize(histogram, attributes, answer)
        if code != lib.LIQ_OK:
            raise RuntimeError(f"libimagequant found no palette (error {code})")
        yield answer[0]
    finally:
        if answer[0]:
            lib.liq_result_destroy(answer[0])
        lib.liq_histogram_destroy(histogram)


@contextmanager
def _image(frame: Rgba, attributes: Any) -> Iterator[Any]:
    """libimagequant keeps a pointer to the pixels, so the frame must outlive the image."""
    height, width = frame.shape[:2]
    image = lib.liq_image_create_rgba(attributes, ffi.from_buffer("char[]", frame), width, height, 0)
    try:
        yield image
    finally:
        lib.liq_image_destroy(image)


def _remapped(frame: Rgba, attributes: Any, result: Any) -> Indices:
    indices = np.empty(frame.shape[:2], np.uint8)
    with _image(np.ascontiguousarray(frame), attributes) as image:
        code = lib.liq_write_remapped_image(result, image, ffi.from_buffer("char[]", indices), indices.size)
    if code != lib.LIQ_OK:
        raise RuntimeError(f"libimagequant could not remap a frame (error {code})")
    return indices


def _entries(result: Any) -> Rgba:
    table = lib.liq_get_palette(result)
    rows = [(entry.r, entry.g, entry.b, entry.a) for entry in table.entries[0 : table.count]]
    palette = np.array(rows, np.uint8).reshape(-1, 4)
    palette[palette[:, 3] >= SOLID_FROM, 3] = 255
    palette[palette[:, 3] <= EMPTY_BELOW] = 0
    return palette


def _ordered(indices: Sequence[Indices], palette: Rgba) -> Quantised:
    """Equal entries joined; empty first, then soft, then solid, so that PNG's alpha table stays short."""
    unique, joined = np.unique(palette, axis=0, return_inverse=True)
    if not (unique[:, 3] == 0).any():
        unique = np.concatenate([np.zeros((1, 4), np.uint8), unique])[:MOST_COLOURS]
        joined = np.minimum(joined + 1, len(unique) - 1)
    brightness = unique[:, :3] @ _LUMA
    order = np.lexsort((brightness, unique[:, 3] > 0, unique[:, 3] == 255))
    place = np.empty(len(unique), np.uint8)
    place[order] = np.arange(len(order), dtype=np.uint8)
    renumber = place[joined.reshape(-1)]
    return Quantised(tuple(renumber[frame] for frame in indices), unique[order])

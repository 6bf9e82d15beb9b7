"""Writes APNG: true colour with alpha (colour type 6) or one shared palette (type 3).

Each frame after the first is the box that changed, either replacing what was there or drawn over it with holes where
nothing changed, whichever is smaller. Nothing is ever disposed of: decoders disagree about dispose-to-previous.
Drawing over is exact only where every changed pixel is solid, so it is used only there.

Source: PNG specification, third edition (W3C, 2025), sections 11 and 12.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import deflate
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Rgba
from popcond.stickers.palette import Quantised
from popcond.stickers.timing import Timing

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TRUE_COLOUR, PALETTE = 6, 3
_SOURCE, _OVER = 0, 1
_HOLE = 0  # empty, in true colour as in our palettes
_DOTS_PER_METRE = 2835  # 72 dots per inch
_TRIAL = 3  # libdeflate's level for comparing …
_FINAL, _FINAL_PALETTE = 10, 9  # … and for keeping: 12 costs six times the time of 10 for 2 to 4 %
_EXPECTED_GAIN = 0.90  # the final level against the trial one

Pixels = NDArray[np.uint8]  # (H, W, C): RGBA, or one channel of indices
_Solid = Callable[[Pixels], NDArray[np.bool_]]  # (H, W): which pixels hide what is below them


@dataclass(frozen=True)
class _Area:
    """The part of the canvas that a frame changes."""

    left: int
    top: int
    pixels: Pixels
    blend: int = _SOURCE


@dataclass(frozen=True)
class _Block:
    """An area whose rows are filtered and ready for deflate."""

    area: _Area
    rows: bytes

    def size(self) -> int:
        """Bytes after a quick deflate, to tell the better of two blocks by."""
        return len(deflate.zlib_compress(self.rows, _TRIAL))


def write_true_colour(frames: Sequence[Rgba], timing: Timing, *, few_colours: bool) -> bytes:
    """APNG of colour type 6, lossless. `few_colours`: the frames came through a palette, so rows stay unfiltered."""
    blocks = _blocks(frames, solid=lambda pixels: pixels[..., 3] == 255, filters=not few_colours)
    return _file(frames[0].shape, TRUE_COLOUR, [], blocks, timing)


def write_palette(quantised: Quantised, timing: Timing) -> bytes:
    """APNG of colour type 3: one palette, with alpha, for all frames."""
    palette = quantised.palette
    soft = palette[:, 3][palette[:, 3] < 255]  # they come first
    tables = [chunk(b"PLTE", palette[:, :3].tobytes()), chunk(b"tRNS", soft.tobytes())]
    is_solid = palette[:, 3] == 255
    frames = [frame[..., None] for frame in quantised.frames]
    blocks = _blocks(frames, solid=lambda pixels: is_solid[pixels[..., 0]], filters=False)
    return _file(frames[0].shape, PALETTE, tables, blocks, timing)


def estimate_true_colour(frames: Sequence[Rgba], enough: int) -> int:
    """About how many bytes the lossless file needs; stops counting beyond `enough`, with a larger number."""
    total = 0
    for index, frame in enumerate(frames):
        area = _whole(frame) if index == 0 else _changed(frames[index - 1], frame)
        block = _Block(area, _filtered_rows(area.pixels))
        plain = _Block(area, _plain_rows(area.pixels))
        total += round(min(block.size(), plain.size()) * _EXPECTED_GAIN)
        if total > enough:
            break
    return total


def write_still(rgba: Rgba) -> bytes:
    """A single PNG, true colour with alpha, 72 dpi."""
    rows = min((_plain_rows(rgba), _filtered_rows(rgba)), key=lambda rows: len(deflate.zlib_compress(rows, _TRIAL)))
    head = [_header(rgba.shape[1], rgba.shape[0], TRUE_COLOUR), _physical_size()]
    return b"".join([SIGNATURE, *head, chunk(b"IDAT", _packed(rows, TRUE_COLOUR)), chunk(b"IEND", b"")])


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


# ------------------------------------------------------------------ the file


def _file(
    shape: tuple[int, ...], colour_type: int, tables: Sequence[bytes], blocks: Sequence[_Block], timing: Timing
) -> bytes:
    height, width = shape[:2]
    parts = [SIGNATURE, _header(width, height, colour_type)]
    parts += [chunk(b"acTL", struct.pack(">II", len(blocks), timing.plays)), _physical_size(), *tables]
    sequence = 0
    for index, (block, delay) in enumerate(zip(blocks, timing.delays, strict=True)):
        parts.append(_control(sequence, block.area, delay))
        data = _packed(block.rows, colour_type)
        parts.append(chunk(b"IDAT", data) if index == 0 else chunk(b"fdAT", struct.pack(">I", sequence + 1) + data))
        sequence += 1 if index == 0 else 2
    return b"".join([*parts, chunk(b"IEND", b"")])


def _header(width: int, height: int, colour_type: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0))


def _physical_size() -> bytes:
    return chunk(b"pHYs", struct.pack(">IIB", _DOTS_PER_METRE, _DOTS_PER_METRE, 1))


def _control(sequence: int, area: _Area, delay: tuple[int, int]) -> bytes:
    height, width = area.pixels.shape[:2]
    place = (sequence, width, height, area.left, area.top, *delay)
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", *place, 0, area.blend))


def _packed(rows: bytes, colour_type: int) -> bytes:
    return bytes(deflate.zlib_compress(rows, _FINAL_PALETTE if colour_type == PALETTE else _FINAL))


# ------------------------------------------------------------------ what changes from frame to frame


def _blocks(frames: Sequence[Pixels], *, solid: _Solid, filters: bool) -> list[_Block]:
    blocks = []
    for index, frame in enumerate(frames):
        candidates = [_whole(frame)] if index == 0 else _ways(frames[index - 1], frame, solid)
        blocks.append(_smallest(candidates, filters))
    return blocks


def _smallest(areas: Sequence[_Area], filters: bool) -> _Block:
    candidates = [_Block(area, _plain_rows(area.pixels)) for area in areas]
    if filters:
        candidates += [_Block(area, _filtered_rows(area.pixels)) for area in areas if area.blend == _SOURCE]
    return candidates[0] if len(candidates) == 1 else min(candidates, key=_Block.size)


def _ways(before: Pixels, after: Pixels, solid: _Solid) -> list[_Area]:
    """Replace the changed box, and, where that is exact, draw over it with holes."""
    replaced = _changed(before, after)
    height, width = replaced.pixels.shape[:2]
    old = before[replaced.top : replaced.top + height, replaced.left : replaced.left + width]
    moved = (old != replaced.pixels).any(axis=-1)
    if not solid(replaced.pixels)[moved].all():
        return [replaced]
    holes = replaced.pixels.copy()
    holes[~moved] = _HOLE
    return [replaced, _Area(replaced.left, replaced.top, holes, _OVER)]


def _whole(frame: Pixels) -> _Area:
    return _Area(0, 0, frame)


def _changed(before: Pixels, after: Pixels) -> _Area:
    """The box that differs; one pixel when nothing does."""
    differs = (before != after).any(axis=-1)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        return _Area(0, 0, after[:1, :1])
    left, top = int(columns[0]), int(rows[0])
    return _Area(left, top, after[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1])


# ------------------------------------------------------------------ rows


def _plain_rows(pixels: Pixels) -> bytes:
    """Filter type 0: repeats stay repeats, which is best for few colours."""
    flat = pixels.reshape(len(pixels), -1)
    return np.hstack([np.zeros((len(flat), 1), np.uint8), flat]).tobytes()


def _filtered_rows(pixels: Pixels) -> bytes:
    """Per row the filter with the smallest sum of absolute differences (PNG specification, section 12.7)."""
    depth = pixels.shape[2]
    row = np.ascontiguousarray(pixels.reshape(len(pixels), -1))
    above, left, corner = np.zeros_like(row), np.zeros_like(row), np.zeros_like(row)
    above[1:] = row[:-1]
    left[:, depth:] = row[:, :-depth]
    corner[1:, depth:] = row[:-1, :-depth]
    mean = ((left.astype(np.uint16) + above) // 2).astype(np.uint8)
    filtered = np.stack([row, row - left, row - above, row - mean, row - _paeth(left, above, corner)])
    cost = np.abs(filtered.view(np.int8).astype(np.int16)).sum(axis=2, dtype=np.int64)
    best = cost.argmin(axis=0)
    chosen = filtered[best, np.arange(len(row))]
    return np.hstack([best[:, None].astype(np.uint8), chosen]).tobytes()


def _paeth(left: Pixels, above: Pixels, corner: Pixels) -> Pixels:
    """Of left, above and corner the one nearest to left + above − corner; ties go in that order."""
    a, b, c = (plane.astype(np.int16) for plane in (left, above, corner))
    to_left, to_above, to_corner = np.abs(b - c), np.abs(a - c), np.abs(a + b - 2 * c)
    upper = np.where(to_above <= to_corner, above, corner)
    return np.asarray(np.where((to_left <= to_above) & (to_left <= to_corner), left, upper), np.uint8)

"""Writes GIF: one shared palette, hard edges, and gifsicle as a separate program where there is one.

GIF knows only "there" and "not there". Alpha is cut at one half and the straight colour is kept: that holds up on
white, dark and grey chats alike, where blending on any one colour leaves a fringe on the others.

gifsicle is GPL-2.0-only. It is run, never linked; without it files are correct and larger.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from popcond.media.raster import Rgba
from popcond.stickers.palette import Indices, Quantised, quantise
from popcond.stickers.timing import Timing

HALF = 128  # alpha from which a pixel is there
_MILLISECONDS = 1000
_PATIENCE = 60.0  # seconds for gifsicle
_CLEAR_FIRST = 2  # disposal: each frame starts from an empty canvas; gifsicle finds the cheaper ways


def hard_edges(rgba: Rgba) -> Rgba:
    """Alpha 0 or 255, cut at one half, with the straight colour kept."""
    result = rgba.copy()
    there = rgba[..., 3] >= HALF
    result[..., 3] = np.where(there, 255, 0)
    result[~there] = 0
    return result


def quantise_hard(frames: Sequence[Rgba], colours: int, dither: float = 0.3) -> Quantised:
    """All frames through one palette of at most `colours` entries; entry 0, and only that, is empty."""
    quantised = quantise([hard_edges(frame) for frame in frames], colours, dither)
    empty = quantised.palette[:, 3] < HALF
    renumber = np.arange(len(quantised.palette), dtype=np.uint8)
    renumber[empty] = 0
    palette = quantised.palette.copy()
    palette[:, 3] = np.where(empty, 0, 255)
    return Quantised(tuple(renumber[frame] for frame in quantised.frames), palette)


def write_gif(quantised: Quantised, timing: Timing) -> bytes:
    """GIF of hard-edged frames; delays must be whole centiseconds, neighbours must differ."""
    plain = _unoptimised(quantised, timing)
    optimised = _gifsicle(plain)
    return optimised if optimised is not None and len(optimised) < len(plain) else plain


def _unoptimised(quantised: Quantised, timing: Timing) -> bytes:
    table = np.zeros((256, 3), np.uint8)
    table[: len(quantised.palette)] = quantised.palette[:, :3]
    first, *rest = [_picture(frame, table) for frame in quantised.frames]
    loops = {} if timing.plays == 1 else {"loop": max(0, timing.plays - 1)}
    buffer = io.BytesIO()
    first.save(
        buffer,
        "GIF",
        save_all=True,
        append_images=rest,
        duration=[round(delay.seconds * _MILLISECONDS) for delay in timing.delays],
        disposal=_CLEAR_FIRST,
        transparency=0,
        background=0,
        optimize=False,
        **loops,
    )
    return buffer.getvalue()


def _picture(indices: Indices, table: Rgba) -> Image.Image:
    picture = Image.frombytes("P", (indices.shape[1], indices.shape[0]), np.ascontiguousarray(indices).tobytes())
    picture.putpalette(table.tobytes())
    picture.info["transparency"] = 0
    return picture


def _gifsicle(data: bytes) -> bytes | None:
    """The same GIF, smaller; None when gifsicle is missing or fails: its work is welcome, never needed."""
    program = gifsicle_program()
    if program is None:
        return None
    command = [program, "--no-warnings", "-O3"]
    try:
        done = subprocess.run(command, input=data, capture_output=True, check=True, timeout=_PATIENCE)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout or None


def gifsicle_program() -> str | None:
    """Where gifsicle is: beside this Python, or on the path."""
    beside = Path(sys.executable).with_name("gifsicle")
    return str(beside) if beside.is_file() else shutil.which("gifsicle")

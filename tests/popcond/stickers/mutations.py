"""Breaks good APNG files in known ways, chunk by chunk."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable

import numpy as np

from popcond.media.raster import Rgba
from popcond.stickers.apng import SIGNATURE, chunk, write_true_colour
from popcond.stickers.timing import Delay, Timing

Chunk = tuple[bytes, bytes]


def chunks(data: bytes) -> list[Chunk]:
    """(kind, body) of every chunk of a PNG."""
    found, position = [], len(SIGNATURE)
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        found.append((kind, data[position + 8 : position + 8 + length]))
        position += 12 + length
    return found


def png(parts: Iterable[Chunk]) -> bytes:
    """A PNG of these chunks, with right checksums."""
    return SIGNATURE + b"".join(chunk(kind, body) for kind, body in parts)


def changed(data: bytes, kind: bytes, change: Callable[[bytes], bytes], which: int = 0) -> bytes:
    """With the body of the `which`-th chunk of that kind changed."""
    parts = chunks(data)
    place = [place for place, part in enumerate(parts) if part[0] == kind][which]
    parts[place] = (kind, change(parts[place][1]))
    return png(parts)


def without(data: bytes, kind: bytes, which: int = 0) -> bytes:
    """With the `which`-th chunk of that kind left out."""
    parts = chunks(data)
    del parts[[place for place, part in enumerate(parts) if part[0] == kind][which]]
    return png(parts)


def with_bytes(body: bytes, at: int, new: bytes) -> bytes:
    """The same body with some bytes replaced."""
    return body[:at] + new + body[at + len(new) :]


def with_plays(data: bytes, plays: int) -> bytes:
    return changed(data, b"acTL", lambda body: with_bytes(body, 4, struct.pack(">I", plays)))


def with_delays(data: bytes, num: int, den: int) -> bytes:
    """Every frame shown for num / den seconds."""
    parts = [
        (kind, with_bytes(body, 20, struct.pack(">HH", num, den)) if kind == b"fcTL" else body)
        for kind, body in chunks(data)
    ]
    return png(parts)


def with_hidden_first_picture(data: bytes) -> bytes:
    """The first frame's control chunk is gone: its picture is only for programs that do not know APNG."""
    hidden = changed(data, b"acTL", lambda body: struct.pack(">I", struct.unpack(">I", body[:4])[0] - 1) + body[4:])
    parts = chunks(without(hidden, b"fcTL"))
    numbered, sequence = [], 0
    for kind, body in parts:
        if kind in (b"fcTL", b"fdAT"):
            numbered.append((kind, struct.pack(">I", sequence) + body[4:]))
            sequence += 1
        else:
            numbered.append((kind, body))
    return png(numbered)


def animation(frames: list[Rgba], seconds: int, plays: int) -> bytes:
    """An APNG of even frames, written without any of the fitting."""
    delays = (Delay(seconds, len(frames)),) * len(frames)
    return write_true_colour(frames, Timing(delays, plays), few_colours=False)


def opaque(frames: list[Rgba]) -> list[Rgba]:
    """The same frames on a solid white ground."""
    filled = [frame.copy() for frame in frames]
    for frame in filled:
        frame[frame[..., 3] == 0] = 255
        frame[..., 3] = 255
    return filled


def flipped(data: bytes, at: int) -> bytes:
    """With one bit turned over."""
    raw = np.frombuffer(data, np.uint8).copy()
    raw[at] ^= 16
    return raw.tobytes()

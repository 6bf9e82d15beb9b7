"""The frames and delays of GIF, APNG and animated WebP, read from their blocks without decoding a pixel.

Knowing them beforehand lets a clip be judged and thinned while it streams, and shows whether the file is whole.
Sources: GIF89a specification, sections 18–25; PNG third edition, 11.3.5 (acTL, fcTL); WebP container specification.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from popcond.errors import UnreadableClip
from popcond.media.signature import FileKind

_SHORTEST = 0.010  # seconds; browsers show what is at most this long for a tenth of a second
_BROWSERS_INSTEAD = 0.100
_BROKEN = "Export or download it again, and check that it plays."


@dataclass(frozen=True)
class Delays:
    """What the blocks of an animation say."""

    width: int  # of the canvas
    height: int
    reach: tuple[int, int]  # width and height that hold every frame, even one that leaves the canvas
    seconds: tuple[float, ...]  # one a frame that is whole, as browsers show it
    promised: int = 0  # frames that the header announces, where it does
    is_whole: bool = True  # the end mark was found
    hidden_first: bool = False  # an APNG's default picture is not part of the animation


class _CutShort(Exception):
    """The file ends in the middle of something."""


def read_delays(path: Path, kind: FileKind) -> Delays:
    """The delays of a GIF, PNG or WebP. Raises UnreadableClip for a still picture and for a broken beginning."""
    readers: dict[FileKind, Callable[[BinaryIO], Delays | None]] = {
        FileKind.GIF: _gif,
        FileKind.PNG: _apng,
        FileKind.WEBP: _webp,
    }
    try:
        with path.open("rb") as file:
            delays = readers[kind](file)
    except (_CutShort, struct.error) as error:
        raise UnreadableClip(f"{path.name} is damaged or not complete.", cure=_BROKEN) from error
    if delays is None:
        raise UnreadableClip(f"{path.name} is a still picture.", cure="Use it as a character instead.")
    return delays


def _as_browsers_do(seconds: float) -> float:
    return _BROWSERS_INSTEAD if seconds <= _SHORTEST + 1e-9 else seconds


def _take(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise _CutShort
    return data


# ------------------------------------------------------------------ GIF


def _gif(file: BinaryIO) -> Delays:
    _take(file, 6)
    width, height, flags = struct.unpack("<HHB2x", _take(file, 7))
    _skip_palette(file, flags)
    reach, seconds, is_whole = (width, height), list[float](), True
    try:
        for delay, right, bottom in _gif_pictures(file):
            reach = max(reach[0], right), max(reach[1], bottom)
            _skip_sub_blocks(file)
            seconds.append(delay)
    except _CutShort:
        is_whole = False
    return Delays(width, height, reach, tuple(seconds), is_whole=is_whole)


def _gif_pictures(file: BinaryIO) -> Iterator[tuple[float, int, int]]:
    """Delay, right and bottom edge of each picture, the file standing at its data. Ends at the trailer."""
    delay = 0.0
    while (introducer := _take(file, 1)) != b";":
        if introducer == b"!":
            label, block = _take(file, 1), _sub_block(file)
            if label == b"\xf9" and len(block) >= 4:
                delay = float(struct.unpack_from("<H", block, 1)[0]) / 100
            if block:
                _skip_sub_blocks(file)
        elif introducer == b",":
            left, top, width, height, flags = struct.unpack("<4HB", _take(file, 9))
            _skip_palette(file, flags)
            _take(file, 1)  # LZW code size
            yield _as_browsers_do(delay), left + width, top + height
            delay = 0.0
        else:
            raise _CutShort


def _skip_palette(file: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        _take(file, 3 << ((flags & 7) + 1))


def _sub_block(file: BinaryIO) -> bytes:
    return _take(file, _take(file, 1)[0])


def _skip_sub_blocks(file: BinaryIO) -> None:
    while _sub_block(file):
        pass


# ------------------------------------------------------------------ APNG


def _apng(file: BinaryIO) -> Delays | None:
    _take(file, 8)
    width = height = promised = 0
    seconds: list[float] = []
    hidden_first = False
    for name, payload in _png_chunks(file):
        if name == b"IHDR":
            width, height = struct.unpack_from(">II", payload)
        elif name == b"acTL":
            promised = struct.unpack_from(">I", payload)[0]
        elif name == b"fcTL":
            seconds.append(_apng_delay(payload))
        elif name == b"IDAT":
            hidden_first = hidden_first or not seconds
    if not promised:
        return None
    return Delays(width, height, (width, height), tuple(seconds[:promised]), promised, hidden_first=hidden_first)


def _png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Names and, of the short ones, payloads; stops where the file does."""
    name = b""
    while name != b"IEND":
        start = file.read(8)
        if len(start) < 8:
            return
        length, name = struct.unpack(">I4s", start)
        if name in (b"IHDR", b"acTL", b"fcTL") and length <= 64:
            yield name, _take(file, length)
            file.seek(4, 1)
        else:
            yield name, b""
            file.seek(length + 4, 1)


def _apng_delay(control: bytes) -> float:
    numerator, denominator = struct.unpack_from(">HH", control, 20)
    return _as_browsers_do(numerator / (denominator or 100))


# ------------------------------------------------------------------ WebP


def _webp(file: BinaryIO) -> Delays | None:
    announced = 8 + _riff_length(file)
    if file.seek(0, 2) < announced:
        raise _CutShort
    file.seek(12)
    width = height = 0
    is_animated = False
    seconds: list[float] = []
    for name, payload in _webp_chunks(file):
        if name == b"VP8X":
            is_animated = bool(payload[0] & 0x02)
            width, height = (1 + int.from_bytes(payload[at : at + 3], "little") for at in (4, 7))
        elif name == b"ANMF":
            seconds.append(_as_browsers_do(int.from_bytes(payload[12:15], "little") / 1000))
    if not is_animated:
        return None
    return Delays(width, height, (width, height), tuple(seconds), len(seconds))


def _riff_length(file: BinaryIO) -> int:
    file.seek(4)
    return int.from_bytes(_take(file, 4), "little")


def _webp_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Names and the first 16 bytes of each chunk; stops where the file does."""
    while len(start := file.read(8)) == 8:
        name, length = struct.unpack("<4sI", start)
        here = file.tell()
        yield name, file.read(min(length, 16)).ljust(16, b"\0")
        file.seek(here + length + length % 2)

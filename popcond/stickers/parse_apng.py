"""Reads APNG and PNG chunk by chunk: checksums, order, sequence numbers, frame areas, and the pixels' own streams.

Decoders forgive what stores do not: a hidden first picture, a delay of zero, bytes after the end.

Source: PNG specification, third edition (W3C, 2025).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from popcond.stickers.apng import SIGNATURE
from popcond.stickers.facts import Colours, FileFacts, Flaw
from popcond.wire import StickerFormat

_COLOURS = {0: Colours.GREY, 2: Colours.RGB, 3: Colours.PALETTE, 4: Colours.GREY_ALPHA, 6: Colours.RGBA}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_INCHES_PER_METRE = 0.0254
_MOST_PIXELS = 100_000_000  # of one canvas: beyond that the streams are not opened


@dataclass
class _Frame:
    """One frame while it is being read."""

    width: int
    height: int
    data: bytearray = field(default_factory=bytearray)


@dataclass
class _Reading:
    """What has been read so far."""

    width: int = 0
    height: int = 0
    bit_depth: int = 8
    colour_type: int = 6
    interlaced: bool = False
    dpi: float | None = None
    promised: int | None = None  # frames, by acTL
    plays: int | None = None
    sequence: int = 0
    delays: list[Fraction] = field(default_factory=list)
    frames: list[_Frame] = field(default_factory=list)
    hidden: bool = False
    flaws: list[Flaw] = field(default_factory=list)

    def flaw(self, sentence: str, rule: str = "structure") -> None:
        """Notes what is wrong, under the rule that it breaks; reading goes on."""
        self.flaws.append(Flaw(rule, sentence))


def is_png(data: bytes) -> bool:
    """True when the signature says PNG."""
    return data.startswith(SIGNATURE)


def parse_apng(data: bytes) -> FileFacts:
    """The facts of a PNG or APNG. Never raises: what is wrong becomes a flaw."""
    reading = _Reading()
    kinds = []
    for kind, body in _chunks(data, reading):
        kinds.append(kind)
        _take(kind, body, reading)
    _check_order(kinds, reading)
    for frame in reading.frames:
        _check_stream(frame, reading)
    return FileFacts(
        format=StickerFormat.APNG if reading.promised is not None else None,
        width=reading.width,
        height=reading.height,
        delays=tuple(reading.delays),
        plays=reading.plays,
        colours=_COLOURS.get(reading.colour_type),
        bit_depth=reading.bit_depth,
        interlaced=reading.interlaced,
        dpi=reading.dpi,
        flaws=tuple(reading.flaws),
    )


def _chunks(data: bytes, reading: _Reading) -> Iterator[tuple[bytes, bytes]]:
    position = len(SIGNATURE)
    while position < len(data):
        if position + 12 > len(data):
            return reading.flaw("The file ends in the middle of a chunk.")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            return reading.flaw("The file ends in the middle of a chunk.")
        body = data[position + 8 : end - 4]
        if zlib.crc32(kind + body) != int.from_bytes(data[end - 4 : end], "big"):
            reading.flaw(f"The checksum of a {kind.decode('latin-1')!r} chunk is wrong: the file is damaged.")
        yield kind, body
        position = end
        if kind == b"IEND" and position < len(data):
            return reading.flaw(f"{len(data) - position} bytes follow the end of the picture.")
    return None


def _take(kind: bytes, body: bytes, reading: _Reading) -> None:
    readers = {
        b"IHDR": _take_header,
        b"acTL": _take_animation,
        b"pHYs": _take_physical_size,
        b"fcTL": _take_control,
        b"IDAT": _take_first_pixels,
        b"fdAT": _take_pixels,
    }
    if kind in readers:
        try:
            readers[kind](body, reading)
        except (struct.error, IndexError):
            reading.flaw(f"A {kind.decode('latin-1')!r} chunk has the wrong length.")


def _take_header(body: bytes, reading: _Reading) -> None:
    width, height, depth, colour_type, _, _, interlace = struct.unpack(">IIBBBBB", body)
    reading.width, reading.height = width, height
    reading.bit_depth, reading.colour_type, reading.interlaced = depth, colour_type, interlace != 0
    if colour_type not in _COLOURS:
        reading.flaw(f"There is no colour type {colour_type}.")


def _take_animation(body: bytes, reading: _Reading) -> None:
    reading.promised, reading.plays = struct.unpack(">II", body)


def _take_physical_size(body: bytes, reading: _Reading) -> None:
    across, _, unit = struct.unpack(">IIB", body)
    reading.dpi = across * _INCHES_PER_METRE if unit == 1 else None


def _take_control(body: bytes, reading: _Reading) -> None:
    sequence, width, height, left, top, num, den, _, _ = struct.unpack(">IIIIIHHBB", body)
    _count_sequence(sequence, reading)
    if left + width > reading.width or top + height > reading.height or not width or not height:
        reading.flaw(f"Frame {len(reading.frames) + 1} lies outside the canvas.")
    reading.delays.append(Fraction(num, den or 100))
    if num == 0:
        reading.flaw(f"Frame {len(reading.delays)} is shown for no time at all.", "zero_delay")
    reading.frames.append(_Frame(width, height))


def _take_first_pixels(body: bytes, reading: _Reading) -> None:
    if not reading.delays and not reading.hidden:
        reading.hidden = True
        reading.frames.append(_Frame(reading.width, reading.height))
    reading.frames[0].data += body


def _take_pixels(body: bytes, reading: _Reading) -> None:
    _count_sequence(struct.unpack(">I", body[:4])[0], reading)
    if len(reading.frames) < 2:
        reading.flaw("Pixels of a later frame come before that frame is announced.")
    else:
        reading.frames[-1].data += body[4:]


def _count_sequence(found: int, reading: _Reading) -> None:
    if found != reading.sequence:
        reading.flaw(f"Sequence number {found} stands where {reading.sequence} is due.")
    reading.sequence = found + 1


def _check_order(kinds: list[bytes], reading: _Reading) -> None:
    if kinds[:1] != [b"IHDR"]:
        reading.flaw("The file does not begin with its header.")
    if kinds[-1:] != [b"IEND"]:
        reading.flaw("The file has no end: it is truncated.")
    if b"IDAT" not in kinds:
        reading.flaw("The file holds no pixels.")
    elif b"acTL" in kinds and kinds.index(b"acTL") > kinds.index(b"IDAT"):
        reading.flaw("The animation is announced after the first pixels, so many programs show a still.")
    if reading.promised is None:
        return
    if reading.hidden:
        reading.flaw("The first picture is hidden: it is not a frame of the animation.", "hidden_first_frame")
    if reading.promised != len(reading.delays):
        reading.flaw(f"The file promises {reading.promised} frames and has {len(reading.delays)}.")


def _check_stream(frame: _Frame, reading: _Reading) -> None:
    """The compressed stream must hold every row of the frame, no more and no less."""
    if reading.interlaced or frame.width * frame.height > _MOST_PIXELS:
        return
    bits = _CHANNELS.get(reading.colour_type, 4) * reading.bit_depth
    expected = frame.height * (1 + (frame.width * bits + 7) // 8)
    inflater = zlib.decompressobj()
    try:
        rows = inflater.decompress(bytes(frame.data), expected + 1)
    except zlib.error:
        reading.flaw("The pixels of a frame cannot be unpacked: the file is damaged.")
    else:
        if len(rows) != expected or not inflater.eof or inflater.unused_data:
            reading.flaw("A frame holds more or fewer pixels than it should.")

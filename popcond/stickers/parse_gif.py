"""Reads GIF block by block: frames, delays, loops, and whether the file ends where it should.

Source: GIF89a specification (CompuServe, 1990) and the NETSCAPE2.0 application extension.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from fractions import Fraction

from popcond.stickers.facts import Colours, FileFacts, Flaw
from popcond.wire import StickerFormat

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
_INTERLACED = 0x40


@dataclass
class _Reading:
    """What has been read so far."""

    data: bytes
    width: int = 0
    height: int = 0
    position: int = 0
    delays: list[Fraction] = field(default_factory=list)
    pending: Fraction = Fraction(0)
    loops: int | None = None
    interlaced: bool = False
    flaws: list[Flaw] = field(default_factory=list)

    def flaw(self, sentence: str, rule: str = "structure") -> None:
        """Notes what is wrong, under the rule that it breaks; reading goes on."""
        self.flaws.append(Flaw(rule, sentence))


def is_gif(data: bytes) -> bool:
    """True when the signature says GIF."""
    return data.startswith((b"GIF89a", b"GIF87a"))


def parse_gif(data: bytes) -> FileFacts:
    """The facts of a GIF. Never raises: what is wrong becomes a flaw."""
    reading = _Reading(data)
    try:
        _read_header(reading)
        while _read_block(reading):
            pass
    except (struct.error, IndexError):
        reading.flaw("The file ends in the middle of a block: it is truncated.")
    return FileFacts(
        format=StickerFormat.GIF,
        width=reading.width,
        height=reading.height,
        delays=tuple(reading.delays),
        plays=_plays(reading.loops),
        colours=Colours.PALETTE,
        interlaced=reading.interlaced,
        flaws=tuple(reading.flaws),
    )


def _plays(loops: int | None) -> int:
    """The extension counts repetitions after the first play; 0 is for ever, and without it a GIF plays once."""
    if loops is None:
        return 1
    return 0 if loops == 0 else loops + 1


def _read_header(reading: _Reading) -> None:
    reading.width, reading.height, flags = struct.unpack_from("<HHB", reading.data, 6)
    reading.position = 13 + _table_bytes(flags)


def _read_block(reading: _Reading) -> bool:
    """Reads one block; False after the last."""
    kind = reading.data[reading.position]
    if kind == _TRAILER:
        _read_end(reading)
        return False
    if kind == _EXTENSION:
        _read_extension(reading)
    elif kind == _IMAGE:
        _read_image(reading)
    else:
        reading.flaw(f"No block of a GIF begins with the byte {kind:#04x}: the file is damaged.")
        return False
    return True


def _read_end(reading: _Reading) -> None:
    if rest := len(reading.data) - reading.position - 1:
        reading.flaw(f"{rest} bytes follow the end of the picture.")


def _read_extension(reading: _Reading) -> None:
    data, start = reading.data, reading.position
    label = data[start + 1]
    if label == _GRAPHIC_CONTROL:
        (centiseconds,) = struct.unpack_from("<H", data, start + 4)
        reading.pending = Fraction(centiseconds, 100)
    elif label == _APPLICATION and data[start + 3 : start + 14] == b"NETSCAPE2.0":
        (reading.loops,) = struct.unpack_from("<H", data, start + 16)
    reading.position = _after_sub_blocks(data, start + 2)


def _read_image(reading: _Reading) -> None:
    left, top, width, height, flags = struct.unpack_from("<HHHHB", reading.data, reading.position + 1)
    reading.delays.append(reading.pending)
    number = len(reading.delays)
    if reading.pending == 0:
        reading.flaw(f"Frame {number} is shown for no time at all.", "zero_delay")
    reading.pending = Fraction(0)
    if left + width > reading.width or top + height > reading.height or not width or not height:
        reading.flaw(f"Frame {number} lies outside the canvas.")
    reading.interlaced = reading.interlaced or bool(flags & _INTERLACED)
    reading.position = _after_sub_blocks(reading.data, reading.position + 11 + _table_bytes(flags))


def _table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_sub_blocks(data: bytes, position: int) -> int:
    while length := data[position]:
        position += length + 1
        if position >= len(data):
            raise IndexError
    return position + 1

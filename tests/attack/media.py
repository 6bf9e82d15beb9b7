"""Hostile media: small good files of every kind, ways to break them, and files that lie on purpose.

Everything is made here, from a seed: the same number gives the same bytes.
"""

from __future__ import annotations

import io
import random
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tests.clips import CLIP_KINDS, moving_disc, write_clip

PICTURE_KINDS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


@dataclass(frozen=True)
class Hostile:
    """One file and what was done to it."""

    name: str  # as it is uploaded
    kind: str
    harm: str
    data: bytes
    is_clip: bool


def hostile_files(count: int, seed: int = 0) -> Iterator[Hostile]:
    """Every file that lies on purpose, then broken ones, pictures and clips in turn."""
    made = 0
    for file in crafted():
        if made < count:
            yield file
        made += 1
    pictures, clips = good_pictures(), good_clips()
    dice = random.Random(seed)
    while made < count:
        is_clip = made % 2 == 0
        goods = clips if is_clip else pictures
        kind = dice.choice(list(goods))
        harm = dice.choice(list(HARMS))
        data = HARMS[harm](dice, goods[kind], dice.choice(list((pictures | clips).values())))
        yield Hostile(f"{made}.{kind.lower()}", kind, harm, data, is_clip)
        made += 1


def good_pictures() -> dict[str, bytes]:
    """A small character of each kind of picture."""
    return {kind: _encoded(kind, exif=kind in ("JPEG", "PNG", "WEBP")) for kind in PICTURE_KINDS}


def good_clips() -> dict[str, bytes]:
    """A small clip of each kind."""
    told: dict[str, bytes] = {}
    frames = moving_disc(6, width=64, height=48)
    with tempfile.TemporaryDirectory() as folder:
        for kind in CLIP_KINDS:
            path = Path(folder, f"good.{kind}")
            write_clip(kind, frames, 10, path)
            told[kind] = path.read_bytes()
    return told


def _encoded(kind: str, *, exif: bool) -> bytes:
    (disc,) = moving_disc(1, width=64, height=48)
    image = Image.fromarray(disc)
    if kind in ("JPEG", "BMP"):
        image = image.convert("RGB")
    tags = Image.Exif()
    tags[0x0112] = 6
    file = io.BytesIO()
    image.save(file, kind, **({"exif": tags.tobytes()} if exif else {}))
    return file.getvalue()


# ------------------------------------------------------------------ harms


def _flipped_bits(dice: random.Random, data: bytes, _other: bytes) -> bytes:
    broken = bytearray(data)
    for _ in range(dice.choice((1, 3, 20, 200))):
        broken[dice.randrange(len(broken))] ^= 1 << dice.randrange(8)
    return bytes(broken)


def _flipped_in_the_head(dice: random.Random, data: bytes, _other: bytes) -> bytes:
    broken = bytearray(data)
    for _ in range(dice.choice((1, 4, 16))):
        broken[dice.randrange(8, min(len(broken), 200))] ^= 1 << dice.randrange(8)
    return bytes(broken)


def _cut_off(dice: random.Random, data: bytes, _other: bytes) -> bytes:
    return data[: dice.randrange(1, len(data))]


def _hole(dice: random.Random, data: bytes, _other: bytes) -> bytes:
    start = dice.randrange(len(data))
    return data[:start] + data[start + dice.randrange(1, 400) :]


def _zeroed(dice: random.Random, data: bytes, _other: bytes) -> bytes:
    start, length = dice.randrange(len(data)), dice.randrange(1, 600)
    return data[:start] + bytes(len(data[start : start + length])) + data[start + length :]


def _repeated(dice: random.Random, data: bytes, _other: bytes) -> bytes:
    start = dice.randrange(len(data))
    return data[:start] + data[start : start + dice.randrange(1, 300)] * dice.choice((2, 50)) + data[start:]


def _spliced(dice: random.Random, data: bytes, other: bytes) -> bytes:
    """The head of one file on the body of another, perhaps of another kind."""
    at = dice.choice((8, 16, 40, len(data) // 2))
    return data[:at] + other[at:]


def _huge_number(dice: random.Random, data: bytes, _other: bytes) -> bytes:
    """A number somewhere becomes the largest, or the largest positive, of its width."""
    number = dice.choice(
        (b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\xff\xff", b"\0\0\0\0", b"\x80\0\0\0")
    )
    at = dice.randrange(8, max(9, min(len(data), dice.choice((120, 4000)))))
    return data[:at] + number + data[at + len(number) :]


def _tail(dice: random.Random, data: bytes, _other: bytes) -> bytes:
    return data + dice.randbytes(dice.choice((1, 1000, 100_000)))


HARMS: dict[str, Callable[[random.Random, bytes, bytes], bytes]] = {
    "flipped bits": _flipped_bits,
    "flipped in the head": _flipped_in_the_head,
    "cut off": _cut_off,
    "a hole": _hole,
    "zeros": _zeroed,
    "repeated": _repeated,
    "spliced": _spliced,
    "a huge number": _huge_number,
    "a tail": _tail,
}


# ------------------------------------------------------------------ lies


def crafted() -> Iterator[Hostile]:
    """Files that lie on purpose; each is tried as a picture and as a clip."""
    for name, data in _lies():
        for is_clip in (False, True):
            yield Hostile(name, name.rpartition(".")[2], "a lie", data, is_clip)


def _lies() -> Iterator[tuple[str, bytes]]:
    yield "concat.mp4", b"ffconcat version 1.0\nfile /etc/passwd\nfile http://127.0.0.1:1/x\n"
    yield "playlist.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    yield "dash.webm", b'<?xml version="1.0"?><MPD><Period><BaseURL>file:///etc/passwd</BaseURL></Period></MPD>'
    yield "drawing.png", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><image href="file:///x"/></svg>'
    yield "entities.png", b'<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><svg>&b;</svg>'
    yield "magick.png", b"push graphic-context\nfill 'url(https://127.0.0.1/x|ls)'\npop graphic-context"
    yield "script.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file"
    yield "bomb-13000.png", png_bomb(13_000, 13_000)
    yield "bomb-9000x4000.png", png_bomb(9_000, 4_000)
    yield "bomb-65535.png", png_bomb(2**31 - 1, 2**31 - 1)
    yield "text-bomb.png", png_with(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64 << 20), 9))
    yield "texts-bomb.png", png_with(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(1 << 20), 9), times=64)
    yield "profile-bomb.png", png_with(b"iCCP", b"icc\0\0" + zlib.compress(bytes(64 << 20), 9))
    yield "exif-bomb.png", png_with(b"eXIf", _endless_exif())
    yield "exif-bomb.jpg", _jpeg_with_exif(_endless_exif())
    yield "profile.png", png_with(b"iCCP", b"icc\0\0" + zlib.compress(b"\xff" * 4000))
    yield "frames.png", _apng_that_promises(2**31 - 1)
    yield "endless.gif", _gif(65_535, 65_535, frames=1)
    yield "many.gif", _gif(64, 64, frames=30_000)
    yield "wide.gif", _gif(4096, 4096, frames=200)
    yield "canvas.webp", _webp_canvas(16_384, 16_384)
    yield "nested.mp4", _nested(b"moov", 4000)
    yield (
        "huge-table.mp4",
        _box(b"ftyp", b"isom\0\0\2\0isom") + _box(b"moov", _box(b"trak", _box(b"stsz", b"\xff" * 64))),
    )
    yield "huge-box.mp4", _box(b"ftyp", b"isom\0\0\2\0isom") + struct.pack(">I4sQ", 1, b"mdat", 2**63 - 1)
    yield (
        "reference.mov",
        _box(b"moov", _box(b"rmra", _box(b"rmda", _box(b"rdrf", b"\0\0\0\0url \0\0\0\x0cfile:///x\0")))),
    )
    yield "huge.webm", b"\x1aE\xdf\xa3\x01" + b"\xff" * 7 + b"\x42\x82\x84webm" + b"\x18S\x80g\x01" + b"\xff" * 7
    yield "tiff-loop.tif", struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", 0) + struct.pack("<I", 8)
    yield "tiff-strips.tif", _tiff(60_000, 60_000)
    yield "bmp.bmp", b"BM" + struct.pack("<IHHIIiiHHIIiiII", 99, 0, 0, 54, 40, 30_000, 30_000, 1, 24, 0, 0, 0, 0, 0, 0)
    yield "nothing.png", b""
    yield "one.png", b"\x89"
    yield "\x1b[2Jname\x07.png", b"\x1b[31mno picture"


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk with a right checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_bomb(width: int, height: int) -> bytes:
    """Kilobytes that promise an enormous picture of one colour, and begin to keep the promise."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    rows = zlib.compress(bytes(min(height, 200) * min(3 * width + 1, 1 << 17)), 9)
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")


def png_with(kind: bytes, body: bytes, times: int = 1) -> bytes:
    """A good picture with chunks of this kind behind its header."""
    good = _encoded("PNG", exif=False)
    return good[:33] + png_chunk(kind, body) * times + good[33:]


def _endless_exif() -> bytes:
    """A directory of tags that leads back to itself, with values that promise gigabytes."""
    entries = b"".join(struct.pack("<HHII", tag, 5, 2**29, 8) for tag in range(0x100, 0x140))
    return struct.pack("<2sHIH", b"II", 42, 8, 64) + entries + struct.pack("<I", 8)


def _jpeg_with_exif(exif: bytes) -> bytes:
    good = _encoded("JPEG", exif=False)
    body = b"Exif\0\0" + exif
    return good[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + good[2:]


def _apng_that_promises(frames: int) -> bytes:
    return png_with(b"acTL", struct.pack(">II", frames, 0))


def _gif(width: int, height: int, *, frames: int) -> bytes:
    """Every frame is one pixel on a canvas of that size."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"!\xf9\x04\x08\x02\0\0\0," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02D\x01\0"
    return head + frame * frames + b";"


def _webp_canvas(width: int, height: int) -> bytes:
    (disc,) = moving_disc(1, width=32, height=32)
    file = io.BytesIO()
    Image.fromarray(disc).save(file, "WEBP", save_all=True, append_images=[Image.new("RGBA", (32, 32))], duration=100)
    data = bytearray(file.getvalue())
    at = data.index(b"VP8X") + 12
    data[at : at + 6] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _nested(kind: bytes, depth: int) -> bytes:
    body = b""
    for _ in range(depth):
        body = _box(kind, body)
    return _box(b"ftyp", b"isom\0\0\2\0isom") + body


def _tiff(width: int, height: int) -> bytes:
    tags = ((256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height), (279, 2**31))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + struct.pack("<I", 0)

"""What a file is by its first bytes. Names and extensions are never believed.

Only kinds that we decode may reach a decoder, each with that one decoder and no other. The kinds that we know but do
not take are here so that a person reads "this is an SVG drawing" instead of "cannot identify file".
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from stat import S_ISREG

from popcond.errors import BadInput, TooLarge

HEAD_BYTES = 512
_MIB = 1024 * 1024


class FileKind(StrEnum):
    """A file format; the value is the name that a person knows."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WebP"
    GIF = "GIF"
    BMP = "BMP"
    TIFF = "TIFF"
    MOVIE = "MP4/MOV"  # the ISO base media family
    MATROSKA = "WebM/Matroska"
    SVG = "SVG drawing"
    HEIC = "HEIC picture"
    AVIF = "AVIF picture"
    JPEG_XL = "JPEG XL picture"
    PHOTOSHOP = "Photoshop document"
    ICON = "Windows icon"
    PDF = "PDF document"
    ARCHIVE = "ZIP archive"
    AVI = "AVI video"
    FLASH = "Flash video"
    TRANSPORT_STREAM = "MPEG transport stream"
    OGG = "Ogg file"
    SOUND = "sound file"
    TEXT = "text file"
    EMPTY = "empty file"
    UNKNOWN = "file of an unknown kind"


def read_head(path: Path, *, max_mib: int, error: type[BadInput]) -> bytes:
    """The first 512 bytes of a regular file of at most `max_mib`; raises `error` or TooLarge with a cure."""
    try:
        facts = path.stat()
        if not S_ISREG(facts.st_mode):
            raise error(f"{path.name} is not a file.", cure="Name one picture or clip, not a folder or a device.")
        if facts.st_size > max_mib * _MIB:
            raise TooLarge(
                f"{path.name} has {facts.st_size / _MIB:.0f} MB; at most {max_mib} MB are taken.",
                cure="Save it smaller and try again.",
            )
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as failure:
        raise error(
            f"{path.name} cannot be opened: {failure.strerror or failure}.",
            cure="Check the name, and that you may read the file.",
        ) from failure


def kind_of(head: bytes) -> FileKind:
    """The kind of a file that begins with `head`."""
    if not head:
        return FileKind.EMPTY
    for kind, beginnings in _BEGINNINGS:
        if head.startswith(beginnings):
            return kind
    return _riff(head) or _iso_media(head) or _transport_stream(head) or _text(head) or FileKind.UNKNOWN


def a_kind(kind: FileKind) -> str:
    """The kind with its article, for a sentence: "an SVG drawing"."""
    article = "an" if kind.value[0] in "AEIO" or kind in (FileKind.SVG, FileKind.MOVIE, FileKind.EMPTY) else "a"
    return f"{article} {kind.value}"


_BEGINNINGS: tuple[tuple[FileKind, tuple[bytes, ...]], ...] = (
    (FileKind.PNG, (b"\x89PNG\r\n\x1a\n",)),
    (FileKind.JPEG, (b"\xff\xd8\xff",)),
    (FileKind.GIF, (b"GIF87a", b"GIF89a")),
    (FileKind.BMP, (b"BM",)),
    (FileKind.TIFF, (b"II*\x00", b"MM\x00*")),
    (FileKind.MATROSKA, (b"\x1aE\xdf\xa3",)),
    (FileKind.PDF, (b"%PDF-",)),
    (FileKind.ARCHIVE, (b"PK\x03\x04", b"PK\x05\x06")),
    (FileKind.PHOTOSHOP, (b"8BPS",)),
    (FileKind.ICON, (b"\x00\x00\x01\x00", b"\x00\x00\x02\x00")),
    (FileKind.JPEG_XL, (b"\xff\x0a", b"\x00\x00\x00\x0cJXL \r\n\x87\n")),
    (FileKind.FLASH, (b"FLV\x01", b"FWS", b"CWS")),
    (FileKind.OGG, (b"OggS",)),
    (FileKind.SOUND, (b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"\xff\xf9")),
)

_STILL_BRANDS = {
    b"heic": FileKind.HEIC,
    b"heix": FileKind.HEIC,
    b"heim": FileKind.HEIC,
    b"heis": FileKind.HEIC,
    b"mif1": FileKind.HEIC,
    b"avif": FileKind.AVIF,
    b"avis": FileKind.AVIF,
    b"M4A ": FileKind.SOUND,
}
# The boxes that a movie may open with: old QuickTime files have no `ftyp`.
_ISO_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


def _riff(head: bytes) -> FileKind | None:
    if head[:4] != b"RIFF":
        return None
    return {b"WEBP": FileKind.WEBP, b"AVI ": FileKind.AVI, b"WAVE": FileKind.SOUND}.get(head[8:12])


def _iso_media(head: bytes) -> FileKind | None:
    if head[4:8] not in _ISO_BOXES:
        return None
    return _STILL_BRANDS.get(head[8:12], FileKind.MOVIE) if head[4:8] == b"ftyp" else FileKind.MOVIE


def _transport_stream(head: bytes) -> FileKind | None:
    packets = head[::188]
    return FileKind.TRANSPORT_STREAM if len(packets) > 1 and set(packets) == {0x47} else None


def _text(head: bytes) -> FileKind | None:
    if b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    if b"<svg" in head.lower():
        return FileKind.SVG
    try:
        head[:-4].decode("utf-8")  # the last character may be cut
    except UnicodeDecodeError:
        return None
    return FileKind.TEXT

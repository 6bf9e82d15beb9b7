"""Pictures in: any character picture that a person has, as upright RGBA in sRGB.

PNG, JPEG, WebP, GIF (first frame), BMP and TIFF, told apart by their first bytes. Size is judged before anything is
decoded; a truncated picture is refused, never shown half grey. The file itself is not touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from popcond.errors import TooLarge, UnreadablePicture
from popcond.media import raster, signature, srgb
from popcond.media.pillow import FAILURES, quietly
from popcond.media.raster import Rgba
from popcond.media.signature import FileKind

MAX_MIB = 64
MAX_PIXELS = 40_000_000
MIN_SIDE, MAX_SIDE = 16, 10_000  # of the file's picture
_READ = (FileKind.PNG, FileKind.JPEG, FileKind.WEBP, FileKind.GIF, FileKind.BMP, FileKind.TIFF)
_SAVE_AS_PNG = "Open it where it was made and save it as PNG."
_BROKEN = "Open it in a picture program, save it as PNG, and try again."
_SMALLER = "Save it smaller: 1024 pixels on its longer side are plenty."


@dataclass(frozen=True)
class Picture:
    """One picture, ready to work with."""

    rgba: Rgba  # (H, W, 4) uint8, straight alpha, upright, sRGB
    has_alpha: bool  # really has transparent pixels, whatever its format could have
    format: str  # PNG, JPEG, WEBP, GIF, BMP or TIFF, as its first bytes say
    notes: tuple[str, ...] = ()  # what a person should know


def open_picture(source: Path, *, max_side: int = 2048) -> Picture:
    """The picture, scaled down to at most `max_side`. Raises UnreadablePicture or TooLarge, each with its cure."""
    head = signature.read_head(source, max_mib=MAX_MIB, error=UnreadablePicture)
    kind = _readable_kind(source.name, signature.kind_of(head))
    with _opened(source, kind) as image:
        _check_size(source.name, *image.size)
        notes = ("The picture moves; its first frame is used.",) if _moves(image, kind) else ()
        developed = srgb.develop(image, max_side=max_side)
    return Picture(
        rgba=developed.rgba,
        has_alpha=raster.is_see_through(developed.rgba[..., 3]),
        format=kind.name,
        notes=(*notes, *developed.notes),
    )


def _readable_kind(name: str, kind: FileKind) -> FileKind:
    if kind in _READ:
        return kind
    if kind is FileKind.EMPTY:
        raise UnreadablePicture(f"{name} is empty.", cure="Export or download it again.")
    if kind in (FileKind.MOVIE, FileKind.MATROSKA):
        raise UnreadablePicture(f"{name} is a clip, not a picture.", cure="Use `popcond import` for clips.")
    raise UnreadablePicture(f"{name} is {signature.a_kind(kind)}, not a picture that we read.", cure=_SAVE_AS_PNG)


def _check_size(name: str, width: int, height: int) -> None:
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise TooLarge(f"{name} has {width}×{height} pixels, which is too many.", cure=_SMALLER)
    if min(width, height) < MIN_SIDE:
        raise UnreadablePicture(
            f"{name} has {width}×{height} pixels; a side needs at least {MIN_SIDE}.",
            cure="Use a larger picture: 512 pixels or more on its longer side.",
        )


def _moves(image: Image.Image, kind: FileKind) -> bool:
    try:
        return kind in (FileKind.GIF, FileKind.PNG, FileKind.WEBP) and bool(getattr(image, "is_animated", False))
    except FAILURES:  # what follows the first frame is damaged, which is no concern of ours
        return False


@contextmanager
def _opened(source: Path, kind: FileKind) -> Iterator[Image.Image]:
    """The picture in the one decoder that its first bytes ask for; whatever that throws becomes a sentence."""
    try:
        with quietly(), source.open("rb") as file, Image.open(file, formats=[kind.name]) as image:
            yield image
    except (MemoryError, Image.DecompressionBombError) as error:
        raise TooLarge(f"{source.name} needs more memory than a picture may have.", cure=_SMALLER) from error
    except FAILURES as error:
        raise UnreadablePicture(f"{source.name} is damaged or not complete.", cure=_BROKEN) from error

"""The pictures of a finished sticker, as a strange program would show them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image, UnidentifiedImageError

from popcond.errors import UnreadablePicture
from popcond.media.raster import Rgba

_FORMATS = ("PNG", "GIF")
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, zlib.error, MemoryError)


def decode(data: bytes) -> list[Rgba]:
    """Every frame of a sticker (PNG, APNG or GIF), composited, straight alpha. Raises UnreadablePicture."""
    return list(decoded(data))


def first_frame(data: bytes) -> Rgba:
    """The frame that a store shows as the still. Raises UnreadablePicture."""
    return next(decoded(data))


def decoded(data: bytes) -> Iterator[Rgba]:
    """The frames one at a time, so that a long file need not fit into memory. Raises UnreadablePicture."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            for index in range(getattr(picture, "n_frames", 1)):
                picture.seek(index)
                yield np.asarray(picture.convert("RGBA"), np.uint8)
    except (UnidentifiedImageError, Image.DecompressionBombError, *_BROKEN) as error:
        raise UnreadablePicture(
            f"The sticker cannot be decoded: {error or type(error).__name__}.", cure="Encode it again."
        ) from error

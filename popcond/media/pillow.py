"""What Pillow throws when it meets a stranger's file, and how to keep it quiet; shared by pictures and animations."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageCms

# Seen from its plugins on broken files; a MemoryError among them is a picture that is too large for its worker.
FAILURES: tuple[type[Exception], ...] = (
    OSError,  # truncated, broken data stream; UnidentifiedImageError is one
    EOFError,
    SyntaxError,  # "broken PNG file", "not a TIFF file"
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RuntimeError,
    NotImplementedError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    ImageCms.PyCMSError,
)


@contextmanager
def quietly() -> Iterator[None]:
    """Pillow warns about crooked metadata and odd sizes; we decide ourselves what a person should read."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

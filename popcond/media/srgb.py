"""A decoded picture of any colour model brought to upright 8-bit RGBA in sRGB.

Embedded ICC profiles are honoured by colour management, not by guess; a broken one is ignored and said so.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import ExifTags, Image, ImageCms
from PIL.Image import Resampling, Transpose

from popcond.errors import UnreadablePicture
from popcond.media.pillow import FAILURES
from popcond.media.raster import Rgba
from popcond.media.reel import fitted

_OPAQUE = ("L", "RGB", "CMYK", "LAB")
_DEEP_GREY = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_UPRIGHT = {  # by EXIF orientation (Exif 3.0, 4.6.4 A)
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Developed:
    """A picture's pixels, and what happened to them on the way."""

    rgba: Rgba
    notes: tuple[str, ...]


def develop(image: Image.Image, *, max_side: int) -> Developed:
    """Decode, turn upright, convert to sRGB and scale down to `max_side`. Pillow's own exceptions pass through."""
    before = image.size
    image.draft(None, (max_side, max_side))  # a JPEG decodes at a fraction of its size; the others ignore it
    image.load()
    profile = image.info.get("icc_profile")
    colours, alpha = _colours_and_alpha(_scaled_down(_without_palette(image), max_side))
    colours, notes = _managed(colours, profile)
    rgba = _upright(_joined(colours, alpha), image)
    if max(before) > max_side:
        notes = (*notes, f"The picture was scaled down to {rgba.width}×{rgba.height} pixels; the file is untouched.")
    return Developed(np.array(rgba, np.uint8), notes)


# ------------------------------------------------------------------ colour models


def _without_palette(image: Image.Image) -> Image.Image:
    """The same in a mode whose values are intensities: L, LA, RGB, RGBA, CMYK or LAB, 8 bits each."""
    if image.mode in _DEEP_GREY:
        return _from_deep_grey(image)
    if image.mode == "F":
        raise UnreadablePicture(
            "The picture holds measurements (floating-point values), not colours.",
            cure="Save it as PNG with 8 bits a channel.",
        )
    if image.mode in ("LA", "RGBA") or (image.mode in _OPAQUE and not image.has_transparency_data):
        return image  # a copy would double the memory
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode == "1" else "RGB")


def _from_deep_grey(image: Image.Image) -> Image.Image:
    """16-bit grey keeps its whole range; its one transparent value, if it has one, becomes alpha."""
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65_535:
        raise UnreadablePicture("The picture has 32-bit grey values.", cure="Save it as PNG with 8 bits a channel.")
    values = values.astype(np.uint16, copy=False)
    to_8_bits = ((np.arange(65_536) + 128) // 257).astype(np.uint8)
    grey = Image.fromarray(to_8_bits[values])
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey.putalpha(Image.fromarray(np.where(values == transparent, np.uint8(0), np.uint8(255))))
    return grey


def _colours_and_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    if image.mode not in ("LA", "RGBA"):
        return image, None
    return image.convert(image.mode[:-1]), image.getchannel("A")


def _joined(colours: Image.Image, alpha: Image.Image | None) -> Image.Image:
    rgba = colours.convert("RGBA")
    if alpha is not None:
        rgba.putalpha(alpha)
    return rgba


# ------------------------------------------------------------------ colour management


def _managed(colours: Image.Image, profile: bytes | None) -> tuple[Image.Image, tuple[str, ...]]:
    """The colours in sRGB, as L or RGB, and a note when the profile was of no use."""
    if colours.mode == "LAB":
        return _from_lab(colours), ()
    if not profile:
        return _by_rule(colours), ()
    try:
        return _through_profile(colours, profile), ()
    except FAILURES:
        return _by_rule(colours), ("The embedded colour profile is broken and was ignored.",)


def _through_profile(colours: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if "sRGB" in ImageCms.getProfileDescription(source) and colours.mode in ("L", "RGB"):
        return colours
    # An RGB profile in a grey picture still says how light its greys are.
    if source.profile.xcolor_space.strip() == "RGB" and colours.mode == "L":
        colours = colours.convert("RGB")
    return _transformed(colours, source)


def _transformed(colours: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    managed = ImageCms.profileToProfile(colours, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert managed is not None  # only in-place conversion gives None
    return managed


def _from_lab(colours: Image.Image) -> Image.Image:
    return _transformed(colours, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))


def _by_rule(colours: Image.Image) -> Image.Image:
    return colours.convert("RGB") if colours.mode == "CMYK" else colours


# ------------------------------------------------------------------ shape


def _scaled_down(image: Image.Image, max_side: int) -> Image.Image:
    """At most max_side, the shape kept; Pillow scales LA and RGBA premultiplied."""
    if max(image.size) <= max_side:
        return image
    return image.resize(fitted(*image.size, max_side), Resampling.BICUBIC, reducing_gap=2.0)


def _upright(picture: Image.Image, source: Image.Image) -> Image.Image:
    try:
        orientation = source.getexif().get(ExifTags.Base.Orientation, 1)
    except FAILURES:
        return picture
    turn = _UPRIGHT.get(orientation)
    return picture if turn is None else picture.transpose(turn)

"""Pictures that people have: every format and colour model comes out upright, in sRGB, with its alpha."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.Image import Transpose

from popcond.media.picture import Picture, open_picture

RED, BLUE = (210, 50, 60), (30, 60, 200)
SIZE = (60, 40)  # width, height


def drawn() -> Image.Image:
    """A red field, blue in its upper left quarter, so that turns and mirrors show."""
    image = Image.new("RGB", SIZE, RED)
    image.paste(BLUE, (0, 0, SIZE[0] // 2, SIZE[1] // 2))
    return image


def cut_out() -> Image.Image:
    """The same with a transparent right edge."""
    image = drawn().convert("RGBA")
    image.paste((0, 0, 0, 0), (50, 0, 60, 40))
    return image


def opened(image: Image.Image, to: Path, **options: Any) -> Picture:
    image.save(to, **options)
    return open_picture(to)


def colour_at(picture: Picture, x: int, y: int) -> tuple[int, ...]:
    return tuple(int(value) for value in picture.rgba[y, x])


def assert_close(picture: Picture, x: int, y: int, colour: tuple[int, int, int], *, within: int) -> None:
    assert np.abs(np.subtract(colour_at(picture, x, y)[:3], colour)).max() <= within, colour_at(picture, x, y)


@pytest.mark.parametrize(
    ("format_name", "options", "within"),
    [
        ("PNG", {}, 0),
        ("JPEG", {"quality": 95, "subsampling": 0}, 4),
        ("WebP", {"lossless": True}, 0),
        ("GIF", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("TIFF", {"compression": "tiff_deflate"}, 0),
    ],
)
def test_every_format_shows_its_colours(tmp_path: Path, format_name: str, options: dict[str, Any], within: int) -> None:
    picture = opened(drawn(), tmp_path / "picture.data", format=format_name, **options)
    assert picture.rgba.shape == (40, 60, 4)
    assert picture.rgba.dtype == np.uint8
    assert picture.format == format_name.upper()
    assert not picture.has_alpha
    assert picture.notes == ()
    assert_close(picture, 10, 5, BLUE, within=within)
    assert_close(picture, 40, 30, RED, within=within)


@pytest.mark.parametrize(
    ("format_name", "options"), [("PNG", {}), ("WebP", {"lossless": True}), ("GIF", {}), ("TIFF", {})]
)
def test_alpha_is_kept_where_a_format_has_it(tmp_path: Path, format_name: str, options: dict[str, Any]) -> None:
    picture = opened(cut_out(), tmp_path / "picture", format=format_name, **options)
    assert picture.has_alpha
    assert colour_at(picture, 55, 20)[3] == 0
    assert colour_at(picture, 10, 5) == (*BLUE, 255)


def test_an_alpha_channel_that_hides_nothing_is_no_transparency(tmp_path: Path) -> None:
    assert not opened(drawn().convert("RGBA"), tmp_path / "solid.png").has_alpha


# ------------------------------------------------------------------ colour models


def grey() -> Image.Image:
    return Image.fromarray(np.tile(np.linspace(0, 255, 60).astype(np.uint8), (40, 1)))


def deep_grey() -> Image.Image:
    return Image.fromarray(np.tile(np.linspace(0, 65_535, 60).astype(np.uint16), (40, 1)))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_keeps_its_whole_range(tmp_path: Path, suffix: str) -> None:
    picture = opened(deep_grey(), tmp_path / f"deep.{suffix}")
    assert [colour_at(picture, x, 20)[0] for x in (0, 59)] == [0, 255]
    assert abs(colour_at(picture, 30, 20)[1] - 130) <= 1


def test_the_transparent_value_of_16_bit_grey_becomes_alpha(tmp_path: Path) -> None:
    image = deep_grey()
    (tmp_path / "deep.png").write_bytes(png_of(image, transparency=struct.pack(">H", 65_535)))
    picture = open_picture(tmp_path / "deep.png")
    assert (colour_at(picture, 59, 3)[3], colour_at(picture, 58, 3)[3]) == (0, 255)


@pytest.mark.parametrize(("colour_type", "channels"), [(2, 3), (6, 4)])
def test_16_bit_colours_are_read(tmp_path: Path, colour_type: int, channels: int) -> None:
    row = b"\0" + np.tile(np.array((*RED, 255)[:channels], ">u2") * 257, 60).tobytes()
    (tmp_path / "deep.png").write_bytes(png_from(60, 40, 16, colour_type, row * 40))
    assert colour_at(open_picture(tmp_path / "deep.png"), 30, 20) == (*RED, 255)


def test_greyscale_and_its_alpha_are_read(tmp_path: Path) -> None:
    image = grey()
    image.putalpha(Image.new("L", SIZE, 0))
    image.paste((90, 255), (0, 0, 30, 40))
    picture = opened(image, tmp_path / "grey.png")
    assert picture.has_alpha
    assert colour_at(picture, 10, 10) == (90, 90, 90, 255)


def test_black_and_white_is_read(tmp_path: Path) -> None:
    picture = opened(grey().convert("1", dither=Image.Dither.NONE), tmp_path / "bits.png")
    assert colour_at(picture, 2, 2) == (0, 0, 0, 255)
    assert colour_at(picture, 57, 2) == (255, 255, 255, 255)


def test_a_palette_keeps_the_alpha_of_each_entry(tmp_path: Path) -> None:
    image = drawn().quantize(4)
    entries = image.getpalette()
    assert entries is not None
    blue = [tuple(entries[i : i + 3]) for i in range(0, 12, 3)].index(BLUE)
    picture = opened(image, tmp_path / "palette.png", transparency=bytes(128 if i == blue else 255 for i in range(4)))
    assert colour_at(picture, 5, 5) == (*BLUE, 128)
    assert colour_at(picture, 50, 30) == (*RED, 255)


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_not_shown_as_its_negative(tmp_path: Path, suffix: str) -> None:
    options: dict[str, Any] = {"quality": 95} if suffix == "jpg" else {}
    picture = opened(drawn().convert("CMYK"), tmp_path / f"print.{suffix}", **options)
    stores_inverted_inks = b"Adobe" in (tmp_path / f"print.{suffix}").read_bytes()  # as Photoshop does
    assert stores_inverted_inks == (suffix == "jpg")
    assert_close(picture, 45, 30, RED, within=6)
    assert_close(picture, 5, 5, BLUE, within=6)


def test_lab_tiff_is_read(tmp_path: Path) -> None:
    lab = Image.merge("LAB", [Image.new("L", SIZE, level) for level in (136, 128, 128)])
    picture = opened(lab, tmp_path / "lab.tif")
    middle = colour_at(picture, 30, 20)[:3]
    assert max(middle) - min(middle) <= 2
    assert abs(middle[0] - 127) <= 3


# ------------------------------------------------------------------ profiles and orientation


def profile_with_swapped_primaries() -> bytes:
    """The sRGB profile with its red and green colorants exchanged: what it calls red is green."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for tag, other in ((b"rXYZ", b"tmpX"), (b"gXYZ", b"rXYZ"), (b"tmpX", b"gXYZ")):
        at = profile.index(tag, 128, 128 + 4 + 12 * 20)
        profile[at : at + 4] = other
    description = bytes(profile).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    return description.replace(b"sRGB", b"swap")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_an_embedded_profile_is_honoured(tmp_path: Path, suffix: str) -> None:
    options: dict[str, Any] = {"quality": 95} if suffix == "jpg" else {"lossless": True} if suffix == "webp" else {}
    image = Image.new("RGB", SIZE, (220, 20, 20))
    picture = opened(image, tmp_path / f"swapped.{suffix}", icc_profile=profile_with_swapped_primaries(), **options)
    red, green, _, _ = colour_at(picture, 30, 20)
    assert green > 200
    assert red < 60
    assert picture.notes == ()


def test_alpha_survives_colour_management(tmp_path: Path) -> None:
    picture = opened(cut_out(), tmp_path / "cut.png", icc_profile=profile_with_swapped_primaries())
    assert picture.has_alpha
    assert colour_at(picture, 55, 20)[3] == 0
    assert colour_at(picture, 40, 30)[3] == 255


def test_srgb_colours_are_not_touched_by_their_own_profile(tmp_path: Path) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert colour_at(opened(drawn(), tmp_path / "s.png", icc_profile=srgb), 40, 30) == (*RED, 255)


def test_a_broken_profile_is_ignored_and_said_so(tmp_path: Path) -> None:
    picture = opened(drawn(), tmp_path / "p.png", icc_profile=b"no profile at all" * 20)
    assert colour_at(picture, 40, 30) == (*RED, 255)
    assert [note for note in picture.notes if "profile" in note]


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize(
    ("orientation", "undo"),
    [
        (2, Transpose.FLIP_LEFT_RIGHT),
        (3, Transpose.ROTATE_180),
        (4, Transpose.FLIP_TOP_BOTTOM),
        (5, Transpose.TRANSPOSE),
        (6, Transpose.ROTATE_90),
        (7, Transpose.TRANSVERSE),
        (8, Transpose.ROTATE_270),
    ],
)
def test_pictures_are_turned_upright(tmp_path: Path, suffix: str, orientation: int, undo: Transpose) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"quality": 95} if suffix in ("jpg", "webp") else {}
    picture = opened(drawn().transpose(undo), tmp_path / f"turned.{suffix}", exif=exif, **options)
    assert picture.rgba.shape == (40, 60, 4)
    assert_close(picture, 8, 5, BLUE, within=8)
    assert_close(picture, 50, 5, RED, within=8)
    assert_close(picture, 8, 34, RED, within=8)


# ------------------------------------------------------------------ size and animation


def test_a_large_picture_is_scaled_down_and_its_edge_keeps_its_colour(tmp_path: Path) -> None:
    pixels = np.zeros((900, 1501, 4), np.uint8)
    pixels[...] = (0, 255, 0, 0)
    pixels[:, 751:] = (*RED, 255)
    picture = opened(Image.fromarray(pixels), tmp_path / "large.png")
    assert picture.rgba.shape == (900, 1501, 4)
    small = open_picture(tmp_path / "large.png", max_side=300)
    assert small.rgba.shape == (180, 300, 4)
    assert [note for note in small.notes if "300×180" in note]
    edge = small.rgba[small.rgba[..., 3] > 20]
    assert np.abs(edge[:, :3].astype(int) - RED).max() <= 6


def test_a_large_photograph_is_scaled_down(tmp_path: Path) -> None:
    picture = opened(drawn().resize((3000, 2000)), tmp_path / "photo.jpg", quality=90)
    assert picture.rgba.shape == (1365, 2048, 4)
    assert_close(picture, 1500, 1200, RED, within=5)


@pytest.mark.parametrize("format_name", ["GIF", "WebP", "PNG"])
def test_of_a_moving_picture_the_first_frame_is_taken(tmp_path: Path, format_name: str) -> None:
    other = Image.new("RGB", SIZE, (0, 0, 0))
    picture = opened(drawn(), tmp_path / "moving", format=format_name, save_all=True, append_images=[other])
    assert_close(picture, 50, 30, RED, within=8)
    assert [note for note in picture.notes if "first frame" in note]


# ------------------------------------------------------------------ making PNGs by hand


def png_from(width: int, height: int, depth: int, colour_type: int, raw: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    """PNG bytes of raw, unfiltered rows, with extra chunks before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    chunks = [(b"IHDR", header), *extra, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, payload) for name, payload in chunks)


def chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


def png_of(image: Image.Image, *, transparency: bytes) -> bytes:
    """A 16-bit grey PNG with a tRNS chunk."""
    rows = np.asarray(image).astype(">u2")
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    return png_from(image.width, image.height, 16, 0, raw, (b"tRNS", transparency))

"""Pictures that cannot be used, or that want to do harm: each is refused with a sentence and its cure."""

from __future__ import annotations

import io
import struct
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile

from popcond.errors import BadInput, TooLarge, UnreadablePicture
from popcond.media.picture import Picture, open_picture
from tests.clips import moving_disc, write_clip
from tests.popcond.media.test_picture import chunk, drawn, png_from


def refusal(path: Path) -> BadInput:
    with pytest.raises(BadInput) as refused:
        open_picture(path)
    assert refused.value.cure
    assert path.name in refused.value.message
    return refused.value


def grainy() -> Image.Image:
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (90, 110, 3), dtype=np.uint8))


def encoded(format_name: str, **options: bool | int) -> bytes:
    data = io.BytesIO()
    grainy().save(data, format_name, **options)
    return data.getvalue()


# ------------------------------------------------------------------ what is no picture


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"I am not a picture.", "a text file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"<?xml version='1.0'?>\n<!-- made by hand -->\n<svg/>", "an SVG drawing"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "an AVIF picture"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "a PDF document"),
        (b"8BPS\0\1" + bytes(30), "a Photoshop document"),
        (b"PK\3\4" + bytes(40), "a ZIP archive"),
        (b"\x13\x37" + bytes(60), "of an unknown kind"),
    ],
)
def test_what_is_no_picture_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "picture.png").write_bytes(content)
    error = refusal(tmp_path / "picture.png")
    assert isinstance(error, UnreadablePicture)
    assert says in error.message


def test_formats_that_we_do_not_read_come_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert "save it as PNG" in (refusal(tmp_path / "photo.heic").cure or "")


def test_a_clip_is_not_a_picture(tmp_path: Path) -> None:
    write_clip("mp4", moving_disc(3), 10, tmp_path / "picture.png")
    assert "popcond import" in (refusal(tmp_path / "picture.png").cure or "")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert "No such file" in refusal(tmp_path / "missing.png").message
    assert "not a file" in refusal(tmp_path / "folder").message


def test_measurements_are_no_colours(tmp_path: Path) -> None:
    Image.fromarray(np.ones((40, 40), np.float32)).save(tmp_path / "heights.tif")
    with pytest.raises(UnreadablePicture, match="measurements"):
        open_picture(tmp_path / "heights.tif")


# ------------------------------------------------------------------ what is too much or too little


@pytest.mark.parametrize("size", [(1, 1), (15, 400), (400, 15)])
def test_a_tiny_picture_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size).save(tmp_path / "tiny.png")
    assert f"{size[0]}×{size[1]}" in refusal(tmp_path / "tiny.png").message


@pytest.mark.parametrize("size", [(16_000, 40), (10_000, 4_001)])
def test_a_huge_picture_is_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    (tmp_path / "huge.png").write_bytes(png_from(*size, 8, 2, b""))
    error = refusal(tmp_path / "huge.png")
    assert isinstance(error, TooLarge)
    assert f"{size[0]}×{size[1]}" in error.message


@pytest.mark.parametrize("side", [13_000, 30_000, 2_000_000_000])
def test_a_small_file_that_decodes_to_gigabytes_is_refused_undecoded(tmp_path: Path, side: int) -> None:
    """The rows stop early: had anything been decoded, the picture would be called damaged, not too large."""
    (tmp_path / "bomb.png").write_bytes(png_from(side, side, 8, 2, bytes(5_000_000)))
    assert (tmp_path / "bomb.png").stat().st_size < 20_000
    assert isinstance(refusal(tmp_path / "bomb.png"), TooLarge)


@pytest.mark.parametrize(
    "bomb",
    [
        chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(80_000_000))),
        chunk(b"zTXt", b"text\0\0" + zlib.compress(bytes(80_000_000))),
        chunk(b"iTXt", b"text\0\1\0\0\0" + zlib.compress(bytes(80_000_000))),
    ],
    ids=["iCCP", "zTXt", "iTXt"],
)
def test_a_bomb_in_a_png_chunk_does_not_go_off(tmp_path: Path, bomb: bytes) -> None:
    data = encoded("PNG")
    after_header = 8 + 25
    (tmp_path / "bomb.png").write_bytes(data[:after_header] + bomb + data[after_header:])
    tracemalloc.start()
    try:
        refusal(tmp_path / "bomb.png")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000


def test_a_heavy_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "heavy.png").open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    assert isinstance(refusal(tmp_path / "heavy.png"), TooLarge)


# ------------------------------------------------------------------ what is damaged


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.99])
@pytest.mark.parametrize(
    ("format_name", "options"),
    [("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("WEBP", {}), ("GIF", {}), ("BMP", {}), ("TIFF", {})],
    ids=["png", "jpeg", "progressive", "webp", "gif", "bmp", "tiff"],
)
def test_a_truncated_picture_is_never_shown_half(
    tmp_path: Path, format_name: str, options: dict[str, bool], share: float
) -> None:
    data = encoded(format_name, **options)
    (tmp_path / "half").write_bytes(data[: int(len(data) * share)])
    assert isinstance(refusal(tmp_path / "half"), UnreadablePicture)


def test_a_damaged_png_is_refused(tmp_path: Path) -> None:
    data = bytearray(encoded("PNG"))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "damaged.png").write_bytes(data)
    assert "damaged" in refusal(tmp_path / "damaged.png").message


def test_a_tiff_that_only_says_so_is_refused(tmp_path: Path) -> None:
    (tmp_path / "liar.tif").write_bytes(b"II*\0" + struct.pack("<I", 8) + bytes(200))
    assert isinstance(refusal(tmp_path / "liar.tif"), UnreadablePicture)


def picture_or_cure(path: Path) -> tuple[Picture | None, str | None]:
    try:
        return open_picture(path), None
    except BadInput as error:
        return None, error.cure


def changed_bytes(data: bytes, seed: int) -> bytes:
    chance = np.random.default_rng(seed)
    changed = bytearray(data)
    for _ in range(int(chance.integers(1, 12))):
        changed[int(chance.integers(0, min(len(data), int(chance.choice((64, 800, len(data)))))))] = int(
            chance.integers(0, 256)
        )
    return bytes(changed)


def shortened(data: bytes, seed: int) -> bytes:
    return data[: int(np.random.default_rng(seed).integers(0, len(data)))]


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
@pytest.mark.parametrize("harm", [changed_bytes, shortened])
def test_whatever_is_wrong_with_a_picture_ends_in_pixels_or_a_sentence(
    tmp_path: Path, format_name: str, harm: Callable[[bytes, int], bytes]
) -> None:
    sound = encoded(format_name)
    for seed in range(40):
        (tmp_path / "picture").write_bytes(harm(sound, seed))
        picture, cure = picture_or_cure(tmp_path / "picture")
        assert cure or (picture is not None and picture.rgba.shape[2] == 4)


def test_reading_changes_no_setting_of_the_process(tmp_path: Path) -> None:
    before = (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS, list(warnings.filters))
    drawn().save(tmp_path / "picture.png")
    open_picture(tmp_path / "picture.png")
    (tmp_path / "text.png").write_bytes(b"\x89PNG\r\n\x1a\n nonsense")
    refusal(tmp_path / "text.png")
    assert before == (ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS, list(warnings.filters))

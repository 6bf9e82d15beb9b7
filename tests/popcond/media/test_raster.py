"""Rasters: PNG there and back, and scaling that keeps colours apart."""

from __future__ import annotations

import numpy as np
import pytest

from popcond.errors import UnreadablePicture
from popcond.media import raster


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3), (20, 30, 4)])
def test_a_raster_comes_back_from_png_as_it_was(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(raster.from_png(raster.png(pixels)), pixels)


@pytest.mark.parametrize("data", [b"", b"not a picture"])
def test_a_damaged_stored_picture_is_named_as_such(data: bytes) -> None:
    with pytest.raises(UnreadablePicture, match="damaged"):
        raster.from_png(data)


def test_the_colour_of_invisible_pixels_does_not_bleed_into_the_edge() -> None:
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[...] = (0, 255, 0, 0)
    pixels[:, 21:] = (200, 40, 60, 255)
    small = raster.resize(pixels, 10, 10)
    visible = small[..., 3] > 0
    assert np.count_nonzero((small[..., 3] > 0) & (small[..., 3] < 255)) > 0
    assert np.abs(small[visible][:, :3].astype(int) - (200, 40, 60)).max() <= 1
    assert not small[~visible].any()


def test_enlarging_keeps_a_flat_colour_flat() -> None:
    pixels = np.full((8, 8, 4), (10, 200, 30, 255), np.uint8)
    assert np.array_equal(raster.resize(pixels, 21, 17), np.full((17, 21, 4), (10, 200, 30, 255), np.uint8))


def test_premultiplying_and_back_keeps_what_can_be_seen() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (16, 16, 4), dtype=np.uint8)
    back = raster.unpremultiply(raster.premultiply(pixels))
    seen = pixels[..., 3] > 8
    assert np.abs(back[seen].astype(int) - pixels[seen]).max() <= 1


def test_flattening_mixes_by_alpha() -> None:
    pixels = np.array([[(255, 0, 0, 0), (255, 0, 0, 255), (255, 0, 0, 51)]], np.uint8)
    assert raster.flatten(pixels, (0, 0, 100)).tolist() == [[[0, 0, 100], [255, 0, 0], [51, 0, 80]]]


def test_a_stray_see_through_pixel_does_not_make_a_picture_transparent() -> None:
    alpha = np.full((100, 100), 255, np.uint8)
    alpha[0, :5] = 0
    assert not raster.is_see_through(alpha)
    alpha[0, :15] = 0
    assert raster.is_see_through(alpha)

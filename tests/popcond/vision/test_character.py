"""Pictures of characters: alpha is respected, plain backdrops go, and the rest is kept with an honest note."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from popcond.errors import NoCharacter
from popcond.media.raster import Rgb, Rgba
from popcond.vision.character import cut_out_character
from popcond.wire import RemoveBackground
from tests.composites import STYLES, Behind, as_jpeg, iou, laid_on, on_flat, scene

AUTO, ALWAYS, NEVER = RemoveBackground.AUTO, RemoveBackground.ALWAYS, RemoveBackground.NEVER


def _opaque(rgb: Rgb) -> Rgba:
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def _photo() -> Rgb:
    """Coloured texture from edge to edge, with no plain place on its border."""
    coarse = np.random.default_rng(5).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (240, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize("style", STYLES)
def test_a_white_jpeg_becomes_a_cutout(style: str) -> None:
    drawn = scene(style, 0.1, size=256).rgba
    found = cut_out_character(_opaque(as_jpeg(on_flat(drawn, (255, 255, 255)), 88)), False, AUTO)
    assert found.background == "keyed"
    assert found.rgba.shape == drawn.shape
    filled = cv2.morphologyEx(drawn[..., 3], cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    assert iou(found.rgba[..., 3], np.asarray(filled, np.uint8)) > 0.93
    assert found.coverage == pytest.approx(np.mean(found.rgba[..., 3] >= 128))


def test_a_smoothly_shaded_backdrop_goes() -> None:
    drawn = scene("flat", 0.1, size=256).rgba
    behind = Behind((210, 190, 150), vignette=40.0, slope=30.0)
    found = cut_out_character(_opaque(as_jpeg(laid_on(drawn, behind), 90)), False, AUTO)
    assert found.background == "keyed"
    assert iou(found.rgba[..., 3], drawn[..., 3]) > 0.97


def _with_shadow(drawn: Rgba, strength: float) -> Rgb:
    """The picture on white, with a soft grey ellipse under its feet."""
    size = drawn.shape[0]
    dark = np.zeros((size, size), np.float32)
    feet = int(np.flatnonzero((drawn[..., 3] >= 128).any(axis=1))[-1])
    cv2.ellipse(dark, (size // 2, feet - 3), (size * 3 // 10, size // 20), 0, 0, 360, strength, -1)
    behind = 255.0 * (1.0 - np.asarray(cv2.GaussianBlur(dark, (0, 0), size / 50)))[..., None]
    solid = drawn[..., 3:] / 255.0
    return np.asarray(np.rint(drawn[..., :3] * solid + behind * (1.0 - solid)), np.uint8)


@pytest.mark.parametrize("style", ["shaded", "flat", "line", "dark"])
@pytest.mark.parametrize("strength", [0.25, 0.5])
def test_the_soft_shadow_under_a_character_goes(style: str, strength: float) -> None:
    drawn = scene(style, 0.1, size=384).rgba
    found = cut_out_character(_opaque(_with_shadow(drawn, strength)), False, AUTO)
    assert iou(found.rgba[..., 3], drawn[..., 3]) > 0.95


def test_a_grey_foot_that_is_no_shadow_stays() -> None:
    picture = np.full((300, 300, 3), 255, np.uint8)
    cv2.circle(picture, (150, 120), 70, (220, 120, 60), -1)
    cv2.ellipse(picture, (150, 210), (90, 25), 0, 0, 360, (190, 190, 190), -1, cv2.LINE_AA)
    found = cut_out_character(_opaque(picture), False, AUTO)
    assert found.rgba[215, 150].tolist() == [190, 190, 190, 255]


def test_enclosed_white_is_kept_and_said_so() -> None:
    picture = np.full((200, 200, 3), 255, np.uint8)
    cv2.circle(picture, (100, 100), 60, (30, 30, 160), 12)
    found = cut_out_character(_opaque(picture), False, AUTO)
    assert found.rgba[100, 100].tolist() == [255, 255, 255, 255]
    assert any("encloses" in note for note in found.notes)


def test_a_dark_character_on_white_needs_no_note() -> None:
    picture = np.full((200, 200, 3), 255, np.uint8)
    cv2.circle(picture, (100, 100), 60, (30, 30, 160), -1)
    assert cut_out_character(_opaque(picture), False, AUTO).notes == ()


def test_a_character_as_pale_as_its_background_is_pointed_out() -> None:
    picture = np.full((200, 200, 3), 255, np.uint8)
    cv2.circle(picture, (100, 100), 60, (242, 243, 246), -1)
    cv2.circle(picture, (85, 90), 6, (20, 20, 20), -1)
    found = cut_out_character(_opaque(picture), False, AUTO)
    assert found.rgba[100, 100, 3] == 255
    assert any("closely" in note for note in found.notes)


def test_real_alpha_is_kept_and_made_solid_at_both_ends() -> None:
    drawn = scene("soft", 0.1, size=200).rgba
    dull = drawn.copy()
    dull[..., 3] = np.clip(drawn[..., 3].astype(int), 3, 252)
    found = cut_out_character(dull, True, AUTO)
    assert found.background == "alpha"
    assert found.rgba[100, 100, 3] == 255
    assert not found.rgba[dull[..., 3] <= 5].any()
    soft = (drawn[..., 3] > 5) & (drawn[..., 3] < 250)
    assert (found.rgba[soft] == dull[soft]).all()


def test_an_opaque_box_on_a_transparent_margin_loses_its_box_too() -> None:
    drawn = scene("flat", 0.1, size=200).rgba
    picture = np.zeros((280, 280, 4), np.uint8)
    picture[40:240, 40:240] = _opaque(on_flat(drawn, (255, 255, 255)))
    found = cut_out_character(picture, True, AUTO)
    assert found.background == "keyed"
    assert found.notes
    assert iou(found.rgba[40:240, 40:240, 3], drawn[..., 3]) > 0.95
    assert not found.rgba[:40].any()


def test_a_character_that_is_itself_a_box_keeps_its_alpha() -> None:
    picture = np.zeros((200, 200, 4), np.uint8)
    picture[50:150, 50:150] = (200, 120, 40, 255)
    found = cut_out_character(picture, True, AUTO)
    assert found.background == "alpha"
    assert found.coverage == pytest.approx(0.25)


def test_a_busy_background_is_kept_with_a_note_that_says_what_to_do() -> None:
    photo = _photo()
    found = cut_out_character(_opaque(photo), False, AUTO)
    assert found.background == "kept"
    assert (found.rgba[..., :3] == photo).all()
    assert found.coverage == 1.0
    assert any("plain background" in note for note in found.notes)


def test_always_refuses_what_cannot_be_told_apart() -> None:
    with pytest.raises(NoCharacter) as caught:
        cut_out_character(_opaque(_photo()), False, ALWAYS)
    assert caught.value.cure


def test_never_changes_nothing() -> None:
    picture = _opaque(on_flat(scene("flat", size=120).rgba, (255, 255, 255)))
    found = cut_out_character(picture, False, NEVER)
    assert found.background == "kept"
    assert (found.rgba == picture).all()


@pytest.mark.parametrize("mode", list(RemoveBackground))
def test_an_empty_picture_has_no_character(mode: RemoveBackground) -> None:
    with pytest.raises(NoCharacter) as caught:
        cut_out_character(np.zeros((64, 64, 4), np.uint8), True, mode)
    assert caught.value.cure


def test_a_picture_of_one_colour_is_kept_unasked_and_refused_when_asked() -> None:
    plain = _opaque(np.full((90, 90, 3), 240, np.uint8))
    kept = cut_out_character(plain, False, AUTO)
    assert kept.background == "kept"
    assert "Nothing stands out" in kept.notes[0]
    with pytest.raises(NoCharacter, match="Nothing stands out"):
        cut_out_character(plain, False, ALWAYS)


def test_the_given_picture_is_not_written_to() -> None:
    picture = scene("soft", size=120).rgba
    before = picture.copy()
    cut_out_character(picture, True, AUTO)
    assert (picture == before).all()


@pytest.mark.parametrize("shape", [(16, 16), (17, 300), (300, 21)])
def test_odd_shapes_are_taken(shape: tuple[int, int]) -> None:
    picture = _opaque(np.full((*shape, 3), 250, np.uint8))
    picture[shape[0] // 3 : shape[0] // 2 + 2, shape[1] // 3 : shape[1] // 2 + 2, :3] = (30, 80, 160)
    found = cut_out_character(picture, False, AUTO)
    assert found.background == "keyed"
    assert found.rgba.shape == (*shape, 4)

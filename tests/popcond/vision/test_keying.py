"""Keying through real codecs, held against the true alpha."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from popcond.media.raster import Alpha, Colour, Rgb, Rgba
from popcond.vision.backdrop import choose_backdrop, estimate
from popcond.vision.keying import Enclosed, key
from tests.composites import STYLES, Behind, alpha_error, as_h264, as_jpeg, iou, laid_on, on_flat, scene

WHITE = (255, 255, 255)


def _keyed(rgb: Rgb, hint: Colour | None = None, enclosed: Enclosed | None = None) -> Alpha:
    backdrop = estimate(rgb, hint)
    assert backdrop is not None
    return key(rgb, backdrop, enclosed)


def _on_chosen(drawn: Rgba, *, crf: int) -> tuple[Rgb, Colour]:
    colour = choose_backdrop(drawn)
    behind = Behind(colour, drift=4.0, vignette=10.0, grain=1.0)
    frames = [laid_on(drawn, behind, phase, seed=n) for n, phase in enumerate((0.0, 0.2, 0.4))]
    return as_h264(frames, crf=crf)[-1], colour


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("crf", [18, 26])
def test_a_character_on_its_chosen_backdrop_survives_h264(style: str, crf: int) -> None:
    drawn = scene(style, 0.1, size=256).rgba
    frame, colour = _on_chosen(drawn, crf=crf)
    alpha = _keyed(frame, colour)
    assert iou(alpha, drawn[..., 3]) > 0.97
    assert alpha_error(alpha, drawn[..., 3]) < (0.01 if style != "soft" else 0.015)


def test_alpha_is_solid_at_both_ends() -> None:
    drawn = scene("shaded", 0.1, size=256).rgba
    frame, colour = _on_chosen(drawn, crf=20)
    alpha = _keyed(frame, colour)
    deep = cv2.erode(drawn[..., 3], np.ones((9, 9), np.uint8)) == 255
    far = cv2.dilate(drawn[..., 3], np.ones((13, 13), np.uint8)) == 0
    assert (alpha[deep] == 255).all()
    assert float(np.mean(alpha[far] == 0)) > 0.999
    assert ((alpha > 0) & (alpha < 255)).any()


def test_the_view_between_arm_and_body_goes_on_a_chosen_backdrop() -> None:
    drawn = scene("thin", 0.1, size=256).rgba
    frame, colour = _on_chosen(drawn, crf=26)
    enclosed = np.zeros(drawn.shape[:2], np.bool_)
    enclosed[160:170, 84:92] = True
    assert (drawn[enclosed][:, 3] == 0).all()
    assert (_keyed(frame, colour)[enclosed] == 0).all()


@pytest.mark.parametrize("style", ["white", "line", "dark"])
def test_a_small_view_goes_though_the_codec_tinted_it(style: str) -> None:
    drawn = scene(style, 0.1, size=256).rgba
    frame, colour = _on_chosen(drawn, crf=26)
    view = np.zeros(drawn.shape[:2], np.bool_)
    view[154:158, 88:92] = True
    assert (drawn[view][:, 3] == 0).all()
    assert (_keyed(frame, colour)[view] < 128).all()


def test_a_small_mark_nearly_as_light_as_a_chosen_backdrop_stays() -> None:
    frame = np.full((256, 256, 3), (124, 78, 32), np.uint8)
    cv2.circle(frame, (128, 128), 80, (240, 240, 244), -1)
    cv2.circle(frame, (110, 110), 5, (150, 106, 56), -1)
    alpha = _keyed(as_h264([frame] * 3, crf=20)[-1], (124, 78, 32))
    assert alpha[110, 110] == 255


@pytest.mark.parametrize("style", ["white", "line"])
@pytest.mark.parametrize("quality", [None, 75, 92])
def test_a_white_character_on_white_keeps_its_belly(style: str, quality: int | None) -> None:
    drawn = scene(style, 0.1, size=256).rgba
    picture = on_flat(drawn, WHITE)
    alpha = _keyed(picture if quality is None else as_jpeg(picture, quality))
    deep = cv2.erode(drawn[..., 3], np.ones((5, 5), np.uint8)) == 255
    assert (alpha[deep] == 255).all()
    assert (alpha[:20] == 0).all()


def test_a_small_gap_in_an_outline_lets_no_backdrop_in() -> None:
    picture = np.full((256, 256, 3), 255, np.uint8)
    cv2.circle(picture, (128, 128), 80, (20, 20, 20), 3)
    picture[46:51, 127:129] = 255
    alpha = _keyed(picture)
    assert alpha[128, 128] == 255
    assert alpha[10, 10] == 0


def test_a_narrow_dead_end_of_the_backdrop_goes() -> None:
    picture = np.full((256, 256, 3), 255, np.uint8)
    cv2.rectangle(picture, (60, 60), (200, 200), (40, 90, 200), -1)
    picture[60:150, 127:129] = 255
    assert (_keyed(picture)[70:140, 127:129] < 128).all()


def test_what_an_outline_encloses_is_a_question_of_policy() -> None:
    picture = np.full((200, 200, 3), 255, np.uint8)
    cv2.circle(picture, (100, 100), 60, (30, 30, 160), 12)
    assert _keyed(picture, enclosed=Enclosed.STAYS)[100, 100] == 255
    assert _keyed(picture, enclosed=Enclosed.GOES)[100, 100] == 0


def test_a_strongly_coloured_backdrop_shows_through_a_ring_and_a_white_one_stays() -> None:
    for colour, middle in (((60, 170, 90), 0), (WHITE, 255)):
        picture = np.full((200, 200, 3), colour, np.uint8)
        cv2.circle(picture, (100, 100), 60, (200, 60, 60), 12)
        assert _keyed(picture)[100, 100] == middle


def test_a_pale_shaded_character_on_white_keeps_its_lit_side() -> None:
    drawn = scene("white", 0.1, size=256).rgba
    picture = on_flat(drawn, (255, 255, 255))
    assert iou(_keyed(picture), drawn[..., 3]) > 0.97


def test_lines_along_the_border_of_a_frame_go() -> None:
    drawn = scene("shaded", 0.1, size=256).rgba
    picture = laid_on(drawn, Behind((60, 60, 110)))
    picture[:, :2] = (200, 200, 200)
    picture[-2:] = (10, 10, 10)
    alpha = _keyed(picture, (60, 60, 110))
    assert not alpha[:, :2].any()
    assert not alpha[-2:].any()
    assert iou(alpha, drawn[..., 3]) > 0.98


def test_a_character_that_leaves_the_frame_is_cut_only_by_the_frame() -> None:
    drawn = np.roll(scene("flat", 0.1, size=256).rgba, 90, axis=0)
    drawn[:90] = 0
    alpha = _keyed(laid_on(drawn, Behind((78, 147, 101))), (78, 147, 101))
    assert iou(alpha, drawn[..., 3]) > 0.98
    assert (alpha[-1] >= 128).any()


def test_a_picture_of_backdrop_alone_has_nothing_before_it() -> None:
    picture = laid_on(np.zeros((128, 128, 4), np.uint8), Behind((90, 90, 90), grain=2.0))
    assert not _keyed(as_jpeg(picture, 80)).any()


def test_a_dark_rim_round_a_loud_colour_stays_solid() -> None:
    rows, columns = np.mgrid[:256, :256]
    radius = np.hypot(rows - 128, columns - 128)
    frame = np.full((256, 256, 3), (32, 147, 147), np.uint8)
    frame[radius < 60] = (40, 30, 56)
    frame[radius < 55] = (240, 60, 90)
    alpha = _keyed(as_h264([frame] * 3, crf=14)[-1], (32, 147, 147))
    assert alpha[(radius > 55) & (radius < 58.5)].min() > 200
    assert alpha[radius > 63].max() == 0

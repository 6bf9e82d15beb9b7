"""Anatomy: found where it is drawn, supposed where it is not, never missing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from popcond.media.raster import Rgba
from popcond.video.anatomy import study
from tests.popcond.video.puppet_cast import DARK, EYES, SKIN, face, person, plank, pole, twins


def test_a_person_has_head_neck_eyes_arms_and_legs_where_they_are_drawn() -> None:
    anatomy = study(person())

    assert anatomy.has_body
    assert anatomy.head.centre == pytest.approx((108, 72), abs=8)
    assert anatomy.head.half_width == pytest.approx(62, abs=8)
    assert 122 < anatomy.neck < 148
    assert anatomy.eyes.found
    assert anatomy.eyes.left == pytest.approx(EYES[0], abs=3)
    assert anatomy.eyes.right == pytest.approx(EYES[1], abs=3)
    assert anatomy.hip is not None
    assert anatomy.parting == pytest.approx(108, abs=5)
    assert [arm.side for arm in anatomy.arms] == [1, -1]


def test_the_raised_arm_points_outwards_and_up_and_the_other_hangs() -> None:
    anatomy = study(person())
    raised, hanging = anatomy.arm(1), anatomy.arm(-1)

    assert raised is not None
    assert hanging is not None
    assert raised.rest > 1.6 > hanging.rest
    assert raised.tip == pytest.approx((200, 127), abs=9)


def test_anatomy_does_not_depend_on_the_pictures_size() -> None:
    small, large = study(person()), study(np.repeat(np.repeat(person(), 3, axis=0), 3, axis=1))
    assert large.head.radius == pytest.approx(3 * small.head.radius, rel=0.08)
    assert large.eyes.left == pytest.approx((3 * small.eyes.left[0], 3 * small.eyes.left[1]), abs=9)


def test_a_face_is_all_head_and_has_no_limbs() -> None:
    anatomy = study(face())
    assert not anatomy.has_body
    assert anatomy.head.radius == pytest.approx(92, abs=8)
    assert anatomy.eyes.found
    assert anatomy.arms == ()
    assert anatomy.hip is None


@pytest.mark.parametrize("picture", [plank(), pole(), twins(), np.zeros((40, 30, 4), np.uint8)])
def test_things_without_parts_still_have_an_anatomy(picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    anatomy = study(picture)
    assert anatomy.height > 0
    assert anatomy.head.radius > 0
    assert anatomy.left <= anatomy.middle <= anatomy.right
    assert anatomy.eyes.left[0] < anatomy.eyes.right[0]


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 3)])
def test_tiny_pictures_have_an_anatomy(shape: tuple[int, int]) -> None:
    anatomy = study(np.full((*shape, 4), 255, np.uint8))
    assert anatomy.bottom == pytest.approx(shape[0])
    assert anatomy.right == pytest.approx(shape[1])


# ------------------------------------------------------------------ what is no pair of eyes


def car() -> Rgba:
    """200 × 300, from its side: a wheel at each end, windows of different width."""
    picture = np.zeros((200, 300, 4), np.uint8)
    cv2.rectangle(picture, (10, 80), (290, 160), (220, 60, 70, 255), -1)
    cv2.rectangle(picture, (70, 20), (240, 90), (220, 60, 70, 255), -1)
    cv2.rectangle(picture, (86, 34), (120, 80), (110, 190, 235, 255), -1)
    cv2.rectangle(picture, (134, 34), (226, 80), (110, 190, 235, 255), -1)
    for x in (70, 230):
        cv2.circle(picture, (x, 160), 34, DARK, -1)
    return picture


def tiger() -> Rgba:
    """200 × 300, from its side: slanting stripes on the trunk, one eye in the head at the left."""
    picture = np.zeros((200, 300, 4), np.uint8)
    cv2.ellipse(picture, (180, 100), (100, 50), 0, 0, 360, SKIN, -1)
    cv2.circle(picture, (60, 70), 44, SKIN, -1)
    for x in (110, 140, 230, 256):
        cv2.rectangle(picture, (x, 110), (x + 18, 190), SKIN, -1)
    for x, length in ((130, 30), (170, 44), (210, 36)):
        cv2.line(picture, (x, 56), (x + 18, 56 + length), (200, 140, 100, 255), 10)
    cv2.circle(picture, (44, 62), 6, DARK, -1)
    return picture


def test_wheels_and_windows_are_no_eyes() -> None:
    assert not study(car()).eyes.found


def test_stripes_are_no_eyes_and_the_one_eye_of_a_side_view_shows_where_its_head_is() -> None:
    anatomy = study(tiger())
    assert not anatomy.eyes.found
    assert anatomy.head.centre == pytest.approx((60, 70), abs=24)
    assert anatomy.eyes.left[0] < 50 < anatomy.eyes.left[0] + 30
    assert anatomy.eyes.right[1] == pytest.approx(62, abs=6)


def test_eyes_of_different_size_or_form_are_no_pair() -> None:
    picture = face()
    cv2.circle(picture, (134, 84), 14, (250, 205, 60, 255), -1)
    cv2.rectangle(picture, (120, 80), (150, 84), DARK, -1)
    assert not study(picture).eyes.found


def test_faint_spots_are_no_eyes() -> None:
    picture = face()
    picture[70:100, 50:150, :3] = (250, 205, 60)
    for x in (66, 134):
        cv2.circle(picture, (x, 84), 13, (236, 192, 52, 255), -1)
    assert not study(picture).eyes.found


def test_eyes_that_were_not_seen_are_supposed_a_little_below_the_heads_middle() -> None:
    picture = face()
    picture[..., :3] = (250, 205, 60)
    anatomy = study(picture)
    top = anatomy.head.y - anatomy.head.half_height
    down = (anatomy.eyes.left[1] - top) / (2 * anatomy.head.half_height)
    assert 0.55 <= down <= 0.6
    assert anatomy.eyes.right[0] - anatomy.eyes.left[0] < anatomy.head.half_width


def test_a_tail_of_a_side_view_is_no_arm() -> None:
    picture = tiger()
    cv2.line(picture, (262, 90), (296, 30), SKIN, 12)
    assert study(picture).arms == ()


def test_pinholes_of_a_cut_out_do_not_hide_an_arm() -> None:
    picture = person()
    picture[140:143, 168:171] = 0
    assert len(study(picture).arms) == 2

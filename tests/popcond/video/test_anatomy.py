"""Anatomy: found where it is drawn, supposed where it is not, never missing."""

from __future__ import annotations

import numpy as np
import pytest

from popcond.video.anatomy import study
from tests.popcond.video.puppet_cast import EYES, face, person, plank, pole, twins


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

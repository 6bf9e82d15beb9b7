"""An open outline does not leak, and the room between limbs is not held back."""

from __future__ import annotations

import cv2
import numpy as np

from popcond.media.raster import Rgb
from popcond.vision.backdrop import estimate
from popcond.vision.keying import key
from popcond.vision.reach import reached


def _drawn_ring(gap: int) -> Rgb:
    picture = np.full((400, 400, 3), 255, np.uint8)
    cv2.circle(picture, (200, 200), 110, (20, 20, 20), 6)
    picture[80:100, 200 - gap // 2 : 200 + gap - gap // 2] = 255
    return picture


def _alpha_at(picture: Rgb, row: int, column: int) -> int:
    backdrop = estimate(picture)
    assert backdrop is not None
    return int(key(picture, backdrop)[row, column])


def test_a_white_figure_whose_outline_has_a_gap_does_not_run_empty() -> None:
    assert _alpha_at(_drawn_ring(gap=12), 200, 200) == 255


def test_through_a_wide_opening_the_backdrop_does_run_in() -> None:
    assert _alpha_at(_drawn_ring(gap=60), 200, 200) == 0


def test_the_small_room_between_two_limbs_of_a_solid_figure_is_backdrop() -> None:
    picture = np.full((400, 400, 3), 255, np.uint8)
    cv2.rectangle(picture, (100, 60), (300, 340), (40, 90, 200), -1)
    cv2.circle(picture, (200, 250), 28, (255, 255, 255), -1)
    picture[250:345, 194:206] = 255  # an opening narrower than the room
    assert _alpha_at(picture, 250, 200) == 0


def test_reach_goes_round_corners_and_not_through_lines() -> None:
    like = np.ones((120, 120), np.uint8)
    like[20, 20:100] = like[99, 20:100] = like[20:100, 20] = like[20:100, 99] = 0
    for gap in (0.0, 9.0):
        found = reached(like, gap)
        assert found[5, 5] == 1
        assert found[60, 60] == 0


def test_behind_a_gap_only_a_room_that_is_large_is_kept_back() -> None:
    like = np.ones((120, 120), np.uint8)
    like[20, 20:100] = like[99, 20:100] = like[20:100, 20] = like[20:100, 99] = 0
    like[20, 58:62] = 1
    assert reached(like, 9.0, room=100.0)[60, 60] == 0
    assert reached(like, 9.0, room=10_000.0)[60, 60] == 1
    assert reached(like)[60, 60] == 1

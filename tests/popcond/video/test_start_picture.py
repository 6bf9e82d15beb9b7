"""The picture that a model starts from: all of the character, on nothing but the backdrop, with room above it."""

from __future__ import annotations

import numpy as np
import pytest

from popcond.video.start_picture import start_picture

BACKDROP = (0, 170, 80)


def a_cutout(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A red block with a wide invisible rim."""
    cutout = np.zeros((height + 40, width + 60, 4), np.uint8)
    cutout[20:-20, 30:-30] = (220, 30, 30, 255)
    return cutout


@pytest.mark.parametrize(("height", "width"), [(400, 100), (100, 400), (30, 30), (1, 900), (2000, 1500)])
@pytest.mark.parametrize("side", [640, 960])
def test_the_figure_stands_in_the_middle_with_room_on_every_side(height: int, width: int, side: int) -> None:
    picture = start_picture(a_cutout(height, width), BACKDROP, side)
    assert picture.shape == (side, side, 3)
    rows, columns = np.nonzero((picture != BACKDROP).any(axis=2))
    assert 0.1 * side < columns.min()
    assert abs((columns.min() + columns.max()) / 2 - side / 2) <= 1
    assert rows.max() + 1 == pytest.approx(0.88 * side, abs=1)
    assert rows.min() >= 0.2 * side
    assert picture[(rows.min() + rows.max()) // 2, side // 2].tolist() == [220, 30, 30]


def test_a_cutout_with_nothing_in_it_is_backdrop() -> None:
    assert (start_picture(np.zeros((9, 9, 4), np.uint8), BACKDROP, 640) == BACKDROP).all()

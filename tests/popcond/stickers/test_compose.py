"""One crop, one scale, one ground; clean alpha."""

from __future__ import annotations

import numpy as np
import pytest

from popcond.errors import NoCharacter
from popcond.media.raster import Rgba
from popcond.stickers.compose import common_box, compose, layout, solid_ends
from popcond.stickers.source import Box, Cutout, CutoutList, CutoutShelf
from popcond.targets import target

LINE = target("line-emoji")
GIF = target("gif")


def block(left: int, top: int, width: int, height: int, alpha: int = 255, side: int = 400) -> Rgba:
    """A frame with one orange block in it."""
    frame = np.zeros((side, side, 4), np.uint8)
    frame[top : top + height, left : left + width] = (240, 120, 20, alpha)
    return frame


def cutouts(*frames: Rgba) -> list[Cutout]:
    shelf = CutoutShelf(CutoutList(frames, (0.1,) * len(frames)))
    return [shelf[index] for index in range(len(frames))]


def visible(canvas: Rgba) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(canvas[..., 3].any(axis=1)), np.flatnonzero(canvas[..., 3].any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def test_the_crop_box_is_the_union_of_all_frames() -> None:
    assert common_box(cutouts(block(50, 60, 40, 90), block(120, 20, 30, 30))) == Box(50, 20, 150, 150)


def test_a_stray_pixel_and_a_faint_veil_do_not_widen_the_box() -> None:
    frame = block(100, 100, 50, 50)
    frame[3, 3] = 255
    frame[:, 300:] = (200, 200, 200, 10)
    assert common_box(cutouts(frame)) == Box(100, 100, 150, 150)


def test_nothing_visible_is_said_in_words() -> None:
    with pytest.raises(NoCharacter, match="Every frame is empty"):
        common_box(cutouts(block(0, 0, 10, 10, alpha=3)))


def test_a_still_part_stays_where_it_is_while_another_moves() -> None:
    first, second = cutouts(block(100, 200, 60, 100), block(100, 200, 60, 100) + block(300, 50, 20, 20))
    plan = layout(common_box([first, second]), LINE)
    a, b = compose(first, plan), compose(second, plan)
    still = visible(a)
    assert np.array_equal(a[still[1] : still[3], still[0] : still[2]], b[still[1] : still[3], still[0] : still[2]])


@pytest.mark.parametrize(("width", "height"), [(60, 200), (200, 60), (150, 150), (10, 390)])
def test_the_character_fills_the_canvas_centred_and_standing_on_the_ground(width: int, height: int) -> None:
    (cutout,) = cutouts(block(5, 5, width, height))
    canvas = compose(cutout, layout(common_box([cutout]), LINE))
    left, top, right, bottom = visible(canvas)
    assert canvas.shape == (180, 180, 4)
    assert max(right - left, bottom - top) == 176
    assert abs(left - (180 - right)) <= 1
    assert bottom == 178
    assert (right - left) / (bottom - top) == pytest.approx(width / height, rel=0.12)


def test_the_corners_of_a_full_canvas_stay_empty() -> None:
    (cutout,) = cutouts(block(0, 0, 400, 400))
    canvas = compose(cutout, layout(common_box([cutout]), LINE))
    assert not canvas[[0, 0, -1, -1], [0, -1, 0, -1], 3].any()


def test_a_canvas_without_a_fixed_size_keeps_the_shape_and_is_even() -> None:
    (cutout,) = cutouts(block(11, 30, 101, 233))
    plan = layout(common_box([cutout]), GIF)
    assert (plan.across, plan.down) == (101, 233)
    assert plan.width % 2 == 0
    assert plan.height % 2 == 0
    assert 101 < plan.width <= 110


@pytest.mark.parametrize(
    ("width", "height", "canvas"), [(60, 200, (88, 270)), (390, 100, (320, 88)), (5, 6, (226, 270))]
)
def test_a_line_sticker_touches_its_limit_on_one_side(width: int, height: int, canvas: tuple[int, int]) -> None:
    plan = layout(Box(0, 0, width, height), target("line-sticker"))
    assert max(plan.width / 320, plan.height / 270) == 1.0
    assert (plan.width, plan.height) == pytest.approx(canvas, abs=6)


def test_no_colour_of_an_invisible_pixel_bleeds_in() -> None:
    frame = block(100, 100, 151, 153)
    frame[frame[..., 3] == 0, :3] = (0, 255, 0)
    (cutout,) = cutouts(frame)
    canvas = compose(cutout, layout(common_box([cutout]), LINE))
    seen = canvas[canvas[..., 3] > 0].astype(int)
    assert np.abs(seen[:, :3] - (240, 120, 20)).max() <= 2


def test_alpha_is_solid_at_both_ends() -> None:
    ramp = np.full((1, 256, 4), 77, np.uint8)
    ramp[0, :, 3] = np.arange(256)
    alpha = solid_ends(ramp)[0, :, 3]
    assert set(alpha[:6].tolist()) == {0}
    assert set(alpha[250:].tolist()) == {255}
    assert alpha[6:250].tolist() == list(range(6, 250))
    assert not solid_ends(ramp)[0, :6].any()


def test_a_matte_of_253_becomes_solid_on_the_canvas() -> None:
    (cutout,) = cutouts(block(100, 100, 150, 150, alpha=253))
    canvas = compose(cutout, layout(common_box([cutout]), LINE))
    assert (canvas[..., 3] == 255).sum() > 0.9 * (canvas[..., 3] > 0).sum()


class Counted:
    """A source that counts how often each frame is loaded."""

    def __init__(self, count: int) -> None:
        self.seconds = (0.1,) * count
        self.loads = [0] * count

    def __len__(self) -> int:
        return len(self.loads)

    def load(self, index: int) -> Rgba:
        self.loads[index] += 1
        return block(10 * index, 50, 60, 80)


def test_a_frame_that_fits_on_the_shelf_is_loaded_once() -> None:
    source = Counted(6)
    shelf = CutoutShelf(source)
    for _ in range(3):
        for index in range(6):
            shelf[index]
    assert source.loads == [1] * 6


def test_the_shelf_forgets_what_outgrows_its_budget() -> None:
    source = Counted(6)
    shelf = CutoutShelf(source, budget=2 * 60 * 80 * 4)
    for index in (0, 1, 2, 2, 1, 0):
        shelf[index]
    assert source.loads[:3] == [2, 1, 1]


def test_a_cutout_keeps_only_what_is_not_empty() -> None:
    (cutout,) = cutouts(block(30, 40, 50, 60))
    assert cutout.pixels.shape == (60, 50, 4)
    assert cutout.extent == Box(30, 40, 80, 100)
    assert (cutout.width, cutout.height) == (400, 400)

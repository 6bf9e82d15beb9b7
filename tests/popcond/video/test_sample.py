"""The sample character: a whole figure, cleanly cut out, and built so that it can be bent."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from popcond.media.raster import Rgba, resize
from popcond.video.sample import draw_sample

SIDE = 768


@pytest.fixture(scope="module")
def sample() -> Rgba:
    return draw_sample(SIDE)


def box(sample: Rgba) -> tuple[int, int, int, int]:
    """Left, top, right and bottom free space of the figure."""
    rows, columns = np.nonzero(sample[..., 3])
    return int(columns.min()), int(rows.min()), SIDE - 1 - int(columns.max()), SIDE - 1 - int(rows.max())


def runs(row: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Start and end of the solid stretches of a row of alpha."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row >= 128, [0]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def test_the_figure_stands_in_the_frame_with_room_on_every_side(sample: Rgba) -> None:
    assert sample.shape == (SIDE, SIDE, 4)
    assert sample.dtype == np.uint8
    left, top, right, bottom = box(sample)
    assert min(left, top, right, bottom) > 0.03 * SIDE
    assert top + bottom < 0.15 * SIDE  # from head to toe it fills the height
    assert abs(left - right) < 0.05 * SIDE


def test_the_figure_is_one_piece_without_holes_but_those_between_its_limbs(sample: Rgba) -> None:
    solid = (sample[..., 3] >= 128).astype(np.uint8)
    count, _, _, _ = cv2.connectedComponentsWithStats(solid, connectivity=8)
    assert count == 2  # the background and the figure
    gaps, _, areas, _ = cv2.connectedComponentsWithStats(1 - solid, connectivity=4)
    assert gaps == 2, f"holes of {areas[1:, cv2.CC_STAT_AREA]} pixels"


def test_alpha_is_solid_inside_and_soft_only_along_the_edge(sample: Rgba) -> None:
    alpha = sample[..., 3]
    inner = cv2.erode((alpha > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert (alpha[inner] == 255).all()
    assert 0 < ((alpha > 0) & (alpha < 255)).sum() < 0.05 * (alpha > 0).sum()


def test_what_is_transparent_has_no_colour(sample: Rgba) -> None:
    assert not sample[sample[..., 3] == 0].any()


def test_the_edge_is_the_dark_line_and_no_bleeding_of_black_or_white(sample: Rgba) -> None:
    edge = sample[(sample[..., 3] > 60) & (sample[..., 3] < 200)][:, :3].astype(np.int16)
    assert np.abs(edge - (84, 42, 44)).max() <= 12


def test_the_legs_part_and_stand_on_the_same_ground(sample: Rgba) -> None:
    shins = runs(sample[round(0.82 * SIDE), :, 3])
    assert len(shins) == 2
    lowest = [int(np.flatnonzero(sample[:, start:end, 3].max(axis=1)).max()) for start, end in shins]
    assert abs(lowest[0] - lowest[1]) <= 1


def test_both_arms_stand_apart_from_the_body(sample: Rgba) -> None:
    resting = runs(sample[round(0.72 * SIDE), :, 3])
    raised = runs(sample[round(0.47 * SIDE), :, 3])
    assert len(resting) == 2  # an arm, a gap, the body
    assert len(raised) == 2  # the head, a gap, a hand
    assert min(resting[1][0] - resting[0][1], raised[1][0] - raised[0][1]) > 0.02 * SIDE


def test_the_neck_is_narrower_than_head_and_shoulders(sample: Rgba) -> None:
    def width(height: float) -> int:
        row = runs(sample[round(height * SIDE), :, 3])
        return max(end - start for start, end in row)

    neck = min(width(height / 100) for height in range(45, 58))
    assert neck < 0.6 * width(0.3)
    assert neck < 0.6 * width(0.62)


def test_the_face_has_two_level_eyes_of_one_size(sample: Rgba) -> None:
    dark = (np.abs(sample[..., :3].astype(np.int16) - (66, 34, 38)).max(axis=2) <= 6).astype(np.uint8)
    _, _, stats, centres = cv2.connectedComponentsWithStats(dark, connectivity=8)
    eyes = [
        place for stat, place in zip(stats[1:], centres[1:], strict=True) if stat[cv2.CC_STAT_AREA] > 0.0008 * SIDE**2
    ]
    assert len(eyes) == 2
    assert abs(eyes[0][1] - eyes[1][1]) < 0.01 * SIDE
    assert 0.05 * SIDE < abs(eyes[0][0] - eyes[1][0]) < 0.3 * SIDE


@pytest.mark.parametrize("backdrop", [(0, 255, 0), (255, 0, 255)])
def test_no_pixel_is_near_the_usual_backdrops(sample: Rgba, backdrop: tuple[int, int, int]) -> None:
    colours = np.unique(sample[sample[..., 3] == 255][:, :3], axis=0).astype(np.float64)
    assert np.linalg.norm(colours - backdrop, axis=1).min() > 120


def test_it_is_the_same_picture_every_time(sample: Rgba) -> None:
    assert np.array_equal(draw_sample(SIDE), sample)


@pytest.mark.parametrize("side", [128, 180, 1600])
def test_any_size_shows_the_same_figure(sample: Rgba, side: int) -> None:
    other = resize(draw_sample(side), 180, 180)[..., 3].astype(np.int16)
    reference = resize(sample, 180, 180)[..., 3].astype(np.int16)
    assert np.abs(other - reference).mean() < 4.0

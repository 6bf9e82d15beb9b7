"""The effects: they repeat exactly, stay in the frame, keep their colours, and read as pieces of their own."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from popcond.errors import UnknownName
from popcond.media.raster import Colour, Rgb
from popcond.video.anchors import Anchors
from popcond.video.effects import EFFECTS, draw_effects, effect_colours

SIDE = 512
BACKDROP: Colour = (20, 240, 90)
FRAMES = 20
ONCE = {"leap-dust", "wink-star"}  # shown for one moment of the loop, then gone
FLOATING = tuple(sorted(set(EFFECTS) - ONCE - {"blush", "anger", "stars"}))  # at least one piece keeps off the head

MIDDLE = Anchors(
    crown=(256, 100),
    head=(256, 190),
    head_radius=90,
    left_eye=(222, 185),
    right_eye=(290, 185),
    mouth=(256, 235),
    chest=(256, 340),
    ground=(256, 490),
    left=(180, 340),
    right=(332, 340),
)
LEANING = replace(MIDDLE, upright=0.5)
SMALL = replace(MIDDLE, head_radius=14)
HUGE = replace(MIDDLE, head=(256, 256), head_radius=240, crown=(256, 10))
CORNERED = replace(
    MIDDLE, crown=(20, 0), head=(20, 20), left_eye=(6, 16), right_eye=(34, 16), left=(0, 80), right=(60, 80)
)
LOW = replace(MIDDLE, head=(490, 500), left_eye=(470, 505), right_eye=(511, 505), ground=(500, 511), right=(511, 500))


def drawn(name: str, phase: float, anchors: Anchors = MIDDLE, side: int = SIDE) -> Rgb:
    canvas = np.full((side, side, 3), BACKDROP, np.uint8)
    draw_effects(canvas, [name], phase, anchors, "behind")
    draw_effects(canvas, [name], phase, anchors, "front")
    return canvas


def loop(name: str) -> tuple[Rgb, ...]:
    return tuple(drawn(name, number / FRAMES) for number in range(FRAMES))


def painted(frame: Rgb) -> NDArray[np.bool_]:
    return np.asarray((frame != np.asarray(BACKDROP, np.uint8)).any(axis=2), np.bool_)


def step(one: Rgb, other: Rgb) -> float:
    return cv2.norm(one, other, cv2.NORM_L1) / one.size


def exactly(frame: Rgb, colour: Colour) -> int:
    return cv2.countNonZero(cv2.inRange(frame, colour, colour))


def pieces(mask: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Labels, and the box of each piece as x, y, width, height."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return labels, stats[1:, :4]


def test_the_names_that_actions_use_are_all_there() -> None:
    wanted = "tears hearts sparkles anger sweat motion-lines zzz question confetti blush shock-lines notes stars puff"
    assert set(EFFECTS) == {*wanted.split(), "exclaim", "speed-lines", *ONCE, *["yes", "no", "hello", "flowers"]}


@pytest.mark.parametrize("name", EFFECTS)
def test_the_end_of_a_loop_is_its_beginning_pixel_by_pixel(name: str) -> None:
    assert np.array_equal(drawn(name, 0.0), drawn(name, 1.0))
    assert np.array_equal(drawn(name, 0.25), drawn(name, 3.25))


@pytest.mark.parametrize("name", sorted(set(EFFECTS) - ONCE))
def test_neighbours_differ_and_the_seam_is_no_larger_than_other_steps(name: str) -> None:
    frames = loop(name)
    steps = [step(one, other) for one, other in pairwise(frames)]
    seam = step(frames[-1], frames[0])
    assert min([*steps, seam]) > 0.0
    assert seam <= 1.2 * max(steps)


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize(
    "anchors", [MIDDLE, LEANING, SMALL, HUGE, CORNERED, LOW], ids=["middle", "lean", "small", "huge", "top", "low"]
)
def test_nothing_touches_the_border_of_the_frame(name: str, anchors: Anchors) -> None:
    for phase in (0.05, 0.3, 0.55, 0.85):
        touched = painted(drawn(name, phase, anchors))
        touched[2:-2, 2:-2] = False
        assert not touched.any()


@pytest.mark.parametrize("name", EFFECTS)
def test_an_effect_shows_every_one_of_its_colours_and_nearly_nothing_but_solid_ones(name: str) -> None:
    frames = loop(name)
    area = sum(int(painted(frame).sum()) for frame in frames)
    solid = {colour: sum(exactly(frame, colour) for frame in frames) for colour in effect_colours([name])}
    rim = effect_colours([name])[-1]
    assert all(count > 0 for colour, count in solid.items() if colour != rim)
    highlights = sum(exactly(frame, (255, 255, 255)) for frame in frames)
    assert (sum(solid.values()) + highlights) / area > 0.6


@pytest.mark.parametrize("name", EFFECTS)
def test_no_colour_is_near_a_backdrop_of_pure_green_or_magenta(name: str) -> None:
    for colour in effect_colours([name]):
        for backdrop in ((0, 255, 0), (255, 0, 255)):
            assert np.hypot.reduce(np.subtract(colour, backdrop)) > 130


@pytest.mark.parametrize("name", FLOATING)
def test_pieces_are_separate_from_the_head_and_never_dust(name: str) -> None:
    detached = 0
    for frame in loop(name):
        labels, boxes = pieces(painted(frame))
        head = cv2.circle(np.zeros((SIDE, SIDE), np.uint8), (256, 190), 90, 1, -1)
        attached = set(np.unique(labels[head > 0]))
        detached += len(boxes) - len(attached - {0})
        assert min(max(width, height) for _, _, width, height in boxes) >= 6
    assert detached >= FRAMES


@pytest.mark.parametrize("name", sorted(ONCE))
def test_what_is_shown_once_comes_and_goes_without_a_jump(name: str) -> None:
    frames = [drawn(name, number / 60) for number in range(60)]
    areas = [int(painted(frame).sum()) for frame in frames]
    assert areas[0] == 0
    assert max(areas) > 3000
    assert max(abs(one - other) for one, other in pairwise(areas)) < 0.35 * max(areas)


def test_dust_stays_on_the_floor_when_the_feet_have_left_it() -> None:
    low = drawn("leap-dust", 0.75)
    lifted = replace(MIDDLE, ground=(256, 400), lifted=90)
    assert np.array_equal(low, drawn("leap-dust", 0.75, lifted))


def test_a_hello_is_said_on_the_side_where_no_hand_is_raised() -> None:
    places = [np.argwhere(painted(drawn("hello", 0.3, replace(MIDDLE, side=side))))[:, 1].mean() for side in (1, -1)]
    assert places[0] < MIDDLE.head[0] < places[1]


def test_effects_follow_the_head_when_it_moves() -> None:
    moved = replace(MIDDLE, head=(276, 200), crown=(276, 110), left_eye=(242, 195), right_eye=(310, 195))
    here, there = painted(drawn("question", 0.3)), painted(drawn("question", 0.3, moved))
    offset = np.argwhere(there).mean(axis=0) - np.argwhere(here).mean(axis=0)
    assert np.allclose(offset, (10, 20), atol=1.0)


def test_effects_grow_with_the_head() -> None:
    large = painted(drawn("question", 0.3)).sum()
    small = painted(drawn("question", 0.3, replace(MIDDLE, head_radius=55))).sum()
    assert 1.8 * small < large


def test_tears_start_below_both_eyes() -> None:
    blue = (drawn("tears", 0.4) == np.asarray(effect_colours(["tears"])[0], np.uint8)).all(axis=2)
    for x, y in (MIDDLE.left_eye, MIDDLE.right_eye):
        below = blue[round(y) + 15 : round(y) + 60, round(x) - 30 : round(x) + 30]
        assert below.mean() > 0.1


def test_stars_pass_behind_the_head_and_in_front_of_it() -> None:
    behind = np.full((SIDE, SIDE, 3), BACKDROP, np.uint8)
    front = behind.copy()
    draw_effects(behind, ["stars"], 0.1, MIDDLE, "behind")
    draw_effects(front, ["stars"], 0.1, MIDDLE, "front")
    assert np.argwhere(painted(behind)).mean(axis=0)[0] < np.argwhere(painted(front)).mean(axis=0)[0]


def test_the_body_hides_what_is_behind_it() -> None:
    canvas = np.full((SIDE, SIDE, 3), BACKDROP, np.uint8)
    draw_effects(canvas, ["confetti", "shock-lines", "speed-lines"], 0.3, MIDDLE, "front")
    assert not painted(canvas).any()


def test_two_effects_are_drawn_one_over_the_other() -> None:
    canvas = np.full((SIDE, SIDE, 3), BACKDROP, np.uint8)
    draw_effects(canvas, ["blush", "tears"], 0.3, MIDDLE, "front")
    assert exactly(canvas, effect_colours(["blush"])[0]) > 0
    assert exactly(canvas, effect_colours(["tears"])[0]) > exactly(canvas, effect_colours(["blush"])[0])


def test_colours_are_named_once_and_none_without_effects() -> None:
    colours = effect_colours(["tears", "sweat", "hearts"])
    assert len(colours) == len(set(colours)) == 3
    assert effect_colours([]) == ()


@pytest.mark.parametrize("side", [180, 320, 1024])
def test_effects_fit_frames_of_any_size(side: int) -> None:
    factor = side / SIDE

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return point[0] * factor, point[1] * factor

    anchors = replace(MIDDLE, head=place(MIDDLE.head), crown=place(MIDDLE.crown), head_radius=90 * factor)
    share = painted(drawn("hearts", 0.4, anchors, side)).mean()
    assert share == pytest.approx(painted(drawn("hearts", 0.4)).mean(), rel=0.35)


def test_an_unknown_effect_is_named_with_the_ones_there_are() -> None:
    with pytest.raises(UnknownName, match=r"glitter.*tears, hearts"):
        draw_effects(np.zeros((64, 64, 3), np.uint8), ["glitter"], 0.0, MIDDLE, "front")
    with pytest.raises(UnknownName, match="glitter"):
        effect_colours(["glitter"])

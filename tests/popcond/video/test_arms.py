"""Arms: the body keeps its shoulders, nothing is torn off, and what is no arm is left alone."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from popcond.media.raster import Rgb, Rgba
from popcond.video.anatomy import study
from popcond.video.arms import ACROSS, jointed
from popcond.video.chain import Chain, carried
from popcond.video.figure import Figure
from popcond.video.figure_making import make_figure
from popcond.video.performances import PERFORMANCES
from popcond.video.pose import Pose
from popcond.video.sample import draw_sample
from tests.popcond.video.puppet_cast import BACKDROP, DARK, SKIN, face, person

SIZE = 320
SAMPLE = draw_sample(480)
ARMED = {"person": person(), "sample": SAMPLE}
ARM_ONLY = ("reach", "aim", "wrist", "other_reach", "other_aim")


def posed(picture: Rgba) -> Figure:
    anatomy = study(picture)
    scale = 0.6 * SIZE / max(picture.shape[:2])
    return make_figure(picture, anatomy, size=SIZE, scale=scale, at=(SIZE / 2, 0.85 * SIZE))


FIGURES = {who: posed(picture) for who, picture in ARMED.items()}


def drawn(figure: Figure, pose: Pose) -> Rgb:
    canvas = np.full((SIZE, SIZE, 3), BACKDROP, np.uint8)
    figure.draw(canvas, pose)
    return canvas


def solid(frame: Rgb) -> NDArray[np.uint8]:
    return np.asarray(np.abs(frame.astype(np.int16) - BACKDROP).max(axis=-1) > 90, np.uint8)


def parts(frame: Rgb) -> int:
    """Connected pieces of more than a few pixels, and holes in them."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(solid(frame), connectivity=8)
    return int((stats[1:count, cv2.CC_STAT_AREA] > 6).sum())


def core(figure: Figure) -> NDArray[np.bool_]:
    """The pixels of the body that no arm owns, but for a narrow strip along its rim."""
    inner = (figure.body[..., 3] > 250).astype(np.uint8)
    for arm in figure.anatomy.arms:
        matrix = np.array([[arm.scale, 0.0, arm.x], [0.0, arm.scale, arm.y]])
        inner &= (cv2.warpAffine(arm.others, matrix, (SIZE, SIZE)) > 127).astype(np.uint8)
    return np.asarray(cv2.erode(inner, np.ones((7, 7), np.uint8)) > 0)


def arms_of(name: str, time: float) -> Pose:
    """What the performance does with the arms then, and nothing else."""
    pose = PERFORMANCES[name].at(time)
    return replace(Pose(), **{field: getattr(pose, field) for field in ARM_ONLY})


@settings(max_examples=60, deadline=None)
@given(
    who=st.sampled_from(sorted(ARMED)),
    reach=st.floats(0.0, 1.0),
    aim=st.floats(-0.3, 3.0),
    wrist=st.floats(-0.8, 0.6),
)
def test_the_torsos_core_does_not_move_with_an_arm_held_outwards(
    who: str, reach: float, aim: float, wrist: float
) -> None:
    figure = FIGURES[who]
    held = drawn(figure, Pose(reach=reach, aim=aim, wrist=wrist, other_reach=reach, other_aim=aim))
    changed = np.abs(held.astype(np.int16) - drawn(figure, Pose())).max(axis=-1) > 8
    assert not (changed & core(figure)).any()


@settings(max_examples=60, deadline=None)
@given(
    who=st.sampled_from(sorted(ARMED)),
    reach=st.floats(0.0, 1.0),
    aim=st.floats(-2.6, 3.0),
    wrist=st.floats(-0.8, 0.6),
)
def test_no_hold_of_the_arms_tears_the_figure_into_more_parts(who: str, reach: float, aim: float, wrist: float) -> None:
    figure = FIGURES[who]
    held = drawn(figure, Pose(reach=reach, aim=aim, wrist=wrist, other_reach=reach, other_aim=aim))
    assert parts(held) <= parts(drawn(figure, Pose()))


@pytest.mark.parametrize("who", sorted(ARMED))
def test_an_arm_takes_nothing_of_the_torsos_core_with_it(who: str) -> None:
    figure = FIGURES[who]
    for layer in figure.arms:
        assert not ((layer.raster[..., 3] > 0) & core(figure)).any()


@pytest.mark.parametrize("who", sorted(ARMED))
@pytest.mark.parametrize("name", ["wave", "clap", "love", "dance", "cheer", "run", "think", "shock"])
def test_a_moving_arm_stays_about_as_large_as_it_is(who: str, name: str) -> None:
    figure = FIGURES[who]
    alone = replace(figure, body=np.zeros_like(figure.body))
    rest = solid(drawn(alone, Pose())).sum()
    for step in range(6):
        assert 0.55 < solid(drawn(alone, arms_of(name, step / 6))).sum() / rest < 1.5


def test_hands_laid_across_meet_at_the_bodys_axis() -> None:
    body = FIGURES["sample"].anatomy
    for arm in body.arms:
        tip = jointed(arm, body).held(1.0, ACROSS).tip
        assert tip[0] == pytest.approx(body.middle, abs=0.12 * body.width)


def test_a_raised_hand_stays_beside_the_head() -> None:
    for figure in FIGURES.values():
        for arm in figure.anatomy.arms:
            joints = jointed(arm, figure.anatomy).held(1.0, 0.9 * np.pi).joints[8:]
            assert min(figure.anatomy.head.distance((float(x), float(y))) for x, y in joints) > 1.0


def test_a_tail_that_tapers_is_no_arm() -> None:
    picture = np.zeros((240, 300, 4), np.uint8)
    cv2.ellipse(picture, (110, 150), (70, 66), 0, 0, 360, SKIN, -1)
    cv2.circle(picture, (110, 60), 50, SKIN, -1)
    for x in (92, 128):
        cv2.circle(picture, (x, 58), 7, DARK, -1)
    with_hand = picture.copy()
    cv2.line(with_hand, (160, 150), (266, 104), SKIN, 20)
    tail = np.array([[160, 140], [160, 182], [276, 96]])
    cv2.fillPoly(picture, [tail], SKIN)
    assert [arm.side for arm in study(with_hand).arms] == [1]
    assert study(picture).arms == ()


def test_a_face_has_no_arms_to_cut() -> None:
    assert posed(face()).arms == ()


# ------------------------------------------------------------------ the chain of bones


def test_a_chain_at_rest_carries_every_point_to_itself() -> None:
    chain = Chain.through(((0.0, 0.0), (10.0, 2.0), (20.0, 8.0), (26.0, 18.0)))
    x, y = np.meshgrid(np.linspace(-9, 40, 15, dtype=np.float32), np.linspace(-9, 30, 12, dtype=np.float32))
    there = carried(chain, chain, x, y)
    assert np.allclose(there[0], x, atol=1e-3)
    assert np.allclose(there[1], y, atol=1e-3)


def test_a_bent_chain_leaves_what_lies_behind_its_root_where_it_is() -> None:
    chain = Chain.through(tuple((float(x), 0.0) for x in range(0, 130, 10)))
    turns = np.minimum(np.arange(12, dtype=np.float32) / 6.0, 1.0) * 1.5
    bent = chain.bent(turns, np.ones(12, np.float32))
    x, y = carried(chain, bent, np.full(5, -12.0, np.float32), np.linspace(-8, 8, 5, dtype=np.float32))
    assert np.allclose(x, -12.0, atol=0.5)
    assert np.allclose(y, np.linspace(-8, 8, 5), atol=0.5)


def test_the_way_back_leads_to_where_a_point_came_from() -> None:
    chain = Chain.through(tuple((float(x), 0.0) for x in range(0, 130, 10)))
    turns = np.minimum(np.arange(12, dtype=np.float32) / 6.0, 1.0) * 1.8
    bent = chain.bent(turns, np.ones(12, np.float32))
    x, y = np.meshgrid(np.linspace(0, 120, 25, dtype=np.float32), np.linspace(-9, 9, 7, dtype=np.float32))
    back = carried(bent, chain, *carried(chain, bent, x, y))
    assert np.hypot(back[0] - x, back[1] - y).max() < 3.0

"""Finding a loop in a clip that was not cut to one."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from popcond.media.raster import Rgba
from popcond.stickers.cycle import Cycle
from popcond.stickers.loop import UNSEEN, LoopFinder, Wanted, wanted_by
from popcond.stickers.similarity import cyclic_steps, seam_of, thumbnail
from popcond.stickers.source import CutoutList, CutoutShelf
from popcond.targets import target
from popcond.wire import LoopKind
from tests.popcond.stickers.drawings import (
    Motion,
    eased_jump,
    figure,
    hop,
    loop,
    noisy,
    pendulum,
    stretch,
    walk_away,
)

LINE = wanted_by(target("line-emoji"))
GIF = wanted_by(target("gif"))


def found(clip: CutoutList, kind: LoopKind = LoopKind.CYCLE, wanted: Wanted = LINE) -> Cycle:
    shelf = CutoutShelf(clip)
    thumbs = np.stack([thumbnail(shelf[index]) for index in range(len(clip))])
    return LoopFinder(thumbs, clip.seconds).find(wanted, kind)


@pytest.mark.parametrize("start", [5.0, 7.0, 19.0])
def test_a_whole_number_of_periods_is_cut_out(start: float) -> None:
    cycle = found(stretch(70, 24.0, eased_jump, start=start))
    periods = len(cycle) / 24
    assert abs(periods - round(periods)) * 24 <= 1
    assert cycle.join <= 1.0
    assert not cycle.note


def test_grain_does_not_hide_the_period() -> None:
    cycle = found(noisy(stretch(60, 24.0, eased_jump), 6.0))
    assert abs(len(cycle) / 24 - round(len(cycle) / 24)) * 24 <= 1


def test_a_pendulum_is_not_cut_where_it_swings_the_other_way() -> None:
    frames = [without_spark(figure(index / 40, pendulum)) for index in range(100)]
    cycle = found(CutoutList(frames, (1 / 24,) * 100), wanted=GIF)
    assert len(cycle) in (40, 80)


def swinging(count: int, period: int, fps: float, phase: float, grain: float, motion: Motion = pendulum) -> CutoutList:
    """A figure by itself that comes round every `period` frames, beginning at `phase` of its motion."""
    frames = [without_spark(figure((index / period + phase) % 1.0, motion)) for index in range(count)]
    clip = CutoutList(frames, (1 / fps,) * count)
    return noisy(clip, grain) if grain else clip


@pytest.mark.parametrize("grain", [0.0, 6.0])
@pytest.mark.parametrize("fps", [12, 24, 30])
@pytest.mark.parametrize("phase", [0.0, 0.13, 0.25, 0.5])
def test_one_full_swing_is_taken_whole_wherever_it_begins(phase: float, fps: int, grain: float) -> None:
    clip = swinging(2 * fps, 2 * fps, fps, phase, grain)
    for wanted in (LINE, GIF):
        cycle = found(clip, wanted=wanted)
        assert cycle.length == pytest.approx(2.0)
        assert cycle.join == 0.0


@pytest.mark.parametrize("fps", [12, 24])
@pytest.mark.parametrize("phase", [0.0, 0.13, 0.5])
def test_one_swing_and_a_half_is_cut_to_one(phase: float, fps: int) -> None:
    cycle = found(swinging(3 * fps, 2 * fps, fps, phase, 0.0), wanted=GIF)
    assert cycle.length == pytest.approx(2.0)
    assert cycle.join <= 0.5


@pytest.mark.parametrize("fps", [12, 24])
@pytest.mark.parametrize("grain", [0.0, 6.0])
def test_a_hop_that_bounces_at_its_seam_is_taken_whole(fps: int, grain: float) -> None:
    cycle = found(swinging(fps, fps, fps, 0.0, grain, hop))
    assert cycle.length == pytest.approx(1.0)
    assert not cycle.note


def test_of_two_hops_the_one_that_differs_is_not_cut_away() -> None:
    clip = swinging(48, 24, 24, 0.0, 0.0, hop)
    second_leans = [np.roll(frame, lean(index), axis=1) for index, frame in enumerate(clip.frames)]
    assert found(CutoutList(second_leans, clip.seconds)).length == pytest.approx(2.0)
    assert found(clip).length == pytest.approx(1.0)


def lean(index: int) -> int:
    """Pixels to the side: none in the first hop, many in the second while it is high."""
    return round(32 * math.sin(math.pi * (index - 24) / 24) ** 2) if index > 24 else 0


def without_spark(frame: Rgba) -> Rgba:
    """The spark goes round, and would tell the two directions apart by itself."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((frame[..., 3] > 0).astype(np.uint8))
    largest = 1 + int(np.argmax(np.asarray(stats)[1:count, cv2.CC_STAT_AREA]))
    return np.where((np.asarray(labels) == largest)[..., None], frame, 0).astype(np.uint8)


def test_a_clip_that_is_one_loop_already_is_taken_whole() -> None:
    clip = loop(48, fps=24.0)
    assert found(clip).indices == tuple(range(48))


def test_a_first_frame_in_another_light_is_left_out() -> None:
    clip = stretch(60, 24.0, eased_jump)
    bright = clip.frames[0].copy()
    bright[..., :3] = np.where(bright[..., 3:] > 0, 255, 0)
    bright = np.roll(bright, 40, axis=1)
    assert 0 not in found(CutoutList([bright, *clip.frames[1:]], clip.seconds)).indices


def test_repeated_frames_are_dropped_and_their_time_is_kept() -> None:
    clip = loop(24, fps=24.0)
    doubled = [clip.frames[index // 2] for index in range(48)]
    cycle = found(CutoutList(doubled, (1 / 24,) * 48))
    assert cycle.indices == tuple(range(0, 48, 2))
    assert cycle.length == pytest.approx(2.0)


def test_a_return_without_a_loop_plays_there_and_back() -> None:
    cycle = found(stretch(40, 40.0, walk_away), LoopKind.RETURN)
    assert "there and back" in cycle.note
    turn = cycle.indices.index(max(cycle.indices))
    assert list(cycle.indices[turn + 1 :]) == sorted(cycle.indices[turn + 1 :], reverse=True)
    assert 0.8 <= cycle.length <= 5.0


def test_a_cycle_without_a_loop_says_so() -> None:
    cycle = found(stretch(48, 48.0, walk_away), LoopKind.CYCLE)
    assert "no clean loop" in cycle.note
    assert cycle.join > UNSEEN


def test_an_idle_pause_is_passed_over_for_the_action() -> None:
    def bow(phase: float) -> tuple[float, float]:
        return 0.004 * math.sin(12 * math.pi * phase), 0.2 * max(0.0, math.sin(2 * math.pi * phase)) ** 2

    cycle = found(stretch(96, 72.0, bow, start=36.0), LoopKind.RETURN)
    assert set(range(45, 60)) <= set(cycle.indices)


def test_a_found_loop_fills_whole_seconds_without_being_rushed() -> None:
    cycle = found(stretch(90, 20.0, eased_jump))
    assert min(abs(math.log(cycle.length / whole)) for whole in (1, 2, 3, 4)) <= math.log(1.25)


def test_a_found_loop_is_no_longer_than_the_target_takes() -> None:
    cycle = found(stretch(200, 24.0, eased_jump, fps=24.0))
    assert cycle.length <= 5.0


def test_two_frames_are_no_reason_to_fail() -> None:
    cycle = found(CutoutList([figure(0.0), figure(0.5)], (0.5, 0.5)), LoopKind.RETURN)
    assert set(cycle.indices) == {0, 1}


def test_the_seam_is_the_step_into_the_first_frame_over_the_median_of_the_others() -> None:
    thumbs = np.array([[0.0], [1.0], [2.0], [3.0]], np.float32)
    steps = cyclic_steps(thumbs)
    assert steps.tolist() == [3.0, 1.0, 1.0, 1.0]
    assert seam_of(steps) == 3.0

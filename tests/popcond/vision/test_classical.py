"""The engine without weights: points, clips, and a character that is found by its own cut-out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import cv2
import numpy as np
import pytest
import pytest_asyncio

from popcond.errors import BadInput, Stopping
from popcond.media.raster import Alpha, Rgb
from popcond.vision.classical import ClassicalSegmenter
from popcond.vision.classical_clip import ClipOf
from popcond.vision.classical_cut import fitted
from popcond.vision.classical_pair import Paired, outlined
from popcond.vision.segmenter import Point, Prompt, Still, Tracked
from tests.busy import BusyClip, busy_clip
from tests.composites import Behind, edge_error, iou, laid_on, scene

SIZE = 256


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[ClassicalSegmenter]:
    segmenter = ClassicalSegmenter()
    yield segmenter
    await segmenter.close()


@pytest.fixture(scope="module")
def clip() -> BusyClip:
    return busy_clip("shaded", "photo", count=8, size=SIZE, pans=True, seed=3)


@pytest.fixture(scope="module")
def plain() -> tuple[Rgb, Alpha]:
    drawn = scene("flat", 0.1, size=SIZE).rgba
    return laid_on(drawn, Behind((60, 160, 90), drift=4.0, grain=1.0)), drawn[..., 3]


def _stills(clip: BusyClip) -> list[Still]:
    return [Still.of(frame) for frame in clip.frames]


def _middle(alpha: Alpha) -> Point:
    """The place of a mask that is farthest from its outline."""
    depth = cv2.distanceTransform(np.asarray(alpha >= 128, np.uint8), cv2.DIST_L2, 5)
    _, _, _, (x, y) = cv2.minMaxLoc(depth)
    return Point(float(x), float(y))


async def _followed(engine: ClassicalSegmenter, clip: BusyClip, prompts: dict[int, Prompt]) -> dict[int, Tracked]:
    return {step.index: step async for step in engine.track(_stills(clip), prompts)}


# ------------------------------------------------------------------ points


async def test_one_point_before_a_plain_backdrop_is_enough(
    engine: ClassicalSegmenter, plain: tuple[Rgb, Alpha]
) -> None:
    rgb, truth = plain
    found = await engine.mask(Still.of(rgb), Prompt((_middle(truth),)))
    assert iou(found.mask, truth) > 0.97
    assert set(np.unique(found.mask)) == {0, 255}
    assert found.engine == "classical"


async def test_three_points_before_a_busy_backdrop_are_enough(engine: ClassicalSegmenter) -> None:
    clip = busy_clip("flat", "shapes", count=1, size=SIZE, seed=5)
    still, truth, points = Still.of(clip.frames[0]), clip.alphas[0], [_middle(clip.alphas[0])]
    for _ in range(2):
        found = await engine.mask(still, Prompt(tuple(points)))
        missing = np.asarray(((truth >= 128) & (found.mask == 0)) * np.uint8(255), np.uint8)
        surplus = np.asarray(((truth < 128) & (found.mask > 0)) * np.uint8(255), np.uint8)
        is_missing = bool(np.count_nonzero(missing) > np.count_nonzero(surplus))
        points.append(replace(_middle(missing if is_missing else surplus), is_foreground=is_missing))
    found = await engine.mask(still, Prompt(tuple(points)))
    assert iou(found.mask, truth) > 0.85


async def test_the_same_points_give_the_same_mask_after_a_restart(clip: BusyClip) -> None:
    prompt = Prompt((_middle(clip.alphas[0]), Point(20.0, 20.0, is_foreground=False), Point(128.0, 60.0)))
    masks = []
    for _ in range(2):
        engine = ClassicalSegmenter()
        masks.append((await engine.mask(_stills(clip)[0], prompt)).mask)
        await engine.close()
    assert (masks[0] == masks[1]).all()


async def test_a_background_point_never_adds_a_pixel(engine: ClassicalSegmenter, clip: BusyClip) -> None:
    still, points = _stills(clip)[0], [_middle(clip.alphas[0])]
    before = (await engine.mask(still, Prompt(tuple(points)))).mask
    for place in ((128.0, 60.0), (90.0, 128.0), (10.0, 10.0)):
        points.append(Point(*place, is_foreground=False))
        after = (await engine.mask(still, Prompt(tuple(points)))).mask
        assert not (after & ~before).any()
        assert after[int(place[1]), int(place[0])] == 0
        before = after


async def test_several_objects_are_united(engine: ClassicalSegmenter) -> None:
    frame = np.full((SIZE, SIZE, 3), (70, 150, 100), np.uint8)
    cv2.circle(frame, (70, 128), 40, (220, 60, 60), -1)
    cv2.circle(frame, (190, 128), 30, (60, 60, 220), -1)
    still = Still.of(frame)
    one, other = Point(70.0, 128.0), Point(190.0, 128.0, object=1)
    alone = [(await engine.mask(still, Prompt((point,)))).mask for point in (one, other)]
    both = (await engine.mask(still, Prompt((one, other)))).mask
    assert (both == (alone[0] | alone[1])).all()
    assert not (alone[0] & alone[1]).any()


async def test_an_object_of_background_points_only_is_empty(engine: ClassicalSegmenter, clip: BusyClip) -> None:
    found = await engine.mask(_stills(clip)[0], Prompt((Point(128.0, 128.0, is_foreground=False),)))
    assert not found.mask.any()


async def test_a_first_point_has_readings_to_choose_from(engine: ClassicalSegmenter, plain: tuple[Rgb, Alpha]) -> None:
    rgb, truth = plain
    point = _middle(truth)
    found = await engine.mask(Still.of(rgb), Prompt((point,)))
    assert len(found.candidates) == 3
    for number, candidate in enumerate(found.candidates):
        chosen = await engine.mask(Still.of(rgb), Prompt((replace(point, candidate=number),)))
        assert (chosen.mask == candidate.mask).all()


async def test_a_mask_to_start_from_is_corrected_by_points(engine: ClassicalSegmenter, clip: BusyClip) -> None:
    still, truth = _stills(clip)[0], clip.alphas[0]
    start = truth.copy()
    start[:40, :40] = 255
    untouched = await engine.mask(still, Prompt(mask=start))
    assert (untouched.mask == (start >= 128) * 255).all()
    corrected = await engine.mask(still, Prompt((Point(20.0, 20.0, is_foreground=False),), mask=start))
    assert iou(corrected.mask, truth) > iou(start, truth)


async def test_points_that_nobody_can_answer_are_refused_in_a_sentence(
    engine: ClassicalSegmenter, clip: BusyClip
) -> None:
    still = _stills(clip)[0]
    for prompt in (Prompt(), Prompt((Point(9999.0, 3.0),)), Prompt(mask=np.zeros((3, 3), np.uint8))):
        with pytest.raises(BadInput):
            await engine.mask(still, prompt)
    with pytest.raises(BadInput):
        await anext(engine.track([still], {}))
    with pytest.raises(BadInput):
        await anext(engine.track([still], {7: Prompt((Point(3.0, 3.0),))}))


# ------------------------------------------------------------------ clips


async def test_a_mask_is_followed_both_ways_before_a_moving_busy_backdrop(
    engine: ClassicalSegmenter, clip: BusyClip
) -> None:
    found = await _followed(engine, clip, {3: Prompt(mask=clip.alphas[3])})
    assert sorted(found) == list(range(8))
    assert min(iou(found[n].mask, clip.alphas[n]) for n in range(8)) > 0.9
    assert all(0.0 <= step.score <= 1.0 for step in found.values())


async def test_prompted_frames_come_first_and_keep_what_was_said_of_them(
    engine: ClassicalSegmenter, clip: BusyClip
) -> None:
    prompts = {5: Prompt(mask=clip.alphas[5]), 1: Prompt(mask=clip.alphas[1])}
    steps = [step async for step in engine.track(_stills(clip), prompts)]
    assert [step.index for step in steps[:2]] == [1, 5]
    assert sorted(step.index for step in steps) == list(range(8))
    for step in steps[:2]:
        assert (step.mask == (clip.alphas[step.index] >= 128) * 255).all()


async def test_a_frame_between_two_prompts_is_better_for_the_second(engine: ClassicalSegmenter) -> None:
    clip = busy_clip("thin", "blobs", count=8, size=SIZE, seed=1)
    one = await _followed(engine, clip, {0: Prompt(mask=clip.alphas[0])})
    two = await _followed(engine, clip, {0: Prompt(mask=clip.alphas[0]), 7: Prompt(mask=clip.alphas[7])})
    assert iou(two[6].mask, clip.alphas[6]) > iou(one[6].mask, clip.alphas[6])


async def test_two_objects_are_followed_and_every_frame_comes_once(engine: ClassicalSegmenter, clip: BusyClip) -> None:
    halves = [clip.alphas[0].copy(), clip.alphas[7].copy()]
    prompts = {
        0: Prompt((Point(8.0, 8.0, is_foreground=False, object=1),), mask=halves[0]),
        7: Prompt((_middle(halves[1]), Point(8.0, 8.0, is_foreground=False, object=1))),
    }
    steps = [step async for step in engine.track(_stills(clip), prompts)]
    assert sorted(step.index for step in steps) == list(range(8))


async def test_background_points_alone_correct_what_arrives_at_their_frame(
    engine: ClassicalSegmenter, clip: BusyClip
) -> None:
    start = clip.alphas[0].copy()
    start[:50, :50] = 255  # a patch that does not belong
    alone = await _followed(engine, clip, {0: Prompt(mask=start)})
    place = _middle(np.asarray(alone[4].mask * (clip.alphas[4] < 128), np.uint8))
    away = Prompt((replace(place, is_foreground=False),))
    corrected = await _followed(engine, clip, {0: Prompt(mask=start), 4: away})
    assert iou(corrected[4].mask, clip.alphas[4]) > iou(alone[4].mask, clip.alphas[4])
    assert iou(corrected[7].mask, clip.alphas[7]) > iou(alone[7].mask, clip.alphas[7])


async def test_nothing_to_see_stays_empty(engine: ClassicalSegmenter, clip: BusyClip) -> None:
    found = await _followed(engine, clip, {0: Prompt(mask=np.zeros((SIZE, SIZE), np.uint8))})
    assert not any(step.mask.any() for step in found.values())


async def test_a_click_is_answered_while_a_clip_is_followed(engine: ClassicalSegmenter, clip: BusyClip) -> None:
    stream = engine.track(_stills(clip), {0: Prompt(mask=clip.alphas[0])})
    await anext(stream)
    found, following = await asyncio.gather(
        engine.mask(_stills(clip)[4], Prompt((_middle(clip.alphas[4]),))), anext(stream)
    )
    assert found.mask.any()
    assert following.index == 1
    await stream.aclose()


async def test_whoever_closes_the_stream_stops_the_work_and_the_next_call_works(
    engine: ClassicalSegmenter, clip: BusyClip
) -> None:
    stream = engine.track(_stills(clip), {0: Prompt(mask=clip.alphas[0])})
    await anext(stream)
    await stream.aclose()
    waiting = asyncio.create_task(engine.mask(_stills(clip)[1], Prompt((_middle(clip.alphas[1]),))))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await engine.mask(_stills(clip)[2], Prompt((_middle(clip.alphas[2]),)))).mask.any()


async def test_a_closed_engine_says_so(clip: BusyClip) -> None:
    engine = ClassicalSegmenter()
    waiting = [asyncio.create_task(engine.mask(still, Prompt((Point(128.0, 128.0),)))) for still in _stills(clip)]
    await asyncio.sleep(0)
    await engine.close()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(end, Stopping) for end in ended)
    with pytest.raises(Stopping):
        await engine.embed(_stills(clip))


# ------------------------------------------------------------------ known beforehand


def test_another_engines_soft_mask_is_fitted_to_the_picture(clip: BusyClip) -> None:
    truth = clip.alphas[0]
    rough = np.asarray(cv2.GaussianBlur(truth, (0, 0), 7.0), np.float32) / np.float32(255.0)
    before = np.asarray((rough > 0.5) * np.uint8(255), np.uint8)
    after = fitted(clip.frames[0], rough)
    assert iou(after, truth) > iou(before, truth)


def test_a_ragged_mask_is_outlined_as_the_picture_is(clip: BusyClip) -> None:
    truth = clip.alphas[0]
    coarse = cv2.resize(cv2.resize(truth, (20, 20), interpolation=cv2.INTER_AREA), (SIZE, SIZE))
    ragged = np.asarray((np.asarray(coarse) >= 128) * np.uint8(255), np.uint8)
    assert iou(outlined(clip.frames[0], ragged), truth) > iou(ragged, truth)
    assert not outlined(clip.frames[0], np.zeros_like(truth)).any()


async def test_a_pair_keeps_the_promises_of_one(clip: BusyClip) -> None:
    pair = Paired(ClassicalSegmenter(), ClassicalSegmenter())
    still, point = _stills(clip)[0], _middle(clip.alphas[0])
    first = await pair.mask(still, Prompt((point,)))
    less = await pair.mask(still, Prompt((point, Point(128.0, 60.0, is_foreground=False))))
    assert len(first.candidates) == 3
    assert not (less.mask & ~first.mask).any()
    steps = [step async for step in pair.track(_stills(clip), {0: Prompt((point,)), 4: Prompt(mask=clip.alphas[4])})]
    assert sorted(step.index for step in steps) == list(range(8))
    assert min(iou(step.mask, clip.alphas[step.index]) for step in steps if step.index >= 4) > 0.9
    await pair.close()
    with pytest.raises(Stopping):
        await pair.mask(still, Prompt((point,)))


@pytest.mark.parametrize(("style", "backdrop"), [("flat", "stripes"), ("soft", "photo"), ("pale", "shapes")])
def test_a_character_is_found_by_its_own_cutout_before_a_busy_backdrop(style: str, backdrop: str) -> None:
    clip = busy_clip(style, backdrop, count=4, size=SIZE, pans=True, seed=2)
    found = ClipOf.known(clip.frames, clip.cutout)
    assert found is not None
    for truth, (_, alpha, doubt) in zip(clip.alphas, found.masks(), strict=True):
        assert iou(alpha, truth) > 0.9
        assert edge_error(alpha, truth) < 0.25
        assert doubt < 0.6


def test_effects_are_found_before_a_busy_backdrop_that_stands_still() -> None:
    clip = busy_clip("shaded", "stripes", count=8, size=SIZE, seed=11, effects=("tears", "hearts"))
    bare = busy_clip("shaded", "stripes", count=8, size=SIZE, seed=11)
    found = ClipOf.known(clip.frames, clip.cutout)
    assert found is not None
    shares = []
    for with_effects, without, (_, alpha, _) in zip(clip.alphas, bare.alphas, found.masks(), strict=True):
        effects = (with_effects >= 128) & (without < 128)
        shares.append(float(np.mean(alpha[effects] >= 128)))
    assert float(np.mean(shares)) > 0.5


def test_a_busy_backdrop_that_moves_is_taken_for_no_effect() -> None:
    clip = busy_clip("pale", "shapes", count=8, size=SIZE, seed=12, pans=True)
    found = ClipOf.known(clip.frames, clip.cutout)
    assert found is not None
    for truth, (_, alpha, _) in zip(clip.alphas, found.masks(), strict=True):
        assert iou(alpha, truth) > 0.93


@pytest.mark.parametrize("shift", [(0.8, 0.0), (1.05, -14.0)])
def test_a_character_is_found_in_another_light(clip: BusyClip, shift: tuple[float, float]) -> None:
    gain, offset = shift
    frames = [np.asarray(np.clip(frame * np.float32(gain) + offset, 0, 255), np.uint8) for frame in clip.frames]
    found = ClipOf.known(frames, clip.cutout)
    assert found is not None
    assert iou(found.guess(0), clip.alphas[0]) > 0.85


def test_a_character_that_is_cut_off_by_the_frame_is_found(clip: BusyClip) -> None:
    lower = SIZE // 2 + 16
    frames, truth = [frame[:lower] for frame in clip.frames], clip.alphas[0][:lower]
    found = ClipOf.known([np.ascontiguousarray(frame) for frame in frames], clip.cutout)
    assert found is not None
    assert iou(found.guess(0), truth) > 0.85


def test_a_character_that_looks_the_other_way_is_found(clip: BusyClip) -> None:
    found = ClipOf.known(clip.frames, np.ascontiguousarray(clip.cutout[:, ::-1]))
    assert found is not None
    assert iou(found.guess(0), clip.alphas[0]) > 0.85


def test_a_character_that_is_not_there_is_not_found(clip: BusyClip) -> None:
    empty = busy_clip("shaded", "photo", count=1, size=SIZE, seed=3, figure=False)
    assert ClipOf.known(empty.frames, clip.cutout) is None


def test_a_cutout_without_an_outline_of_its_own_says_nothing(clip: BusyClip) -> None:
    picture = np.dstack([clip.frames[0], np.full((SIZE, SIZE), 255, np.uint8)])
    assert ClipOf.known(clip.frames, picture) is None
    assert ClipOf.known(clip.frames, np.zeros((SIZE, SIZE, 4), np.uint8)) is None

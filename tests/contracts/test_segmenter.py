"""What every segmenter promises: one body over all of them. Those that have learned to see are asked what they see."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from popcond.errors import BadInput, NotFound, Stopping
from popcond.media.raster import Alpha, Rgb, png
from popcond.vision import miniature
from popcond.vision.classical import ClassicalSegmenter
from popcond.vision.classical_pair import Paired
from popcond.vision.sam import Sam, SamOptions
from popcond.vision.sam_weights import MINIATURE, Weights, can_run
from popcond.vision.segmenter import FrameSegmenter, Point, Prompt, Segmenter, Still, Urgency
from tests.random_weights import write_random_weights

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEIGHT, WIDTH = 168, 216
SEEING = ("classical", "miniature", "paired")
FOLLOWING = ("classical", "miniature", "paired")  # … and what they see, to the end of a clip
BLIND = ("random",)  # the miniature's architecture with random numbers: keeps every promise but to see


@pytest.fixture(scope="module")
async def engines(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Segmenter]]:
    """All that can run here."""
    folder = tmp_path_factory.mktemp("engines")
    engines: dict[str, Segmenter] = {"classical": ClassicalSegmenter()}
    if can_run():
        random = Weights(write_random_weights("mini", folder / "random.pt"), MINIATURE)
        engines["random"] = Sam(random, SamOptions(folder / "random", threads=1))
    if can_run() and miniature.WEIGHTS.is_file():
        engines["miniature"] = Sam(Weights(miniature.WEIGHTS, MINIATURE), SamOptions(folder / "mini", threads=1))
        reader = Sam(Weights(miniature.WEIGHTS, MINIATURE), SamOptions(folder / "paired", threads=1))
        engines["paired"] = Paired(reader, ClassicalSegmenter())
    yield engines
    for engine in engines.values():
        await engine.close()


@pytest.fixture(params=[*SEEING, *BLIND])
def engine(request: pytest.FixtureRequest, engines: dict[str, Segmenter]) -> Segmenter:
    """Each of them in turn."""
    if request.param not in engines:
        pytest.skip("its libraries or its weights are not here")
    return engines[request.param]


@pytest.fixture(params=SEEING)
def seeing(request: pytest.FixtureRequest, engines: dict[str, Segmenter]) -> Segmenter:
    """Those that have learned, or were told, what belongs together."""
    if request.param not in engines:
        pytest.skip("its libraries or its weights are not here")
    return engines[request.param]


@pytest.fixture(params=FOLLOWING)
def following(request: pytest.FixtureRequest, engines: dict[str, Segmenter]) -> Segmenter:
    """Those that hold on to what they see."""
    if request.param not in engines:
        pytest.skip("its libraries or its weights are not here")
    return engines[request.param]


# ------------------------------------------------------------------ what they look at


def centres(number: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where the two figures of a frame are: (x, y) of the orange one, and of the blue one."""
    return (62 + 2 * number, 84), (160, 90 - 2 * number)


def a_frame(number: int = 0) -> Rgb:
    """An orange round figure and a blue one on a pale slope of green, with outlines and a highlight each."""
    slope = np.linspace(0, 24, WIDTH, dtype=np.float32)[None, :, None]
    rgb = np.asarray(np.array([188, 216, 192], np.float32) + np.broadcast_to(slope, (HEIGHT, WIDTH, 3)), np.uint8)
    rgb = np.ascontiguousarray(rgb)
    for centre, colour in zip(centres(number), ((236, 140, 40), (50, 90, 210)), strict=True):
        cv2.circle(rgb, centre, 36, (60, 40, 30), -1, cv2.LINE_AA)
        cv2.circle(rgb, centre, 33, colour, -1, cv2.LINE_AA)
    return rgb


def truth(number: int, *figures: int) -> NDArray[np.bool_]:
    """The pixels of some of the figures: 0 is the orange one."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for figure in figures:
        cv2.circle(mask, centres(number)[figure], 36, 255, -1)
    return mask > 0


def iou(mask: Alpha, true: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    found = mask > 0
    return float((found & true).sum()) / max(1, int((found | true).sum()))


def on(figure: int, number: int = 0, *, dx: int = 0, is_foreground: bool = True, object: int = 0) -> Point:
    """A point on a figure."""
    x, y = centres(number)[figure]
    return Point(x + dx, y, is_foreground, object)


BESIDE = Point(8, 8, is_foreground=False)

# ------------------------------------------------------------------ form


async def test_a_mask_is_as_large_as_its_frame_and_is_yes_or_no(engine: Segmenter) -> None:
    answer = await engine.mask(Still.of(a_frame()), Prompt((on(0),)))
    assert answer.mask.shape == (HEIGHT, WIDTH)
    assert answer.mask.dtype == np.uint8
    assert set(np.unique(answer.mask)) <= {0, 255}
    assert 0.0 <= answer.score <= 1.0
    assert 0.0 <= answer.coverage <= 1.0
    assert answer.engine  # of two that work as one, the one who made it


async def test_candidates_are_given_for_one_point_alone(engine: Segmenter) -> None:
    still = Still.of(a_frame())
    first = await engine.mask(still, Prompt((on(0),)))
    for candidate in first.candidates:
        assert candidate.mask.shape == (HEIGHT, WIDTH)
        assert 0.0 <= candidate.score <= 1.0
    assert (await engine.mask(still, Prompt((on(0), on(0, dx=10))))).candidates == ()
    assert (await engine.mask(still, Prompt((on(0), on(1, object=1))))).candidates == ()


async def test_another_candidate_can_be_taken(engine: Segmenter) -> None:
    still = Still.of(a_frame())
    x, y = centres(0)[0]
    for place, candidate in enumerate((await engine.mask(still, Prompt((on(0),)))).candidates):
        taken = await engine.mask(still, Prompt((Point(x, y, candidate=place),)))
        assert np.array_equal(taken.mask, candidate.mask)


async def test_the_same_prompt_has_the_same_answer_whatever_was_asked_between(engine: Segmenter) -> None:
    still, prompt = Still.of(a_frame()), Prompt((on(0), on(1), BESIDE))
    once = await engine.mask(still, prompt)
    await engine.mask(still, Prompt((on(1),)))
    await engine.mask(Still.of(a_frame(3)), prompt)
    assert np.array_equal((await engine.mask(still, prompt)).mask, once.mask)


async def test_a_frame_can_come_from_a_file(engine: Segmenter, tmp_path: Path) -> None:
    path = tmp_path / "frame.png"
    path.write_bytes(png(a_frame()))
    from_file = await engine.mask(Still("0f" * 32, path), Prompt((on(0),)))
    assert np.array_equal(from_file.mask, (await engine.mask(Still.of(a_frame()), Prompt((on(0),)))).mask)


# ------------------------------------------------------------------ points


async def test_a_background_point_never_adds_a_pixel(engine: Segmenter) -> None:
    still = Still.of(a_frame())
    before = await engine.mask(still, Prompt((on(0), on(1))))
    for away in (on(1, is_foreground=False), BESIDE):
        after = await engine.mask(still, Prompt((on(0), on(1), away)))
        assert not (after.mask & ~before.mask).any()


async def test_background_points_alone_are_nobody(engine: Segmenter) -> None:
    assert not (await engine.mask(Still.of(a_frame()), Prompt((BESIDE, on(1, is_foreground=False))))).mask.any()


async def test_objects_are_united(engine: Segmenter) -> None:
    still = Still.of(a_frame())
    orange = await engine.mask(still, Prompt((on(0),)))
    blue = await engine.mask(still, Prompt((on(1, object=1),)))
    both = await engine.mask(still, Prompt((on(0), on(1, object=1))))
    assert np.array_equal(both.mask, orange.mask | blue.mask)


async def test_a_mask_that_is_given_is_kept_and_a_background_point_only_takes_away(engine: Segmenter) -> None:
    still = Still.of(a_frame())
    given = truth(0, 0, 1).astype(np.uint8) * np.uint8(255)
    assert np.array_equal((await engine.mask(still, Prompt(mask=given))).mask, given)
    less = await engine.mask(still, Prompt((on(1, is_foreground=False),), given))
    assert not (less.mask & ~given).any()


@pytest.mark.parametrize(
    "prompt",
    [
        Prompt(),
        Prompt((Point(-3, 5),)),
        Prompt((Point(5, HEIGHT + 1),)),
        Prompt((Point(float("inf"), 5),)),
        Prompt((Point(5, 5),) * 1000),
        Prompt(mask=np.zeros((3, 3), np.uint8)),
        Prompt(mask=np.zeros((HEIGHT, WIDTH), np.float32)),
        Prompt(mask=np.zeros((HEIGHT, WIDTH, 3), np.uint8)),
    ],
)
async def test_a_prompt_that_cannot_be_answered_is_refused_and_the_next_one_works(
    engine: Segmenter, prompt: Prompt
) -> None:
    with pytest.raises(BadInput):
        await engine.mask(Still.of(a_frame()), prompt)
    assert (await engine.mask(Still.of(a_frame()), Prompt((on(0),)))).mask.shape == (HEIGHT, WIDTH)


async def test_a_frame_that_is_gone_is_said_to_be(engine: Segmenter, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await engine.mask(Still("9" * 64, tmp_path / "gone.png"), Prompt((on(0),)))


# ------------------------------------------------------------------ clips


async def test_every_frame_of_a_clip_comes_once_the_prompted_one_first(engine: Segmenter) -> None:
    stills = [Still.of(a_frame(number)) for number in range(5)]
    answers = [tracked async for tracked in engine.track(stills, {2: Prompt((on(0, 2),))})]
    assert answers[0].index == 2
    assert sorted(answer.index for answer in answers) == [0, 1, 2, 3, 4]
    assert all(answer.mask.shape == (HEIGHT, WIDTH) for answer in answers)
    assert all(0.0 <= answer.score <= 1.0 for answer in answers)
    alone = await engine.mask(stills[2], Prompt((on(0, 2),)))
    assert np.array_equal(answers[0].mask, alone.mask)


async def test_a_mask_can_be_followed(engine: Segmenter) -> None:
    stills = [Still.of(a_frame(number)) for number in range(3)]
    given = truth(1, 0).astype(np.uint8) * np.uint8(255)
    answers = {tracked.index: tracked.mask async for tracked in engine.track(stills, {1: Prompt(mask=given)})}
    assert np.array_equal(answers[1], given)
    assert sorted(answers) == [0, 1, 2]


@pytest.mark.parametrize("prompts", [{}, {5: Prompt((Point(5, 5),))}, {0: Prompt()}])
async def test_a_clip_that_nothing_is_said_about_is_refused(engine: Segmenter, prompts: dict[int, Prompt]) -> None:
    with pytest.raises(BadInput):
        await anext(engine.track([Still.of(a_frame())], prompts))


async def test_leaving_a_clip_leaves_the_engine_ready(engine: Segmenter) -> None:
    stills = [Still.of(a_frame(number)) for number in range(12)]
    async with aclosing(engine.track(stills, {0: Prompt((on(0),))})) as masks:
        async for _ in masks:
            break
    assert (await engine.mask(stills[0], Prompt((on(0),)))).mask.shape == (HEIGHT, WIDTH)


async def test_a_click_is_answered_while_a_clip_is_followed(engine: Segmenter) -> None:
    stills = [Still.of(a_frame(number)) for number in range(40)]
    await engine.embed(stills[:1], Urgency.SHOWN)
    seen = 0

    async def follow() -> None:
        nonlocal seen
        async with aclosing(engine.track(stills, {0: Prompt((on(0),))})) as masks:
            async for _ in masks:
                seen += 1

    following = asyncio.create_task(follow())
    while not seen:
        await asyncio.sleep(0)
    await engine.mask(stills[0], Prompt((on(1),)))
    assert seen < len(stills)
    following.cancel()
    await asyncio.wait([following])


async def test_a_cancelled_request_harms_no_other(engine: Segmenter) -> None:
    asking = [asyncio.create_task(engine.mask(Still.of(a_frame(n)), Prompt((on(0, n),)))) for n in range(6)]
    for task in asking[::2]:
        task.cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert all(not isinstance(answer, BaseException) for answer in answers[1::2])


# ------------------------------------------------------------------ seeing


async def test_one_point_finds_a_figure(seeing: Segmenter) -> None:
    answer = await seeing.mask(Still.of(a_frame()), Prompt((on(0),)))
    assert iou(answer.mask, truth(0, 0)) > 0.75


async def test_two_points_of_one_object_find_two_figures(seeing: Segmenter) -> None:
    answer = await seeing.mask(Still.of(a_frame()), Prompt((on(0), on(1, object=1))))
    assert iou(answer.mask, truth(0, 0, 1)) > 0.6


async def test_a_background_point_makes_it_smaller(seeing: Segmenter) -> None:
    still = Still.of(a_frame())
    given = truth(0, 0, 1).astype(np.uint8) * np.uint8(255)
    less = await seeing.mask(still, Prompt((on(1, is_foreground=False),), given))
    assert less.mask.sum() < given.sum()
    assert iou(less.mask, truth(0, 0)) > iou(given, truth(0, 0))


async def test_a_figure_is_followed_both_ways(following: Segmenter) -> None:
    stills = [Still.of(a_frame(number)) for number in range(9)]
    async for tracked in following.track(stills, {4: Prompt((on(0, 4),))}):
        assert iou(tracked.mask, truth(tracked.index, 0)) > 0.75


# ------------------------------------------------------------------ the earlier system's names, and the end


async def test_the_calls_of_the_earlier_system_work(engine: Segmenter) -> None:
    segmenter = FrameSegmenter(engine)
    frames = [a_frame(number) for number in range(3)]
    mask = await segmenter.predict(frames[1], [centres(1)[0], (8.0, 8.0)], [1, 0])
    cutouts = await segmenter.predict_and_apply_all(frames, [centres(1)[0], (8.0, 8.0)], [1, 0], at=1)
    assert [cutout.shape for cutout in cutouts] == [(HEIGHT, WIDTH, 4)] * 3
    assert np.array_equal(cutouts[1][..., 3], mask)
    assert np.array_equal(segmenter.apply_mask(frames[1], mask), cutouts[1])


async def test_a_closed_engine_says_that_it_is(engine: Segmenter, engines: dict[str, Segmenter]) -> None:
    name = next(name for name, other in engines.items() if other is engine)
    del engines[name]
    await engine.close()
    with pytest.raises(Stopping):
        await engine.mask(Still.of(a_frame()), Prompt((on(0),)))

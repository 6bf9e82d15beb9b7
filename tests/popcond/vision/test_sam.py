"""The model in its own process: answers, urgency, deaths, and what it leaves behind. Real modules, random weights."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from pathlib import Path

import numpy as np
import pytest

from popcond.errors import BadInput, NotFound, OutOfMemory, PopconError, Stopping, UnreadablePicture, WorkerDied
from popcond.media.raster import Rgb, png
from popcond.vision.sam import Sam, SamOptions
from popcond.vision.sam_weights import MINIATURE, TINY, Weights, can_run
from popcond.vision.segmenter import FrameSegmenter, Point, Prompt, Still, Urgency
from tests.random_weights import write_random_weights

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not can_run(), reason="torch and ultralytics are not installed"),
]

A_POINT = Prompt((Point(30, 40),))
POINTS = Prompt((Point(30, 40), Point(90, 20), Point(60, 60, is_foreground=False)))


def a_frame(number: int) -> Rgb:
    """Noise with a brighter half; every number has its own."""
    rgb = np.random.default_rng(number).integers(0, 120, (96, 128, 3)).astype(np.uint8)
    rgb[:, :64] += 100
    return rgb


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Weights:
    """The miniature's architecture with random numbers."""
    return Weights(write_random_weights("mini", tmp_path_factory.mktemp("weights") / "mini.pt"), MINIATURE)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the shared one."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def deaths() -> list[PopconError]:
    """What the owner of the shared one heard."""
    return []


@pytest.fixture(scope="module", name="sam")
async def shared_sam(weights: Weights, cache: Path, deaths: list[PopconError]) -> AsyncIterator[Sam]:
    """One for the tests that leave it alive, or start it again."""
    sam = Sam(weights, SamOptions(cache, threads=1), on_death=deaths.append)
    yield sam
    await sam.close()


def kill(sam: Sam) -> None:
    """Its process, as the system would when memory runs out."""
    with suppress(ProcessLookupError):
        if sam.pid is not None:
            os.kill(sam.pid, signal.SIGKILL)


def files_in(cache: Path) -> set[Path]:
    """The embeddings on disk."""
    return set(cache.rglob("*.emb"))


async def until(condition: Callable[[], bool]) -> None:
    """For up to a minute."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


# ------------------------------------------------------------------ answers


async def test_an_answer_is_as_large_as_its_frame_and_says_who_made_it(sam: Sam) -> None:
    answer = await sam.mask(Still.of(a_frame(0)), A_POINT)
    assert answer.mask.shape == (96, 128)
    assert set(np.unique(answer.mask)) <= {0, 255}
    assert 0.0 <= answer.score <= 1.0
    assert answer.engine == MINIATURE.name
    assert [candidate.mask.shape for candidate in answer.candidates] == [(96, 128)] * 3
    assert any(np.array_equal(candidate.mask, answer.mask) for candidate in answer.candidates)


async def test_it_says_how_it_runs_once_it_does(weights: Weights, tmp_path: Path, sam: Sam) -> None:
    assert Sam(weights, SamOptions(tmp_path)).about().device is None
    await sam.embed([Still.of(a_frame(0))])
    about = sam.about()
    assert (about.name, about.input_size) == (MINIATURE.name, 256)
    assert about.device in ("cuda", "mps", "cpu")


async def test_it_can_be_loaded_in_advance(sam: Sam) -> None:
    await sam.embed([])
    assert sam.is_loaded


async def test_frames_are_read_from_files_or_memory_alike(sam: Sam, tmp_path: Path) -> None:
    rgb = a_frame(1)
    path = tmp_path / "frame.png"
    path.write_bytes(png(rgb))
    from_file = await sam.mask(Still("ab" * 32, path), POINTS)
    from_memory = await sam.mask(Still.of(rgb), POINTS)
    assert np.array_equal(from_file.mask, from_memory.mask)


async def test_the_same_question_has_the_same_answer_after_a_restart(sam: Sam) -> None:
    still = Still.of(a_frame(2))
    for end in (1, 2, 3):
        before = await sam.mask(still, Prompt(POINTS.points[:end]))
    kill(sam)
    assert np.array_equal((await sam.mask(still, POINTS)).mask, before.mask)


async def test_what_is_wrong_with_a_request_is_its_answer_and_the_next_one_works(sam: Sam, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    for still, prompt, error in (
        (Still.of(a_frame(0)), Prompt(), BadInput),
        (Still.of(a_frame(0)), Prompt((Point(500, 1),)), BadInput),
        (Still("cd" * 32, tmp_path / "missing.png"), A_POINT, NotFound),
        (Still("ef" * 32, broken), A_POINT, UnreadablePicture),
    ):
        with pytest.raises(error):
            await sam.mask(still, prompt)
    with pytest.raises(BadInput, match="There is no frame 9"):
        await anext(sam.track([Still.of(a_frame(0))], {9: A_POINT}))
    assert (await sam.mask(Still.of(a_frame(0)), A_POINT)).mask.shape == (96, 128)


async def test_a_clip_comes_frame_by_frame(sam: Sam) -> None:
    stills = [Still.of(a_frame(number)) for number in range(5)]
    answers = [tracked async for tracked in sam.track(stills, {2: A_POINT})]
    assert [answer.index for answer in answers] == [2, 3, 4, 1, 0]
    assert all(answer.mask.shape == (96, 128) for answer in answers)
    alone = await sam.mask(stills[2], A_POINT)
    assert np.array_equal(answers[0].mask, alone.mask)


# ------------------------------------------------------------------ urgency and cancelling


async def test_a_click_does_not_wait_for_embeddings_in_stock(sam: Sam) -> None:
    await sam.embed([Still.of(a_frame(0))])
    stock = asyncio.create_task(sam.embed([Still.of(a_frame(number)) for number in range(1000, 1200)]))
    await sam.mask(Still.of(a_frame(0)), A_POINT)
    assert not stock.done()
    await sam.embed([Still.of(a_frame(1))], Urgency.SHOWN)
    assert not stock.done()
    stock.cancel()
    await asyncio.wait([stock])
    assert (await sam.mask(Still.of(a_frame(0)), A_POINT)).engine


async def test_points_read_beside_other_work_mean_the_same(sam: Sam) -> None:
    still = Still.of(a_frame(0))
    prompts = [Prompt((Point(8.0 + 10 * number, 40),)) for number in range(10)]
    alone = [(await sam.mask(still, prompt)).mask for prompt in prompts]
    kill(sam)  # and with it all that is remembered of those points
    await sam.embed([still])
    stock = asyncio.create_task(sam.embed([Still.of(a_frame(number)) for number in range(6000, 6200)]))
    beside = [(await sam.mask(still, prompt)).mask for prompt in prompts]
    assert not stock.done()
    stock.cancel()
    await asyncio.wait([stock])
    assert all(np.array_equal(*pair) for pair in zip(alone, beside, strict=True))


async def test_whoever_stops_listening_to_a_clip_stops_it(sam: Sam) -> None:
    stills = [Still.of(a_frame(number)) for number in range(2000, 2200)]
    async with aclosing(sam.track(stills, {0: A_POINT})) as masks:
        async for _ in masks:
            break
    await sam.embed(stills[-1:], Urgency.BACKGROUND)  # waits for all tracking that is still wanted
    answered = await asyncio.wait_for(anext(sam.track(stills[:2], {1: A_POINT})), 60)
    assert answered.index == 1


# ------------------------------------------------------------------ deaths


async def test_a_death_during_a_click_is_told_and_costs_nobody_an_answer(sam: Sam, deaths: list[PopconError]) -> None:
    await sam.embed([Still.of(a_frame(0))])
    deaths.clear()
    assert sam.pid is not None
    os.kill(sam.pid, signal.SIGSTOP)
    asking = asyncio.create_task(sam.mask(Still.of(a_frame(0)), A_POINT))
    await asyncio.sleep(0)
    kill(sam)
    assert (await asking).mask.shape == (96, 128)
    assert [type(error) for error in deaths] == [OutOfMemory]


async def test_a_death_during_a_clip_leaves_no_gap_and_sends_nothing_twice(sam: Sam) -> None:
    stills = [Still.of(a_frame(number)) for number in range(3000, 3010)]
    indices = []
    async for tracked in sam.track(stills, {4: A_POINT}):
        indices.append(tracked.index)
        if len(indices) == 3:
            kill(sam)
    assert indices == [4, 5, 6, 7, 8, 9, 3, 2, 1, 0]


async def test_a_death_while_embedding_leaves_whole_files_only(sam: Sam, cache: Path) -> None:
    before = files_in(cache)
    stock = asyncio.create_task(sam.embed([Still.of(a_frame(number)) for number in range(5000, 5100)]))
    await until(lambda: len(files_in(cache) - before) > 3)
    kill(sam)
    await stock
    made = files_in(cache) - before
    assert len(made) == 100
    assert len({path.stat().st_size for path in made}) == 1


async def test_dying_over_and_over_is_told_and_the_next_request_works(sam: Sam) -> None:
    asking = asyncio.create_task(sam.embed([Still.of(a_frame(number)) for number in range(4000, 4400)]))
    while not asking.done():
        kill(sam)
        await asyncio.sleep(0.01)
    error = asking.exception()
    assert isinstance(error, OutOfMemory | WorkerDied)
    assert error.cure
    assert (await sam.mask(Still.of(a_frame(0)), A_POINT)).mask.shape == (96, 128)


async def test_a_process_that_hangs_is_replaced(weights: Weights, tmp_path: Path) -> None:
    deaths: list[PopconError] = []
    sam = Sam(weights, SamOptions(tmp_path, threads=1, patience=5.0), on_death=deaths.append)
    await sam.embed([Still.of(a_frame(0))])
    assert sam.pid is not None
    os.kill(sam.pid, signal.SIGSTOP)
    assert (await sam.mask(Still.of(a_frame(0)), A_POINT)).engine == MINIATURE.name
    assert ["hung" in error.message for error in deaths] == [True]
    await sam.close()


async def test_weights_that_went_away_are_told_and_when_they_are_back_it_works(
    weights: Weights, tmp_path: Path
) -> None:
    path = tmp_path / "mini.pt"
    sam = Sam(Weights(path, MINIATURE), SamOptions(tmp_path / "cache", threads=1))
    for content, code in ((None, "weights_missing"), (b"PK", "weights_broken")):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(PopconError) as caught:
            await sam.mask(Still.of(a_frame(0)), A_POINT)
        assert caught.value.code == code
        assert caught.value.cure
    path.write_bytes(weights.path.read_bytes())
    assert (await sam.mask(Still.of(a_frame(0)), A_POINT)).engine == MINIATURE.name
    await sam.close()


async def test_libraries_that_are_not_installed_are_told_with_the_line_that_installs_them(
    weights: Weights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ultralytics.py").write_text("raise ModuleNotFoundError('No module named ultralytics')")
    monkeypatch.syspath_prepend(tmp_path)
    sam = Sam(weights, SamOptions(tmp_path / "cache", threads=1))
    with pytest.raises(PopconError) as caught:
        await sam.embed([])
    assert caught.value.code == "engine_not_installed"
    assert "pip install 'popcon[sam]'" in str(caught.value.cure)
    await sam.close()


_A_DAEMON = """
import asyncio, sys
from pathlib import Path
from popcond.vision.sam import Sam, SamOptions
from popcond.vision.sam_weights import MINIATURE, Weights
from popcond.vision.segmenter import Still
import numpy as np

async def main():
    sam = Sam(Weights(Path(sys.argv[1]), MINIATURE), SamOptions(Path(sys.argv[2]), threads=1))
    await sam.embed([Still.of(np.zeros((64, 64, 3), np.uint8))])
    print(sam.pid, flush=True)
    rng = np.random.default_rng(0)
    await sam.embed([Still.of(rng.integers(0, 255, (64, 64, 3)).astype(np.uint8)) for _ in range(2000)])

asyncio.run(main())
"""


async def test_it_ends_with_its_daemon_even_when_that_was_killed(weights: Weights, tmp_path: Path) -> None:
    words = [sys.executable, "-c", _A_DAEMON, str(weights.path), str(tmp_path)]
    daemon = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
    assert daemon.stdout is not None
    pid = int(await daemon.stdout.readline())
    os.kill(pid, 0)
    daemon.kill()
    await daemon.wait()
    await until(lambda: is_gone(pid))


def is_gone(pid: int) -> bool:
    """No such process, or one that only waits to be forgotten."""
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat")
        return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


async def test_without_work_it_is_let_go(weights: Weights, tmp_path: Path) -> None:
    sam = Sam(weights, SamOptions(tmp_path, threads=1, keep_alive=0.05))
    await sam.embed([Still.of(a_frame(0))])
    pid = sam.pid
    assert pid is not None
    await until(lambda: sam.pid is None and is_gone(pid))
    await sam.close()


async def test_closing_ends_what_is_under_way(weights: Weights, tmp_path: Path) -> None:
    sam = Sam(weights, SamOptions(tmp_path, threads=1))
    stock = asyncio.create_task(sam.embed([Still.of(a_frame(number)) for number in range(300)]))
    await until(lambda: sam.pid is not None)
    await sam.close()
    with pytest.raises(Stopping):
        await stock
    with pytest.raises(Stopping):
        await sam.mask(Still.of(a_frame(0)), A_POINT)


async def test_closing_while_it_loads_does_not_wait_for_the_model(weights: Weights, tmp_path: Path) -> None:
    sam = Sam(weights, SamOptions(tmp_path, threads=1))
    asking = asyncio.create_task(sam.mask(Still.of(a_frame(0)), A_POINT))
    await until(lambda: sam.is_loading)
    await sam.close()
    with pytest.raises(Stopping):
        await asking


# ------------------------------------------------------------------ for scripts, and the real thing


async def test_the_calls_of_the_earlier_system_work(sam: Sam) -> None:
    segmenter = FrameSegmenter(sam)
    frames = [a_frame(number) for number in range(3)]
    mask = await segmenter.predict(frames[1], [(30, 40), (90, 20)], [1, 0])
    assert mask.shape == (96, 128)
    assert segmenter.apply_mask(frames[1], mask).shape == (96, 128, 4)
    cutouts = await segmenter.predict_and_apply_all(frames, [(30, 40), (90, 20)], [1, 0], at=1)
    assert [cutout.shape for cutout in cutouts] == [(96, 128, 4)] * 3
    assert np.array_equal(cutouts[1][..., 3], mask)
    with pytest.raises(BadInput, match="2 points and 1 labels"):
        await segmenter.predict(frames[0], [(1, 1), (2, 2)], [1])


async def test_sam_2_1_tiny_itself_reads_a_point_and_follows_it(tmp_path: Path) -> None:
    weights = Weights(write_random_weights("tiny", tmp_path / "sam2.1_t.pt"), TINY)
    sam = Sam(weights, SamOptions(tmp_path / "cache", input_size=256))
    answer = await sam.mask(Still.of(a_frame(0)), A_POINT)
    assert (answer.engine, answer.mask.shape, len(answer.candidates)) == ("SAM 2.1 tiny", (96, 128), 3)
    stills = [Still.of(a_frame(number)) for number in range(3)]
    assert [tracked.index async for tracked in sam.track(stills, {1: A_POINT})] == [1, 2, 0]
    await sam.close()

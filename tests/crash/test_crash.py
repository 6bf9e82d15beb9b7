"""The short form: every named point once, some random moments, lost answers; one judgement over each."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from popcond.crash import POINTS
from popcond.wire import Status
from tests.cloud.running import running_cloud
from tests.crash.judge import judge
from tests.crash.trial import ACTIONS, SETTLES_IN, Trial

SEED = 20261123
BETWEEN = "between_tries"  # is reached only by a clip without motion


@pytest.fixture
async def trial(tmp_path: Path) -> AsyncIterator[Trial]:
    """A home that nobody has lived in."""
    with running_cloud(tmp_path / "cloud") as cloud:
        yield Trial(tmp_path / "home", cloud)


async def judged(trial: Trial) -> None:
    """Let it finish, and demand that there is nothing to complain about."""
    verdict = judge(trial, await trial.finish())
    assert verdict.complaints == {}
    assert verdict.accepted == verdict.emojis >= len(trial.ordered) > 0


async def move_in(trial: Trial) -> None:
    """A first life without trouble brings the character and a pack."""
    async with trial.life() as life:
        assert await trial.order(life, "wave")
        await life.end(signal.SIGTERM)


async def test_a_kill_at_every_named_point_loses_and_doubles_nothing(trial: Trial) -> None:
    await move_in(trial)
    points = (point for point in POINTS if point != BETWEEN)
    for number, point in enumerate((*points, "after_finish:2", "after_finish:4")):
        async with trial.life(POPCON_CRASH_AT=point) as life:
            await trial.order(life, ACTIONS[number % len(ACTIONS)])
            assert await life.death() == -signal.SIGKILL, f"{point} was not reached"
    await judged(trial)


async def test_a_kill_between_two_tries_neither_repeats_the_first_nor_forgets_the_second(trial: Trial) -> None:
    await move_in(trial)
    trial.cloud.turn(flawed=1)
    async with trial.life(POPCON_CRASH_AT=BETWEEN) as life:
        await trial.order(life, "jump")
        assert await life.death() == -signal.SIGKILL
    emojis = await trial.finish()
    (twice,) = [emoji for emoji in emojis if len(emoji.takes) > 1]  # whichever was ordered first
    assert [bool(take.flaws) for take in twice.takes] == [True, False]
    assert twice.chosen_take == twice.takes[1].id
    prompts = [line["prompt"] for line in trial.cloud.ledger if twice.motion_prompt in line["prompt"]]
    assert len(prompts) == len(set(prompts)) == 2
    assert len(trial.cloud.ledger) == len(emojis) + 1


async def test_kills_at_random_moments_lose_and_double_nothing(trial: Trial) -> None:
    chance = random.Random(SEED)
    await move_in(trial)
    for _ in range(8):
        async with trial.life() as life:
            await trial.order(life, *chance.sample(ACTIONS, 2))
            await asyncio.sleep(chance.uniform(0.0, 1.0))
            await life.end()
    await judged(trial)


@pytest.mark.parametrize("faults", [("drop_after", "drop_before"), ("error_after", "error_before")])
async def test_an_order_whose_answer_is_lost_is_neither_lost_nor_doubled_with_a_kill_in_between(
    trial: Trial, faults: tuple[str, str]
) -> None:
    for fault in faults:
        trial.cloud.fault("create", fault)
    async with trial.life() as life:
        await trial.order(life, "wave", "nod")
        async with asyncio.timeout(30):
            while trial.cloud.calls.get("create", 0) < 2:
                await asyncio.sleep(0.02)
        await life.end()
    assert len(trial.cloud.ledger) == 1
    await judged(trial)


async def test_equal_orders_that_are_in_doubt_at_once_get_a_clip_each(trial: Trial) -> None:
    trial.cloud.fault("create", "drop_after", times=3)
    async with trial.life() as life:
        for _ in range(3):
            await trial.order(life, "wave")
        async with asyncio.timeout(30):
            while len(trial.cloud.ledger) < 3:
                await asyncio.sleep(0.02)
    await judged(trial)


async def test_an_order_in_doubt_is_found_while_its_clip_is_still_being_made(trial: Trial) -> None:
    trial.cloud.fault("create", "drop_after")
    trial.cloud.turn(run_seconds=3 * SETTLES_IN)  # and the provider repeats a prompt only with the finished clip
    async with trial.life() as life:
        await trial.order(life, "wave")
        async with asyncio.timeout(30):
            while not trial.cloud.ledger:
                await asyncio.sleep(0.02)
    await judged(trial)


async def test_a_daemon_that_is_told_to_stop_in_the_middle_leaves_nothing_undone(trial: Trial) -> None:
    trial.cloud.turn(run_seconds=1.0)
    for _ in range(2):
        async with trial.life() as life:
            await trial.order(life, "wave", "nod")
            assert await asyncio.wait_for(life.end(signal.SIGTERM), 10) == 0
    await judged(trial)


async def test_the_judge_sees_what_is_wrong(trial: Trial) -> None:
    await move_in(trial)
    emojis = await trial.finish()
    assert judge(trial, emojis).complaints == {}
    (line,) = trial.cloud.ledger
    with trial.cloud.file.open("a") as ledger:
        ledger.write(json.dumps({**line, "id": "nobody-knows"}) + "\n")
    (trial.home / "assets" / ".draft-1").write_bytes(b"left")
    trial.ordered.append("never-answered")
    (emoji,) = emojis
    verdict = judge(trial, [emoji.model_copy(update={"status": Status.FAILED})])
    assert set(verdict.complaints) == {"lost", "orphaned", "leftovers", "forgotten"}
    assert (verdict.emojis, verdict.accepted) == (1, 2)

"""A clock that jumps and a disk that is full lose no clip and buy none twice; doubts are left to a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from popcond.client import Client
from popcond.wire import Emoji, PurchaseState, Status
from tests.cloud.running import running_cloud
from tests.crash.judge import judge
from tests.crash.machine import CAN_BE_BUILT, Machine
from tests.crash.trial import SETTLES_IN, Life, Trial

pytestmark = pytest.mark.skipif(not CAN_BE_BUILT, reason="needs Linux and a C compiler")

HOUR = 3600


@pytest.fixture
async def trial(tmp_path: Path) -> AsyncIterator[Trial]:
    """A home that nobody has lived in."""
    with running_cloud(tmp_path / "cloud") as cloud:
        yield Trial(tmp_path / "home", cloud)


@pytest.fixture
def machine(trial: Trial, tmp_path: Path) -> Machine:
    """The machine of that home."""
    return Machine(tmp_path / "machine", trial.home)


async def talk(life: Life) -> Client:
    """To a daemon that has to be alive."""
    client = await life.client()
    assert client is not None
    return client


async def until(client: Client, reached: Callable[[list[Emoji]], bool]) -> list[Emoji]:
    """All emojis, once they are so."""
    async with asyncio.timeout(60):
        while True:
            emojis = [emoji for pack in await client.packs() for emoji in pack.emojis]
            if reached(emojis):
                return emojis
            await asyncio.sleep(0.05)


def all_final(emojis: list[Emoji]) -> bool:
    return all(emoji.status.is_final for emoji in emojis)


async def judged(trial: Trial) -> None:
    verdict = judge(trial, await trial.finish())
    assert verdict.complaints == {}
    assert verdict.accepted == verdict.emojis > 0


async def test_a_clock_that_jumps_while_it_works_changes_nothing(trial: Trial, machine: Machine) -> None:
    trial.cloud.turn(run_seconds=1.0)
    async with trial.life(**machine.environment) as life:
        await trial.order(life, "wave", "nod")
        machine.jump(-30 * HOUR)
        async with await talk(life) as client:
            await until(client, all_final)
            await trial.order(life, "jump")
            machine.jump(30 * HOUR)
            await until(client, all_final)
    await judged(trial)


@pytest.mark.parametrize("hours", [-3, 100])
async def test_an_order_in_doubt_is_not_sent_again_when_the_clock_has_jumped(
    trial: Trial, machine: Machine, hours: int
) -> None:
    async with trial.life(**machine.environment, POPCON_CRASH_AT="after_submit") as life:
        await trial.order(life, "wave")
        await life.death()
    machine.jump(hours * HOUR)
    async with trial.life(**machine.environment) as life, await talk(life) as client:
        (emoji,) = await until(client, all_final)
        assert len(trial.cloud.ledger) == 1
        assert emoji.problem is not None
        assert emoji.problem.code == "maybe_bought"
        machine.jump(0)
        (doubtful,) = await client.purchases(PurchaseState.UNKNOWN)
        await client.look(doubtful.id)
        await until(client, lambda emojis: emojis[0].status is Status.DONE)
    await judged(trial)


@pytest.mark.parametrize(
    "hours",
    [-3, 20],
)
async def test_an_order_that_was_written_down_by_a_wrong_clock_is_not_sent_again(
    trial: Trial, machine: Machine, hours: int
) -> None:
    machine.jump(hours * HOUR)
    async with trial.life(**machine.environment, POPCON_CRASH_AT="after_submit") as life:
        await trial.order(life, "wave")
        await life.death()
    machine.jump(0)
    async with trial.life(**machine.environment) as life, await talk(life) as client:
        await until(client, all_final)
    assert len(trial.cloud.ledger) == 1


async def test_an_id_that_the_full_disk_does_not_take_is_found_again(trial: Trial, machine: Machine) -> None:
    trial.cloud.fault("create", "slow_after", seconds=SETTLES_IN / 4)
    async with trial.life(**machine.environment) as life:
        await trial.order(life, "wave")
        async with asyncio.timeout(30):
            while not trial.cloud.ledger:
                await asyncio.sleep(0.01)
        machine.fill()
        await asyncio.sleep(SETTLES_IN)
        machine.free()
        async with await talk(life) as client:
            await until(client, lambda emojis: emojis[0].status is Status.DONE)
    await judged(trial)


async def test_a_disk_that_fills_up_and_a_kill_lose_and_double_nothing(trial: Trial, machine: Machine) -> None:
    trial.cloud.turn(run_seconds=0.5)
    async with trial.life(**machine.environment) as life:
        await trial.order(life, "wave", "nod")
        machine.fill()
        await asyncio.sleep(2.0)
        await life.end()
    async with trial.life(**machine.environment) as life:  # cannot work, and must not harm
        await asyncio.sleep(2.0)
        await life.end()
    machine.free()
    async with trial.life(**machine.environment) as life, await talk(life) as client:
        for emoji in await until(client, all_final):
            if emoji.status is Status.FAILED:
                await client.retry(emoji.id)
        await until(client, all_final)
    await judged(trial)

"""DashScope's customer keeps within the account's limits, whatever is wanted of it at once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from popcond.errors import ProviderBusy, ProviderUnreachable, SubmitUnanswered
from popcond.video.dashscope import DashScope
from popcond.video.dashscope_account import Account
from popcond.video.provider import RemoteTask, TaskState, TaskStatus
from tests.cloud.customer import MODEL, a_request, customer, settled
from tests.cloud.running import KEY, Cloud

QUICK = "wan2.6-i2v-flash"  # five a second, five at once


async def made(provider: DashScope, cutout: Path, prompt: str) -> TaskStatus:
    """A clip as the queue buys it: whoever was refused for now comes again."""
    while True:
        with contextlib.suppress(ProviderBusy):
            async with provider.turn(QUICK):
                task = await provider.submit(a_request(cutout, model=QUICK, prompt=prompt))
            return await settled(provider, task)


async def test_a_pack_of_twelve_is_never_throttled(cloud: Cloud, provider: DashScope, cutout: Path) -> None:
    cloud.turn(per_second=5, at_once=5, run_seconds=0.3)
    async with asyncio.timeout(30):
        made_ones = await asyncio.gather(*(made(provider, cutout, f"Waves {number}.") for number in range(12)))
    assert all(status.state is TaskState.SUCCEEDED for status in made_ones)
    assert len(cloud.ledger) == cloud.calls["create"] == 12


async def test_a_pack_is_made_though_the_account_is_throttled_now_and_then(
    cloud: Cloud, provider: DashScope, cutout: Path
) -> None:
    for code in ("Throttling.RateQuota", "Throttling.Concurrency", "Throttling"):
        cloud.fault("create", "error_before", status=429, code=code, retry_after="0")
    async with asyncio.timeout(30):
        await asyncio.gather(*(made(provider, cutout, f"Waves {number}.") for number in range(6)))
    assert (len(cloud.ledger), cloud.calls["create"]) == (6, 9)


async def test_what_a_dead_daemon_ordered_counts_as_soon_as_it_is_asked_for(
    cloud: Cloud, provider: DashScope, cutout: Path
) -> None:
    cloud.turn(run_seconds=60.0)
    tasks = [await provider.submit(a_request(cutout)) for _ in range(2)]
    next_one = customer(cloud.base_url)
    await next_one.tasks(time.time() - 60.0, time.time() + 60.0)  # tells the model of each
    for task in tasks:
        await next_one.check(task)
    waiting = asyncio.create_task(_turn(next_one))
    await next_one.check(tasks[0])
    assert not waiting.done()
    cloud.turn(run_seconds=0.0)
    async with asyncio.timeout(30):
        await next_one.check(tasks[0])
        await waiting


async def test_an_order_in_doubt_keeps_its_place_for_a_while(cloud: Cloud, cutout: Path) -> None:
    provider = customer(cloud.base_url, settles_in=2.0)
    cloud.fault("create", "drop_after", times=2)
    for _ in range(2):
        with pytest.raises(SubmitUnanswered):
            await provider.submit(a_request(cutout))
    waiting = asyncio.create_task(_turn(provider))
    with contextlib.suppress(ProviderUnreachable):
        await provider.check(RemoteTask("dashscope", "any"))
    assert not waiting.done()
    async with asyncio.timeout(30):
        await waiting


async def test_all_questions_together_stay_below_twenty_a_second(cloud: Cloud, provider: DashScope) -> None:
    async with asyncio.timeout(30):
        await asyncio.gather(*(provider.check(RemoteTask("dashscope", f"task-{number}")) for number in range(40)))
    asked = sorted(cloud.times["query"])
    assert len(asked) == 40
    assert max(sum(at <= other < at + 1.0 for other in asked) for at in asked) < 20


async def test_young_tasks_are_asked_for_more_often_than_old_ones(cloud: Cloud, cutout: Path) -> None:
    cloud.turn(run_seconds=60.0)
    provider = DashScope(Account(lambda: SecretStr(KEY), base_url=cloud.base_url, poll_after=10.0))
    first = await provider.check(await provider.submit(a_request(cutout)))
    assert first.poll_after == pytest.approx(0.25)


async def _turn(provider: DashScope) -> None:
    async with provider.turn(MODEL):
        return

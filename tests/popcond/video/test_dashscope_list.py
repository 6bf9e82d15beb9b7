"""The account's list is what settles an order without an answer: it is whole, or says that it is not."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from popcond.errors import ProviderUnreachable
from popcond.video.dashscope import DashScope
from tests.cloud.customer import a_request, customer
from tests.cloud.running import Cloud, running_cloud

THERE, MORE = 70, 120  # tasks: more than a page, and those that come while it is read


def order_many(cloud: Cloud) -> None:
    """Another program of the account, busy while we read."""
    for _ in range(MORE):
        cloud.order_elsewhere("A cat rides a bicycle.")


async def test_a_list_that_grows_while_it_is_read_misses_nothing_that_was_there(tmp_path: Path) -> None:
    with running_cloud(tmp_path / "cloud") as cloud:
        before = time.time() - 5.0
        there = {cloud.order_elsewhere(f"Order {number}.") for number in range(THERE)}
        provider = customer(cloud.base_url)
        busy = asyncio.create_task(asyncio.to_thread(order_many, cloud))
        while not busy.done():
            listed = await provider.tasks(before, time.time() + 60.0)
            assert listed.is_complete
            assert there <= {task.id for task in listed.tasks}
        await busy


async def test_the_list_has_all_pages_of_everybody(cloud: Cloud, provider: DashScope, cutout: Path) -> None:
    await provider.submit(a_request(cutout))
    others = {cloud.order_elsewhere(f"Something else {number}.") for number in range(120)}
    listed = await provider.tasks(time.time() - 60.0, time.time() + 60.0)
    assert listed.is_complete
    assert {task.id for task in listed.tasks} == others | {cloud.ledger[0]["id"]}
    assert cloud.calls["list"] == 1 + 3


@pytest.mark.parametrize("zone", [0, 8])
async def test_the_list_is_read_right_in_whichever_zone_its_filter_is(
    cloud: Cloud, provider: DashScope, cutout: Path, zone: int
) -> None:
    cloud.turn(list_zone=zone)
    task = await provider.submit(a_request(cutout))
    now = time.time()
    assert [row.id for row in (await provider.tasks(now - 60.0, now + 1.0)).tasks] == [task.id]
    assert (await provider.tasks(now - 3600.0, now - 60.0)).tasks == ()


async def test_a_day_is_asked_for_in_spans_that_are_allowed(cloud: Cloud, provider: DashScope, cutout: Path) -> None:
    task = await provider.submit(a_request(cutout))
    now = time.time()
    listed = await provider.tasks(now - 40 * 3600.0, now + 40 * 3600.0)
    assert [row.id for row in listed.tasks] == [task.id]
    assert not listed.is_complete  # nothing is kept for as long as that


async def test_a_list_is_not_trusted_while_our_clock_is_wrong(
    cloud: Cloud, provider: DashScope, cutout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await provider.submit(a_request(cutout))
    true = time.time
    for hours in (-3, 3, 100):
        monkeypatch.setattr(time, "time", lambda hours=hours: true() + hours * 3600.0)
        for at in (true(), time.time()):
            assert not (await provider.tasks(at - 600.0, at + 600.0)).is_complete
            assert not (await provider.tasks(at + 600.0, at + 1200.0)).is_complete


async def test_a_list_with_rows_missing_says_so(cloud: Cloud, provider: DashScope, cutout: Path) -> None:
    await provider.submit(a_request(cutout))
    cloud.turn(list_total=2)
    assert not (await provider.tasks(time.time() - 60.0, time.time())).is_complete


async def test_a_list_that_cannot_be_read_says_so(cloud: Cloud, provider: DashScope) -> None:
    cloud.fault("list", "garbled", times=4)
    assert not (await provider.tasks(time.time() - 60.0, time.time())).is_complete
    cloud.fault("list", "drop_before")
    with pytest.raises(ProviderUnreachable):
        await provider.tasks(time.time() - 60.0, time.time())

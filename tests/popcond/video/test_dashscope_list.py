"""The account's list is what settles an order without an answer: it is whole, or says that it is not."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from pydantic import SecretStr

from popcond.video.dashscope import DashScope
from tests.cloud.running import KEY, Cloud, running_cloud

THERE, MORE = 70, 120  # tasks: more than a page, and those that come while it is read


def order_many(cloud: Cloud) -> None:
    """Another program of the account, busy while we read."""
    for _ in range(MORE):
        cloud.order_elsewhere("A cat rides a bicycle.")


async def test_a_list_that_grows_while_it_is_read_misses_nothing_that_was_there(tmp_path: Path) -> None:
    with running_cloud(tmp_path / "cloud") as cloud:
        before = time.time() - 5.0
        there = {cloud.order_elsewhere(f"Order {number}.") for number in range(THERE)}
        provider = DashScope(lambda: SecretStr(KEY), base_url=cloud.base_url)
        busy = asyncio.create_task(asyncio.to_thread(order_many, cloud))
        while not busy.done():
            listed = await provider.tasks(before, time.time() + 60.0)
            assert listed.is_complete
            assert there <= {task.id for task in listed.tasks}
        await busy

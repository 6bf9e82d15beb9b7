"""What every maker of clips promises: one body over all of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr

from popcond.media.clip import probe
from popcond.media.raster import png
from popcond.video.dashscope import DashScope
from popcond.video.provider import ClipRequest, RemoteTask, TaskState, TaskStatus, VideoProvider
from popcond.video.puppet import Puppet
from popcond.workers import Workers
from tests.cloud.running import KEY, running_cloud
from tests.data import an_action
from tests.fakes import LedgerProvider

SHAPES = ("wan2.2-kf2v-flash", "wan2.7-i2v", "wan3.0-video")  # models that are ordered in other ways than the default


@pytest.fixture(params=["puppet", "ledger", "dashscope", *SHAPES])
def made_by(request: pytest.FixtureRequest) -> str:
    """Each of them in turn; of the paid service every shape of orders."""
    return str(request.param)


@pytest.fixture
async def provider(made_by: str, tmp_path: Path) -> AsyncIterator[VideoProvider]:
    """Ready for orders."""
    if made_by == "ledger":
        yield LedgerProvider()
    elif made_by == "dashscope" or made_by in SHAPES:
        with running_cloud(tmp_path / "cloud") as cloud:
            yield DashScope(lambda: SecretStr(KEY), base_url=cloud.base_url, poll_after=0.05)
    else:
        yield Puppet(tmp_path, Workers(count=1, memory_mb=3072))


@pytest.fixture
def request_for_a_clip(provider: VideoProvider, made_by: str, tmp_path: Path) -> ClipRequest:
    """A round somebody, half a second of it."""
    rows, columns = np.mgrid[:96, :96]
    cutout = np.zeros((96, 96, 4), np.uint8)
    cutout[(rows - 48) ** 2 + (columns - 48) ** 2 < 40**2] = (230, 180, 40, 255)
    path = tmp_path / "cutout.png"
    path.write_bytes(png(cutout))
    action = an_action("wave")
    return ClipRequest(
        action=action,
        motion_prompt=action.motion_prompt,
        cutout=path,
        backdrop=(0, 150, 140),
        model=made_by if made_by in SHAPES else provider.describe().models[0].name,
        seconds=0.5,
    )


async def settled(provider: VideoProvider, task: RemoteTask) -> TaskStatus:
    """What becomes of a task."""
    async with asyncio.timeout(60):
        status = await provider.check(task)
        while status.state in (TaskState.PENDING, TaskState.RUNNING):
            assert 0.0 <= status.progress <= 1.0
            assert status.poll_after > 0.0
            await asyncio.sleep(status.poll_after)
            status = await provider.check(task)
        return status


def test_it_says_what_it_is(provider: VideoProvider) -> None:
    described = provider.describe()
    assert described.name
    assert described.models
    assert all(model.seconds and model.price_per_second >= 0.0 for model in described.models)


async def test_a_task_ends_in_a_clip_that_can_be_fetched_twice(
    provider: VideoProvider, request_for_a_clip: ClipRequest, tmp_path: Path
) -> None:
    task = await provider.submit(request_for_a_clip)
    status = await settled(provider, task)
    assert (status.state, status.task) == (TaskState.SUCCEEDED, task)
    for name in ("once.mp4", "twice.mp4"):
        await provider.download(status, tmp_path / name)
        assert probe(tmp_path / name).frames > 1
    assert (tmp_path / "once.mp4").read_bytes() == (tmp_path / "twice.mp4").read_bytes()
    assert (await provider.check(task)).state is TaskState.SUCCEEDED


async def test_an_order_may_be_sent_in_a_turn_that_was_waited_for(
    provider: VideoProvider, request_for_a_clip: ClipRequest
) -> None:
    async with asyncio.timeout(30):
        for _ in range(2):
            async with provider.turn(request_for_a_clip.model):
                task = await provider.submit(request_for_a_clip)
            await provider.cancel(task)


async def test_two_submits_are_two_tasks(provider: VideoProvider, request_for_a_clip: ClipRequest) -> None:
    first, second = await provider.submit(request_for_a_clip), await provider.submit(request_for_a_clip)
    assert first != second
    for task in (first, second):
        await provider.cancel(task)


async def test_its_list_names_what_it_accepted_and_nothing_else(
    provider: VideoProvider, request_for_a_clip: ClipRequest
) -> None:
    before = time.time()
    task = await provider.submit(request_for_a_clip)
    listed = await provider.tasks(before - 1.0, time.time() + 1.0)
    assert listed.is_complete
    assert [(line.id, line.model) for line in listed.tasks] == [(task.id, request_for_a_clip.model)]
    assert before - 1.0 <= listed.tasks[0].accepted_at <= time.time() + 1.0
    assert (await provider.tasks(before - 60.0, before - 30.0)).tasks == ()
    await provider.cancel(task)


async def test_a_task_of_nobodys_is_unknown(provider: VideoProvider) -> None:
    stranger = RemoteTask(provider.describe().name, "nobody-knows")
    assert (await provider.check(stranger)).state is TaskState.UNKNOWN
    await provider.cancel(stranger)

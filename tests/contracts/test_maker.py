"""What everybody promises who takes orders, of clips or of pictures: one body over all of them.

A clip of the user's own is not among them: nobody is asked for it, so there is no order, no task and no list.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from popcond.media.clip import probe
from popcond.media.picture import open_picture
from popcond.media.raster import png
from popcond.video.dashscope import DashScope
from popcond.video.dashscope_pictures import DashScopePictures
from popcond.video.provider import ClipRequest, Maker, PictureRequest, RemoteTask, TaskState, TaskStatus
from popcond.video.puppet import Puppet
from popcond.workers import Workers
from tests.cloud.customer import account
from tests.cloud.running import Cloud, running_cloud
from tests.data import an_action
from tests.fakes import LedgerProvider

CLIPS = ("wan2.2-i2v-flash", "wan2.2-kf2v-flash", "wan2.7-i2v", "wan3.0-video")  # every shape of orders
PICTURES = ("wan2.7-image", "wan2.2-t2i-flash", "wan2.5-i2i-preview")  # likewise


@dataclass(frozen=True)
class Given:
    """Somebody who takes orders, and one that is typical."""

    name: str  # of the provider
    maker: Maker[Any]
    request: ClipRequest | PictureRequest
    look: Callable[[Path], None]  # at the result; asserts that it is one


@pytest.fixture
def somebody(tmp_path: Path) -> Path:
    """A round one."""
    rows, columns = np.mgrid[:96, :96]
    cutout = np.zeros((96, 96, 4), np.uint8)
    cutout[(rows - 48) ** 2 + (columns - 48) ** 2 < 40**2] = (230, 180, 40, 255)
    path = tmp_path / "cutout.png"
    path.write_bytes(png(cutout))
    return path


@pytest.fixture(params=["puppet", "ledger", *CLIPS, *PICTURES])
async def given(request: pytest.FixtureRequest, somebody: Path, tmp_path: Path) -> AsyncIterator[Given]:
    """Each of them in turn, ready for orders."""
    name = str(request.param)
    action = an_action("wave")
    clip = ClipRequest(action, action.motion_prompt, somebody, (0, 150, 140), name, seconds=0.5)
    if name == "puppet":
        puppet = Puppet(tmp_path, Workers(count=1, memory_mb=3072))
        yield Given(name, puppet, replace(clip, model="paper"), look_at_clip)
    elif name == "ledger":
        yield Given(name, LedgerProvider(), replace(clip, model="ledger-1"), look_at_clip)
    else:
        with running_cloud(tmp_path / "cloud") as cloud:
            yield bought(cloud, name, clip)


def bought(cloud: Cloud, model: str, clip: ClipRequest) -> Given:
    """Of the paid service."""
    if model in CLIPS:
        return Given("dashscope", DashScope(account(cloud.base_url)), clip, look_at_clip)
    shown = () if model == "wan2.2-t2i-flash" else (clip.cutout,)
    wish = PictureRequest("Somebody round waves.", model, shown, clip.backdrop)
    return Given("dashscope", DashScopePictures(account(cloud.base_url)), wish, look_at_picture)


def look_at_clip(path: Path) -> None:
    assert probe(path).frames > 1


def look_at_picture(path: Path) -> None:
    assert open_picture(path).rgba.shape[:2] == (1024, 1024)


async def settled(maker: Maker[Any], task: RemoteTask) -> TaskStatus:
    """What becomes of a task."""
    async with asyncio.timeout(60):
        status = await maker.check(task)
        while status.state in (TaskState.PENDING, TaskState.RUNNING):
            assert 0.0 <= status.progress <= 1.0
            assert status.poll_after > 0.0
            await asyncio.sleep(status.poll_after)
            status = await maker.check(task)
        return status


async def test_a_task_ends_in_a_result_that_can_be_fetched_twice(given: Given, tmp_path: Path) -> None:
    task = await given.maker.submit(given.request)
    assert task.provider == given.name
    status = await settled(given.maker, task)
    assert (status.state, status.task) == (TaskState.SUCCEEDED, task)
    for name in ("once", "twice"):
        await given.maker.download(status, tmp_path / name)
        given.look(tmp_path / name)
    assert (tmp_path / "once").read_bytes() == (tmp_path / "twice").read_bytes()
    assert (await given.maker.check(task)).state is TaskState.SUCCEEDED


async def test_an_order_may_be_sent_in_a_turn_that_was_waited_for(given: Given) -> None:
    async with asyncio.timeout(30):
        for _ in range(2):
            async with given.maker.turn(given.request.model):
                task = await given.maker.submit(given.request)
            await given.maker.cancel(task)


async def test_two_submits_are_two_tasks(given: Given) -> None:
    first, second = await given.maker.submit(given.request), await given.maker.submit(given.request)
    assert first != second
    for task in (first, second):
        await given.maker.cancel(task)


async def test_its_list_names_what_it_accepted_and_nothing_else(given: Given) -> None:
    before = time.time()
    task = await given.maker.submit(given.request)
    listed = await given.maker.tasks(before - 1.0, time.time() + 1.0)
    assert listed.is_complete
    assert [(line.id, line.model) for line in listed.tasks] == [(task.id, given.request.model)]
    assert before - 1.0 <= listed.tasks[0].accepted_at <= time.time() + 1.0
    assert (await given.maker.tasks(before - 60.0, before - 30.0)).tasks == ()
    await given.maker.cancel(task)


async def test_a_task_of_nobodys_is_unknown(given: Given) -> None:
    stranger = RemoteTask(given.name, "nobody-knows")
    assert (await given.maker.check(stranger)).state is TaskState.UNKNOWN
    await given.maker.cancel(stranger)


async def test_a_result_is_fetched_whole_or_not_at_all(given: Given, tmp_path: Path) -> None:
    status = await settled(given.maker, await given.maker.submit(given.request))
    folder = tmp_path / "results"
    folder.mkdir()
    await given.maker.download(status, folder / "result")
    assert [path.name for path in folder.iterdir()] == ["result"]

"""The offline animator as a provider: real child processes, real clips."""

from __future__ import annotations

import asyncio
from pathlib import Path

import av
import numpy as np
import pytest

from popcond.actions import load_actions
from popcond.errors import ProviderFailed
from popcond.media.raster import png
from popcond.video.provider import ClipRequest, RemoteTask, TaskState, TaskStatus
from popcond.video.puppet import Puppet
from popcond.wire import Action
from popcond.workers import Workers
from tests.popcond.video.puppet_cast import BACKDROP, face


def request_for(folder: Path, *, seconds: float = 1.0, performance: str = "wave") -> ClipRequest:
    cutout = folder / "cutout.png"
    cutout.write_bytes(png(face()))
    action = Action(name="test", label="Test", motion_prompt="waves", performance=performance)
    return ClipRequest(
        action=action, motion_prompt="waves", cutout=cutout, backdrop=BACKDROP, model="paper", seconds=seconds
    )


@pytest.fixture
def puppet(tmp_path: Path) -> Puppet:
    return Puppet(tmp_path / "work", Workers(1, 3072))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def settled(puppet: Puppet, task: RemoteTask) -> TaskStatus:
    status = await puppet.check(task)
    while status.state is TaskState.RUNNING:
        await asyncio.sleep(status.poll_after)
        status = await puppet.check(task)
    return status


async def test_a_submitted_clip_arrives_and_can_be_fetched_twice(puppet: Puppet, tmp_path: Path) -> None:
    task = await puppet.submit(request_for(tmp_path))
    status = await settled(puppet, task)
    assert status.state is TaskState.SUCCEEDED
    for name in ("one.mp4", "two.mp4"):
        await puppet.download(status, tmp_path / name)

    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()
    with av.open(str(tmp_path / "one.mp4")) as clip:
        frames = [frame.to_ndarray(format="rgb24") for frame in clip.decode(video=0)]
    assert len(frames) == 30
    assert frames[0].shape == (512, 512, 3)
    assert np.abs(frames[0][:8, :8].astype(int) - BACKDROP).max() <= 4
    assert names_in(tmp_path) == ["cutout.png", "one.mp4", "two.mp4", "work"]


async def test_after_a_restart_a_task_is_unknown(puppet: Puppet, tmp_path: Path) -> None:
    status = await puppet.check(RemoteTask("puppet", "from-another-life"))
    assert status.state is TaskState.UNKNOWN
    with pytest.raises(ProviderFailed, match="any more"):
        await puppet.download(status, tmp_path / "clip.mp4")


async def test_cancelling_leaves_nothing_behind(puppet: Puppet, tmp_path: Path) -> None:
    task = await puppet.submit(request_for(tmp_path, seconds=10.0))
    while (await puppet.check(task)).progress == 0.0:
        await asyncio.sleep(0.02)
    await puppet.cancel(task)

    assert (await puppet.check(task)).state is TaskState.UNKNOWN
    assert names_in(tmp_path / "work" / "puppet") == []
    await puppet.cancel(task)


async def test_a_clip_that_cannot_be_drawn_fails_with_a_sentence(puppet: Puppet, tmp_path: Path) -> None:
    request = request_for(tmp_path)
    request.cutout.unlink()
    status = await settled(puppet, await puppet.submit(request))

    assert status.state is TaskState.FAILED
    assert "cut-out is gone" in status.message
    assert names_in(tmp_path / "work" / "puppet") == []


@pytest.mark.parametrize(("seconds", "performance"), [(0.0, "wave"), (3600.0, "wave"), (2.0, "moonwalk")])
async def test_impossible_wishes_are_refused_at_once(
    puppet: Puppet, tmp_path: Path, seconds: float, performance: str
) -> None:
    with pytest.raises(ProviderFailed):
        await puppet.submit(request_for(tmp_path, seconds=seconds, performance=performance))


def test_every_built_in_action_can_be_played(puppet: Puppet) -> None:
    provider = puppet.describe()
    assert not provider.needs_key
    assert not provider.needs_network
    assert provider.models[0].closes_loops
    assert len(load_actions().actions) == 24

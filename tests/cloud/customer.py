"""Somebody who buys from the stand-in."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pydantic import SecretStr

from popcond.video.dashscope import DashScope
from popcond.video.provider import ClipRequest, RemoteTask, TaskState, TaskStatus
from tests.cloud.running import KEY
from tests.data import an_action

MODEL = "wan2.2-i2v-flash"


def customer(base_url: str | None, key: str = KEY, settles_in: float = 30.0) -> DashScope:
    """A provider of its own, which remembers nothing."""
    return DashScope(lambda: SecretStr(key), base_url=base_url, settles_in=settles_in, poll_after=0.02)


def a_request(cutout: Path, *, model: str = MODEL, seconds: float = 2.0, prompt: str = "Waves a hand.") -> ClipRequest:
    """A clip that somebody wants."""
    return ClipRequest(
        action=an_action(),
        motion_prompt=prompt,
        cutout=cutout,
        backdrop=(0, 170, 80),
        model=model,
        seconds=seconds,
    )


async def settled(provider: DashScope, task: RemoteTask) -> TaskStatus:
    """What becomes of a task."""
    async with asyncio.timeout(30):
        while True:
            status = await provider.check(task)
            if status.state not in (TaskState.PENDING, TaskState.RUNNING):
                return status
            await asyncio.sleep(status.poll_after)

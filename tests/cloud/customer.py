"""Somebody who buys from the stand-in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from popcond.video.dashscope import DashScope
from popcond.video.dashscope_account import Account
from popcond.video.dashscope_pictures import DashScopePictures
from popcond.video.provider import ClipRequest, Maker, PictureRequest, RemoteTask, TaskState, TaskStatus
from popcond.workers import Workers
from tests.cloud.running import KEY
from tests.data import an_action

MODEL = "wan2.2-i2v-flash"


def account(base_url: str | None, key: str = KEY, settles_in: float = 30.0, workers: Workers | None = None) -> Account:
    """An account as a daemon that has just been started knows it."""
    return Account(lambda: SecretStr(key), base_url=base_url, settles_in=settles_in, poll_after=0.02, workers=workers)


def customer(base_url: str | None, key: str = KEY, settles_in: float = 30.0) -> DashScope:
    """A provider of clips of its own, which remembers nothing."""
    return DashScope(account(base_url, key, settles_in))


def painter(base_url: str | None) -> DashScopePictures:
    """A provider of pictures of its own, which remembers nothing."""
    return DashScopePictures(account(base_url))


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


def a_wish(*references: Path, model: str = "wan2.7-image", prompt: str = "A blue robot on #00aa50.") -> PictureRequest:
    """A picture that somebody wants."""
    return PictureRequest(prompt=prompt, model=model, references=references, backdrop=(0, 170, 80))


async def settled(provider: Maker[Any], task: RemoteTask) -> TaskStatus:
    """What becomes of a task."""
    async with asyncio.timeout(30):
        while True:
            status = await provider.check(task)
            if status.state not in (TaskState.PENDING, TaskState.RUNNING):
                return status
            await asyncio.sleep(status.poll_after)

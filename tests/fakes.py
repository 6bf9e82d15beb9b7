"""Stand-ins for what is outside: they speak the real seams and keep a ledger that judges us."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from popcond.errors import ProviderFailed, SubmitUnanswered
from popcond.media.raster import png
from popcond.media.video_file import write_h264
from popcond.video.provider import (
    ClipRequest,
    ListedTask,
    PictureRequest,
    RemoteTask,
    TaskList,
    TaskState,
    TaskStatus,
)
from popcond.wire import PictureModel, Provider, ProviderModel
from tests.cloud.drawings import drawing_of

SIDE = 64  # pixels of its clips
_DRAWN = 192  # pixels of its pictures


@dataclass
class Ledger:
    """A provider in the cloud, as far as popcond can tell: it outlives restarts of the daemon, and it counts.

    What it makes is ready once it has been asked for `checks_until_ready` times. What is in `refusals` is refused at
    submit, what is in `failures` fails later, with that sentence. Orders of what is in `deaf` are accepted and not
    answered, those in `lost` never arrive and are not answered either. Clips are called by their action there, and
    pictures "picture".
    """

    model: ClassVar[str]

    checks_until_ready: int = 2
    refusals: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    deaf: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    price: float = 0.0  # of one clip, which lasts a second, or of one picture
    tells_prompts: bool = True
    keeps_list: bool = True  # false: its list is not complete
    cancels: bool = False  # what is running can still be cancelled
    settles_in: float = 0.0
    flawed: int = 0  # so many of the next tasks turn out badly: clips stand still, figures are cut off by the border
    ledger: list[str] = field(default_factory=list)  # what every accepted task makes
    cancelled: list[str] = field(default_factory=list)  # ids
    checks: dict[str, int] = field(default_factory=dict)  # by id, which is what it makes and its place in the ledger
    listed: list[ListedTask] = field(default_factory=list)
    prompts: dict[str, str] = field(default_factory=dict)  # by id
    spoiled: set[str] = field(default_factory=set)  # ids of what turns out badly

    def turn(self, model: str) -> contextlib.AbstractAsyncContextManager[None]:
        """At any time."""
        return contextlib.nullcontext()

    def take(self, name: str, prompt: str) -> RemoteTask:
        """Accept an order, and write it into the ledger."""
        if name in self.refusals:
            raise ProviderFailed(self.refusals[name])
        if name in self.lost:
            raise SubmitUnanswered("The line was cut.")
        task = self.accept(name, prompt)
        if name in self.deaf:
            raise SubmitUnanswered("The line was cut.")
        return task

    def accept(self, name: str, prompt: str, at: float | None = None) -> RemoteTask:
        """Bill a task, whoever ordered it."""
        self.ledger.append(name)
        task = RemoteTask("ledger", f"{name}-{len(self.ledger)}")
        self.checks[task.id] = 0
        self.prompts[task.id] = prompt
        self.listed.append(ListedTask(task.id, self.model, time.time() if at is None else at))
        if self.flawed > 0:
            self.flawed -= 1
            self.spoiled.add(task.id)
        return task

    async def tasks(self, since: float, until: float) -> TaskList:
        """All that it accepted, whoever is asked."""
        listed = tuple(task for task in self.listed if since <= task.accepted_at <= until)
        return TaskList(listed, is_complete=self.keeps_list)

    async def check(self, task: RemoteTask) -> TaskStatus:
        """RUNNING until it has been asked often enough."""
        if task.id not in self.checks:
            return TaskStatus(task, TaskState.UNKNOWN)
        self.checks[task.id] += 1
        prompt = self.prompts[task.id] if self.tells_prompts else None
        name = task.id.rpartition("-")[0]
        if self.checks[task.id] <= self.checks_until_ready:
            return TaskStatus(task, TaskState.RUNNING, progress=0.5, poll_after=0.005, prompt=prompt)
        if name in self.failures:
            return TaskStatus(task, TaskState.FAILED, message=self.failures[name], prompt=prompt)
        return TaskStatus(task, TaskState.SUCCEEDED, progress=1.0, result=task.id, billed=self.price, prompt=prompt)

    async def cancel(self, task: RemoteTask) -> bool:
        """Note that somebody wanted it stopped."""
        self.cancelled.append(task.id)
        return self.cancels


@dataclass
class LedgerProvider(Ledger):
    """Makes clips."""

    model = "ledger-1"

    def describe(self) -> Provider:
        """One model that closes its loops."""
        model = ProviderModel(
            name=self.model, label="Ledger", seconds=(1.0,), closes_loops=True, price_per_second=self.price
        )
        return Provider(
            name="ledger", label="Ledger", models=(model,), needs_key=False, has_key=True, needs_network=False
        )

    async def submit(self, request: ClipRequest) -> RemoteTask:
        """Called by its action."""
        return self.take(request.action.name, request.motion_prompt)

    async def download(self, status: TaskStatus, to: Path) -> None:
        """A second of a square that moves."""
        step = 0 if status.task.id in self.spoiled else 2
        frames = [np.full((SIDE, SIDE, 3), 220, np.uint8) for _ in range(10)]
        for number, frame in enumerate(frames):
            frame[20:40, 10 + step * number : 30 + step * number] = (200, 30, 30)
        write_h264(frames, fps=10, to=to)


@dataclass
class LedgerPainter(Ledger):
    """Draws."""

    model = "ledger-paint"

    blank: bool = False  # what it draws from now on is coloured noise

    def picture_models(self) -> tuple[PictureModel, ...]:
        """One that draws from words and after a picture."""
        return (
            PictureModel(
                name=self.model,
                label="Ledger Paint",
                least_references=0,
                most_references=1,
                price=self.price,
                currency="USD",
            ),
        )

    async def submit(self, request: PictureRequest) -> RemoteTask:
        """All pictures are called alike."""
        return self.take("picture", request.prompt)

    async def download(self, status: TaskStatus, to: Path) -> None:
        """Somebody in full on the colour that the prompt names."""
        task = status.task.id
        noise = np.random.default_rng(7).integers(0, 256, (_DRAWN, _DRAWN, 3), np.uint8)
        picture = drawing_of(self.prompts[task], b"", _DRAWN, is_cut_off=task in self.spoiled)
        picture = png(noise) if self.blank else picture
        await asyncio.to_thread(to.write_bytes, picture)

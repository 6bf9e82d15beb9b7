"""Stand-ins for what is outside: they speak the real seams and keep a ledger that judges us."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from popcond.errors import ProviderFailed, SubmitUnanswered
from popcond.media.video_file import write_h264
from popcond.video.provider import ClipRequest, ListedTask, RemoteTask, TaskList, TaskState, TaskStatus
from popcond.wire import Provider, ProviderModel

SIDE = 64  # pixels of its clips


@dataclass
class LedgerProvider:
    """A provider in the cloud, as far as popcond can tell: it outlives restarts of the daemon, and it counts.

    A clip is ready once it has been asked for `checks_until_ready` times. Actions in `refusals` are refused at submit,
    those in `failures` fail later, with that sentence. Orders of actions in `deaf` are accepted and not answered, those
    in `lost` never arrive and are not answered either.
    """

    checks_until_ready: int = 2
    refusals: Mapping[str, str] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    deaf: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    price: float = 0.0  # of one clip, which lasts a second
    tells_prompts: bool = True
    keeps_list: bool = True  # false: its list is not complete
    cancels: bool = False  # what is running can still be cancelled
    settles_in: float = 0.0
    ledger: list[str] = field(default_factory=list)  # the action of every accepted task
    cancelled: list[str] = field(default_factory=list)  # ids
    checks: dict[str, int] = field(default_factory=dict)  # by id, which is the action and its place in the ledger
    listed: list[ListedTask] = field(default_factory=list)
    prompts: dict[str, str] = field(default_factory=dict)  # by id

    def describe(self) -> Provider:
        """One model that closes its loops."""
        model = ProviderModel(
            name="ledger-1", label="Ledger", seconds=(1.0,), closes_loops=True, price_per_second=self.price
        )
        return Provider(
            name="ledger", label="Ledger", models=(model,), needs_key=False, has_key=True, needs_network=False
        )

    def turn(self, model: str) -> contextlib.AbstractAsyncContextManager[None]:
        """At any time."""
        return contextlib.nullcontext()

    async def submit(self, request: ClipRequest) -> RemoteTask:
        """Accept, and write it into the ledger."""
        action = request.action.name
        if action in self.refusals:
            raise ProviderFailed(self.refusals[action])
        if action in self.lost:
            raise SubmitUnanswered("The line was cut.")
        task = self.accept(action, request.motion_prompt)
        if action in self.deaf:
            raise SubmitUnanswered("The line was cut.")
        return task

    def accept(self, action: str, prompt: str, at: float | None = None) -> RemoteTask:
        """Bill a task, whoever ordered it."""
        self.ledger.append(action)
        task = RemoteTask("ledger", f"{action}-{len(self.ledger)}")
        self.checks[task.id] = 0
        self.prompts[task.id] = prompt
        self.listed.append(ListedTask(task.id, "ledger-1", time.time() if at is None else at))
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
        action = task.id.rpartition("-")[0]
        if self.checks[task.id] <= self.checks_until_ready:
            return TaskStatus(task, TaskState.RUNNING, progress=0.5, poll_after=0.005, prompt=prompt)
        if action in self.failures:
            return TaskStatus(task, TaskState.FAILED, message=self.failures[action], prompt=prompt)
        return TaskStatus(task, TaskState.SUCCEEDED, progress=1.0, result=task.id, billed=self.price, prompt=prompt)

    async def download(self, status: TaskStatus, to: Path) -> None:
        """A second of a square that moves."""
        frames = [np.full((SIDE, SIDE, 3), 220, np.uint8) for _ in range(10)]
        for number, frame in enumerate(frames):
            frame[20:40, 10 + 2 * number : 30 + 2 * number] = (200, 30, 30)
        write_h264(frames, fps=10, to=to)

    async def cancel(self, task: RemoteTask) -> bool:
        """Note that somebody wanted it stopped."""
        self.cancelled.append(task.id)
        return self.cancels

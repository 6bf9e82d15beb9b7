"""One customer of DashScope, whatever is ordered there: the key, the address, the limits, the tasks.

Clips and pictures are ordered on the same account, since its limits hold for all of them together. Orders are sent once
(see dashscope_gateway), within the limits of their model. What this object remembers costs nothing to forget.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from popcond.errors import ProviderBusy, ProviderFailed, ProviderUnreachable, SubmitUnanswered
from popcond.video.dashscope_answers import Output, TaskAnswer
from popcond.video.dashscope_gateway import Answer, Gateway
from popcond.video.dashscope_list import listed
from popcond.video.dashscope_models import BEIJING_URL, MODELS, Region, region_of
from popcond.video.dashscope_picture_models import PICTURE_MODELS
from popcond.video.dashscope_refusals import Wording, is_crowded
from popcond.video.fetch import Rules
from popcond.video.pace import Pace, Turn
from popcond.video.provider import RemoteTask, TaskList, TaskState
from popcond.workers import Workers

NAME = "dashscope"
LABEL = "Alibaba DashScope (Wan)"
RESULT_HOSTS = ("aliyuncs.com",)

_PATIENCE = 0.8  # of the time to settle: what is answered later than that counts as unanswered
_SHARE = 0.08  # of the time that a task has been running: the pause until it is asked for again
_SOONEST = 0.25  # seconds
_STATES = {
    "PENDING": TaskState.PENDING,
    "SUSPENDED": TaskState.PENDING,
    "RUNNING": TaskState.RUNNING,
    "SUCCEEDED": TaskState.SUCCEEDED,
    "FAILED": TaskState.FAILED,
    "CANCELED": TaskState.FAILED,
    "UNKNOWN": TaskState.UNKNOWN,
}


@dataclass
class _Known:
    """What is remembered of a task."""

    model: str | None = None  # the service does not repeat it
    first_seen: float | None = None  # by the loop's clock


class Account:
    """Its key is asked for at every request, so that a new one holds at once."""

    def __init__(
        self,
        key: Callable[[], SecretStr | None],
        *,
        base_url: str | None = None,
        region: Region | None = None,
        hosts: tuple[str, ...] = RESULT_HOSTS,
        settles_in: float = 90.0,
        poll_after: float = 10.0,
        workers: Workers | None = None,
        label: str = LABEL,
    ) -> None:
        """`key` may raise ProviderFailed. An order is waited for a little less than `settles_in` seconds.

        `region` is whose prices hold, when the address does not tell. Results are fetched from `hosts`. `poll_after` is
        the longest pause in seconds between two questions about a task. Results are decoded by `workers`.
        """
        address = base_url or BEIJING_URL
        self.label = label
        self.region = region or region_of(address)
        self.settles_in = settles_in
        self.workers = workers
        self._key = key
        self._poll_after = poll_after
        self._gateway = Gateway(address, key, answers_in=max(_PATIENCE * settles_in, 1.0))
        self.rules = Rules(hosts, allows_loopback=self._gateway.is_loopback)
        self._paces = {row.name: Pace(row.limits) for row in (*MODELS, *PICTURE_MODELS)}
        self._known: dict[str, _Known] = {}  # by task

    @property
    def has_key(self) -> bool:
        """Whether there is one that could be used."""
        try:
            return self._key() is not None
        except ProviderFailed:  # one that is no good; orders say so
            return False

    @property
    def is_outside(self) -> bool:
        """Whether it is reached through a network."""
        return not self._gateway.is_loopback

    def turn(self, model: str) -> contextlib.AbstractAsyncContextManager[None]:
        """Wait until an order of this model keeps within its limits; inside, one may be submitted."""
        pace = self._paces.get(model.partition("@")[0])
        return pace.turn() if pace else contextlib.nullcontext()

    async def order(self, model: str, path: str, body: Mapping[str, Any], wording: Wording) -> RemoteTask:
        """Send an order of a row, once. Raises ProviderFailed, ProviderBusy and SubmitUnanswered."""
        pace = self._paces[model]
        async with pace.sending() as turn:
            answer = await self._create(pace, turn, path, body, wording)
        task = answer.output.task_id
        self._known[task] = _Known(model)
        return RemoteTask(NAME, task, request_id=answer.request_id)

    async def tasks(self, since: float, until: float) -> TaskList:
        """What the account accepted, ours and others'. Incomplete when it reaches back further than is kept."""
        listing = await listed(self._gateway, since, until)
        for task in listing.tasks:
            self._note(task.id).model = task.model
        return listing

    async def ask(self, task: RemoteTask) -> TaskAnswer:
        """What there is to know of a task. Raises ProviderUnreachable."""
        answer = _read(await self._gateway.ask(f"/tasks/{_in_path(task.id)}"))
        self._heard(task.id, state_of(answer.output))
        return answer

    async def cancel(self, task: RemoteTask) -> bool:
        """Only what has not begun can be stopped."""
        try:
            is_cancelled = await self._gateway.wish(f"/tasks/{_in_path(task.id)}/cancel")
        except ProviderUnreachable:
            return False
        if is_cancelled:
            self._heard(task.id, TaskState.FAILED)
        return is_cancelled

    async def model_of(self, output: Output) -> str | None:
        """By memory; after a restart by the list, since the answer to a query does not tell it."""
        known = self._note(output.task_id)
        if known.model is None and (at := output.submitted_at) is not None:
            with contextlib.suppress(ProviderUnreachable):
                await self.tasks(at - 60.0, at + 60.0)
        return known.model

    def pause(self, task: RemoteTask) -> float:
        """Young tasks are asked for more often: what is done is noticed within a twelfth of the time that it took."""
        now, known = asyncio.get_running_loop().time(), self._note(task.id)
        known.first_seen = now if known.first_seen is None else known.first_seen
        return min(max(_SHARE * (now - known.first_seen), _SOONEST), self._poll_after)

    async def _create(self, pace: Pace, turn: Turn, path: str, body: Mapping[str, Any], wording: Wording) -> TaskAnswer:
        """Send it, and tell the pace what became of it."""
        try:
            answer = await self._gateway.create(path, body, wording)
        except ProviderBusy as error:
            raise _slowed(pace, error) from error
        except (SubmitUnanswered, asyncio.CancelledError):
            pace.doubtful(turn, self.settles_in)
            raise
        pace.accepted(turn, answer.output.task_id)
        return answer

    def _note(self, task: str) -> _Known:
        return self._known.setdefault(task, _Known())

    def _heard(self, task: str, state: TaskState) -> None:
        """Tell the pace of its model how a task is; after a restart that is how it learns of it."""
        pace = self._paces.get(self._note(task).model or "")
        if pace is None:
            return
        if state in (TaskState.PENDING, TaskState.RUNNING):
            pace.runs(task)
        else:
            pace.ended(task)


# ------------------------------------------------------------------ the answers


def state_of(output: Output) -> TaskState:
    """What it means for us; a word that we do not know is taken for work in progress."""
    return _STATES.get(output.task_status, TaskState.RUNNING)


def _read(answer: Answer) -> TaskAnswer:
    read = answer.read(TaskAnswer)
    if read is None:
        raise ProviderUnreachable("DashScope's answer cannot be read.", cure="It is asked again by itself.")
    return read


def _slowed(pace: Pace, error: ProviderBusy) -> ProviderBusy:
    """The refusal with the seconds after which an order may pass; what was never sent says nothing of limits."""
    details = dict(error.details or {})
    code = details.get("provider_code")
    if not isinstance(code, str):
        return error
    wish = details.get("retry_after")
    seconds = pace.throttled(wish if isinstance(wish, float) else None, is_crowded=is_crowded(code))
    return ProviderBusy(error.message, cure=error.cure, details={**details, "retry_after": seconds})


def _in_path(task: str) -> str:
    """An id as one piece of a path, whatever somebody typed for it."""
    return "".join(sign for sign in task if sign.isalnum() or sign in "-_") or "-"

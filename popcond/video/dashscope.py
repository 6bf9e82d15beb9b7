"""Alibaba's DashScope (Wan image-to-video) as a VideoProvider: clips for money.

The character is laid on the chosen backdrop, and a model moves it. Orders are sent once (see dashscope_gateway), within
the limits of their model; prices and lengths are rows (see dashscope_models). What this object remembers costs nothing
to forget.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from popcond.errors import ProviderBusy, ProviderFailed, ProviderUnreachable, SubmitUnanswered
from popcond.video.dashscope_answers import Output, TaskAnswer, Usage
from popcond.video.dashscope_gateway import Answer, Gateway
from popcond.video.dashscope_list import listed
from popcond.video.dashscope_models import (
    BEIJING_URL,
    MODELS,
    Model,
    Region,
    has_side,
    model_named,
    on_sale,
    region_of,
    side_of,
)
from popcond.video.dashscope_order import Choice, choice, order
from popcond.video.dashscope_refusals import failure, is_crowded
from popcond.video.fetch import Rules, fetch
from popcond.video.pace import Pace, Turn
from popcond.video.provider import ClipRequest, RemoteTask, TaskList, TaskState, TaskStatus
from popcond.video.verify import Expected, verify
from popcond.wire import Provider
from popcond.workers import Workers

NAME = "dashscope"
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
    expected: Expected | None = None
    first_seen: float | None = None  # by the loop's clock


class DashScope:
    """Clips made by Wan models. The key is asked for at every request, so that a new one holds at once."""

    def __init__(
        self,
        key: Callable[[], SecretStr | None],
        *,
        base_url: str | None = None,
        hosts: tuple[str, ...] = (),
        settles_in: float = 90.0,
        poll_after: float = 10.0,
        workers: Workers | None = None,
    ) -> None:
        """`key` may raise ProviderFailed. An order is waited for a little less than `settles_in` seconds.

        `poll_after` is the longest pause in seconds between two questions about a task. Clips are decoded by `workers`.
        """
        self.settles_in = settles_in
        self._key = key
        self._poll_after = poll_after
        self._gateway = Gateway(base_url or BEIJING_URL, key, answers_in=max(_PATIENCE * settles_in, 1.0))
        self._region: Region = region_of(base_url or BEIJING_URL)
        self._rules = Rules((*RESULT_HOSTS, *hosts), allows_loopback=self._gateway.is_loopback)
        self._workers = workers
        self._paces = {model.name: Pace(model.limits) for model in MODELS}
        self._known: dict[str, _Known] = {}  # by task

    def describe(self) -> Provider:
        """All models with the prices of the region; the first is the default."""
        return Provider(
            name=NAME,
            label="Alibaba DashScope (Wan)",
            models=tuple(model.on_the_wire(self._region) for model in on_sale(self._region)),
            needs_key=True,
            has_key=self._has_key(),
            needs_network=True,
        )

    def turn(self, model: str) -> contextlib.AbstractAsyncContextManager[None]:
        """Wait until an order of this model keeps within its limits; inside, one may be submitted."""
        row = model_named(model)
        return self._paces[row.name].turn() if row else contextlib.nullcontext()

    async def submit(self, request: ClipRequest) -> RemoteTask:
        """Order a clip, once. Raises ProviderFailed, ProviderBusy and SubmitUnanswered."""
        chosen = choice(request, self._region)
        body = await asyncio.to_thread(order, chosen, request)
        async with self._paces[chosen.model.name].sending() as turn:
            task = await self._create(chosen, body, turn)
        return RemoteTask(NAME, task)

    async def tasks(self, since: float, until: float) -> TaskList:
        """What the account accepted, ours and others'. Incomplete when it reaches back further than is kept."""
        listing = await listed(self._gateway, since, until)
        for task in listing.tasks:
            self._note(task.id).model = task.model
        return listing

    async def check(self, task: RemoteTask) -> TaskStatus:
        """How far it is. Raises ProviderUnreachable."""
        answer = _read(await self._gateway.ask(f"/tasks/{_in_path(task.id)}"))
        output, state = answer.output, _STATES.get(answer.output.task_status, TaskState.RUNNING)
        self._heard(task.id, state)
        if state is TaskState.SUCCEEDED:
            return await self._succeeded(task, answer)
        return TaskStatus(
            task,
            state,
            progress=0.3 if state is TaskState.RUNNING else 0.0,  # the service tells no more
            message=_why_failed(output) if state is TaskState.FAILED else "",
            billed=0.0 if output.task_status == "FAILED" else None,
            prompt=output.orig_prompt,
            poll_after=self._pause(task.id),
        )

    async def download(self, status: TaskStatus, to: Path) -> None:
        """Fetch the clip and look at it.

        Raises ProviderUnreachable for one that did not arrive whole, and ProviderFailed for a place that is not the
        provider's and for what is not the clip.
        """
        if not status.result:
            raise ProviderFailed("DashScope names no place of this clip.", cure="Retry the emoji.")
        known = self._known.get(status.task.id)
        draft = to.with_name(f"{to.name}.unseen")
        try:
            await fetch(status.result, draft, self._rules)
            await verify(draft, known.expected if known else None, self._workers)
            draft.replace(to)
        finally:
            draft.unlink(missing_ok=True)

    async def cancel(self, task: RemoteTask) -> bool:
        """Only what has not begun can be stopped."""
        try:
            is_cancelled = await self._gateway.wish(f"/tasks/{_in_path(task.id)}/cancel")
        except ProviderUnreachable:
            return False
        if is_cancelled:
            self._heard(task.id, TaskState.FAILED)
        return is_cancelled

    def _has_key(self) -> bool:
        try:
            return self._key() is not None
        except ProviderFailed:  # one that is no good; orders say so
            return False

    async def _create(self, chosen: Choice, body: dict[str, object], turn: Turn) -> str:
        """Send it, and tell the pace what became of it."""
        pace = self._paces[chosen.model.name]
        try:
            task = await self._gateway.create(chosen.model.shape.path, body)
        except ProviderBusy as error:
            raise _slowed(pace, error) from error
        except (SubmitUnanswered, asyncio.CancelledError):
            pace.doubtful(turn, self.settles_in)
            raise
        pace.accepted(turn, task)
        self._known[task] = _Known(chosen.model.name, Expected(chosen.seconds, side_of(chosen.tier)))
        return task

    def _note(self, task: str) -> _Known:
        return self._known.setdefault(task, _Known())

    def _heard(self, task: str, state: TaskState) -> None:
        """Tell the pace of its model how a task is; after a restart that is how it learns of it."""
        model = model_named(self._note(task).model or "")
        if model is None:
            return
        if state in (TaskState.PENDING, TaskState.RUNNING):
            self._paces[model.name].runs(task)
        else:
            self._paces[model.name].ended(task)

    def _pause(self, task: str) -> float:
        """Young tasks are asked for more often: what is done is noticed within a twelfth of the time that it took."""
        now, known = asyncio.get_running_loop().time(), self._note(task)
        known.first_seen = now if known.first_seen is None else known.first_seen
        return min(max(_SHARE * (now - known.first_seen), _SOONEST), self._poll_after)

    async def _succeeded(self, task: RemoteTask, answer: TaskAnswer) -> TaskStatus:
        output, usage = answer.output, answer.billed()
        is_here = bool(output.video_url)
        model = await self._model_of(output)
        self._expect(task.id, usage)
        return TaskStatus(
            task,
            TaskState.SUCCEEDED if is_here else TaskState.FAILED,
            progress=1.0,
            result=output.video_url,
            message="" if is_here else "DashScope says that the clip is ready, but not where. Retry the emoji.",
            billed=self._sum(model, usage) if usage else None,
            prompt=output.orig_prompt,
        )

    def _expect(self, task: str, usage: Usage | None) -> None:
        """What is billed is what the clip must be, whatever was ordered."""
        known = self._note(task)
        seconds = usage.duration or usage.video_duration if usage else None
        if usage and seconds and usage.tier is not None and has_side(usage.tier):
            known.expected = Expected(seconds, side_of(usage.tier))

    async def _model_of(self, output: Output) -> Model | None:
        """By memory; after a restart by the list, since the answer to a query does not tell it."""
        known = self._note(output.task_id)
        if known.model is None and (at := output.submitted_at) is not None:
            try:
                await self.tasks(at - 60.0, at + 60.0)
            except ProviderUnreachable:
                return None
        return model_named(known.model or "")

    def _sum(self, model: Model | None, usage: Usage) -> float | None:
        """Seconds × price of the size that was made; None for what is on no price list of ours."""
        seconds = usage.duration or usage.video_duration
        if model is None or seconds is None:
            return None
        prices = model.prices[self._region]
        price = prices.get(usage.tier or model.tier(self._region))
        return round(price * seconds * usage.video_count, 6) if price is not None else None


# ------------------------------------------------------------------ the answers


def _read(answer: Answer) -> TaskAnswer:
    read = answer.read(TaskAnswer)
    if read is None:
        raise ProviderUnreachable("DashScope's answer cannot be read.", cure="It is asked again by itself.")
    return read


def _why_failed(output: Output) -> str:
    if output.task_status == "CANCELED":
        return "This clip was cancelled at the provider. Retry the emoji to make a new one."
    return failure(output.code, output.message)


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

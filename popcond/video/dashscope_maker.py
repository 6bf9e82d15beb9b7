"""What is the same about everything that is made on a DashScope account: order, wait, fetch, look at it.

Who makes something says in its own words what is ordered, what an answer says of it, and how it is looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from popcond.errors import ProviderFailed
from popcond.video.dashscope_account import Account, state_of
from popcond.video.dashscope_answers import Output, TaskAnswer
from popcond.video.dashscope_refusals import Wording, failure
from popcond.video.fetch import fetch
from popcond.video.provider import RemoteTask, TaskList, TaskState, TaskStatus

Wanted = TypeVar("Wanted")
Expected = TypeVar("Expected")


@dataclass(frozen=True)
class Order(Generic[Expected]):
    """What is sent, and what is to come of it."""

    model: str  # a row's name
    path: str  # below the base URL
    body: Mapping[str, Any]
    expected: Expected


@dataclass(frozen=True)
class Made(Generic[Expected]):
    """What a task that has SUCCEEDED says of itself."""

    place: str | None  # where it can be fetched
    expected: Expected | None = None  # what it is billed as; None: the answer does not tell
    billed: float | None = None  # in the currency of the region
    prompt: str | None = None  # what it was asked for
    failure: str = ""  # why there is no place


class DashScopeMaker(ABC, Generic[Wanted, Expected]):
    """A Maker on an account that it may share with others."""

    wording: Wording  # what it makes, in sentences for a person

    def __init__(self, account: Account) -> None:
        self._account = account
        self._expected: dict[str, Expected] = {}  # by task

    @property
    def settles_in(self) -> float:
        """Seconds after which an order without an answer is either in the list or was never accepted."""
        return self._account.settles_in

    def turn(self, model: str) -> contextlib.AbstractAsyncContextManager[None]:
        """Wait until an order of this model keeps within its limits; inside, one may be submitted."""
        return self._account.turn(model)

    async def submit(self, request: Wanted) -> RemoteTask:
        """Order it, once. Raises ProviderFailed, ProviderBusy and SubmitUnanswered."""
        order = await asyncio.to_thread(self._order, request)
        task = await self._account.order(order.model, order.path, order.body, self.wording)
        self._expected[task.id] = order.expected
        return task

    async def tasks(self, since: float, until: float) -> TaskList:
        """What the account accepted, of whatever kind, ours and others'."""
        return await self._account.tasks(since, until)

    async def check(self, task: RemoteTask) -> TaskStatus:
        """How far it is. Raises ProviderUnreachable."""
        answer = await self._account.ask(task)
        output, state = answer.output, state_of(answer.output)
        if state is TaskState.SUCCEEDED:
            return await self._succeeded(task, answer)
        return TaskStatus(
            task,
            state,
            progress=0.3 if state is TaskState.RUNNING else 0.0,  # the service tells no more
            message=self._why_failed(output) if state is TaskState.FAILED else "",
            billed=0.0 if output.task_status == "FAILED" else None,
            prompt=output.orig_prompt,
            poll_after=self._account.pause(task),
        )

    async def download(self, status: TaskStatus, to: Path) -> None:
        """Fetch the result and look at it.

        Raises ProviderUnreachable for one that did not arrive whole, and ProviderFailed for a place that is not the
        provider's and for what is not what was ordered.
        """
        if not status.result:
            raise ProviderFailed(f"DashScope names no place of this {self.wording.thing}.", cure=self.wording.again)
        draft = to.with_name(f"{to.name}.unseen")
        try:
            await fetch(status.result, draft, self._account.rules)
            await self._verify(draft, self._expected.get(status.task.id))
            draft.replace(to)
        finally:
            draft.unlink(missing_ok=True)

    async def cancel(self, task: RemoteTask) -> bool:
        """Only what has not begun can be stopped."""
        return await self._account.cancel(task)

    @abstractmethod
    def _order(self, request: Wanted) -> Order[Expected]:
        """What to send. Runs beside the loop, for it reads and draws. Raises ProviderFailed for what cannot be made."""

    @abstractmethod
    def _made(self, answer: TaskAnswer, model: str | None) -> Made[Expected]:
        """What an answer with SUCCEEDED says; `model` is the name of the task's row, where that is known."""

    @abstractmethod
    async def _verify(self, draft: Path, expected: Expected | None) -> None:
        """Look at what was fetched. Raises ProviderUnreachable for damage, ProviderFailed for something else."""

    async def _succeeded(self, task: RemoteTask, answer: TaskAnswer) -> TaskStatus:
        made = self._made(answer, await self._account.model_of(answer.output))
        if made.expected is not None:
            self._expected[task.id] = made.expected
        return TaskStatus(
            task,
            TaskState.SUCCEEDED if made.place else TaskState.FAILED,
            progress=1.0,
            result=made.place,
            message="" if made.place else made.failure or self._nowhere(),
            billed=made.billed,
            prompt=made.prompt,
        )

    def _nowhere(self) -> str:
        return f"DashScope says that the {self.wording.thing} is ready, but not where. {self.wording.again}"

    def _why_failed(self, output: Output) -> str:
        if output.task_status == "CANCELED":
            return f"This {self.wording.thing} was cancelled at the provider. {self.wording.anew}"
        return failure(output.code, output.message, self.wording)

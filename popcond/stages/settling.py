"""Was it bought? Settles an order that got no answer, with the provider's own list, and never by sending it again.

The list carries no mark of ours, so a task is ours only when it is of our model, of the right time, in no line of our
ledger, and repeats our prompt; a picture's task that repeats none is, when nothing else there could be. Exactly one
such task is adopted. None, in a list that is complete and was looked at
twice, means that nothing was bought. Everything else is for a person to decide.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from popcond.errors import Conflict, MaybeBought
from popcond.store import purchases
from popcond.store.db import Connection, Database
from popcond.store.purchases import Entry
from popcond.video.provider import ListedTask, Maker, RemoteTask, TaskState
from popcond.wire import PurchaseKind, PurchaseState

W = TypeVar("W")

CHOICES = ("look", "adopt", "release")

_SKEW = 600.0  # seconds that the provider's clock and ours may differ
_FAR = 12 * 3600.0  # seconds; a task of our prompt this near is suspicious, for our clock may have jumped
_SECOND_LOOK = 10.0  # seconds at most between two looks
_MOST_CANDIDATES = 500  # tasks that are worth being asked about one by one
_CURE = (
    "Look into the provider's console. Then `popcond purchases adopt ID TASK` takes what was bought,"
    " `popcond purchases release ID` says that nothing was, and `popcond purchases look ID` looks once more."
)


async def settle(database: Database, provider: Maker[W], entry: Entry) -> Entry | None:
    """The entry with its remote task, or None when nothing was bought. Raises MaybeBought when nobody can tell."""
    if entry.order.price <= 0:
        await _release(database, entry)
        return None
    try:
        await _until_settled(provider, entry)
        for pause in (0.0, min(provider.settles_in, _SECOND_LOOK)):
            await asyncio.sleep(pause)
            if adopted := await _adopted(database, provider, entry):
                return adopted
    except MaybeBought as error:
        await database.write(partial(purchases.doubt, purchase_id=entry.id, problem=error.problem()))
        raise
    await _release(database, entry)
    return None


async def _until_settled(provider: Maker[W], entry: Entry) -> None:
    """The order may still be on its way; however our clock jumps, never longer than that takes."""
    passed = max(time.time() - entry.intent_at, 0.0)
    await asyncio.sleep(max(provider.settles_in - passed, 0.0))


async def _adopted(database: Database, provider: Maker[W], entry: Entry) -> Entry | None:
    """One look; again when an equal order, settled at the same time, was quicker to take the task."""
    while task := await _look(database, provider, entry):
        try:
            return await database.write(partial(purchases.accept, purchase_id=entry.id, remote_task=task))
        except Conflict:
            now = await database.read(partial(purchases.get, purchase_id=entry.id))
            if now.state is PurchaseState.SUBMITTED:
                return now
            if not now.state.is_open:
                raise
    return None


async def _look(database: Database, provider: Maker[W], entry: Entry) -> str | None:
    """The one task that is this order; None when there is none. Raises MaybeBought."""
    span = provider.settles_in + _SKEW
    near = await provider.tasks(entry.intent_at - span, entry.intent_at + span)
    if not near.is_complete:
        raise _undecided(entry, near.tasks, "the provider's list does not reach back that far")
    if fitting := await _fitting(database, provider, entry, near.tasks):
        return await _chosen(database, entry, fitting)
    now = time.time()
    far = await provider.tasks(min(entry.intent_at - _FAR, now - 2 * _FAR), max(entry.intent_at, now) + _FAR)
    # What has come near since is too young to be this order, which was settled before the first list was read.
    others = [task for task in far.tasks if abs(task.accepted_at - entry.intent_at) > span]
    if suspects := await _fitting(database, provider, entry, others):
        raise _undecided(entry, suspects, "a task there could be it, but by the clocks it is not")
    return None


async def _chosen(database: Database, entry: Entry, fitting: Sequence[ListedTask]) -> str | None:
    """The nearest of the fitting tasks, if equal orders of ours explain all others. Raises MaybeBought."""
    known, rivals = await database.read(partial(_standing, entry=entry, tasks=fitting))
    free = [task for task in fitting if task.id not in known]
    if len(free) > len(rivals) + 1 or not all(_is_equal(entry, rival) for rival in rivals):
        raise _undecided(entry, free, "more than one task there could be it")
    nearest = min(free, key=lambda task: abs(task.accepted_at - entry.intent_at), default=None)
    return nearest.id if nearest else None


async def _fitting(
    database: Database, provider: Maker[W], entry: Entry, listed: Sequence[ListedTask]
) -> list[ListedTask]:
    """Those of our model that repeat the order's prompt and that we know nothing of. Raises MaybeBought."""
    ours = [task for task in listed if task.model == entry.order.model]
    known, _ = await database.read(partial(_standing, entry=entry, tasks=ours))
    unknown = [task for task in ours if task.id not in known]
    if len(unknown) > _MOST_CANDIDATES:
        raise _undecided(entry, unknown, "too many tasks of the provider could be it")
    is_alone = len(unknown) == 1 and await database.read(partial(_is_only_doubt, entry=entry))
    return [task for task in unknown if await _is_asked_for(provider, entry, task, is_alone=is_alone)]


def _is_only_doubt(connection: Connection, entry: Entry) -> bool:
    """Whether no other order of ours could have become a task of this model."""
    doubtful = purchases.undecided(connection, entry.order.provider, entry.order.model)
    return all(other.id == entry.id for other in doubtful)


async def _is_asked_for(provider: Maker[W], entry: Entry, task: ListedTask, *, is_alone: bool) -> bool:
    """Whether it was asked for this. Raises MaybeBought when the provider does not say so even when it is done.

    Models that draw do not repeat what they were told; one task that stands alone is taken for ours then.
    """
    status = await provider.check(RemoteTask(entry.order.provider, task.id))
    while status.prompt is None and status.state in (TaskState.PENDING, TaskState.RUNNING):
        await asyncio.sleep(status.poll_after)
        status = await provider.check(status.task)
    if status.prompt is not None:
        sent, told = _plain(entry.order.facts.prompt), _plain(status.prompt)
        return sent in told or (bool(told) and sent.startswith(told))  # long prompts are cut
    if status.state is TaskState.FAILED:
        return False  # whosever it is, it is not billed
    if is_alone and entry.order.kind is not PurchaseKind.CLIP:
        return True
    raise _undecided(entry, [task], "the provider does not say what it was asked for")


def _standing(connection: Connection, entry: Entry, tasks: Sequence[ListedTask]) -> tuple[set[str], list[Entry]]:
    """Which tasks are another order's, and which orders in doubt may want one too: both of the same moment."""
    order = entry.order
    known = purchases.known_tasks(connection, order.provider, [task.id for task in tasks])
    doubtful = purchases.undecided(connection, order.provider, order.model)
    prompt = _plain(order.facts.prompt)
    rivals = [other for other in doubtful if other.id != entry.id and _plain(other.order.facts.prompt) == prompt]
    return known, rivals


def _is_equal(entry: Entry, rival: Entry) -> bool:
    """Whether it asks for the very same picture and prompt, so that either may have the task."""
    return entry.order.request == rival.order.request


def _plain(prompt: str) -> str:
    return " ".join(prompt.split())


async def _release(database: Database, entry: Entry) -> None:
    """It was never bought; who says so at the same time agrees."""
    try:
        await database.write(partial(purchases.settle, purchase_id=entry.id, state=PurchaseState.RELEASED))
    except Conflict:
        if (await database.read(partial(purchases.get, purchase_id=entry.id))).state is not PurchaseState.RELEASED:
            raise


def _undecided(entry: Entry, candidates: Sequence[ListedTask], why: str) -> MaybeBought:
    return MaybeBought(
        f"Maybe bought: {entry.order.provider} gave no answer to this order, and {why}."
        " Nothing is sent again by itself.",
        cure=_CURE.replace("ID", entry.id),
        details={
            "purchase": entry.id,
            "candidates": [{"remote_task": task.id, "accepted_at": task.accepted_at} for task in candidates[:20]],
            "choices": list(CHOICES),
        },
    )

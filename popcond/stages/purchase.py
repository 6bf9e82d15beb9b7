"""Buys what a provider makes, once: the intent is written down before it is asked, its id before anybody waits.

However the daemon ends, the next one finds the open line in the ledger and goes on with it. An order is sent only right
after its intent has been committed; one whose answer is missing is settled with the provider's own list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from popcond.crash import point
from popcond.errors import Conflict, ProviderFailed, ProviderUnreachable, SubmitUnanswered
from popcond.stages.settling import settle
from popcond.store import budget, jobs, purchases
from popcond.store.budget import Ceilings
from popcond.store.db import Connection, Database
from popcond.store.jobs import Job
from popcond.store.purchases import Entry, Order
from popcond.video.provider import Maker, RemoteTask, TaskState, TaskStatus
from popcond.wire import Problem, PurchaseState

_GRACE = 3.0  # seconds that an order on its way gets when the daemon stops


W = TypeVar("W")


@dataclass(frozen=True)
class Shop(Generic[W]):
    """Where something is bought, and what may be spent."""

    database: Database
    provider: Maker[W]
    ceilings: Ceilings


@dataclass(frozen=True)
class Bid(Generic[W]):
    """What the provider is asked for, how its rows call the model, and how it is written into the ledger."""

    request: W
    model: str  # as `turn` of the provider wants it
    order: Order


async def bought(shop: Shop[W], bid: Bid[W], job: Job, report: Callable[[float], None]) -> tuple[Entry, TaskStatus]:
    """An open purchase of this work, ready to be collected; its order may be an earlier one than the bid's.

    Raises ProviderFailed, MaybeBought and OverBudget.
    """
    while True:
        entry = await _opened(shop, bid)
        status = await _ended(shop, entry, job, report)
        if status.state is TaskState.SUCCEEDED:
            return entry, status
        await _close(shop, entry, status)


async def _opened(shop: Shop[W], bid: Bid[W]) -> Entry:
    """The open purchase of this work, or a new one."""
    entry = await shop.database.read(partial(purchases.open_for, work=bid.order.work))
    if entry is not None and entry.state is not PurchaseState.SUBMITTED:
        entry = await settle(shop.database, shop.provider, entry)
    return entry or await _buy(shop, bid)


async def _buy(shop: Shop[W], bid: Bid[W]) -> Entry:
    """Intent, order, id: each on disk before the next begins."""
    async with shop.provider.turn(bid.model):
        point("before_intent")
        entry = await shop.database.write(partial(_intend, ceilings=shop.ceilings, order=bid.order))
        point("after_intent")
        return await _undisturbed(_submit(shop, bid.request, entry))


def _intend(connection: Connection, ceilings: Ceilings, order: Order) -> Entry:
    budget.refuse_over(connection, ceilings, pack_id=order.pack_id, amount=order.price, currency=order.currency)
    return purchases.intend(connection, order)


async def _submit(shop: Shop[W], request: W, entry: Entry) -> Entry:
    try:
        point("before_submit")
        task = await shop.provider.submit(request)
    except SubmitUnanswered as error:
        doubtful = await shop.database.write(partial(purchases.doubt, purchase_id=entry.id, problem=error.problem()))
        return await _found(shop, doubtful)
    except ProviderFailed as error:
        refused = partial(purchases.settle, purchase_id=entry.id, state=PurchaseState.REFUSED, problem=error.problem())
        await shop.database.write(refused)
        raise
    point("after_submit")
    try:
        accepted = await shop.database.write(partial(_accept, entry=entry, task=task))
    except Conflict:  # an equal order that was in doubt has taken it; what that one ordered is left for us
        return await _found(shop, entry)
    point("after_id_write")
    return accepted


async def _found(shop: Shop[W], doubtful: Entry) -> Entry:
    """The order got no answer: it is in the provider's list, or the queue tries again later."""
    entry = await settle(shop.database, shop.provider, doubtful)
    if entry is None:
        raise ProviderUnreachable(f"The order never reached {doubtful.order.provider}; nothing was bought.")
    return entry


def _accept(connection: Connection, entry: Entry, task: RemoteTask) -> Entry:
    point("before_id_write")
    return purchases.accept(connection, entry.id, task.id, task.request_id)


async def _undisturbed(order: Coroutine[None, None, Entry]) -> Entry:
    """An order on its way is heard out, even when its emoji is cancelled or the daemon stops."""
    task = asyncio.ensure_future(order)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=_GRACE)
        task.cancel()
        raise


async def _ended(shop: Shop[W], entry: Entry, job: Job, report: Callable[[float], None]) -> TaskStatus:
    """Wait until the provider is done. Cancelled, it tells the provider when nobody wants it any more."""
    task = RemoteTask(entry.order.provider, entry.remote_task or "")
    try:
        return await _waited(shop.provider, task, report)
    except asyncio.CancelledError:
        # A daemon that stops leaves the task alone and asks for it again at the next start.
        if not await shop.database.read(partial(jobs.is_ours, job=job)):
            await give_up(shop.database, shop.provider, entry)
        raise


async def _waited(provider: Maker[W], task: RemoteTask, report: Callable[[float], None]) -> TaskStatus:
    status = await provider.check(task)
    while status.state in (TaskState.PENDING, TaskState.RUNNING):
        report(status.progress)
        await asyncio.sleep(status.poll_after)
        status = await provider.check(task)
    return status


async def give_up(database: Database, provider: Maker[W], entry: Entry) -> bool:
    """Cancel a purchase at the provider; True when it will cost nothing and is settled now."""
    if not await provider.cancel(RemoteTask(entry.order.provider, entry.remote_task or "")):
        return False
    cancelled = Problem(code="cancelled", message="It was cancelled before the provider had begun.")
    failed = partial(purchases.settle, purchase_id=entry.id, state=PurchaseState.FAILED, problem=cancelled)
    await database.write(failed)
    return True


async def _close(shop: Shop[W], entry: Entry, status: TaskStatus) -> None:
    """Settle what will never come. Raises ProviderFailed, unless it cost nothing and can simply be made anew."""
    is_lost = status.state is TaskState.UNKNOWN
    error = _lost(entry) if is_lost else _failed(entry, status)
    state = PurchaseState.EXPIRED if is_lost else PurchaseState.FAILED
    await shop.database.write(partial(purchases.settle, purchase_id=entry.id, state=state, problem=error.problem()))
    if not (is_lost and entry.order.price <= 0):
        raise error


def _lost(entry: Entry) -> ProviderFailed:
    return ProviderFailed(
        f"{entry.order.provider} no longer has this {entry.order.kind}.",
        cure="Try again; that makes, and buys, a new one.",
        code="clip_expired",
    )


def _failed(entry: Entry, status: TaskStatus) -> ProviderFailed:
    message = status.message or f"{entry.order.provider} could not make this {entry.order.kind}."
    return ProviderFailed(message, cure=None if status.message else "Try again; that orders a new one.")

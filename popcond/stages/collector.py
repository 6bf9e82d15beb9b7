"""Nothing that was paid for is left at a provider: open purchases that no job cares for are settled and collected.

They belong to emojis and characters that were cancelled, failed or deleted while a provider was at work. What comes
after all is kept; its owner stays as it is and goes on from there when it is retried, without buying again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

from popcond.errors import MaybeBought, PopconError, ProviderFailed, ProviderUnreachable
from popcond.stages.purchase import give_up
from popcond.stages.settling import settle
from popcond.stages.trade import Goods, Trade, collect
from popcond.store import characters, emojis, jobs, purchases
from popcond.store.db import Connection, Database
from popcond.store.purchases import Entry
from popcond.video.provider import Maker, RemoteTask, TaskState, TaskStatus
from popcond.wire import Problem, PurchaseKind, PurchaseState

log = logging.getLogger("popcond.collector")

AnyTrade = Trade[Any, Any]  # what is bought here was ordered elsewhere

_LOOK_AGAIN = 20.0  # seconds
_CURABLE = ("download_refused",)  # codes of failures that a setting mends: the thing is there and stays ours


class Collector:
    """Looks after what nobody looks after; `at_work` says so to whoever tidies up the asset folder."""

    def __init__(
        self,
        database: Database,
        trades: Sequence[AnyTrade],
        at_work: Callable[[], AbstractAsyncContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        self._database = database
        self._trades: Mapping[PurchaseKind, AnyTrade] = {trade.kind: trade for trade in trades}
        self._at_work = at_work
        self._wanted = asyncio.Event()

    def soon(self) -> None:
        """There is something to look at; do not wait for the next round."""
        self._wanted.set()

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            self._wanted.clear()
            for entry in await self._database.read(purchases.unattended):
                async with self._at_work():
                    await self._attend_safely(entry)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN):
                    await self._wanted.wait()

    async def attend(self, entry: Entry) -> None:
        """Bring one open purchase as far as it can be brought now.

        Raises PopconError when the provider cannot be asked.
        """
        trade = self._trades[entry.order.kind]
        maker = trade.maker(entry.order.provider)
        if maker is None or _waits_for_a_person(entry):
            return
        if entry.state is not PurchaseState.SUBMITTED:
            found = await settle(self._database, maker, entry)
            if found is None:
                await self._database.write(partial(tell_not_bought, entry=entry))
                return
            entry = found
        status = await maker.check(RemoteTask(entry.order.provider, entry.remote_task or ""))
        await self._bring_home(trade, maker, entry, status)

    async def _attend_safely(self, entry: Entry) -> None:
        try:
            await self.attend(entry)
        except PopconError as error:
            log.info("purchase %s: %s", entry.id, error)
        except Exception:
            log.exception("purchase %s", entry.id)

    async def _bring_home(self, trade: AnyTrade, maker: Maker[Any], entry: Entry, status: TaskStatus) -> None:
        is_wanted = await self._database.read(partial(trade.exists, subject=entry.order.subject))
        if status.state in (TaskState.PENDING, TaskState.RUNNING):
            if not is_wanted:
                await give_up(self._database, maker, entry)
        elif status.state is TaskState.SUCCEEDED and is_wanted:
            await self._fetch(trade, entry, status)
        else:
            await self._database.write(partial(_close, entry=entry, status=status))

    async def _fetch(self, trade: AnyTrade, entry: Entry, status: TaskStatus) -> None:
        try:
            goods = await trade.fetched(entry, status)
        except ProviderUnreachable:
            raise
        except ProviderFailed as error:
            if error.code in _CURABLE:
                raise
            # It is there, and it is nothing that anybody could use.
            spoiled = partial(purchases.settle, purchase_id=entry.id, state=PurchaseState.EXPIRED)
            await self._database.write(partial(spoiled, billed=status.billed, problem=error.problem()))
            return
        await self._database.write(partial(_keep, trade=trade, entry=entry, status=status, goods=goods))


def _waits_for_a_person(entry: Entry) -> bool:
    return entry.problem is not None and entry.problem.code == MaybeBought.code


def _keep(connection: Connection, trade: AnyTrade, entry: Entry, status: TaskStatus, goods: Goods) -> None:
    """Its owner has it, and chooses it where it had nothing; one that stopped for want of it may go on."""
    subject = entry.order.subject
    if not trade.exists(connection, subject) or jobs.is_live(connection, subject):
        return  # a job that has come meanwhile collects it by itself
    collect(connection, trade, entry, status, goods, choose=not trade.has_chosen(connection, subject))
    trade.go_on(connection, entry)


def tell_not_bought(connection: Connection, entry: Entry) -> None:
    """Whoever stopped because nobody knew whether it was bought may try again."""
    subject = entry.order.subject
    if jobs.is_live(connection, subject):
        return
    settled = Problem(
        code="not_bought", message="It is settled: this was never bought.", cure="Retry it; that buys it."
    )
    if entry.order.kind is PurchaseKind.DRAWING:
        _tell_character(connection, subject, settled)
    elif emojis.exists(connection, subject) and _is_in_doubt((emoji := emojis.get(connection, subject)).problem):
        emojis.place(connection, subject, emoji.stage, emoji.status, emoji.progress, settled)


def _tell_character(connection: Connection, character_id: str, settled: Problem) -> None:
    if not characters.exists(connection, character_id):
        return
    character = characters.get(connection, character_id)
    if _is_in_doubt(character.problem):
        characters.place(connection, character_id, character.status, settled)


def _is_in_doubt(problem: Problem | None) -> bool:
    return problem is not None and problem.code == MaybeBought.code


def _close(connection: Connection, entry: Entry, status: TaskStatus) -> None:
    """It will never be had: it failed, is no longer there, or its owner is gone."""
    if purchases.get(connection, entry.id).state is not PurchaseState.SUBMITTED:
        return
    states = {TaskState.FAILED: PurchaseState.FAILED, TaskState.UNKNOWN: PurchaseState.EXPIRED}
    state = states.get(status.state, PurchaseState.ABANDONED)
    problem = Problem(code=state.value, message=status.message) if status.message else None
    purchases.settle(connection, entry.id, state, billed=status.billed, problem=problem)

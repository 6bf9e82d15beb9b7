"""Nothing that was paid for is left at a provider: open purchases that no job cares for are settled and collected.

They belong to emojis that were cancelled, failed or deleted while a provider was at work. A clip that comes after all
is kept as a take; its emoji stays as it is and goes on from there when it is retried, without buying again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

from popcond import pipeline
from popcond.errors import MaybeBought, PopconError, ProviderFailed, ProviderUnreachable
from popcond.stages import transitions
from popcond.stages.animate import Studio, fetched
from popcond.stages.purchase import collect, give_up
from popcond.stages.settling import settle
from popcond.store import emojis, jobs, purchases
from popcond.store.db import Connection
from popcond.store.purchases import Entry
from popcond.video.provider import RemoteTask, TaskState, TaskStatus, VideoProvider
from popcond.wire import Emoji, Problem, PurchaseState, Stage, Status

log = logging.getLogger("popcond.collector")

_LOOK_AGAIN = 20.0  # seconds


class Collector:
    """Looks after what nobody looks after; `at_work` says so to whoever tidies up the asset folder."""

    def __init__(
        self,
        studio: Studio,
        at_work: Callable[[], AbstractAsyncContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        self._studio = studio
        self._at_work = at_work
        self._wanted = asyncio.Event()

    def soon(self) -> None:
        """There is something to look at; do not wait for the next round."""
        self._wanted.set()

    async def run(self) -> None:
        """Round after round, until cancelled."""
        while True:
            self._wanted.clear()
            for entry in await self._studio.database.read(purchases.unattended):
                async with self._at_work():
                    await _attend_safely(self._studio, entry)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN):
                    await self._wanted.wait()


async def attend(studio: Studio, entry: Entry) -> None:
    """Bring one open purchase as far as it can be brought now. Raises PopconError when the provider cannot be asked."""
    provider = studio.providers.get(entry.order.provider)
    if provider is None or _waits_for_a_person(entry):
        return
    if entry.state is not PurchaseState.SUBMITTED:
        found = await _settled(studio, provider, entry)
        if found is None:
            return
        entry = found
    status = await provider.check(RemoteTask(entry.order.provider, entry.remote_task or ""))
    await _bring_home(studio, provider, entry, status)


async def _settled(studio: Studio, provider: VideoProvider, entry: Entry) -> Entry | None:
    found = await settle(studio.database, provider, entry)
    if found is None:
        await studio.database.write(partial(tell_not_bought, emoji_id=entry.order.emoji_id))
    return found


async def _attend_safely(studio: Studio, entry: Entry) -> None:
    try:
        await attend(studio, entry)
    except PopconError as error:
        log.info("purchase %s: %s", entry.id, error)
    except Exception:
        log.exception("purchase %s", entry.id)


def _waits_for_a_person(entry: Entry) -> bool:
    return entry.problem is not None and entry.problem.code == MaybeBought.code


async def _bring_home(studio: Studio, provider: VideoProvider, entry: Entry, status: TaskStatus) -> None:
    is_wanted = await studio.database.read(partial(emojis.exists, emoji_id=entry.order.emoji_id))
    if status.state in (TaskState.PENDING, TaskState.RUNNING):
        if not is_wanted:
            await give_up(studio.database, provider, entry)
    elif status.state is TaskState.SUCCEEDED and is_wanted:
        try:
            clip = await fetched(studio.assets, provider, status, studio.scratch)
        except ProviderUnreachable:
            raise
        except ProviderFailed as error:  # it is there, and it is no clip that anybody could use
            spoiled = partial(purchases.settle, purchase_id=entry.id, state=PurchaseState.EXPIRED)
            await studio.database.write(partial(spoiled, billed=status.billed, problem=error.problem()))
            return
        await studio.database.write(partial(_keep, entry=entry, status=status, clip=clip))
    else:
        await studio.database.write(partial(_close, entry=entry, status=status))


def _keep(connection: Connection, entry: Entry, status: TaskStatus, clip: str) -> None:
    """A take of its emoji; one that stopped for want of a clip goes on behind it when it is retried."""
    emoji_id = entry.order.emoji_id
    if not emojis.exists(connection, emoji_id) or jobs.is_live(connection, emoji_id):
        return  # a job that has come meanwhile collects it by itself
    emoji = emojis.get(connection, emoji_id)
    collect(connection, entry, status, clip, choose=emoji.chosen_take is None)
    if _is_in_doubt(emoji):
        transitions.enqueue(connection, emoji_id, Stage.SLICE)
    elif emoji.stage is Stage.ANIMATE and emoji.status in (Status.CANCELLED, Status.FAILED):
        place = pipeline.stopped(Stage.SLICE, emoji.status)
        emojis.place(connection, emoji_id, place.stage, place.status, place.progress, emoji.problem)
    else:
        emojis.tell(connection, emoji_id)


def tell_not_bought(connection: Connection, emoji_id: str) -> None:
    """An emoji that stopped because nobody knew whether its clip was bought may be retried now."""
    if not emojis.exists(connection, emoji_id) or jobs.is_live(connection, emoji_id):
        return
    emoji = emojis.get(connection, emoji_id)
    if _is_in_doubt(emoji):
        settled = Problem(
            code="not_bought", message="It is settled: this clip was never bought.", cure="Retry the emoji to buy it."
        )
        emojis.place(connection, emoji_id, emoji.stage, emoji.status, emoji.progress, settled)


def _is_in_doubt(emoji: Emoji) -> bool:
    return emoji.problem is not None and emoji.problem.code == MaybeBought.code


def _close(connection: Connection, entry: Entry, status: TaskStatus) -> None:
    """It will never be a take: it failed, is no longer to be had, or its emoji is gone."""
    if purchases.get(connection, entry.id).state is not PurchaseState.SUBMITTED:
        return
    states = {TaskState.FAILED: PurchaseState.FAILED, TaskState.UNKNOWN: PurchaseState.EXPIRED}
    state = states.get(status.state, PurchaseState.ABANDONED)
    problem = Problem(code=state.value, message=status.message) if status.message else None
    purchases.settle(connection, entry.id, state, billed=status.billed, problem=problem)

"""The queue: watched, paused, reordered and pruned."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query

from popcond.api.deps import Powers, Uses
from popcond.api.security import MOST_TEXT
from popcond.store import queue
from popcond.store.db import Connection
from popcond.wire import JobRow, JobState, Move, Prioritise, Prune, Pruned, Queue, Stage

router = APIRouter(prefix="/v1", tags=["queue"], max_body_size=MOST_TEXT)

_DAY = 86400.0  # seconds
_LARGEST_ID = 2**63 - 1  # SQLite's integers

After = Annotated[int | None, Query(ge=0, le=_LARGEST_ID, description="the id of the last job that was seen")]
Limit = Annotated[int, Query(ge=1, le=500)]


@router.get("/queue")
async def standing(powers: Uses) -> Queue:
    """The queue at a glance."""
    return await powers.database.read(partial(queue.standing, lanes=powers.lanes))


@router.post("/queue/pause")
async def pause(powers: Uses) -> Queue:
    """Begin nothing new, until it is resumed, restarts included; what runs goes on to its end."""
    return await powers.database.write(partial(queue.set_paused, lanes=powers.lanes, paused=True))


@router.post("/queue/resume")
async def resume(powers: Uses) -> Queue:
    """Go on after a pause."""
    return await powers.database.write(partial(queue.set_paused, lanes=powers.lanes, paused=False))


@router.post("/queue/move")
async def move(powers: Uses, order: Move) -> Queue:
    """Put an emoji in front of another one, whose priority it takes over; with null in front of all, and at once.

    Within a lane the higher priority goes first, then the emoji that is further along, then this order.
    """
    return await _change(powers, partial(queue.move, emoji_id=order.emoji_id, before=order.before))


@router.post("/queue/priority")
async def prioritise(powers: Uses, order: Prioritise) -> Queue:
    """Give one emoji, or all emojis that a pack has now, a priority; its later stages keep it."""
    return await _change(powers, partial(_prioritise, order=order))


@router.post("/queue/prune")
async def prune(powers: Uses, order: Prune) -> Pruned:
    """Forget jobs that are done, dead or cancelled for so long. Emojis, takes and stickers stay."""

    def write(connection: Connection) -> Pruned:
        pruned = queue.prune(connection, older_than=order.older_than_days * _DAY)
        queue.tell(connection, powers.lanes)
        return Pruned(pruned=pruned)

    return await powers.database.write(write)


@router.get("/jobs")
async def jobs(
    powers: Uses,
    state: JobState | None = None,
    kind: Stage | None = None,
    emoji_id: str | None = None,
    after: After = None,
    limit: Limit = 100,
) -> list[JobRow]:
    """Jobs behind the job `after`: with `state=ready` in the order of the queue, else the newest first."""
    return await powers.database.read(
        partial(queue.rows, state=state, kind=kind, emoji_id=emoji_id, after=after, limit=limit)
    )


async def _change(powers: Powers, change: Callable[[Connection], None]) -> Queue:
    def write(connection: Connection) -> Queue:
        change(connection)
        return queue.tell(connection, powers.lanes)

    return await powers.database.write(write)


def _prioritise(connection: Connection, order: Prioritise) -> None:
    if order.pack_id is not None:
        queue.prioritise_pack(connection, order.pack_id, order.priority)
    elif order.emoji_id is not None:
        queue.prioritise(connection, [order.emoji_id], order.priority)

"""Server-sent events: a cursor over the event rows, with the newest progress in between.

No queue belongs to a client, so one that never reads costs nothing. The id of a message is the row's sequence number;
`Last-Event-ID` or `?after=` resumes behind it. Quick progress is not stored: it repeats the last id.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from popcond.api.deps import Powers, Uses
from popcond.errors import NotFound
from popcond.store import emojis, events
from popcond.store.db import Connection
from popcond.wire import Event

router = APIRouter(prefix="/v1", tags=["events"])

_KEEP_ALIVE = 15.0  # seconds between comments on a quiet line
_TICK = 0.1  # seconds that progress is gathered before it is told

Cursor = Annotated[int | None, Query(ge=0, description="the id of the last event that was seen")]


@router.get("/events", response_class=StreamingResponse)
async def stream(
    powers: Uses, after: Cursor = None, last_event_id: Annotated[str | None, Header()] = None
) -> StreamingResponse:
    """Everything that changes from now on, or since an id."""
    seen = int(last_event_id) if last_event_id and last_event_id.isdecimal() else after
    cursor, first = await powers.database.read(partial(_begin, seen=seen))
    return StreamingResponse(_stream(powers, cursor, first), media_type="text/event-stream")


async def _stream(powers: Powers, cursor: int, first: Event | None) -> AsyncIterator[bytes]:
    powers.bus.watchers += 1
    try:
        yield b"retry: 1000\n\n"
        if first is not None:
            yield _message([first])
        async with contextlib.aclosing(_follow(powers, cursor)) as messages:
            async for message in messages:
                yield message
        yield _message([Event(seq=cursor, at=time.time(), type="bye")])
    finally:
        powers.bus.watchers -= 1
        powers.bus.ring()


def _begin(connection: Connection, seen: int | None) -> tuple[int, Event | None]:
    """Where to read on, and a `reset` when what was asked for is gone or never was."""
    newest = events.newest(connection)
    if seen is None:
        return newest, None
    if seen > newest or seen < events.oldest(connection) - 1:
        return newest, Event(seq=newest, at=time.time(), type="reset")
    return seen, None


async def _follow(powers: Powers, cursor: int) -> AsyncGenerator[bytes, None]:
    bus = powers.bus
    tick, _ = bus.progress_since(0)
    told = time.monotonic()
    while not bus.closing:
        rows = await powers.database.read(partial(events.after, seq=cursor))
        if rows:
            cursor = rows[-1].seq
        elif time.monotonic() - told > _TICK:
            tick, moved = bus.progress_since(tick)
            rows = await powers.database.read(partial(_progress, cursor=cursor, moved=moved))
        if rows:
            told = time.monotonic()
            yield _message(rows)
            continue
        await bus.heard(_TICK if bus.progress_since(tick)[1] else _KEEP_ALIVE)
        if time.monotonic() - told >= _KEEP_ALIVE:
            told = time.monotonic()
            yield b": still here\n\n"


def _progress(connection: Connection, cursor: int, moved: dict[str, float]) -> list[Event]:
    """The emojis that have moved, with their newest progress."""
    told = []
    for emoji_id, progress in moved.items():
        with contextlib.suppress(NotFound):
            emoji = emojis.get(connection, emoji_id).model_copy(update={"progress": progress})
            told.append(Event(seq=cursor, at=time.time(), type="emoji_progressed", emoji=emoji))
    return told


def _message(rows: Sequence[Event]) -> bytes:
    return "".join(
        f"id: {event.seq}\nevent: {event.type}\ndata: {event.model_dump_json(exclude_none=True)}\n\n" for event in rows
    ).encode()

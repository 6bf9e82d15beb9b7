"""Server-sent events: a cursor over the event rows, with the newest progress in between.

No queue belongs to a client, so one that never reads costs nothing. The id of a message is the row's sequence number;
`Last-Event-ID` or `?after=` resumes behind it. Quick progress is not stored: it repeats the last id.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from popcond.api.deps import Powers, Uses
from popcond.errors import NotFound
from popcond.store import emojis, events
from popcond.store.db import Connection
from popcond.wire import Event

router = APIRouter(prefix="/v1", tags=["events"])

_KEEP_ALIVE = 15.0  # seconds between comments on a quiet line
_ROOM = 16 << 10  # bytes that are sent at once, and read at once: what a client that does not read may hold up


@dataclass(frozen=True)
class _News:
    """What one look has found: a message, empty when there is nothing, and where to look on."""

    message: bytes
    cursor: int
    tick: int = 0


Cursor = Annotated[int | None, Query(ge=0, description="the id of the last event that was seen")]


@router.get("/events", response_class=StreamingResponse)
async def stream(
    request: Request, powers: Uses, after: Cursor = None, last_event_id: Annotated[str | None, Header()] = None
) -> StreamingResponse:
    """Everything that changes from now on, or since an id, until the daemon stops or the token is rotated."""
    seen = _number(last_event_id) if last_event_id else after
    cursor, first = await powers.database.read(partial(_begin, seen=seen))
    is_welcome = partial(powers.token.is_borne_by, request.headers.get("authorization", ""))
    return StreamingResponse(_stream(powers, cursor, first, is_welcome), media_type="text/event-stream")


def _number(last_event_id: str) -> int:
    """The id as a number; -1, which leads to a `reset`, for what we never gave to anybody."""
    is_ours = last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) < 20
    return int(last_event_id) if is_ours else -1


async def _stream(
    powers: Powers, cursor: int, first: Event | None, is_welcome: Callable[[], bool]
) -> AsyncIterator[bytes]:
    powers.bus.watchers += 1
    try:
        yield b"retry: 1000\n\n"
        if first is not None:
            yield _message([first])
        async with contextlib.aclosing(_follow(powers, cursor, is_welcome)) as messages:
            async for message in messages:
                for start in range(0, len(message), _ROOM):  # one row alone may be a pack of 200 emojis
                    yield message[start : start + _ROOM]
    finally:
        powers.bus.watchers -= 1


def _begin(connection: Connection, seen: int | None) -> tuple[int, Event | None]:
    """Where to read on, and a `reset` when what was asked for is gone or never was."""
    newest = events.newest(connection)
    if seen is None:
        return newest, None
    if seen > newest or seen < events.oldest(connection) - 1:
        return newest, Event(seq=newest, at=time.time(), type="reset")
    return seen, None


async def _follow(powers: Powers, cursor: int, is_welcome: Callable[[], bool]) -> AsyncGenerator[bytes, None]:
    bus = powers.bus
    tick = bus.gathered
    told_at = time.monotonic()
    while is_welcome() and not bus.closing:
        rings = bus.rings  # noted before looking, so that nothing is missed between the look and the wait
        news = await bus.shared(("rows", cursor), partial(_rows, powers, cursor))
        if not news.message and bus.gathered > tick:
            news = await bus.shared(("progress", cursor, tick), partial(_progress, powers, cursor, tick))
            tick = news.tick
        if news.message and is_welcome():
            cursor, told_at = news.cursor, time.monotonic()
            yield news.message
            continue
        quiet = time.monotonic() - told_at
        if quiet >= _KEEP_ALIVE:
            told_at = time.monotonic()
            yield b": still here\n\n"
        else:
            await bus.heard(rings, _KEEP_ALIVE - quiet)
    yield _message([Event(seq=cursor, at=time.time(), type="bye")])  # with the last id: to resume there misses nothing


async def _rows(powers: Powers, cursor: int) -> _News:
    """The next stored events, as they were written down: no row is parsed on its way through."""
    rows = await powers.database.read(partial(events.some_after, seq=cursor, room=_ROOM))
    return _News("".join(map(_stored, rows)).encode(), rows[-1].seq if rows else cursor)


async def _progress(powers: Powers, cursor: int, tick: int) -> _News:
    """The emojis that have moved since a tick, with their newest progress."""
    tick, moved = powers.bus.progress_since(tick)
    told = await powers.database.read(partial(_moved, cursor=cursor, moved=moved))
    return _News(_message(told), cursor, tick)


def _moved(connection: Connection, cursor: int, moved: dict[str, float]) -> list[Event]:
    told = []
    for emoji_id, progress in moved.items():
        with contextlib.suppress(NotFound):
            emoji = emojis.get(connection, emoji_id).model_copy(update={"progress": progress})
            told.append(Event(seq=cursor, at=time.time(), type="emoji_progressed", emoji=emoji))
    return told


def _message(told: Sequence[Event]) -> bytes:
    return "".join(_block(event.seq, event.type, event.model_dump_json(exclude_none=True)) for event in told).encode()


def _stored(row: events.Row) -> str:
    head = f'{{"seq":{row.seq},"at":{row.at!r},"type":"{row.type}"'
    return _block(row.seq, row.type, f"{head}}}" if row.data == "{}" else f"{head},{row.data[1:]}")


def _block(seq: int, event_type: str, data: str) -> str:
    return f"id: {seq}\nevent: {event_type}\ndata: {data}\n\n"

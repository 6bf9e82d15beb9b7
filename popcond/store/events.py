"""Event rows: what changed, written with the change, read by cursor."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass
from typing import Any

from popcond.wire import Event

_KEPT = 10_000  # newest rows that stay; a reader that is further behind reads everything again


def append(connection: sqlite3.Connection, event_type: str, **data: Any) -> None:
    """Write down what has just changed, in the transaction that changed it; values are wire models or strings."""
    event = Event.model_validate({"seq": 0, "at": time.time(), "type": event_type, **data})
    body = event.model_dump_json(exclude={"seq", "at", "type"}, exclude_none=True)
    connection.execute("INSERT INTO event(at, type, data) VALUES (?, ?, ?)", (event.at, event.type, body))


def after(connection: sqlite3.Connection, seq: int, limit: int = 200) -> list[Event]:
    """The next events behind a cursor."""
    rows = connection.execute("SELECT * FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))
    return [Event.model_validate({**row, **json.loads(row["data"])}) for row in rows]


@dataclass(frozen=True)
class Row:
    """One event as it was written down."""

    seq: int
    at: float  # seconds since the epoch
    type: str
    data: str  # JSON of what changed


def some_after(connection: sqlite3.Connection, seq: int, room: int) -> list[Row]:
    """The next events behind a cursor, until their data is longer than `room` characters; unread rows stay on disk."""
    told: list[Row] = []
    for row in connection.execute("SELECT seq, at, type, data FROM event WHERE seq > ? ORDER BY seq", (seq,)):
        told.append(Row(*row))
        room -= len(told[-1].data)
        if room <= 0:
            break
    return told


def newest(connection: sqlite3.Connection) -> int:
    """The last sequence number that was given; 0 before the first."""
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'event'").fetchone()
    return int(row["seq"]) if row else 0


def oldest(connection: sqlite3.Connection) -> int:
    """The first sequence number that is still kept; the next one when there is none."""
    row = connection.execute("SELECT min(seq) AS seq FROM event").fetchone()
    return int(row["seq"]) if row["seq"] is not None else newest(connection) + 1


def prune(connection: sqlite3.Connection) -> None:
    """Let go of the oldest rows."""
    connection.execute("DELETE FROM event WHERE seq <= (SELECT max(seq) FROM event) - ?", (_KEPT,))

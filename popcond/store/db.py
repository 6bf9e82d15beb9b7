"""The one SQLite file: a writer thread, reader threads, and nothing else that holds a connection.

Everything above gives this class functions of a connection. `write` runs one inside a transaction of its own and
answers once it is on disk: either all of it happened or nothing. Writers queue up in one thread, so SQLite never sees
two, and the event loop never waits for a disk. Functions that take several steps in one transaction simply call each
other.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from popcond.store.faults import translated
from popcond.store.writer import Transaction, Writer, stopping

T = TypeVar("T")
Connection = sqlite3.Connection

_LOG_KEPT = 16 << 20  # bytes of the write-ahead log that stay after a burst
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    f"journal_size_limit={_LOG_KEPT}",
    "busy_timeout=5000",
    "foreign_keys=ON",
)
_READING = _PRAGMAS[3:]


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection that commits only when told, for one thread at a time; rows answer to column names."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={'ro' if read_only else 'rwc'}", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    for pragma in _READING if read_only else _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    """One new row; table and columns are our own words, values are bound."""
    places = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table}({', '.join(row)}) VALUES ({places})", list(row.values()))


class Database:
    """Reads and writes of one open file. `committed` is called in the writer thread after every commit."""

    def __init__(self, path: Path, committed: Callable[[], None] = lambda: None) -> None:
        self._path = path
        self._writer = Writer(path, partial(connect, path), committed)
        self._local = threading.local()
        self._reading: list[sqlite3.Connection] = []
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="popcon-read")

    async def write(self, transaction: Transaction[T]) -> T:
        """Run it alone in a transaction; answers when the commit is on disk. What it raises undoes it.

        Raises OutOfDisk, StorageFailed or HomeUnusable where the disk or the file is to blame, Stopping after `close`.
        """
        # Shielded: a caller that is cancelled must not leave a commit half-told.
        return await asyncio.shield(asyncio.wrap_future(self._writer.add(transaction)))

    async def read(self, question: Transaction[T]) -> T:
        """Run it on a read-only connection, off the event loop. Raises as `write` does."""
        try:
            asked = self._readers.submit(self._ask, question)
        except RuntimeError as error:
            raise stopping() from error
        return await asyncio.wrap_future(asked)

    def close(self) -> None:
        """Finish the reads and the queued writes, then close."""
        self._readers.shutdown()
        for connection in self._reading:
            connection.close()
        self._writer.close()

    def _ask(self, question: Transaction[T]) -> T:
        try:
            connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = connect(self._path, read_only=True)
                self._reading.append(connection)
            return question(connection)
        except sqlite3.Error as error:
            said = translated(error, self._path)
            if said is error or error.sqlite_errorname == "SQLITE_READONLY":  # a reader that writes is a bug of ours
                raise
            raise said from error

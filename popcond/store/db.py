"""The one SQLite file: a writer thread, reader threads, and nothing else that holds a connection.

Everything above gives this class functions of a connection. `write` runs one inside a transaction of its own and
answers once it is on disk: either all of it happened or nothing. Writers queue up in one thread, so SQLite never sees
two, and the event loop never waits for a disk. Functions that take several steps in one transaction simply call each
other.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from popcond.errors import OutOfDisk, PopconError

T = TypeVar("T")
Connection = sqlite3.Connection
Transaction = Callable[[Connection], T]

_BATCH = 256  # writes that may share one commit
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON")


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection that commits only when told; rows answer to column names."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode={'ro' if read_only else 'rwc'}", uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    for pragma in _PRAGMAS[2:] if read_only else _PRAGMAS:
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
        self._committed = committed
        self._pending: queue.Queue[_Write | None] = queue.Queue()
        self._local = threading.local()
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="popcon-read")
        self._writer = threading.Thread(target=self._write_until_closed, name="popcon-write", daemon=True)
        self._writer.start()

    async def write(self, transaction: Transaction[T]) -> T:
        """Run it alone in a transaction; answers when the commit is on disk. What it raises undoes it."""
        write = _Write(transaction)
        self._pending.put(write)
        # Shielded: a caller that is cancelled must not leave a commit half-told.
        answer: T = await asyncio.shield(asyncio.wrap_future(write.future))
        return answer

    async def read(self, question: Transaction[T]) -> T:
        """Run it on a read-only connection, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._ask, question)

    def close(self) -> None:
        """Finish the queued writes, then close."""
        self._pending.put(None)
        self._writer.join(timeout=10)
        self._readers.shutdown()

    def _ask(self, question: Transaction[T]) -> T:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = connect(self._path, read_only=True)
        return question(connection)

    def _write_until_closed(self) -> None:
        connection = connect(self._path)
        while (first := self._pending.get()) is not None:
            batch, closing = self._drain(first)
            _commit_together(connection, batch)
            self._committed()
            if closing:
                break
        connection.close()

    def _drain(self, first: _Write) -> tuple[list[_Write], bool]:
        """All that waits by now shares one commit, and so one sync of the disk."""
        batch = [first]
        while len(batch) < _BATCH:
            try:
                following = self._pending.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return batch, True
            batch.append(following)
        return batch, False


class _Write:
    """One queued transaction and the promise of its answer."""

    def __init__(self, transaction: Transaction[Any]) -> None:
        self.transaction = transaction
        self.future: Future[Any] = Future()
        self.answer: Any = None
        self.error: BaseException | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        """Inside the shared transaction, undone alone when it fails."""
        connection.execute("SAVEPOINT one")
        try:
            self.answer = self.transaction(connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the caller who waits
            self.error = error
            if connection.in_transaction:  # a full disk may have rolled everything back already
                connection.execute("ROLLBACK TO one")
        if connection.in_transaction:
            connection.execute("RELEASE one")

    def settle(self, error: BaseException | None) -> None:
        """Tell the caller, after the commit."""
        problem = self.error or error
        if problem is not None:
            self.future.set_exception(_translated(problem))
        else:
            self.future.set_result(self.answer)


def _commit_together(connection: sqlite3.Connection, batch: list[_Write]) -> None:
    failure: BaseException | None = None
    try:
        connection.execute("BEGIN IMMEDIATE")
        for write in batch:
            write.run(connection)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        failure = error
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    for write in batch:
        write.settle(failure)


def _translated(error: BaseException) -> BaseException:
    """SQLite's words for a full or read-only disk become ours; the rest is a bug and stays as it is."""
    if not isinstance(error, sqlite3.OperationalError) or isinstance(error, PopconError):
        return error
    if getattr(error, "sqlite_errorname", "") in ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC"):
        return OutOfDisk("The disk is full: nothing more can be written down.", cure="Free some space, then retry.")
    return error

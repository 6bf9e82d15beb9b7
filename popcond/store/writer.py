"""The one thread that writes: it shares a commit among all who wait, and goes on whatever happens to one of them.

It may be killed at any instant: SQLite undoes what was not committed, and nobody has been told of that.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from popcond.errors import Stopping
from popcond.store.faults import translated

T = TypeVar("T")
Transaction = Callable[[sqlite3.Connection], T]

log = logging.getLogger("popcond.store")

_BATCH = 256  # writes that may share one commit
_IDLE = 2.0  # seconds without a write until the log is folded into the database
_GOODBYE = 10.0  # seconds that the queued writes get at the end


def stopping() -> Stopping:
    """For whoever comes after the end."""
    return Stopping("The daemon is stopping; nothing more is written down.", cure="Ask again once it runs.")


class Writer:
    """A queue of transactions and the thread that works it off. `committed` is called in that thread."""

    def __init__(
        self,
        path: Path,
        connect: Callable[[], sqlite3.Connection],
        committed: Callable[[], None],
        idle: float = _IDLE,
    ) -> None:
        self._path = path
        self._connect = connect
        self._committed = committed
        self._idle = idle
        self._pending: queue.Queue[_Write | None] = queue.Queue()
        self._door = threading.Lock()  # between the last write and the end
        self._closed = False
        self._connection: sqlite3.Connection | None = None
        self._unfolded = False  # whether the log holds something
        self._thread = threading.Thread(target=self._work, name="popcon-write", daemon=True)
        self._thread.start()

    def add(self, transaction: Transaction[T]) -> Future[T]:
        """Queue it; the future is settled once its commit is on disk. Raises Stopping after `close`."""
        write = _Write(transaction)
        with self._door:
            if self._closed:
                raise stopping()
            self._pending.put(write)
        return write.future

    def close(self) -> None:
        """Finish what is queued, fold the log into the database, and let nobody in any more."""
        with self._door:
            if not self._closed:
                self._closed = True
                self._pending.put(None)
        self._thread.join(timeout=_GOODBYE)
        with contextlib.suppress(queue.Empty):  # a disk that hangs: nobody waits for it for ever
            while (write := self._pending.get_nowait()) is not None:
                write.settle(stopping())

    # -------------------------------------------------------------- in the thread

    def _work(self) -> None:
        while (batch := self._next()) is not None:
            self._commit(batch)
        self._fold()
        if self._connection is not None:
            self._connection.close()

    def _next(self) -> list[_Write] | None:
        """All that waits by now shares one commit, and so one sync of the disk; None at the end."""
        while True:
            try:
                first = self._pending.get(timeout=self._idle if self._unfolded else None)
            except queue.Empty:
                self._fold()
                continue
            return None if first is None else self._drained(first)

    def _drained(self, first: _Write) -> list[_Write]:
        batch = [first]
        with contextlib.suppress(queue.Empty):
            while len(batch) < _BATCH:
                following = self._pending.get_nowait()
                if following is None:  # the end comes after this batch
                    self._pending.put(None)
                    break
                batch.append(following)
        return batch

    def _commit(self, batch: list[_Write]) -> None:
        try:
            self._connection = self._connection or self._connect()
            _commit_together(self._connection, batch)
            failure = None
        except BaseException as error:  # noqa: BLE001 - without this thread every write would hang for ever
            failure = translated(error, self._path)
        self._unfolded = True
        for write in batch:
            write.settle(failure, self._path)
        try:
            self._committed()
        except Exception:
            log.exception("telling of a commit")

    def _fold(self) -> None:
        """Copy the log into the database and cut it to nothing, unless a reader still needs it: then next time."""
        if self._connection is None:
            return
        patience = self._connection.execute("PRAGMA busy_timeout").fetchone()[0]
        self._connection.execute("PRAGMA busy_timeout=0")
        try:
            is_busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            self._unfolded = bool(is_busy)
        except sqlite3.Error as error:
            self._unfolded = False  # the next commit brings another try
            log.warning("folding the log into the database: %s", error)
        finally:
            self._connection.execute(f"PRAGMA busy_timeout={patience}")


class _Write:
    """One queued transaction and the promise of its answer."""

    def __init__(self, transaction: Transaction[Any]) -> None:
        self.transaction = transaction
        self.future: Future[Any] = Future()
        self.future.set_running_or_notify_cancel()  # whoever stops waiting does not stop the write
        self.answer: Any = None
        self.error: BaseException | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        """Inside the shared transaction, undone alone when it fails."""
        connection.execute("SAVEPOINT one")
        try:
            self.answer = self.transaction(connection)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the caller who waits
            self.error = error
            if connection.in_transaction:
                connection.execute("ROLLBACK TO one")
        if not connection.in_transaction:  # a full or failing disk makes SQLite undo everything, for everybody
            raise self.error or sqlite3.ProgrammingError("a transaction ended the commit that it shares")
        connection.execute("RELEASE one")

    def settle(self, failure: BaseException | None, path: Path | None = None) -> None:
        """Tell the caller, after the commit."""
        if self.future.done():
            return
        problem = self.error or failure
        if problem is not None:
            self.future.set_exception(translated(problem, path) if path else problem)
        else:
            self.future.set_result(self.answer)


def _commit_together(connection: sqlite3.Connection, batch: list[_Write]) -> None:
    """All of them on disk, each undone alone where it failed; or none, and the reason raised."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        for write in batch:
            write.run(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise

"""Makes what was accepted: two at a time, the others wait, and nothing is ready sooner than a real one would be."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from popcond.errors import PopconError
from popcond.rehearsal.tasks import Book, Task

log = logging.getLogger("popcond.rehearsal")

AT_ONCE = 2  # as the service does with its cheapest model

_PICTURE_SHARE = 0.25  # of the time of a clip

Make = Callable[[Task, Path | None, Path], None]  # the task, the picture that it starts from, where to


class Studio:
    """The tasks of a book in work. What was open when the book was closed is begun again."""

    def __init__(self, book: Book, make: Make, clip_seconds: float) -> None:
        self._book = book
        self._make = make
        self._clip_seconds = clip_seconds
        self._places = asyncio.Semaphore(AT_ONCE)
        self._running: set[str] = set()
        self._works: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Go on with everything that is not finished, the oldest first."""
        for task in reversed(self._book.all()):
            if self.status(task) == "PENDING":
                self.begin(task)

    def begin(self, task: Task) -> None:
        """It will be made."""
        work = asyncio.create_task(self._in_turn(task.id))
        self._works.add(work)
        work.add_done_callback(self._works.discard)

    def status(self, task: Task) -> str:
        """The service's word for how far it is."""
        if task.is_cancelled:
            return "CANCELED"
        if task.failure is not None:
            return "FAILED"
        if self._book.result(task).exists():
            return "SUCCEEDED"
        return "RUNNING" if task.id in self._running else "PENDING"

    async def _in_turn(self, task_id: str) -> None:
        async with self._places:
            task = self._book.find(task_id)
            if task is None or task.is_cancelled:
                return
            self._running.add(task.id)
            try:
                await self._made(task)
            except (PopconError, OSError) as error:
                log.warning("a rehearsal's clip or picture was not drawn: %s", error)
                self._book.keep(task.model_copy(update={"failure": str(error)}))
            finally:
                self._running.discard(task.id)

    async def _made(self, task: Task) -> None:
        result = self._book.result(task)
        draft, begun = result.with_suffix(f".{os.getpid()}.part"), time.monotonic()
        await asyncio.to_thread(self._make, task, self._book.picture(task), draft)
        seconds = self._clip_seconds * (_PICTURE_SHARE if task.is_picture else 1.0)
        await asyncio.sleep(max(seconds - (time.monotonic() - begun), 0.0))
        draft.replace(result)

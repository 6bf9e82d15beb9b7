"""Makes the accepted clips: two at a time, the others wait, and none is ready sooner than a real one would be."""

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

Draw = Callable[[Path, str, int, Path], None]  # picture, prompt, seconds, where to


class Studio:
    """The tasks of a book in work. What was open when the book was closed is begun again."""

    def __init__(self, book: Book, draw: Draw, clip_seconds: float) -> None:
        self._book = book
        self._draw = draw
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
        """The clip will be made."""
        work = asyncio.create_task(self._make(task.id))
        self._works.add(work)
        work.add_done_callback(self._works.discard)

    def status(self, task: Task) -> str:
        """The service's word for how far it is."""
        if task.is_cancelled:
            return "CANCELED"
        if task.failure is not None:
            return "FAILED"
        if self._book.clip(task).exists():
            return "SUCCEEDED"
        return "RUNNING" if task.id in self._running else "PENDING"

    async def _make(self, task_id: str) -> None:
        async with self._places:
            task = self._book.find(task_id)
            if task is None or task.is_cancelled:
                return
            self._running.add(task.id)
            try:
                await self._drawn(task)
            except (PopconError, OSError) as error:
                log.warning("a rehearsal's clip was not drawn: %s", error)
                self._book.keep(task.model_copy(update={"failure": str(error)}))
            finally:
                self._running.discard(task.id)

    async def _drawn(self, task: Task) -> None:
        clip = self._book.clip(task)
        draft, begun = clip.with_suffix(f".{os.getpid()}.part"), time.monotonic()
        await asyncio.to_thread(self._draw, self._book.picture(task), task.prompt, task.seconds, draft)
        await asyncio.sleep(max(self._clip_seconds - (time.monotonic() - begun), 0.0))
        draft.replace(clip)

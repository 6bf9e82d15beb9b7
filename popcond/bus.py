"""Wakes whoever watches for changes, and holds what is too quick to be worth a row.

Events live in the database; this is only the bell. It also keeps the newest progress of each running emoji, in memory:
a reader sees the last value, and a flood collapses by itself. What many watchers want to read at once is read once.
One loop owns it; other threads ring through `ring_from_thread`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

_GATHERED = 0.1  # seconds that progress is gathered before anybody is woken for it
_REMEMBERED = 8  # answers that are kept from one ring to the next: watchers that lag behind have places of their own


class Bus:
    """The bell and the newest progress."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = asyncio.Event()
        self._progress: dict[str, tuple[int, float]] = {}
        self._ticks = 0
        self._gathering: asyncio.TimerHandle | None = None
        self._answers: dict[Hashable, asyncio.Task[Any]] = {}
        self._at_commits: Callable[[], None] = lambda: None
        self.closing = False
        self.rings = 0  # so far; who looks around notes the number before, and so misses none
        self.gathered = 0  # ticks of progress by the time that watchers were last woken for them
        self.watchers = 0  # open event streams

    def attach(self) -> None:
        """Belong to the running loop."""
        self._loop = asyncio.get_running_loop()

    def at_commits(self, look: Callable[[], None]) -> None:
        """Call this on the loop after every commit, for the one who acts on rows and must not miss any."""
        self._at_commits = look

    def ring(self) -> None:
        """Wake all watchers; on the loop."""
        self.rings += 1
        self._answers.clear()
        self._rung.set()
        self._rung = asyncio.Event()

    def ring_from_thread(self) -> None:
        """Rows have changed: wake all watchers, from any thread; nothing once the loop is gone."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._committed)

    def _committed(self) -> None:
        self._at_commits()
        self.ring()

    async def heard(self, rings: int, seconds: float) -> None:
        """Wait until there are more rings than these, or for this many seconds."""
        if self.rings > rings:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        except TimeoutError:
            return

    async def shared(self, question: Hashable, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer to a question, found once between two rings however many want it."""
        if question not in self._answers:
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            self._answers[question] = asyncio.create_task(ask())
        answer: T = await asyncio.shield(self._answers[question])  # one who leaves must not take it from the others
        return answer

    def close(self) -> None:
        """Tell all watchers to say goodbye."""
        self.closing = True
        self.ring()

    def tick(self, emoji_id: str, progress: float) -> None:
        """The newest progress (0..1) of a running emoji."""
        self._ticks += 1
        self._progress[emoji_id] = (self._ticks, progress)
        if self._gathering is None and self._loop is not None:
            self._gathering = self._loop.call_later(_GATHERED, self._told)

    def _told(self) -> None:
        self._gathering = None
        self.gathered = self._ticks
        self.ring()

    def settle(self, emoji_id: str) -> None:
        """The emoji's row says it all again."""
        self._progress.pop(emoji_id, None)

    def progress_of(self, emoji_id: str) -> float | None:
        """The newest progress; None when the row says it all."""
        entry = self._progress.get(emoji_id)
        return entry[1] if entry else None

    def progress_since(self, tick: int) -> tuple[int, dict[str, float]]:
        """What has moved since that tick, and the tick to ask with next time."""
        moved = {emoji_id: progress for emoji_id, (at, progress) in self._progress.items() if at > tick}
        return self._ticks, moved

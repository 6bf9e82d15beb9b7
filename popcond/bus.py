"""Wakes whoever watches for changes, and holds what is too quick to be worth a row.

Events live in the database; this is only the bell. It also keeps the newest progress of each running emoji, in memory:
a reader sees the last value, and a flood collapses by itself. One loop owns it; other threads ring through
`ring_from_thread`.
"""

from __future__ import annotations

import asyncio


class Bus:
    """The bell and the newest progress."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = asyncio.Event()
        self._progress: dict[str, tuple[int, float]] = {}
        self._ticks = 0
        self.closing = False
        self.watchers = 0  # open event streams

    def attach(self) -> None:
        """Belong to the running loop."""
        self._loop = asyncio.get_running_loop()

    def ring(self) -> None:
        """Wake all watchers; on the loop."""
        self._rung.set()
        self._rung = asyncio.Event()

    def ring_from_thread(self) -> None:
        """Wake all watchers, from any thread; nothing once the loop is gone."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.ring)

    async def heard(self, seconds: float) -> None:
        """Wait for the next ring, or this many seconds."""
        rung = self._rung
        try:
            async with asyncio.timeout(seconds):
                await rung.wait()
        except TimeoutError:
            return

    def close(self) -> None:
        """Tell all watchers to say goodbye."""
        self.closing = True
        self.ring()

    def tick(self, emoji_id: str, progress: float) -> None:
        """The newest progress (0..1) of a running emoji."""
        self._ticks += 1
        self._progress[emoji_id] = (self._ticks, progress)
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

"""Tidies up while the daemon lives: files that no row names any more, drafts of the dead, and rows that had their time.

Nobody ever waits for it. Whoever puts files says so, from before the first `assets.put` until after the commit that
names them:

    async with housekeeping.at_work():
        name = await workers.run(…)             # puts files
        await database.write(…)                 # names them

A tidy has two halves. First the files that no row names are moved into a limbo, from which a reader takes them back.
Then it waits until everybody who was at work at that moment has ended; who comes later finds the file gone and puts it
anew. What no row names even then is deleted. So a file goes only when nothing refers to it and nobody is about to.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Container
from dataclasses import dataclass

from popcond.assets import PREFIXES, Assets
from popcond.store import retention
from popcond.store.db import Database
from popcond.store.references import Wanted, wanted_assets

log = logging.getLogger("popcond.housekeeping")

_PERIOD = 3600.0  # seconds between two tidies
_PAUSE = 5.0  # seconds after a deletion, for a second one to share the tidy
_SLICE = 0.004  # seconds of folders at a time
_BREATH = 0.004  # seconds for everybody else in between

Visit = Callable[[str, Container[str]], int]


@dataclass(frozen=True)
class Tidied:
    """What a tidy did."""

    set_apart: int  # files that no row named at first
    deleted: int  # files that no row named in the end


class Housekeeping:
    """Who is at work, and the tidying that leaves them alone."""

    def __init__(self, database: Database, assets: Assets, *, period: float = _PERIOD, pause: float = _PAUSE) -> None:
        self._database = database
        self._assets = assets
        self._period = period
        self._pause = pause
        self._at_work: set[asyncio.Event] = set()
        self._wished = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._loop: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Around everything that puts assets: from before the first is put until after the commit that names it."""
        ended = asyncio.Event()
        self._at_work.add(ended)
        try:
            yield
        finally:
            self._at_work.discard(ended)
            ended.set()

    def soon(self) -> None:
        """Something was deleted: tidy in a few seconds, not in an hour."""
        self._wished.set()

    async def start(self) -> None:
        """Drafts of a dead daemon go before anybody writes; then tidy now, every hour and soon after `soon`."""
        await asyncio.to_thread(lambda: self._assets.forget_drafts(self._assets.drafts()))
        self._loop = asyncio.create_task(self._tidy_for_ever(), name="housekeeping")

    async def close(self) -> None:
        """Stop, even in the middle: the next tidy goes on."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    async def tidy(self) -> Tidied:
        """Delete what nothing refers to; ends once everybody who is at work now has ended."""
        async with self._one_at_a_time:
            await self._database.write(retention.let_go)
            drafts = await asyncio.to_thread(self._assets.drafts)
            apart = await self._through_folders(self._assets.set_apart)
            await self._grace()
            deleted = await self._through_folders(self._assets.let_go)
            await asyncio.to_thread(self._assets.forget_drafts, drafts)
            await asyncio.to_thread(self._forget_damaged, await self._database.read(wanted_assets))
            return Tidied(apart, deleted)

    async def _grace(self) -> None:
        """Everybody who is at work now may have put files that no row names yet; wait for them, not for newcomers."""
        for ended in tuple(self._at_work):
            await ended.wait()

    async def _through_folders(self, visit: Visit) -> int:
        """Every folder of assets, a few at a time, in a thread; answers the sum of what the visits answered."""
        wanted = await self._database.read(wanted_assets)
        left, count = list(PREFIXES), 0
        while left:
            count += await asyncio.to_thread(_visit_some, visit, left, wanted)
            await asyncio.sleep(_BREATH)
        return count

    def _forget_damaged(self, wanted: Wanted) -> None:
        """A damaged copy stays for a person to look at as long as it is all that is left of something."""
        healed = (name for name in self._assets.damaged() if self._assets.is_kept(name) or not wanted.has(name))
        self._assets.forget_damaged(healed)

    async def _tidy_for_ever(self) -> None:
        while True:
            try:
                tidied = await self.tidy()
                log.info("tidied: %d files that nothing refers to went", tidied.deleted)
            except Exception:
                log.exception("tidying failed; the next hour brings another try")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._period):
                    await self._wished.wait()
            await asyncio.sleep(self._pause)
            self._wished.clear()


def _visit_some(visit: Visit, left: list[str], wanted: Wanted) -> int:
    """Take folders from `left` for a few milliseconds; in a thread, which shares the interpreter with the loop."""
    until, count = time.monotonic() + _SLICE, 0
    while left and time.monotonic() < until:
        prefix = left.pop()
        count += visit(prefix, wanted.beginning_with(prefix))
    return count

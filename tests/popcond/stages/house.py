"""A home with packs in it beside a provider whose ledger judges, without a runner: tests take each step themselves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from popcond.assets import Assets
from popcond.media.raster import png
from popcond.stages import transitions
from popcond.stages.animate import Clips, animate, bid_for
from popcond.stages.collector import Collector
from popcond.stages.studio import Studio
from popcond.stages.work import Work
from popcond.store import characters, emojis, jobs, packs, purchases
from popcond.store.budget import Ceilings
from popcond.store.db import Connection, Database
from popcond.store.migrations import migrate
from popcond.store.purchases import Entry
from popcond.wire import Emoji, Problem, Purchase, PurchaseKind, Stage, Status
from popcond.workers import Workers
from tests.data import a_character, a_new_pack, an_action, its_files
from tests.fakes import LedgerProvider


class House:
    """A home with packs in it, and a provider outside."""

    def __init__(self, home: Path, provider: LedgerProvider) -> None:
        migrate(home / "popcon.db")
        self.database = Database(home / "popcon.db")
        self.provider = provider
        workers = Workers(1, 2048)
        assets = Assets(home / "assets")
        self.studio = Studio(self.database, assets, workers, {"ledger": provider}, {}, Ceilings(), home)

    async def emoji_of(self, action: str = "wave", colour: int = 200) -> Emoji:
        """An emoji of a pack of its own, whose character has this much red."""
        cutout = np.zeros((32, 32, 4), np.uint8)
        cutout[8:24, 8:24] = (colour, 40, 40, 255)
        files = its_files(cutout=self.studio.assets.put(png(cutout)))
        character = await self.database.write(partial(characters.add, character=a_character(), files=files))
        new = a_new_pack(character, action).model_copy(update={"provider": "ledger"})
        pack = await self.database.write(partial(packs.add, new=new, actions=[an_action(action)]))
        return pack.emojis[0]

    async def job_of(self, emoji: Emoji) -> Work:
        """The emoji's ANIMATE, claimed."""

        def claim(connection: Connection) -> Work:
            transitions.enqueue(connection, emoji.id, Stage.ANIMATE)
            job = jobs.claim(connection, [Stage.ANIMATE], now=time.time())
            assert job is not None
            assert job.subject == emoji.id
            fresh = emojis.get(connection, emoji.id)
            pack = packs.get(connection, emoji.pack_id)
            return Work(job, fresh, emojis.action_of(connection, emoji.id), pack, report=lambda _fraction: None)

        return await self.database.write(claim)

    async def animate(self, emoji: Emoji) -> Emoji:
        """Run the emoji's ANIMATE to its end, as the runner does."""
        work = await self.job_of(emoji)
        try:
            finish = await animate(self.studio, work)
        except BaseException as error:
            problem = Problem(code=getattr(error, "code", "cancelled"), message=str(error))
            await self.database.write(partial(_end_badly, work=work, problem=problem))
            raise
        await self.database.write(lambda connection: transitions.finish(connection, work.job, finish))
        return await self.now(emoji)

    async def now(self, emoji: Emoji) -> Emoji:
        """The emoji as its row says."""
        return await self.database.read(partial(emojis.get, emoji_id=emoji.id))

    async def open(self, emoji: Emoji) -> Entry:
        """The emoji's open purchase."""
        entry = await self.database.read(
            partial(purchases.open_for, work=purchases.work_of(PurchaseKind.CLIP, emoji.id))
        )
        assert entry is not None
        return entry

    async def interrupted(self, emoji: Emoji, *, accepted: bool, at: float | None = None) -> Entry:
        """The daemon died around the order: the intent is written, and the provider may have accepted it."""
        work = await self.job_of(emoji)
        bid = await bid_for(self.studio, work)
        entry = await self.database.write(partial(purchases.intend, order=bid.order))
        if accepted:
            self.provider.accept(emoji.action, bid.request.motion_prompt, at)
        await self.database.write(purchases.doubt_intents)
        await self.database.write(partial(jobs.cancel, subject=emoji.id))
        return entry

    def collector(self) -> Collector:
        """Whoever looks after what no job cares for."""
        return Collector(self.database, (Clips(self.studio),))

    async def lines(self) -> list[Purchase]:
        """The ledger, the newest line first."""
        return await self.database.read(purchases.newest)

    async def states(self) -> list[str]:
        """What became of all that was ordered, in the order of its writing."""
        return [line.state.value for line in reversed(await self.lines())]


def _end_badly(connection: Connection, work: Work, problem: Problem) -> None:
    connection.execute("UPDATE job SET state = 'dead' WHERE id = ? AND state = 'running'", (work.job.id,))
    place = (Stage.ANIMATE, Status.FAILED, 0.0)
    emojis.place(connection, work.emoji.id, *place, problem)


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not reached():
            await asyncio.sleep(0.005)

"""A home beside a provider that makes clips and draws; jobs are run one by one, as the runner does it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from popcond import pipeline
from popcond.errors import PopconError
from popcond.media.raster import png
from popcond.stages import transitions
from popcond.stages.animate import Clips, animate
from popcond.stages.collector import Collector
from popcond.stages.draw import Drawings, draw
from popcond.stages.pose import Poses, pose
from popcond.stages.work import Finish, JobFunction, of_characters, of_emojis
from popcond.store import characters, jobs, packs, purchases
from popcond.store.budget import Ceilings
from popcond.store.db import Connection
from popcond.store.jobs import Job
from popcond.store.purchases import Entry
from popcond.wire import Character, Emoji, ReferenceUse, RemoveBackground, Stage
from tests.data import a_character, a_new_pack, an_action, its_files
from tests.fakes import LedgerPainter, LedgerProvider
from tests.popcond.stages.house import House, until

ORDERING = (Stage.DRAW, Stage.POSE, Stage.ANIMATE)


class Workshop(House):
    """A home, a provider of clips and a painter."""

    def __init__(self, home: Path, provider: LedgerProvider, painter: LedgerPainter) -> None:
        super().__init__(home, provider)
        self.painter = painter
        self.studio = replace(self.studio, painters={"ledger": painter})

    def spend_at_most(self, per_day: float | None) -> None:
        """Another ceiling from now on."""
        self.studio = replace(self.studio, ceilings=Ceilings(per_day=per_day))

    # ------------------------------------------------------------------ what is wanted

    async def order(self, action: str = "wave", **fields: Any) -> Emoji:
        """An emoji of a pack of its own, whose first job waits."""
        cutout = np.zeros((32, 32, 4), np.uint8)
        cutout[8:24, 8:24] = (200, 40, 40, 255)
        files = its_files(cutout=self.studio.assets.put(png(cutout)))
        character = await self.database.write(partial(characters.add, character=a_character(), files=files))
        new = a_new_pack(character, action).model_copy(update={"provider": "ledger", **fields})

        def write(connection: Connection) -> Emoji:
            (emoji,) = packs.add(connection, new, [an_action(action)]).emojis
            transitions.enqueue(connection, emoji.id, pipeline.first(draw_poses=new.draw_poses))
            return emoji

        return await self.database.write(write)

    async def words(self, prompt: str = "A robot.", provider: str = "ledger") -> Character:
        """A character whose drawing waits."""
        character = Character(
            id=uuid.uuid4().hex,
            name="Robbi",
            status="drawing",
            remove_background=RemoveBackground.AUTO,
            prompt=prompt,
            provider=provider,
            created=time.time(),
        )

        def write(connection: Connection) -> Character:
            characters.add_undrawn(connection, character, None, ReferenceUse.VARIATION)
            jobs.add_drawing(connection, character.id)
            return character

        return await self.database.write(write)

    # ------------------------------------------------------------------ what is done

    async def claim(self, *kinds: Stage) -> Job:
        """The next job of these kinds."""
        job = await self.database.write(partial(transitions.claim, kinds=kinds or ORDERING))
        assert job is not None
        return job

    async def work_on(self, job: Job) -> Finish:
        """Run a claimed job; nothing of its end is written."""
        stages: dict[Stage, JobFunction] = {
            Stage.DRAW: of_characters(self.database, partial(draw, self.studio)),
            Stage.POSE: of_emojis(self.database, partial(pose, self.studio)),
            Stage.ANIMATE: of_emojis(self.database, partial(animate, self.studio)),
        }
        return await stages[job.kind](job, lambda _fraction: None)

    async def run(self, *kinds: Stage) -> PopconError | None:
        """The next job of these kinds from claim to end; answers why it failed."""
        job = await self.claim(*kinds)
        try:
            finish = await self.work_on(job)
        except PopconError as error:
            failed = error
            await self.database.write(lambda connection: transitions.fail(connection, job, failed))
            return error
        await self.database.write(lambda connection: transitions.finish(connection, job, finish))
        return None

    def collector(self) -> Collector:
        """Whoever looks after what no job cares for."""
        return Collector(self.database, (Clips(self.studio), Poses(self.studio), Drawings(self.studio)))

    async def collect(self, rounds: int = 4) -> None:
        """As many rounds of the collector as a task needs to be ready."""
        for _ in range(rounds):
            for entry in await self.unattended():
                await self.collector().attend(entry)

    async def unattended(self) -> Sequence[Entry]:
        """Open purchases that no job cares for."""
        return await self.database.read(purchases.unattended)

    async def adopt(self, entry: Entry, task: str) -> None:
        """A person says which task it is."""
        await self.database.write(partial(purchases.accept, purchase_id=entry.id, remote_task=task))

    async def look_again(self, entry: Entry) -> None:
        """A person wants the list to be asked once more."""
        await self.database.write(partial(purchases.look_again, purchase_id=entry.id))

    # ------------------------------------------------------------------ what there is

    async def drawn(self, character: Character) -> Character:
        """The character as its row says."""
        return await self.database.read(partial(characters.get, character_id=character.id))


async def cancelled_in_flight(workshop: Workshop, subject: Emoji | Character) -> None:
    """A person cancels while the painter is at work."""
    workshop.painter.checks_until_ready = 10**9
    before = len(workshop.painter.ledger)
    task = asyncio.create_task(workshop.work_on(await workshop.claim()))
    await until(lambda: any(list(workshop.painter.checks.values())[before:]))
    stop = transitions.cancel if isinstance(subject, Emoji) else transitions.cancel_drawing
    await workshop.database.write(lambda connection: stop(connection, subject.id))
    task.cancel()
    await asyncio.wait([task])
    workshop.painter.checks_until_ready = 0

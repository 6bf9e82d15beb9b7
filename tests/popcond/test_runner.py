"""The runner over the real queue, with a provider that keeps a ledger of what it was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from popcond.assets import Assets
from popcond.bus import Bus
from popcond.media.raster import png
from popcond.runner import Lane, Runner
from popcond.stages import transitions
from popcond.stages.animate import animate
from popcond.stages.work import Finish, StageFunction, Work
from popcond.store import characters, jobs, packs
from popcond.store.db import Connection, Database
from popcond.store.migrations import migrate
from popcond.wire import Emoji, Pack, Stage, Status
from tests.data import a_character, a_new_pack, an_action, its_files
from tests.fakes import LedgerProvider

LANES = (Lane("local", (Stage.SLICE,), 2), Lane("remote", (Stage.ANIMATE,), 2))


class House:
    """A home folder with a pack in it, and runners that come and go."""

    def __init__(self, home: Path) -> None:
        self.home = home
        migrate(home / "popcon.db")
        self.bus = Bus()
        self.database = Database(home / "popcon.db", committed=self.bus.ring_from_thread)
        self.assets = Assets(home / "assets")
        self.sliced: list[str] = []

    async def pack_of(self, *actions: str) -> Pack:
        """A pack whose emojis are queued."""
        cutout = np.zeros((32, 32, 4), np.uint8)
        cutout[8:24, 8:24] = (200, 40, 40, 255)
        files = its_files(cutout=self.assets.put(png(cutout)))
        character = await self.database.write(partial(characters.add, character=a_character(), files=files))
        new = a_new_pack(character, *actions).model_copy(update={"provider": "ledger"})

        def order(connection: Connection) -> Pack:
            pack = packs.add(connection, new, [an_action(name) for name in actions])
            for emoji in pack.emojis:
                transitions.enqueue(connection, emoji.id, Stage.ANIMATE)
            return pack

        return await self.database.write(order)

    @asynccontextmanager
    async def running(self, provider: LedgerProvider) -> AsyncIterator[Runner]:
        """A runner as the daemon would have it, which ends in REFINE's place, after SLICE."""
        self.bus.attach()
        (self.home / "work").mkdir(exist_ok=True)
        stages: dict[Stage, StageFunction] = {
            Stage.ANIMATE: partial(animate, self.database, self.assets, {"ledger": provider}, self.home / "work"),
            Stage.SLICE: self.slice_nothing,
        }
        runner = Runner(self.database, self.bus, stages, LANES)
        runner.start()
        try:
            yield runner
        finally:
            await runner.close()

    async def slice_nothing(self, work: Work) -> Finish:
        """Stands for all that follows: hangs for `hang`, stumbles for `stumble`, else notes that it was here."""
        if work.emoji.action == "hang":
            await asyncio.Event().wait()
        if work.emoji.action == "stumble":
            raise ZeroDivisionError("a bug of ours")
        self.sliced.append(work.emoji.action)
        return lambda _connection: None

    async def until(self, pack: Pack, reached: Callable[[dict[str, Emoji]], bool]) -> dict[str, Emoji]:
        """The pack's emojis by action, once they have got there."""
        async with asyncio.timeout(30):
            while True:
                now = await self.database.read(partial(packs.get, pack_id=pack.id))
                by_action = {emoji.action: emoji for emoji in now.emojis}
                if reached(by_action):
                    return by_action
                await asyncio.sleep(0.01)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A new home."""
    house = House(tmp_path)
    yield house
    house.database.close()


def all_at(*statuses: Status) -> Callable[[dict[str, Emoji]], bool]:
    """Whether every emoji has one of these statuses."""
    return lambda by_action: all(emoji.status in statuses for emoji in by_action.values())


async def test_each_emoji_fails_alone_and_says_why(house: House) -> None:
    provider = LedgerProvider(refusals={"angry": "Not that one."}, failures={"cry": "It rained."})
    pack = await house.pack_of("wave", "angry", "cry", "stumble", "jump")
    async with house.running(provider):
        ended = await house.until(pack, all_at(Status.FAILED, Status.SEGMENTING))
    problems = {name: emoji.problem.message for name, emoji in ended.items() if emoji.problem}
    assert set(problems) == {"angry", "cry", "stumble"}
    assert (problems["angry"], problems["cry"]) == ("Not that one.", "It rained.")
    assert "ZeroDivisionError" in problems["stumble"]
    assert sorted(house.sliced) == ["jump", "wave"]
    assert ended["wave"].stage is Stage.SEGMENT
    assert ended["stumble"].stage is Stage.SLICE


async def test_a_restart_asks_for_the_old_task_and_submits_nothing_anew(house: House) -> None:
    provider = LedgerProvider(checks_until_ready=10**9)
    pack = await house.pack_of("wave")
    async with house.running(provider):
        async with asyncio.timeout(30):
            while sum(provider.checks.values()) < 3:
                await asyncio.sleep(0.01)
    assert provider.cancelled == []
    provider.checks_until_ready = 0
    async with house.running(provider):
        await house.until(pack, all_at(Status.SEGMENTING))
    assert provider.ledger == ["wave"]


async def test_a_task_that_the_provider_has_forgotten_is_asked_for_anew(house: House) -> None:
    pack = await house.pack_of("wave")
    await house.database.write(partial(transitions.claim, kind=Stage.ANIMATE))
    await house.database.write(_with_task("wave-77"))
    await house.database.write(jobs.recover)
    provider = LedgerProvider()
    async with house.running(provider):
        await house.until(pack, all_at(Status.SEGMENTING))
    assert provider.ledger == ["wave"]


def _with_task(task: str) -> Callable[[Connection], None]:
    return lambda connection: _ignore(connection.execute("UPDATE job SET remote_task = ?", (f'"{task}"',)))


def _ignore(_value: object) -> None:
    """For statements in a lambda."""


async def test_a_cancelled_emoji_stops_its_stage_and_the_others_go_on(house: House) -> None:
    provider = LedgerProvider()
    pack = await house.pack_of("hang", "wave")
    async with house.running(provider) as runner:
        at = await house.until(pack, lambda emojis: emojis["hang"].status is Status.EXTRACTING_FRAMES)
        await house.database.write(partial(transitions.cancel, emoji_id=at["hang"].id))
        runner.stop(at["hang"].id)
        ended = await house.until(pack, all_at(Status.CANCELLED, Status.SEGMENTING))
        assert ended["hang"].status is Status.CANCELLED
        await house.database.write(partial(transitions.enqueue, emoji_id=at["hang"].id, stage=Stage.SLICE))
        await house.until(pack, lambda emojis: emojis["hang"].status is Status.EXTRACTING_FRAMES)


async def test_cancelling_while_a_clip_is_made_tells_the_provider(house: House) -> None:
    provider = LedgerProvider(checks_until_ready=10**9)
    pack = await house.pack_of("wave")
    async with house.running(provider) as runner:
        async with asyncio.timeout(30):
            while sum(provider.checks.values()) < 2:
                await asyncio.sleep(0.01)
        await house.database.write(partial(transitions.cancel, emoji_id=pack.emojis[0].id))
        runner.stop(pack.emojis[0].id)
        async with asyncio.timeout(30):
            while not provider.cancelled:
                await asyncio.sleep(0.01)
    assert provider.cancelled == ["wave-1"]


async def test_closing_gives_running_work_back(house: House) -> None:
    pack = await house.pack_of("hang")
    async with house.running(LedgerProvider()):
        await house.until(pack, all_at(Status.EXTRACTING_FRAMES))
    job = await house.database.write(partial(jobs.claim, kind=Stage.SLICE))
    assert job is not None
    assert job.attempt == 2


async def test_a_job_of_a_deleted_pack_ends_quietly(house: House) -> None:
    pack = await house.pack_of("hang", "wave")
    async with house.running(LedgerProvider()) as runner:
        at = await house.until(pack, lambda emojis: emojis["hang"].status is Status.EXTRACTING_FRAMES)
        await house.database.write(partial(packs.remove, pack_id=pack.id))
        runner.stop(at["hang"].id)
        other = await house.pack_of("jump")
        await house.until(other, all_at(Status.SEGMENTING))
    assert await house.database.read(_emoji_count) == 1


def _emoji_count(connection: Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM emoji").fetchone()[0])

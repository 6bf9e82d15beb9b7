"""Housekeeping: what nothing refers to goes while the daemon lives, and what somebody is about to name stays."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from popcond.assets import Assets
from popcond.errors import NotFound
from popcond.housekeeping import Housekeeping
from popcond.store import characters
from popcond.store.db import Connection, Database
from popcond.store.migrations import migrate
from tests.data import a_character, its_files


class House:
    """A home with rows and files, and its housekeeping."""

    def __init__(self, home: Path) -> None:
        migrate(home / "popcon.db")
        self.database = Database(home / "popcon.db")
        self.assets = Assets(home / "assets")
        self.keeping = Housekeeping(self.database, self.assets, period=3600, pause=0)

    async def name(self, *assets: str) -> str:
        """A row that refers to these assets; answers its id."""
        character, files = a_character(), its_files(assets[0], assets[-1])
        await self.database.write(partial(characters.add, character=character, files=files))
        return character.id

    async def forget(self, character_id: str) -> None:
        """The row goes."""
        await self.database.write(partial(characters.remove, character_id=character_id))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """An empty home."""
    house = House(tmp_path)
    yield house
    await house.keeping.close()
    house.database.close()


async def test_what_no_row_names_goes_and_the_rest_stays(house: House) -> None:
    named, unnamed = house.assets.put(b"named"), house.assets.put(b"unnamed")
    row = await house.name(named)
    assert (await house.keeping.tidy()).deleted == 1
    assert house.assets.read(named) == b"named"
    with pytest.raises(NotFound):
        house.assets.read(unnamed)
    await house.forget(row)
    assert (await house.keeping.tidy()).deleted == 1
    assert not house.assets.is_kept(named)


async def test_a_file_that_is_about_to_be_named_stays(house: House) -> None:
    old = house.assets.put(b"lay there already")
    async with house.keeping.at_work():
        new = house.assets.put(b"has just been put")
        tidying = asyncio.create_task(house.keeping.tidy())
        await until_set_apart(house, old, new)
        assert house.assets.put(b"lay there already") == old
        assert not tidying.done()
        await house.name(old, new)
    await tidying
    assert house.assets.read(old) == b"lay there already"
    assert house.assets.read(new) == b"has just been put"


async def test_a_tidy_ends_though_there_is_always_somebody_at_work(house: House) -> None:
    unnamed = house.assets.put(b"unnamed")
    tidying = asyncio.create_task(house.keeping.tidy())
    async with AsyncExitStack() as before:
        await before.enter_async_context(house.keeping.at_work())
        await until_set_apart(house, unnamed)
        async with asyncio.timeout(30):
            while not tidying.done():
                async with AsyncExitStack() as newcomer:
                    await newcomer.enter_async_context(house.keeping.at_work())
                    await before.aclose()
                    await asyncio.sleep(0.005)
                    before = newcomer.pop_all()
        await before.aclose()
    assert (await tidying).deleted == 1


async def until_set_apart(house: House, *names: str) -> None:
    """The first half of a tidy is over."""
    async with asyncio.timeout(30):
        while any(house.assets.is_kept(name) for name in names):
            await asyncio.sleep(0.001)


async def test_drafts_of_the_dead_go_and_those_of_the_living_stay(house: House) -> None:
    dead = house.assets.folder / ".draft-1-dead"
    dead.parent.mkdir()
    dead.write_bytes(b"half")
    async with house.keeping.at_work():
        tidying = asyncio.create_task(house.keeping.tidy())
        marker = house.assets.put(b"a sign that the first half is over")
        await until_set_apart(house, marker)
        living = house.assets.folder / ".draft-2-living"
        living.write_bytes(b"half")
        assert dead.exists()
    await tidying
    assert not dead.exists()
    assert living.exists()


async def test_a_start_clears_away_what_a_dead_daemon_left(house: House) -> None:
    house.assets.folder.mkdir()
    (house.assets.folder / ".draft-1-dead").write_bytes(b"half")
    named, unnamed = house.assets.put(b"named"), house.assets.put(b"unnamed")
    await house.name(named)
    house.assets.set_apart(named[:2], ())  # killed in the middle of a tidy
    await house.keeping.start()
    assert house.assets.drafts() == ()
    async with asyncio.timeout(30):
        while house.assets.is_kept(unnamed) or not house.assets.is_kept(named):
            await asyncio.sleep(0.005)


async def test_a_deletion_is_tidied_after_soon_and_not_in_an_hour(house: House) -> None:
    name = house.assets.put(b"deleted")
    row = await house.name(name)
    await house.keeping.start()
    await house.forget(row)
    house.keeping.soon()
    async with asyncio.timeout(30):
        while house.assets.is_kept(name) or any(path.is_file() for path in house.assets.folder.rglob(name)):
            await asyncio.sleep(0.005)


async def test_a_tidy_that_fails_does_not_end_the_tidying(house: House) -> None:
    name = house.assets.put(b"deleted")
    blocking = house.assets.folder / ".unwanted"
    blocking.write_text("a file where a folder should be")
    await house.keeping.start()
    house.keeping.soon()
    await asyncio.sleep(0)
    blocking.unlink()
    async with asyncio.timeout(30):
        while house.assets.is_kept(name):
            house.keeping.soon()
            await asyncio.sleep(0.01)


async def test_a_damaged_copy_stays_until_its_asset_is_whole_again_or_nobody_misses_it(house: House) -> None:
    name = house.assets.put(b"a drawing")
    row = await house.name(name)
    house.assets.path(name).write_bytes(b"a drowning")
    with pytest.raises(NotFound):
        house.assets.read(name)
    await house.keeping.tidy()
    assert house.assets.damaged() == (name,)
    house.assets.put(b"a drawing")
    await house.keeping.tidy()
    assert house.assets.damaged() == ()
    house.assets.path(name).write_bytes(b"a drowning")
    with pytest.raises(NotFound):
        house.assets.read(name)
    await house.forget(row)
    await house.keeping.tidy()
    assert house.assets.damaged() == ()


async def test_old_answers_and_events_go(house: House) -> None:
    def answer(connection: Connection) -> None:
        rows = [(key, "digest", "pack", at) for key, at in (("old", 1.0), ("future", 4e9))]
        connection.executemany("INSERT INTO answered(key, digest, pack_id, at) VALUES (?, ?, ?, ?)", rows)

    await house.database.write(answer)
    await house.keeping.tidy()
    kept = await house.database.read(lambda connection: connection.execute("SELECT key FROM answered").fetchall())
    assert [row["key"] for row in kept] == ["future"]


async def test_whatever_order_things_happen_in_a_named_file_is_there(house: House) -> None:
    """Twenty workers put a few shared files, name them, forget them, while tidies follow each other without a pause."""
    chance = random.Random(7)
    living: dict[str, bytes] = {}

    async def work() -> None:
        for _ in range(12):
            data = b"shared-%d" % chance.randrange(6)
            async with house.keeping.at_work():
                name = await asyncio.to_thread(house.assets.put, data)
                await asyncio.sleep(chance.random() / 100)
                row = await house.name(name)
            living[row] = data
            await asyncio.sleep(chance.random() / 100)
            assert await asyncio.to_thread(house.assets.read, name) == data
            if chance.random() < 0.9:
                await house.forget(row)
                del living[row]

    workers = asyncio.gather(*(work() for _ in range(20)))
    tidies = 0
    while not workers.done():
        await house.keeping.tidy()
        tidies += 1
    await workers
    assert tidies > 1
    await house.keeping.tidy()
    on_disk = {path.read_bytes() for path in house.assets.folder.rglob("*") if path.is_file()}
    assert on_disk == set(living.values())

"""The one writer, the readers, and what a commit promises."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from popcond.errors import HomeUnusable, OutOfDisk
from popcond.store.db import Database, connect
from popcond.store.migrations import migrate


def _names(connection: sqlite3.Connection) -> list[str]:
    return [row["name"] for row in connection.execute("SELECT name FROM thing ORDER BY name")]


def _add(name: str, connection: sqlite3.Connection) -> str:
    connection.execute("INSERT INTO thing VALUES (?)", (name,))
    if name.startswith("bad"):
        raise ValueError(name)
    return name


@pytest.fixture
async def things(database: Database) -> Database:
    """A database with a table of its own to play with."""
    await database.write(lambda connection: connection.execute("CREATE TABLE thing(name TEXT)"))
    return database


async def test_a_write_answers_and_a_read_sees_it(things: Database) -> None:
    assert await things.write(lambda connection: _add("one", connection)) == "one"
    assert await things.read(_names) == ["one"]


async def test_writes_that_share_a_commit_fail_alone(things: Database) -> None:
    names = [f"{'bad' if number % 3 == 0 else 'good'}-{number:03}" for number in range(60)]
    answers = await asyncio.gather(
        *(things.write(lambda connection, name=name: _add(name, connection)) for name in names),  # type: ignore[misc]
        return_exceptions=True,
    )
    good = [name for name in names if name.startswith("good")]
    assert [answer for answer in answers if isinstance(answer, str)] == good
    assert sum(isinstance(answer, ValueError) for answer in answers) == 20
    assert await things.read(_names) == good


async def test_a_cancelled_caller_does_not_undo_a_commit(things: Database) -> None:
    writing = asyncio.create_task(things.write(lambda connection: _add("late", connection)))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await things.write(lambda connection: _add("later", connection))
    assert await things.read(_names) == ["late", "later"]


async def test_a_reader_cannot_write(things: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await things.read(lambda connection: _add("sneaky", connection))


async def test_every_commit_is_told(tmp_path: Path) -> None:
    told: list[int] = []
    migrate(tmp_path / "popcon.db")
    database = Database(tmp_path / "popcon.db", committed=lambda: told.append(1))
    await database.write(lambda connection: connection.execute("CREATE TABLE thing(name TEXT)"))
    database.close()
    assert told


async def test_a_full_database_is_a_sentence_with_its_cure_and_harms_nothing(things: Database) -> None:
    def fill(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        for _ in range(2000):
            _add("x" * 4000, connection)

    with pytest.raises(OutOfDisk, match="disk is full"):
        await things.write(fill)
    await things.write(lambda connection: connection.execute("PRAGMA max_page_count = 100000"))
    assert await things.read(_names) == []


def test_migrating_twice_is_a_noop(tmp_path: Path) -> None:
    path = tmp_path / "popcon.db"
    migrate(path)
    before = connect(path).execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    migrate(path)
    after = connect(path).execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    assert [row["sql"] for row in before] == [row["sql"] for row in after]
    assert not (tmp_path / "popcon.db.before-update").exists()


def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "popcon.db"
    migrate(path)
    connection = connect(path)
    connection.execute("INSERT INTO _sqlite_migrations VALUES (?, 'popcon', 'm999_from_the_future', '2030')", (999,))
    connection.close()
    with pytest.raises(HomeUnusable, match="m999_from_the_future") as caught:
        migrate(path)
    assert caught.value.code == "home_too_new"


def test_a_file_that_is_no_database_is_a_sentence_with_its_cure(tmp_path: Path) -> None:
    path = tmp_path / "popcon.db"
    path.write_bytes(b"this is a diary, not a database" * 100)
    with pytest.raises(HomeUnusable, match="cannot be opened") as caught:
        migrate(path)
    assert caught.value.cure

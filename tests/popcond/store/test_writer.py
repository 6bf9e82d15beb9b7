"""The writer thread: it outlives every error, ends cleanly, and loses nothing that it acknowledged."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from popcond.errors import HomeUnusable, OutOfDisk, Stopping, StorageFailed
from popcond.store.db import Connection, Database, connect
from popcond.store.integrity import foreign_key_check, integrity_check
from popcond.store.migrations import migrate
from popcond.store.writer import Writer


def make_things(connection: Connection) -> None:
    """A table to play with."""
    connection.execute("CREATE TABLE IF NOT EXISTS thing(name TEXT)")


def add(name: str, connection: Connection) -> str:
    """One row."""
    connection.execute("INSERT INTO thing VALUES (?)", (name,))
    return name


def names(connection: Connection) -> list[str]:
    """All rows."""
    return [row["name"] for row in connection.execute("SELECT name FROM thing ORDER BY rowid")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with the table in it."""
    path = tmp_path / "popcon.db"
    with closing(connect(path)) as connection:
        make_things(connection)
    return path


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    """It, open."""
    database = Database(path)
    yield database
    database.close()


def raise_it(error: BaseException, _connection: Connection) -> None:
    """What a transaction may do at worst."""
    raise error


def end_the_commit(connection: Connection) -> None:
    """What no transaction may do."""
    connection.execute("COMMIT")


@pytest.mark.parametrize("error", [ValueError("a bug"), MemoryError(), SystemExit(3), KeyboardInterrupt()])
def test_whatever_a_transaction_raises_the_next_one_is_written(path: Path, error: BaseException) -> None:
    writer = Writer(path, partial(connect, path), lambda: None)
    assert writer.add(partial(raise_it, error)).exception(timeout=30) is error
    assert writer.add(partial(add, "next")).result(timeout=30) == "next"
    writer.close()


async def test_a_transaction_that_ends_the_shared_commit_is_told_so(database: Database) -> None:
    with pytest.raises(sqlite3.ProgrammingError, match="ended the commit"):
        await database.write(end_the_commit)
    assert await database.write(partial(add, "next")) == "next"


async def test_an_error_in_telling_of_a_commit_does_not_end_the_writing(path: Path) -> None:
    def tell() -> None:
        raise RuntimeError("nobody listens")

    database = Database(path, committed=tell)
    assert await database.write(partial(add, "one")) == "one"
    assert await database.write(partial(add, "two")) == "two"
    database.close()


async def test_a_database_that_another_program_holds_is_told_and_then_written(path: Path) -> None:
    def impatient() -> Connection:
        connection = connect(path)
        connection.execute("PRAGMA busy_timeout=20")
        return connection

    writer = Writer(path, impatient, lambda: None)
    with closing(connect(path)) as stranger:
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageFailed, match="Another program") as caught:
            await asyncio.wrap_future(writer.add(partial(add, "early")))
        assert caught.value.code == "database_busy"
        stranger.execute("ROLLBACK")
    assert await asyncio.wrap_future(writer.add(partial(add, "late"))) == "late"
    writer.close()


async def test_a_file_that_cannot_be_opened_fails_every_write_and_hangs_none(tmp_path: Path) -> None:
    database = Database(tmp_path / "nowhere" / "popcon.db")
    for _ in range(2):
        with pytest.raises(StorageFailed, match="cannot be written"):
            await database.write(make_things)
    with pytest.raises(StorageFailed):
        await database.read(names)
    (tmp_path / "nowhere").mkdir()
    await database.write(make_things)
    assert await database.write(partial(add, "at last")) == "at last"
    database.close()


async def test_a_damaged_file_is_a_sentence_for_readers_and_writers(path: Path) -> None:
    with closing(connect(path)) as connection:
        connection.executemany("INSERT INTO thing VALUES (?)", [("x" * 500,) for _ in range(200)])
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(20 * 4096))
    database = Database(path)
    for asked in (database.read(names), database.write(names)):
        with pytest.raises(HomeUnusable, match="cannot be opened") as caught:
            await asked
        assert caught.value.code == "database_damaged"
        assert caught.value.cure
    database.close()
    with closing(connect(path, read_only=True)) as connection:
        assert integrity_check(connection)


async def test_what_comes_after_the_end_is_told_at_once(database: Database) -> None:
    database.close()
    with pytest.raises(Stopping):
        await database.write(partial(add, "late"))
    with pytest.raises(Stopping):
        await database.read(names)
    database.close()


async def test_what_was_queued_before_the_end_is_written(path: Path) -> None:
    database = Database(path)
    waiting = [asyncio.ensure_future(database.write(partial(add, str(number)))) for number in range(600)]
    await asyncio.sleep(0)
    await asyncio.to_thread(database.close)
    assert [await each for each in waiting] == [str(number) for number in range(600)]
    with closing(connect(path, read_only=True)) as connection:
        assert names(connection) == [str(number) for number in range(600)]


async def test_an_idle_writer_folds_its_log_into_the_database(path: Path) -> None:
    wal = path.with_name(f"{path.name}-wal")
    writer = Writer(path, partial(connect, path), lambda: None, idle=0.05)
    await asyncio.wrap_future(writer.add(partial(add, "x" * 100_000)))
    async with asyncio.timeout(30):
        while wal.stat().st_size:
            await asyncio.sleep(0.01)
    await asyncio.wrap_future(writer.add(partial(add, "more")))
    writer.close()
    assert not wal.exists()  # nothing is left for the next start to recover


async def test_a_reader_in_the_middle_does_not_hold_the_writer_up(path: Path) -> None:
    wal = path.with_name(f"{path.name}-wal")
    writer = Writer(path, partial(connect, path), lambda: None, idle=0.01)
    with closing(connect(path, read_only=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM thing").fetchone()
        for number in range(5):
            await asyncio.wrap_future(writer.add(partial(add, str(number))))
            await asyncio.sleep(0.03)
        assert wal.stat().st_size
        reader.execute("COMMIT")
    async with asyncio.timeout(30):
        while wal.stat().st_size:
            await asyncio.sleep(0.01)
    writer.close()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)],
)
def test_a_commit_is_on_disk_when_it_is_told(path: Path, pragma: str, value: str | int) -> None:
    """No kill shows what only a power cut would."""
    with closing(connect(path)) as connection:
        assert connection.execute(f"PRAGMA {pragma}").fetchone()[0] == value


def test_a_log_that_grew_is_cut_after_the_burst(path: Path) -> None:
    with closing(connect(path)) as connection:
        assert 0 < connection.execute("PRAGMA journal_size_limit").fetchone()[0] <= 64 << 20


FILL = """
import asyncio, resource, sys
from functools import partial
from pathlib import Path
from popcond.errors import OutOfDisk
from popcond.store.db import Database
from tests.popcond.store.test_writer import add

async def main(path, size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    database = Database(path)
    for number in range(100_000):
        batch = [database.write(partial(add, f"{number}-{part}-" + "x" * 3000)) for part in range(8)]
        answers = await asyncio.gather(*batch, return_exceptions=True)
        for answer in answers:
            if isinstance(answer, str):
                print(answer.rpartition("-")[0], flush=True)
            else:
                print(type(answer).__name__, file=sys.stderr, flush=True)
        if any(not isinstance(answer, str) for answer in answers):
            break
    await asyncio.to_thread(database.close)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


def test_a_disk_that_fills_in_the_middle_of_a_commit_loses_nothing_that_was_acknowledged(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(path), str(300_000)], capture_output=True, text=True, timeout=60, check=True
    )
    acknowledged = done.stdout.split()
    assert acknowledged
    assert set(done.stderr.split()) == {OutOfDisk.__name__}
    with closing(connect(path)) as connection:
        kept = {name.rpartition("-")[0] for name in names(connection)}
        assert integrity_check(connection) == []
    assert kept == set(acknowledged)


WRITE = """
import asyncio, sys
from functools import partial
from pathlib import Path
from popcond.store.db import Database
from tests.popcond.store.test_writer import add

async def write(database, caller):
    for number in range(1_000_000):
        print(await database.write(partial(add, f"{caller}-{number}")), flush=True)

async def main(path):
    database = Database(path)
    await asyncio.gather(*(write(database, caller) for caller in range(8)))

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("after", [1, 60, 333])
def test_a_kill_at_any_instant_loses_nothing_that_was_acknowledged(path: Path, after: int) -> None:
    told: list[str] = []
    with subprocess.Popen([sys.executable, "-c", WRITE, str(path)], stdout=subprocess.PIPE, text=True) as writing:
        assert writing.stdout is not None
        while len(told) < after:
            told.append(writing.stdout.readline().strip())
        writing.send_signal(signal.SIGKILL)
        told += [line.strip() for line in writing.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    with closing(connect(path)) as connection:
        kept = names(connection)
        assert integrity_check(connection) == []
        assert foreign_key_check(connection) == []
    assert set(told) <= set(kept)
    assert len(kept) == len(set(kept))


def test_dangling_rows_are_found(tmp_path: Path) -> None:
    path = tmp_path / "popcon.db"
    migrate(path)
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(
            "INSERT INTO take(id, emoji_id, provider, motion_prompt, clip, exact_loop, created)"
            " VALUES ('t', 'nobody', 'puppet', '', ?, 0, 0)",
            ("0" * 64,),
        )
        assert foreign_key_check(connection) == ["row 1 of take names a emoji that is not there"]


def test_the_database_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "popcon.db"
    migrate(path)
    with closing(connect(path)) as connection:
        make_things(connection)
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.glob("popcon.db*")}
    assert len(modes) > 1
    assert set(modes.values()) == {0o600}

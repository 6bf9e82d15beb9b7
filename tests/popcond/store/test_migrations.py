"""Bringing an older database up to date: copied first, whole or not at all, and never a newer one."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database as Tables

from popcond.errors import HomeUnusable, OutOfDisk
from popcond.store.db import connect
from popcond.store.integrity import foreign_key_check, integrity_check
from popcond.store.migrations import migrate, schema, schema_known, schema_of

FIRST, SECOND = schema_known()[:2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of the first schema, with a character in it."""
    path = tmp_path / "popcon.db"
    with closing(connect(path)) as connection:
        schema.apply(Tables(connection), stop_before=SECOND)
        connection.execute(
            "INSERT INTO character VALUES ('c', 'Pip', 1, 1, 'auto', 'alpha', 1, '[]', 'p', 'image/png', 'q', 0)"
        )
    return path


def held_by(path: Path) -> tuple[str, ...]:
    """The steps in a file."""
    with closing(connect(path, read_only=True)) as connection:
        return schema_of(connection)


def characters_in(path: Path) -> list[str]:
    """Their names."""
    with closing(connect(path, read_only=True)) as connection:
        return [row["name"] for row in connection.execute("SELECT name FROM character")]


def test_an_update_leaves_a_copy_named_by_the_schema_that_it_holds(path: Path) -> None:
    migrate(path)
    copy = path.with_name(f"popcon.db.backup-{FIRST}")
    assert held_by(path) == schema_known()
    assert held_by(copy) == (FIRST,)
    assert characters_in(copy) == characters_in(path) == ["Pip"]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in path.parent.iterdir() if "wal" not in file.name and "shm" not in file.name) == [
        "popcon.db",
        copy.name,
    ]


def test_a_copy_can_be_put_back_and_updated_again(path: Path) -> None:
    migrate(path)
    path.with_name(f"popcon.db.backup-{FIRST}").replace(path)
    migrate(path)
    assert held_by(path) == schema_known()
    assert characters_in(path) == ["Pip"]


def test_the_three_newest_copies_stay_and_nothing_of_anybody_else_goes(path: Path) -> None:
    old = [path.with_name(f"popcon.db.backup-m00{number}_old") for number in range(4)]
    for age, copy in enumerate(old):
        copy.write_bytes(b"older")
        os.utime(copy, (1000 - age, 1000 - age))
    mine = path.with_name("popcon.db.my-own-backup")
    mine.write_bytes(b"mine")
    migrate(path)
    assert [copy.exists() for copy in old] == [True, True, False, False]
    assert path.with_name(f"popcon.db.backup-{FIRST}").exists()
    assert mine.read_bytes() == b"mine"


def test_a_damaged_database_is_not_changed(path: Path) -> None:
    with closing(connect(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'pack_character'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(os.urandom(size))
    with pytest.raises(HomeUnusable) as caught:
        migrate(path)
    assert caught.value.code == "database_damaged"
    assert caught.value.cure
    assert held_by(path) == (FIRST,)
    assert [file.name for file in path.parent.iterdir() if "backup" in file.name] == []


def test_a_file_that_may_not_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(HomeUnusable, match="cannot be made"):
        migrate(tmp_path / "file" / "popcon.db")


KILL_AT = """
import os, signal, sys
from pathlib import Path
import sqlite3
from popcond.store import migrations

path, kill_at, seen = Path(sys.argv[1]), int(sys.argv[2]), 0

def die(statement):
    global seen
    seen += 1
    if seen == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)

def connect(path, **how):
    connection = plain(path, **how)
    connection.set_trace_callback(die)
    return connection

plain, migrations.connect = migrations.connect, connect
migrations.migrate(path)
print(seen)
"""


def update_killed_at(path: Path, statement: int) -> str | None:
    """An update in a process of its own, killed before that statement; what it said, or None when it was killed."""
    done = subprocess.run(
        [sys.executable, "-c", KILL_AT, str(path), str(statement)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode in (0, -9), done.stderr
    return done.stdout if done.returncode == 0 else None


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_an_update_that_was_killed_anywhere_is_finished_by_the_next_start(path: Path, share: float) -> None:
    whole = path.read_bytes()
    statements = int(update_killed_at(path, 0) or 0)
    path.write_bytes(whole)
    assert update_killed_at(path, max(1, int(statements * share))) is None
    with closing(connect(path)) as connection:
        assert integrity_check(connection) == []
        assert schema_of(connection) == schema_known()[: len(schema_of(connection))]
    migrate(path)
    assert held_by(path) == schema_known()
    assert characters_in(path) == ["Pip"]
    with closing(connect(path)) as connection:
        assert foreign_key_check(connection) == []
    assert not [file for file in path.parent.iterdir() if file.name.startswith(".")]


def test_no_room_for_the_copy_is_a_sentence_and_changes_nothing(path: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("no small disk can be mounted here")
    try:
        narrow = small / "popcon.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("CREATE TABLE ballast(bytes)")
            connection.execute("INSERT INTO ballast VALUES (zeroblob(120000))")
            connection.commit()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        narrow.write_bytes(path.read_bytes())
        with pytest.raises(OutOfDisk, match="no room for the copy") as caught:
            migrate(narrow)
        assert caught.value.cure
        assert held_by(narrow) == (FIRST,)
        assert not [file for file in small.iterdir() if "backup" in file.name]
    finally:
        subprocess.run(["umount", str(small)], check=True)

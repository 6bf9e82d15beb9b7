"""The schema, as the steps that built it. A step that has landed is never edited: a change is a new step.

Opening a newer database is refused, and an older one is copied before it is changed: the copy is checked, synced, and
named by the newest step that it holds. A kill at any instant leaves a database between two whole steps.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from sqlite_utils import Database as Tables
from sqlite_utils import Migrations

from popcond.errors import HomeUnusable, OutOfDisk, PopconError
from popcond.store.db import connect
from popcond.store.faults import backup_names, damaged, translated
from popcond.store.integrity import quick_check
from popcond.store.m001_core import m001_core
from popcond.store.m002_queue import m002_queue
from popcond.store.m003_purchases import m003_purchases
from popcond.store.m004_drawings import m004_drawings
from popcond.store.m005_edits import m005_edits

schema = Migrations("popcon")

_STEPS = (m001_core, m002_queue, m003_purchases, m004_drawings, m005_edits)
_COPIES_KEPT = 3
_PRIVATE = 0o600


for step in _STEPS:
    schema()(step)


def schema_known() -> tuple[str, ...]:
    """The names of this program's steps, the oldest first."""
    return tuple(step.__name__ for step in _STEPS)


def schema_of(connection: sqlite3.Connection) -> tuple[str, ...]:
    """The names of the steps that a database holds, in their order; none when it is new."""
    return tuple(step.name for step in schema.applied(Tables(connection)))


def migrate(path: Path) -> None:
    """Bring the file to this program's schema, keeping a copy of an older one. Raises HomeUnusable and OutOfDisk."""
    try:
        path.touch(mode=_PRIVATE)  # SQLite gives its other files the mode of this one
        path.chmod(_PRIVATE)
        with contextlib.closing(connect(path)) as connection:
            _migrate(path, connection)
    except OSError as error:
        raise HomeUnusable(
            f"The database {path} cannot be made or changed: {error.strerror}.",
            cure="Make the file and its folder writable for you, or choose another with --home.",
        ) from error
    except sqlite3.DatabaseError as error:
        said = translated(error, path)
        raise said if isinstance(said, PopconError) else damaged(path, error) from error


def _migrate(path: Path, connection: sqlite3.Connection) -> None:
    tables = Tables(connection)
    held = schema_of(connection)
    if strange := set(held) - set(schema_known()):
        raise HomeUnusable(
            f"{path} was written by a newer PopCon ({', '.join(sorted(strange))}).",
            cure="Update PopCon, or choose another folder with --home.",
            code="home_too_new",
        )
    if held and schema.pending(tables):
        _back_up(path, connection, held[-1])
    schema.apply(tables)


def _back_up(path: Path, connection: sqlite3.Connection, newest_step: str) -> None:
    """A whole copy beside the file, or none. Raises OutOfDisk and HomeUnusable; then nothing has been changed."""
    copy = path.with_name(backup_names(path).replace("*", newest_step))
    draft = copy.with_name(f".{copy.name}.draft")
    draft.unlink(missing_ok=True)
    _refuse_without_room(path)
    _refuse_damage(connection)
    try:
        connection.execute("VACUUM INTO ?", (str(draft),))
        draft.chmod(_PRIVATE)
        with contextlib.closing(connect(draft, read_only=True)) as reopened:
            _refuse_damage(reopened)
        _sync(draft)
        draft.replace(copy)
        _sync(copy.parent)
    finally:
        draft.unlink(missing_ok=True)
    _forget_old_copies(path)


def _refuse_without_room(path: Path) -> None:
    disk, size = os.statvfs(path.parent), path.stat().st_size
    if disk.f_bavail * disk.f_frsize < 2 * size:  # the copy, and the update itself
        raise OutOfDisk(
            f"The database must be copied before it is updated, and there is no room for the copy ({size >> 20} MiB).",
            cure=f"Free {(2 * size >> 20) + 1} MiB on the disk of {path.parent}, then start again.",
        )


def _refuse_damage(connection: sqlite3.Connection) -> None:
    """What is damaged is neither copied nor changed, and a copy that cannot be read is none. Raises HomeUnusable."""
    wrong = quick_check(connection)
    if wrong:
        raise HomeUnusable(
            f"The database is damaged and cannot be updated: {wrong[0].splitlines()[0]}.",
            cure="`popcond doctor` says what is wrong with it. Restore a copy of it, or move it away.",
            code="database_damaged",
        )


def _forget_old_copies(path: Path) -> None:
    """Only copies of ours: `*` stands for the name of a step."""
    copies = [copy for copy in path.parent.glob(backup_names(path)) if copy.is_file() and not copy.is_symlink()]
    copies.sort(key=lambda copy: copy.stat().st_mtime, reverse=True)
    for copy in copies[_COPIES_KEPT:]:
        copy.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

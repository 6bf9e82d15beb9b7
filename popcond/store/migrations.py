"""The schema, as the steps that built it. A step that has landed is never edited: a change is a new step.

Opening a newer database is refused, and the file is copied before an older one is changed.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlite_utils import Database as Tables
from sqlite_utils import Migrations

from popcond.errors import HomeUnusable
from popcond.store.db import connect
from popcond.store.m001_core import m001_core
from popcond.store.m002_queue import m002_queue
from popcond.store.m003_purchases import m003_purchases

schema = Migrations("popcon")


for step in (m001_core, m002_queue, m003_purchases):
    schema()(step)


def migrate(path: Path) -> None:
    """Bring the file to this program's schema, keeping a copy of an older one. Raises HomeUnusable."""
    try:
        connection = connect(path)
    except sqlite3.Error as error:
        raise _damaged(path, error) from error
    try:
        _migrate(path, connection)
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from error
    finally:
        connection.close()


def _migrate(path: Path, connection: sqlite3.Connection) -> None:
    tables = Tables(connection)
    applied = {step.name for step in schema.applied(tables)}
    known = {step.name for step in schema.pending(tables)} | {step.name for step in schema._migrations}
    if applied - known:
        raise HomeUnusable(
            f"{path} was written by a newer PopCon ({', '.join(sorted(applied - known))}).",
            cure="Update PopCon, or choose another folder with --home.",
            code="home_too_new",
        )
    pending = schema.pending(tables)
    if applied and pending:
        _back_up(path, connection)
    schema.apply(tables)


def _back_up(path: Path, connection: sqlite3.Connection) -> None:
    copy = path.with_name(f"{path.name}.before-update")
    copy.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(copy),))


def _damaged(path: Path, error: Exception) -> HomeUnusable:
    return HomeUnusable(
        f"The database {path} cannot be opened: {error}.",
        cure="Move it away (a new one is made), or restore a copy of it.",
        code="database_damaged",
    )

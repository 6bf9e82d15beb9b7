"""Whether a database is what it should be: questions for `popcond doctor`, for backups and for crash tests.

Each answers with what is wrong, in SQLite's words, and with nothing when all is well.
"""

from __future__ import annotations

import sqlite3

_MOST = 20  # findings; the first ones tell enough
_LEAST_LIBRARY = (3, 37, 0)  # STRICT tables


def quick_check(connection: sqlite3.Connection) -> list[str]:
    """Pages, rows and their order, without comparing indexes to their tables."""
    return _found(connection, f"PRAGMA quick_check({_MOST})")


def integrity_check(connection: sqlite3.Connection) -> list[str]:
    """Everything that SQLite can check by itself; reads the whole file."""
    return _found(connection, f"PRAGMA integrity_check({_MOST})")


def foreign_key_check(connection: sqlite3.Connection) -> list[str]:
    """Rows that name a row which is not there."""
    rows = connection.execute("PRAGMA foreign_key_check").fetchmany(_MOST)
    return [f"row {row['rowid']} of {row['table']} names a {row['parent']} that is not there" for row in rows]


def library() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The version of SQLite in use, and the least that will do."""
    return sqlite3.sqlite_version_info, _LEAST_LIBRARY


def newest_moment(connection: sqlite3.Connection) -> float | None:
    """When the newest event was written down, in seconds since the epoch; None before the first."""
    row = connection.execute("SELECT max(at) AS at FROM event").fetchone()
    return None if row["at"] is None else float(row["at"])


def _found(connection: sqlite3.Connection, pragma: str) -> list[str]:
    try:
        said = [str(row[0]) for row in connection.execute(pragma)]
    except sqlite3.DatabaseError as error:  # so damaged that even the check cannot read on
        return [str(error)]
    return [] if said == ["ok"] else said

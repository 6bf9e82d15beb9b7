"""Which assets are still wanted: the one place that knows every column that names one."""

from __future__ import annotations

import sqlite3

_COLUMNS = (
    ("character", "picture"),
    ("character", "cutout"),
    ("take", "clip"),
    ("frame", "raw"),
    ("frame", "own_alpha"),
    ("frame", "mask"),
    ("sticker", "file"),
)


def wanted_assets(connection: sqlite3.Connection) -> set[str]:
    """The names of all assets that a row refers to."""
    wanted: set[str] = set()
    for table, column in _COLUMNS:
        rows = connection.execute(f"SELECT DISTINCT {column} AS name FROM {table} WHERE {column} IS NOT NULL")
        wanted.update(row["name"] for row in rows)
    return wanted

"""What SQLite says of a full, failing or read-only disk and of a damaged file, as sentences with a cure."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from popcond.errors import HomeUnusable, OutOfDisk, PopconError, StorageFailed

_FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_TRUNCATE", "SQLITE_IOERR_SHMSIZE")  # see sqlite.org/rescode
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


def translated(error: BaseException, path: Path) -> BaseException:
    """The error as ours where the disk or the file is to blame; constraints and bugs stay as they are."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if not isinstance(error, sqlite3.Error) or isinstance(error, PopconError):
        return error
    if name in _FULL:
        return OutOfDisk("The disk is full: nothing more can be written down.", cure="Free some space, then retry.")
    if name.startswith(_DAMAGED):
        return damaged(path, error)
    return _failed(name, path) or error


def damaged(path: Path, error: Exception) -> HomeUnusable:
    """The file is no database, or a broken one."""
    return HomeUnusable(
        f"The database {path} cannot be opened: {error}.",
        cure=f"Move it away (a new one is made), or restore a copy of it: {backup_names(path)} beside it are such.",
        code="database_damaged",
    )


def backup_names(path: Path) -> str:
    """What the copies that updates leave are called."""
    return f"{path.name}.backup-*"


def _failed(name: str, path: Path) -> PopconError | None:
    if name.startswith("SQLITE_IOERR"):
        return StorageFailed(
            f"The disk under {path} failed ({name.removeprefix('SQLITE_')}): nothing was written.",
            cure="Look at the disk and its quota; the system's log says more.",
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return StorageFailed(
            f"The database {path} cannot be written.",
            cure="Make the file and its folder writable for you; a disk that failed is often read-only.",
            code="database_read_only",
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StorageFailed(
            f"Another program holds the database {path}.", cure="Close it; reading is fine.", code="database_busy"
        )
    return None

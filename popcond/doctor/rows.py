"""The database: whole, of a schema that we know, of a sane size, and not from the future. It is only read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

from popcond.doctor.finding import Finding
from popcond.settings import Settings
from popcond.store import events
from popcond.store.db import Connection, connect
from popcond.store.faults import backup_names
from popcond.store.integrity import foreign_key_check, integrity_check, library, newest_moment
from popcond.store.migrations import schema_known, schema_of

_LARGE_LOG = 256 << 20  # bytes; the write-ahead log is folded in whenever the daemon is idle
_CLOCK_SLACK = 120.0  # seconds


def check_rows(settings: Settings) -> Iterator[Finding]:
    """Everything about the rows, whether a daemon runs or not."""
    yield _library()
    if not settings.database.exists():
        yield Finding("database", True, "There is no database yet; the first start makes it.")
        return
    with closing(connect(settings.database, read_only=True)) as connection:
        integrity = _integrity(settings, connection)
        yield integrity
        if not integrity.ok:  # what else it says cannot be trusted
            return
        yield _keys(settings, connection)
        yield _schema(connection)
        yield _clock(connection)
        yield _sizes(settings, connection)


def _library() -> Finding:
    found, least = library()
    if found < least:
        needed = ".".join(map(str, least))
        return Finding("sqlite", False, f"SQLite is {found}.", f"Use a Python with SQLite {needed} or newer.")
    return Finding("sqlite", True, f"SQLite {'.'.join(map(str, found))}.")


def _integrity(settings: Settings, connection: Connection) -> Finding:
    wrong = integrity_check(connection)
    if wrong:
        return Finding("database", False, f"The database is damaged: {'; '.join(wrong[:3])}.", _restore(settings))
    return Finding("database", True, "The database is whole.")


def _keys(settings: Settings, connection: Connection) -> Finding:
    wrong = foreign_key_check(connection)
    if wrong:
        return Finding("references", False, f"Rows do not fit together: {'; '.join(wrong[:3])}.", _restore(settings))
    return Finding("references", True, "All rows fit together.")


def _schema(connection: Connection) -> Finding:
    held, known = schema_of(connection), schema_known()
    strange, lacking = [step for step in held if step not in known], [step for step in known if step not in held]
    if strange:
        told = f"The database was written by a newer PopCon ({', '.join(strange)})."
        return Finding("schema", False, told, "Update PopCon, or choose another folder with --home.")
    if lacking:
        told = f"The database is of an older PopCon ({held[-1] if held else 'empty'})."
        return Finding("schema", True, told, "The next start copies it and brings it up to date.")
    return Finding("schema", True, f"The schema is {held[-1]}, the newest that this program knows.")


def _clock(connection: Connection) -> Finding:
    ahead = (newest_moment(connection) or 0.0) - time.time()
    if ahead > _CLOCK_SLACK:
        told = f"The newest row is {ahead / 60:.0f} minutes in the future: the clock was or is wrong."
        return Finding("clock", False, told, "Set the computer's clock; most systems can do so by themselves.")
    return Finding("clock", True, "The clock agrees with the rows.")


def _sizes(settings: Settings, connection: Connection) -> Finding:
    database = settings.database
    log = database.with_name(f"{database.name}-wal")
    log_size = log.stat().st_size if log.exists() else 0
    kept = events.newest(connection) - events.oldest(connection) + 1
    told = f"{database.stat().st_size / 1e6:.1f} MB of rows, {log_size / 1e6:.1f} MB of log, {kept} events."
    if log_size > _LARGE_LOG:
        return Finding("sizes", False, told, "Restart the daemon: its log is folded into the database then.")
    return Finding("sizes", True, told)


def _restore(settings: Settings) -> str:
    copies = sorted(path.name for path in settings.home.glob(backup_names(settings.database)))
    there = f"the copies are {', '.join(copies)}" if copies else "there is no copy of ours"
    return f"Stop the daemon, keep {settings.database} for a rescue, and put a backup in its place ({there})."

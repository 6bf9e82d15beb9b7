"""The asset folder: every file that a row names is there, and, when asked to look deep, as it was put. Only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from popcond.assets import PREFIXES, Assets
from popcond.doctor.finding import Finding
from popcond.settings import Settings
from popcond.store.db import Connection, connect
from popcond.store.references import cure_of, references, wanted_assets

_TOLD = 10  # broken files that get a line of their own


def check_files(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """Missing files, damaged ones, and what lies about."""
    assets = Assets(settings.assets)
    if settings.database.exists():
        with closing(connect(settings.database, read_only=True)) as connection:
            yield from _named(assets, connection, deep=deep)
    yield _lying_about(assets)


def _named(assets: Assets, connection: Connection, *, deep: bool) -> Iterator[Finding]:
    wanted = wanted_assets(connection)
    count, broken = 0, []
    for prefix in PREFIXES:
        there, named = assets.names(prefix), sorted(wanted.beginning_with(prefix))
        count += len(named)
        broken += [(name, "missing") for name in named if name not in there and not assets.is_set_apart(name)]
        broken += [(name, "damaged") for name in named if deep and name in there and not assets.is_whole(name)]
    for name, how in broken[:_TOLD]:
        yield _broken(connection, name, how)
    if len(broken) > _TOLD:
        yield Finding("assets", False, f"{len(broken) - _TOLD} more files are missing or damaged.", "Begin with these.")
    if not broken:
        yield Finding("assets", True, f"All {count} files that rows name are {'whole' if deep else 'there'}.")


def _broken(connection: Connection, name: str, how: str) -> Finding:
    """One file may be shared; the first of its owners is told."""
    owner = references(connection, name)[0]
    whose = f"emoji {owner.emoji_id}" if owner.emoji_id else "a character"
    return Finding("assets", False, f"The file {name} of {whose} is {how}.", cure_of(owner))


def _lying_about(assets: Assets) -> Finding:
    drafts, damaged = len(assets.drafts()), len(assets.damaged())
    if damaged:
        told = f"{damaged} files were found damaged and moved to {assets.damaged_folder}."
        cure = "Look at the disk. What can be made again is; once all is well, the daemon removes the copies."
        return Finding("leftovers", True, told, cure)
    if drafts:
        return Finding("leftovers", True, f"{drafts} files are being written, or were when a daemon was killed.")
    return Finding("leftovers", True, "Nothing lies about.")

"""The home folder: whose it is, who may read it, how much room it has, who serves it, and the keys."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from popcond import keys
from popcond.assets import RESERVE
from popcond.daemon_process import running
from popcond.doctor.finding import Finding
from popcond.errors import PopconError
from popcond.home import is_served, read_runtime, refuse_network_share
from popcond.settings import Settings
from popcond.wire import VERSION

_ROOM = 1 << 30  # bytes; a pack takes a few hundred MB while it is made


def check_folder(settings: Settings) -> Finding:
    """The home is a folder of this user, on a disk of this computer, and may be written."""
    home = settings.home
    if not home.exists():
        return Finding("home", True, f"{home} is not there yet; the first start makes it.")
    if not home.is_dir():
        return Finding("home", False, f"{home} is not a folder.", "Move it away, or choose another with --home.")
    if home.stat().st_uid != os.getuid():
        return Finding("home", False, f"{home} belongs to another user.", "Choose a folder of yours with --home.")
    if not os.access(home, os.W_OK | os.X_OK) or os.statvfs(home).f_flag & os.ST_RDONLY:
        return Finding("home", False, f"{home} cannot be written.", "Make it writable for you.")
    try:
        refuse_network_share(settings)
    except PopconError as error:
        return Finding("home", False, error.message, error.cure)
    return Finding("home", True, f"{home} is yours and on a disk of this computer.")


def check_privacy(settings: Settings) -> Iterator[Finding]:
    """Nobody else may read the rows, the token or the pictures."""
    database = settings.database
    private = (
        ("folder-mode", settings.home, 0o700),
        ("token-mode", settings.token_file, 0o600),
        ("database-mode", database, 0o600),
        ("database-log-mode", database.with_name(f"{database.name}-wal"), 0o600),
    )
    for name, path, mode in private:
        if path.exists():
            yield _privacy(name, path, mode)


def check_room(settings: Settings) -> Finding:
    """The disk has room for work, and for the words that it has none."""
    folder = next(folder for folder in (settings.home, *settings.home.parents) if folder.is_dir())
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    told = f"{free / 1e9:.1f} GB are free on the disk of {folder}."
    if free < 2 * RESERVE:
        return Finding("disk", False, told, "Free some space: nothing can be made with so little.")
    return Finding("disk", True, told, None if free > _ROOM else "Free some more: a large pack takes up to 1 GB.")


def check_daemon(settings: Settings) -> Finding:
    """Whoever holds the home's lock answers, and speaks our version."""
    if not is_served(settings):
        return Finding("daemon", True, "No daemon runs for this home; commands start one.")
    info, noted = asyncio.run(running(settings)), read_runtime(settings)
    if info is None:
        who = f" (process {noted.pid}, by its last note)" if noted else ""
        return Finding(
            "daemon",
            False,
            f"A daemon holds this home{who}, but does not answer.",
            f"Wait, if it has just been started or stopped; else end that process. Its log is {settings.log_file}.",
        )
    told = f"popcond {info.version} answers at {info.url}, process {info.pid}."
    is_ours = info.version == VERSION
    return Finding("daemon", True, told, None if is_ours else f"This program is {VERSION}: restart the daemon.")


def check_keys(settings: Settings) -> Iterator[Finding]:
    """Keys of paid providers, where there are any; nothing is asked of a provider."""
    for provider in keys.PROVIDERS:
        try:
            found = keys.read(settings, provider)
        except PopconError as error:
            yield Finding(f"key-{provider}", False, error.message, error.cure)
            continue
        if found is None:
            told, cure = f"There is no key for {provider}; what works offline does not need one.", None
            yield Finding(f"key-{provider}", True, told, cure or f"`popcond key set {provider}` keeps one.")
        else:
            yield Finding(f"key-{provider}", True, f"The key for {provider} is in {found.origin}.")


def _privacy(name: str, path: Path, mode: int) -> Finding:
    found = stat.S_IMODE(path.stat().st_mode)
    if found & ~mode & 0o077:
        return Finding(
            name, False, f"Others on this computer may get at {path} (mode {found:04o}).", f"chmod {mode:o} '{path}'"
        )
    return Finding(name, True, f"{path} is for your eyes only.")

"""Finds the daemon of a home folder, or starts one in the background and waits until it answers.

A daemon that was started here stops by itself soon after its last client left, so nothing is left behind, and two
commands that run at once share one. What it says goes to the log file of its home.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from popcond.client import Client
from popcond.errors import DaemonUnreachable, HomeUnusable, PopconError
from popcond.home import RuntimeInfo, is_served, only_daemon, read_or_make_token, read_runtime, replace_token
from popcond.log import last_word
from popcond.settings import Settings

LINGER_SECONDS = 3.0  # how long a daemon of ours waits for another client
START_SECONDS = 30.0  # a cold start on a busy small machine
STOP_SECONDS = 8.0  # another daemon of this home may need that long to finish stopping
HANDSHAKE_SECONDS = 3.0
QUIET_SECONDS = 1.0  # a start that takes longer is worth a word
POLL_SECONDS = 0.05
LOG_TAIL_BYTES = 4096

Note = Callable[[str], None]


async def running(settings: Settings) -> RuntimeInfo | None:
    """The daemon of this home, when it is alive and knows the token; None otherwise. Starts nothing."""
    info = read_runtime(settings)
    if info is None or not is_served(settings):
        return (
            None  # a note without a lock is a dead daemon's: its port may be a stranger's, who must not see the token
        )
    async with Client(info.url, read_or_make_token(settings), answer_seconds=HANDSHAKE_SECONDS) as client:
        if not await client.is_healthy():
            return None
        try:
            await client.version()
        except PopconError:
            return None  # it is stopping, or does not know this token
    return info


async def rotate_token(settings: Settings) -> None:
    """A new bearer token for this home; a running daemon takes it at once, and refuses the old one from then on.

    Raises HomeUnusable, and DaemonUnreachable when a daemon holds the home but is silent. Nothing has changed then.
    """
    give_up_at = time.monotonic() + STOP_SECONDS
    while not await _asked_to_rotate(settings) and not _rotated_under_lock(settings):
        if time.monotonic() > give_up_at:
            raise DaemonUnreachable(
                f"A daemon holds {settings.home}, but does not answer: the token is the old one still.",
                cure="Stop that daemon, then rotate the token again.",
            )
        await asyncio.sleep(POLL_SECONDS)


async def _asked_to_rotate(settings: Settings) -> bool:
    """False when no daemon answers."""
    info = await running(settings)
    if info is None:
        return False
    async with Client(info.url, read_or_make_token(settings), answer_seconds=HANDSHAKE_SECONDS) as client:
        await client.rotate_token()
    return True


def _rotated_under_lock(settings: Settings) -> bool:
    """False when a daemon holds the home. While we hold it, none can start with the old token in its hand."""
    try:
        with only_daemon(settings):
            replace_token(settings)
    except HomeUnusable as error:
        if error.code != "home_locked":
            raise
        return False
    return True


async def ensure_daemon(settings: Settings, note: Note = lambda _: None) -> RuntimeInfo:
    """The daemon of this home, started when there is none. `note` hears a sentence when it takes a while.

    Raises DaemonUnreachable with the end of the log when it dies or hangs, HomeUnusable when the folder is no good.
    """
    info = await running(settings)
    if info is not None:
        return info
    refuse_a_client_only_install()
    read_or_make_token(settings)  # an unusable home is told here, in our own words, not from a log
    return await _start(settings, note)


def refuse_a_client_only_install() -> None:
    """Raises HomeUnusable, with the line that installs it, where the daemon's own libraries are missing."""
    if find_spec("fastapi") is None or find_spec("av") is None:
        raise HomeUnusable(
            "No daemon runs here, and this installation has only the client.",
            cure="Install the daemon with `pip install 'popcon[daemon]'`, or point --url at a daemon elsewhere.",
            code="daemon_not_installed",
        )


async def _start(settings: Settings, note: Note) -> RuntimeInfo:
    """Starts again while another daemon of this home holds the lock: it is starting, or about to stop.

    One more try follows a death without that reason: whoever asks for the lock takes it for an instant.
    """
    give_up_at = time.monotonic() + STOP_SECONDS
    for attempt in count():
        child = _Child.spawn(settings)
        info = await _await_answer(settings, child, note)
        if info is not None:
            return info
        is_hopeless = attempt > 0 and not is_served(settings)
        if is_hopeless or time.monotonic() > give_up_at:
            break
        await asyncio.sleep(POLL_SECONDS * 5)
    raise child.obituary()


async def _await_answer(settings: Settings, child: _Child, note: Note) -> RuntimeInfo | None:
    """None when the child ended and no other daemon of this home answers either."""
    started, noted = time.monotonic(), False
    while time.monotonic() - started < START_SECONDS:
        ended = child.has_ended()
        info = await running(settings)
        if info is not None or ended:
            return info
        if not noted and time.monotonic() - started > QUIET_SECONDS:
            note("Starting the daemon …")
            noted = True
        await asyncio.sleep(POLL_SECONDS)
    raise DaemonUnreachable(
        f"The daemon has not answered for {START_SECONDS:.0f} seconds.", cure=f"Look into {settings.log_file}."
    )


@dataclass
class _Child:
    """A daemon that we started, until it answers. Nothing stops it when this object goes: it lives by itself."""

    pid: int
    log_file: Path
    log_start: int  # bytes that were in the log before it
    ended: bool = field(default=False)

    @classmethod
    def spawn(cls, settings: Settings) -> _Child:
        """A session of its own, so that a Ctrl-C of the terminal does not reach it."""
        log_start = settings.log_file.stat().st_size if settings.log_file.exists() else 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        pid = os.posix_spawn(
            sys.executable,
            _command(settings),
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(settings.log_file), flags, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        return cls(pid, settings.log_file, log_start)

    def has_ended(self) -> bool:
        """Asks the kernel, and lets it forget the child."""
        if not self.ended:
            with suppress(ChildProcessError):
                self.ended = os.waitpid(self.pid, os.WNOHANG)[0] == self.pid
        return self.ended

    def obituary(self) -> PopconError:
        """What it said last, as an error."""
        with self.log_file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            start = self.log_start if self.log_start <= size else 0  # smaller than before: a new one was begun
            log.seek(max(start, size - LOG_TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
        said = last_word(lines) or "It left no word."
        return DaemonUnreachable(
            f"The daemon ended while it started: {said}", cure=f"All it said is in {self.log_file}."
        )


def _command(settings: Settings) -> list[str]:
    # -P keeps the current folder off the module path: what lies there must not become part of the daemon.
    start = [sys.executable, "-P", "-m", "popcond", "serve", "--home", str(settings.home.absolute())]
    where = ["--host", "127.0.0.1", "--port", "0", "--log-to", "file"]
    return [*start, *where, "--linger", f"{LINGER_SECONDS:g}"]

"""Starts the stand-in beside a daemon, and ends it with it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from popcond import keys
from popcond.rehearsal.place import read_or_make_key, rehearsal_home, rehearsal_settings
from popcond.settings import Settings

_GOODBYE = 5.0  # seconds


@contextlib.contextmanager
def rehearsing(settings: Settings, clip_seconds: float | None = None) -> Iterator[Settings]:
    """The settings for a daemon that rehearses, while the stand-in that they lead to is there.

    `clip_seconds` is how long a clip takes, and is remembered; None takes what was said last. No key of the user's is
    left in the environment. Raises HomeUnusable.
    """
    home = rehearsal_home(settings, clip_seconds)
    keys.withdraw(os.environ)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        rehearsed = rehearsal_settings(settings, home, f"http://{host}:{port}/api/v1")
        read_or_make_key(rehearsed)
        process = _start(home, listener)
    with process:
        try:
            yield rehearsed
        finally:
            _end(process)


def _start(home: Path, listener: socket.socket) -> subprocess.Popen[bytes]:
    """A session of its own: a Ctrl-C is for the daemon, which then has questions to ask still."""
    number = listener.fileno()
    words = [sys.executable, "-P", "-m", "popcond.rehearsal", "--home", str(home), "--socket", str(number)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, pass_fds=(number,), start_new_session=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_GOODBYE)
    except subprocess.TimeoutExpired:
        process.kill()

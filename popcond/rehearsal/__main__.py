"""The stand-in as a process: serves on a socket that it inherits, and ends with whoever started it."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
import threading
from pathlib import Path

import uvicorn

from popcond.actions import load_actions
from popcond.rehearsal.drawing import draw
from popcond.rehearsal.painting import paint
from popcond.rehearsal.place import key_file, read_mark
from popcond.rehearsal.service import Service
from popcond.rehearsal.studio import Studio
from popcond.rehearsal.tasks import Book, Task
from popcond.settings import Settings

_NICENESS = 5  # the daemon goes first
_BOOK = "service"  # folder of the tasks within the home


def main() -> None:
    """Serve until standard input ends, which it does when the parent is gone, however that happened."""
    parser = argparse.ArgumentParser(prog="python -m popcond.rehearsal", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="The home of the rehearsal.")
    parser.add_argument("--socket", type=int, required=True, help="The number of the file that listens.")
    given = parser.parse_args()
    os.nice(_NICENESS)
    os.umask(0o077)  # nobody else's business, like the home itself
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    with socket.socket(fileno=given.socket) as listener:
        asyncio.run(_serve(given.home, listener))


async def _serve(home: Path, listener: socket.socket) -> None:
    actions = tuple(load_actions(Settings.load(home=home).actions_file).actions.values())
    book = Book(home / _BOOK)

    def make(task: Task, picture: Path | None, to: Path) -> None:
        if task.is_picture:
            paint(task.prompt, picture, task.side, to)
        elif picture is not None:
            draw(picture, task.prompt, task.seconds, actions, to)

    studio = Studio(book, make, read_mark(home).clip_seconds)
    key = key_file(home).read_text(encoding="ascii").strip()
    service = Service(book, studio, key, "http://{}:{}".format(*listener.getsockname()))
    config = uvicorn.Config(service.app(), log_level="warning", access_log=False, ws="none", server_header=False)
    await uvicorn.Server(config).serve([listener])


def _end_with_the_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)  # files are whole at any moment


if __name__ == "__main__":
    main()

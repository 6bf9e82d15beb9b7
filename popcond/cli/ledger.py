"""The list of what our runs wrote into a user's folder, so that a later run can take away what it does not vouch for.

A file is ours only while it is listed and its bytes are those that we wrote. Anything else is the user's own, and so is
whatever the list says about places outside of the folder: the list itself may have come from a stranger.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from popcond.cli.terminal_text import printable

NAME = ".popcon-files.json"
LARGEST = 4_000_000  # bytes of a list; ours have a few thousand


def place(folder: Path, *parts: str) -> Path | None:
    """The path at `parts` below the folder; None when they lead elsewhere or hide there."""
    return folder.joinpath(*parts) if parts and all(_is_plain(part) for part in parts) else None


def _is_plain(part: str) -> bool:
    is_name = part not in ("", ".", "..") and part == printable(part) and not set(part) & set("/\\")
    return is_name and not part.startswith(".") and len(part.encode()) <= 200


class Ledger:
    """What earlier runs wrote into `folder`, by path below it, and what this one writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._earlier = _read(folder / NAME)
        self._now: dict[str, str] = {}

    def note(self, path: Path, data: bytes) -> None:
        """This run wrote `data` there."""
        self._now[path.relative_to(self._folder).as_posix()] = hashlib.sha256(data).hexdigest()

    def sweep(self) -> list[Path]:
        """Take away what earlier runs wrote, nobody changed, and this run did not write. Returns what went."""
        stale = {name: digest for name, digest in self._earlier.items() if name not in self._now}
        self._earlier = {}
        removed = [path for name, digest in stale.items() if (path := self._take_away(name, digest)) is not None]
        for parent in {path.parent for path in removed} - {self._folder}:
            with suppress(OSError):  # something of the user's is still in it
                parent.rmdir()
        return removed

    @property
    def is_empty(self) -> bool:
        """Whether nothing in the folder is ours."""
        return not self._earlier and not self._now

    def text(self) -> str:
        """The list for the next run: what is ours from now on."""
        return json.dumps({"files": {**self._earlier, **self._now}}, indent=1, sort_keys=True)

    def _take_away(self, name: str, digest: str) -> Path | None:
        path = place(self._folder, *name.split("/"))
        if path is None or not _is_inside(path, self._folder):
            return None
        with suppress(OSError):
            if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
                path.unlink()
                return path
        return None


def _is_inside(path: Path, folder: Path) -> bool:
    """A plain file that is really there, not at the other end of a link."""
    try:
        return path.resolve() == folder.resolve().joinpath(path.relative_to(folder)) and path.is_file()
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        return False


def _read(file: Path) -> dict[str, str]:
    """An unreadable list is an empty one: then everything is the user's own."""
    try:
        if not file.is_file() or file.is_symlink() or file.stat().st_size > LARGEST:
            return {}
        told = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    files = told.get("files") if isinstance(told, dict) else None
    rows = files.items() if isinstance(files, dict) else ()
    return {name: digest for name, digest in rows if isinstance(digest, str)}

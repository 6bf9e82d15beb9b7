"""The folder that a command writes into: whole files or none, never outside of it, whatever a daemon calls them."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

from popcond.cli.ledger import NAME, Ledger, place
from popcond.cli.terminal_text import printable
from popcond.cli.usage import WrongUsage
from popcond.errors import BadInput, OutOfDisk, PopconError

ROOM_WANTED = 16_000_000  # bytes; a large pack with its ZIPs
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class OutFolder:
    """A folder of the user's. Files that a former run left under the same names are replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ledger = Ledger(path)

    def check(self) -> None:
        """Tries, before any work begins, whether files could be written; makes nothing. Raises WrongUsage, OutOfDisk.

        A folder that is not there yet is tried where it would be made, so a command that is refused leaves none behind.
        """
        try:
            ground = self._ground()
            with TemporaryFile(dir=ground) as draft:
                draft.write(b"?")
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise self._full() from error
            raise WrongUsage(
                f"Nothing can be written into {self.path}: {_reason(error)}.",
                cure="Give another folder with --out, or make that one writable for you.",
            ) from error
        if shutil.disk_usage(ground).free < ROOM_WANTED:
            raise self._full()

    def save(self, data: bytes, *parts: str) -> Path:
        """Write a file at `parts` below the folder, whole or not at all. Raises OutOfDisk, or PopconError."""
        path = place(self.path, *parts)
        if path is None:
            name = printable("/".join(parts))
            raise BadInput(f"The daemon calls a file {name!r}, and no file may be called that here.")
        self._write(path, data)
        self._ledger.note(path, data)
        return path

    def sweep(self) -> list[Path]:
        """Take away what a former run wrote and this one did not; what the user made or changed stays."""
        return self._ledger.sweep()

    def remember(self) -> None:
        """Keep the list of what is ours for the next run. Raises OutOfDisk, or PopconError."""
        if not self._ledger.is_empty or (self.path / NAME).exists():
            self._write(self.path / NAME, self._ledger.text().encode())

    def _write(self, path: Path, data: bytes) -> None:
        draft = path.with_name(f".{path.name}.{os.getpid()}.part")
        with self._translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                draft.write_bytes(data)
                draft.replace(path)
            finally:
                with suppress(OSError):
                    draft.unlink()

    def _ground(self) -> Path:
        """The folder itself, or the nearest one above it that is there. Raises OSError for a file in the way."""
        for folder in (self.path, *self.path.parents):
            if folder.exists() or folder.is_symlink():
                return folder
        return Path()

    @contextmanager
    def _translated(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise self._full() from error
            raise PopconError(
                f"{path} cannot be written: {_reason(error)}.",
                cure="Mend that, then write the files again with `popcond resume`.",
                code="not_written",
            ) from error

    def _full(self) -> OutOfDisk:
        return OutOfDisk(f"The disk of {self.path} is full.", cure="Make room, or give another folder with --out.")


def picture_ending(data: bytes) -> str:
    """What the name of a picture ends with, by its first bytes."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    return "webp" if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else "png"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()

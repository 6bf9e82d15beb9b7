"""The folder that a command writes into: whole files or none, never outside of it, whatever a daemon calls them."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from popcond.cli.terminal_text import printable
from popcond.cli.usage import WrongUsage
from popcond.errors import BadInput, OutOfDisk, PopconError

ROOM_WANTED = 16_000_000  # bytes; a large pack with its ZIPs
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class OutFolder:
    """A folder of the user's. Files that a former run left under the same names are replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self) -> None:
        """Makes the folder and tries it before any work begins. Raises WrongUsage or OutOfDisk."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._try_it()
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise self._full() from error
            raise WrongUsage(
                f"Nothing can be written into {self.path}: {_reason(error)}.",
                cure="Give another folder with --out, or make that one writable for you.",
            ) from error
        if shutil.disk_usage(self.path).free < ROOM_WANTED:
            raise self._full()

    def save(self, data: bytes, *parts: str) -> Path:
        """Write a file at `parts` below the folder, whole or not at all. Raises OutOfDisk, or PopconError."""
        path = self._place(*parts)
        draft = path.with_name(f".{path.name}.{os.getpid()}.part")
        with self._translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                draft.write_bytes(data)
                draft.replace(path)
            finally:
                draft.unlink(missing_ok=True)
        return path

    def forget(self, *parts: str) -> bool:
        """Take away what a former run left there and this one does not vouch for; True when there was something."""
        path = self._place(*parts)
        with suppress(FileNotFoundError), self._translated(path):
            path.unlink()
            return True
        return False

    def _place(self, *parts: str) -> Path:
        for part in parts:
            is_plain = part not in ("", ".", "..") and part == printable(part) and not set(part) & set("/\\")
            if not is_plain or part.startswith(".") or len(part.encode()) > 200:
                raise BadInput(f"The daemon calls a file {printable(part)!r}, and no file may be called that here.")
        return self.path.joinpath(*parts)

    def _try_it(self) -> None:
        draft = self.path / f".popcond.{os.getpid()}.part"
        try:
            draft.write_bytes(b"?")
        finally:
            with suppress(OSError):
                draft.unlink()

    @contextmanager
    def _translated(self, path: Path) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
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


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()

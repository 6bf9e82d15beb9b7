"""Files that the daemon keeps, named by the SHA-256 of their bytes.

A file is written under a temporary name, synced and renamed: it is there whole or not at all, and the same bytes are
kept once. What is read is what was put: a file that has been damaged since is moved aside, so that putting its bytes
again heals it. The last megabytes of the disk are left to the rows, for a full disk must still let the daemon say that
it is full. The folder knows nothing of rows; `popcond.housekeeping` says which names are still wanted, and when.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from popcond.crash import point
from popcond.errors import NotFound, OutOfDisk

T = TypeVar("T")

_NAME = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20
_TRIES = 3  # at a file that is being set apart
_DRAFT = ".draft-"
_UNWANTED = ".unwanted"  # a folder: what no row names, until that is certain
_DAMAGED = ".damaged"  # a folder: what is not what it was, for a person to look at
_ASK_WHO = "`popcond doctor` says what it belongs to, and how to make it again."
PREFIXES = tuple(f"{number:02x}" for number in range(256))  # the folders of assets
RESERVE = 32 << 20  # bytes of the disk that files leave free


@dataclass(frozen=True)
class Assets:
    """A folder of assets; picklable, so that child processes can put files as well."""

    folder: Path

    # -------------------------------------------------------------- keeping

    def put(self, data: bytes) -> str:
        """Keep these bytes; answers their name. A file of that name that holds others is replaced. Raises OutOfDisk."""
        name = hashlib.sha256(data).hexdigest()
        if not _holds(self._place(name), data):
            refuse_full_disk(self.folder.parent, len(data))
            draft = self._draft()
            try:
                _write_synced(draft, data)
                self._settle(draft, name)
            finally:
                draft.unlink(missing_ok=True)
        return name

    def put_file(self, path: Path) -> str:
        """Keep a file of the same disk by moving it in; answers its name, once it would survive a power cut."""
        name = _digest(path, sync=True)
        point("before_asset_rename")
        self._settle(path, name)
        point("after_asset_rename")
        _sync_folder(self._place(name).parent)
        _sync_folder(self.folder)
        return name

    # -------------------------------------------------------------- reading

    def path(self, name: str) -> Path:
        """Where an asset lies, unread. Raises NotFound (`asset_missing`) when it is gone."""
        place = self._place(name)
        if not place.is_file():
            with contextlib.suppress(OSError):  # nobody seemed to want it; somebody does
                self._limbo(name).replace(place)
        if not place.is_file():
            raise NotFound(
                f"The stored file {name} is missing from the asset folder.",
                cure=_ASK_WHO,
                code="asset_missing",
                details={"asset": name},
            )
        return place

    def read(self, name: str) -> bytes:
        """The bytes of an asset, which are those that were put. Raises NotFound when it is gone or damaged."""
        try:
            data = self._taken_back(name, Path.read_bytes)
        except OSError as error:  # a bad sector
            raise self._damaged(name) from error
        if hashlib.sha256(data).hexdigest() != name:
            raise self._damaged(name)
        return data

    @contextlib.contextmanager
    def held(self, name: str) -> Iterator[Path]:
        """A second name for an asset, once all of it has been read and found as it was put.

        Whoever opens a file by its path, perhaps several times, finds it there until the end, whatever is tidied or
        deleted meanwhile. Raises as `read` does, and OutOfDisk.
        """
        hold = self._draft()
        try:
            self._taken_back(name, partial(_also_named, hold))
            if not _is_whole(hold, name):
                raise self._damaged(name)
            yield hold
        finally:
            hold.unlink(missing_ok=True)

    # -------------------------------------------------------------- tidying (see popcond.housekeeping)

    def names(self, prefix: str) -> set[str]:
        """The assets whose names begin with these two letters, unread. What bears no such name is somebody else's."""
        with contextlib.suppress(OSError), os.scandir(self.folder / prefix) as entries:
            return {entry.name for entry in entries if _NAME.fullmatch(entry.name) and entry.name.startswith(prefix)}
        return set()

    def set_apart(self, prefix: str, wanted: Container[str]) -> int:
        """Move what no row names into a limbo, from which `path` takes it back; answers how many files went."""
        unwanted = [name for name in self.names(prefix) if name not in wanted and self._place(name).is_file()]
        for name in unwanted:
            self._limbo(name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._place(name).replace(self._limbo(name))
        return len(unwanted)

    def let_go(self, prefix: str, wanted: Container[str]) -> int:
        """Delete what is in the limbo; what a row names by now comes back. Answers how many files were deleted."""
        limbo = self.folder / _UNWANTED / prefix
        gone = 0
        for path in list(limbo.iterdir()) if limbo.is_dir() else []:
            if path.name in wanted and not self._place(path.name).exists():
                with contextlib.suppress(FileNotFoundError):  # a reader took it back
                    path.replace(self._place(path.name))
            else:
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def drafts(self) -> tuple[str, ...]:
        """The files that are being written or held, and those whose owners have died."""
        with contextlib.suppress(FileNotFoundError):
            return tuple(name for name in os.listdir(self.folder) if name.startswith(_DRAFT))
        return ()

    def forget_drafts(self, drafts: Iterable[str]) -> None:
        """Delete drafts whose owners are known to be dead."""
        for name in drafts:
            (self.folder / name).unlink(missing_ok=True)

    def damaged(self) -> tuple[str, ...]:
        """The names of the files that were found damaged and moved aside."""
        with contextlib.suppress(FileNotFoundError):
            return tuple(name for name in os.listdir(self.folder / _DAMAGED) if _NAME.fullmatch(name))
        return ()

    def forget_damaged(self, names: Iterable[str]) -> None:
        """Delete damaged copies that nobody misses."""
        for name in names:
            (self.folder / _DAMAGED / name).unlink(missing_ok=True)

    def is_kept(self, name: str) -> bool:
        """Whether there is a file of this name, unread."""
        return self._place(name).is_file()

    def is_set_apart(self, name: str) -> bool:
        """Whether it waits in the limbo, from which `path` takes it back."""
        return self._limbo(name).is_file()

    def is_whole(self, name: str) -> bool:
        """Whether its bytes are those that were put; nothing is moved or told."""
        return _is_whole(self._place(name), name)

    @property
    def damaged_folder(self) -> Path:
        """Where damaged files are moved to."""
        return self.folder / _DAMAGED

    # -------------------------------------------------------------- places

    def _taken_back(self, name: str, look: Callable[[Path], T]) -> T:
        """What `look` makes of the file. One that is set apart at this moment is taken back and looked at again."""
        for _ in range(_TRIES):
            with contextlib.suppress(FileNotFoundError):
                return look(self.path(name))
        return look(self.path(name))

    def _damaged(self, name: str) -> NotFound:
        """The error that names it, after it has been moved aside; somebody may have healed it in the meantime."""
        aside = self.folder / _DAMAGED / name
        with contextlib.suppress(OSError):  # a read-only folder: it is told all the same
            aside.parent.mkdir(mode=0o700, exist_ok=True)
            self._place(name).replace(aside)
            if _digest(aside) == name:
                aside.replace(self._place(name))
        return NotFound(
            f"The stored file {name} is damaged; it has been moved to {aside.parent}.",
            cure=_ASK_WHO,
            code="asset_damaged",
            details={"asset": name},
        )

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise NotFound("There is no such asset.", details={"asset": name[:80]})
        return self.folder / name[:2] / name

    def _limbo(self, name: str) -> Path:
        return self.folder / _UNWANTED / name[:2] / name

    def _draft(self) -> Path:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.folder / f"{_DRAFT}{os.getpid()}-{secrets.token_hex(8)}"

    def _settle(self, draft: Path, name: str) -> None:
        place = self._place(name)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.replace(place)


def refuse_full_disk(folder: Path, size: int) -> None:
    """Raises OutOfDisk when a file of this size would take what is left to the rows."""
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < size + RESERVE:
        raise OutOfDisk(
            f"The disk of {folder} is full: less than {RESERVE >> 20} MiB are free.",
            cure="Free some space, then retry.",
        )


def _holds(path: Path, data: bytes) -> bool:
    """Whether it is there and as it should be. Comparing costs less than writing, and finds what a bad disk did."""
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def _digest(path: Path, *, sync: bool = False) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for chunk in _chunks(file.fileno()):
            digest.update(chunk)
        if sync:
            os.fsync(file.fileno())
    return digest.hexdigest()


def _is_whole(path: Path, name: str) -> bool:
    """Whether a file's bytes are those that its asset is named by; a bad sector is not."""
    try:
        return _digest(path) == name
    except OSError:
        return False


def _also_named(to: Path, path: Path) -> None:
    """The file under another name as well: the same one, or a copy where the disk's format knows no second names.

    Raises FileNotFoundError for a file that is not there, OutOfDisk for a copy that does not fit.
    """
    try:
        os.link(path, to)
    except FileNotFoundError:
        raise
    except OSError:
        refuse_full_disk(to.parent, path.stat().st_size)
        shutil.copyfile(path, to)


def _chunks(file: int) -> Iterator[bytes]:
    while chunk := os.read(file, _CHUNK):
        yield chunk


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """A new name is on disk when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

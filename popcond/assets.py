"""Files that the daemon keeps, named by the SHA-256 of their bytes.

The last megabytes of the disk are left to the rows: a full disk must still let the daemon say that it is full. A file
is written under a temporary name, synced and renamed: it is there whole or not at all, and the same bytes are
kept once. The folder knows nothing of rows; the store says which names are still wanted.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from popcond.errors import NotFound, OutOfDisk

_NAME = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 20
_DRAFT = ".draft-"
_REMAKE = "Retry the emoji from its first stage, or add the picture again."
RESERVE = 32 << 20  # bytes of the disk that files leave free


@dataclass(frozen=True)
class Assets:
    """A folder of assets; picklable, so that child processes can put files as well."""

    folder: Path

    def put(self, data: bytes) -> str:
        """Keep these bytes; answers their name. Raises OutOfDisk."""
        name = hashlib.sha256(data).hexdigest()
        if not self._place(name).exists():
            refuse_full_disk(self.folder.parent, len(data))
            draft = self._draft()
            try:
                _write_synced(draft, data)
                self._settle(draft, name)
            finally:
                draft.unlink(missing_ok=True)
        return name

    def put_file(self, path: Path) -> str:
        """Keep a file of the same disk by moving it in; answers its name."""
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
            os.fsync(file.fileno())
        name = digest.hexdigest()
        self._settle(path, name)
        return name

    def path(self, name: str) -> Path:
        """Where an asset lies. Raises NotFound when it is gone."""
        place = self._place(name)
        if not place.is_file():
            raise NotFound(
                "A stored file is missing from the asset folder.",
                cure=_REMAKE,
                code="asset_missing",
                details={"asset": name},
            )
        return place

    def read(self, name: str) -> bytes:
        """The bytes of an asset, which are those that were put. Raises NotFound when it is gone or damaged."""
        data = self.path(name).read_bytes()
        if hashlib.sha256(data).hexdigest() != name:
            raise NotFound(
                f"The stored file {name} is damaged.", cure=_REMAKE, code="asset_damaged", details={"asset": name}
            )
        return data

    def sweep(self, wanted: Container[str]) -> int:
        """Delete assets that nobody wants, and drafts of dead processes; answers how many. Only while nothing runs.

        What does not bear one of our names is somebody else's and stays, whoever put it into this folder.
        """
        drafts = [path for path in self.folder.glob(f"{_DRAFT}*") if path.is_file()]
        gone = drafts + [path for path in self._files() if path.name not in wanted]
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)

    def _files(self) -> Iterator[Path]:
        return (path for path in self.folder.glob("??/*") if _is_asset(path))

    def _place(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise NotFound("There is no such asset.", details={"asset": name[:80]})
        return self.folder / name[:2] / name

    def _draft(self) -> Path:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.folder / f"{_DRAFT}{os.getpid()}-{secrets.token_hex(8)}"

    def _settle(self, draft: Path, name: str) -> None:
        place = self._place(name)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.replace(place)


def _is_asset(path: Path) -> bool:
    return _NAME.fullmatch(path.name) is not None and path.parent.name == path.name[:2] and path.is_file()


def refuse_full_disk(folder: Path, size: int) -> None:
    """Raises OutOfDisk when a file of this size would take what is left to the rows."""
    disk = os.statvfs(folder)
    if disk.f_bavail * disk.f_frsize < size + RESERVE:
        raise OutOfDisk(
            f"The disk of {folder} is full: less than {RESERVE >> 20} MiB are free.",
            cure="Free some space, then retry.",
        )


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())

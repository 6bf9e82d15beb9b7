"""What the model saw in a frame, kept: the newest in memory, more of them on disk.

An embedding is what is dear about a click; everything else follows from it in milliseconds. On disk it lies under the
weights and the input size that made it and under the frame that it is of, raw, because packing costs more than it
saves. The folder is a cache: a file that is missing, torn or damaged is made again, and a disk that is nearly full only
makes it smaller. One process at a time writes to it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import struct
import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Halves = NDArray[np.float16]

_MAGIC = b"PCE1"
_FIXED = struct.Struct("<4sII")  # magic, bytes of the head, checksum of the rest
_KEY = re.compile(r"[0-9a-f]{16,64}")
_LONGEST_HEAD = 4096
_KEEP = 0.9  # of the disk's share, once it was used up
_LEFT_FREE = 1 << 30  # bytes of the disk that a cache does not touch
_SUFFIX, _DRAFT = ".emb", ".draft-"


@dataclass(frozen=True)
class Embedding:
    """The three levels of one frame, finest first, as the decoder takes them."""

    levels: tuple[Halves, ...]  # each (1, channels, side, side)
    frame: tuple[int, int]  # height and width of the frame

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return sum(level.nbytes for level in self.levels)


class Embeddings:
    """The embeddings that one model made, by frame. Usable from several threads."""

    def __init__(self, root: Path, maker: str, memory: int, disk: int) -> None:
        """`maker` is the model's name in the folder `root`; what other models left there counts too, and goes first.

        `memory` and `disk` are the bytes that may be used; 0 of disk keeps everything in memory.
        """
        self._root = root
        self._folder = root / maker
        self._memory = memory
        self._disk = disk
        self._kept: OrderedDict[str, Embedding] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()
        self._on_disk: int | None = None  # bytes, counted when the first file is written

    def get(self, key: str) -> Embedding | None:
        """The embedding of a frame, from memory or from disk; None when it has to be made."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        embedding = self._read(key)
        if embedding is not None:
            self._remember(key, embedding)
        return embedding

    def has(self, key: str) -> bool:
        """Whether it is in memory, or seems to be on disk; unread."""
        with self._lock:
            if key in self._kept:
                return True
        return bool(self._disk) and self._path(key).is_file()

    def put(self, key: str, embedding: Embedding) -> None:
        """Keep it, in memory for sure and on disk if that is possible."""
        self._remember(key, embedding)
        if self._disk:
            with contextlib.suppress(OSError):  # full or read-only: a cache does without
                self._write(key, embedding)

    def forget(self) -> None:
        """Give the memory back; what is on disk stays."""
        with self._lock:
            self._kept.clear()
            self._kept_bytes = 0

    @property
    def nbytes(self) -> int:
        """How much memory is used."""
        return self._kept_bytes

    def _remember(self, key: str, embedding: Embedding) -> None:
        with self._lock:
            old = self._kept.pop(key, None)
            self._kept[key] = embedding
            self._kept_bytes += embedding.nbytes - (old.nbytes if old else 0)
            while self._kept_bytes > self._memory and len(self._kept) > 1:
                self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes

    # -------------------------------------------------------------- files

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"

    def _read(self, key: str) -> Embedding | None:
        if not self._disk or not _KEY.fullmatch(key):
            return None
        try:
            data = bytearray(self._path(key).read_bytes())
            os.utime(self._path(key))  # used now: the oldest are deleted first
        except OSError:
            return None
        return _parsed(data)

    def _write(self, key: str, embedding: Embedding) -> None:
        if not _KEY.fullmatch(key) or _free(self._root) < _LEFT_FREE:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._folder / f"{_DRAFT}{os.getpid()}-{threading.get_native_id()}"
        try:
            with draft.open("wb") as file:
                file.writelines(_parts(embedding))
            draft.replace(self._path(key))
        finally:
            draft.unlink(missing_ok=True)
        self._trim(embedding.nbytes)

    def _trim(self, more: int) -> None:
        """Delete the files that were not used for longest, once there are too many."""
        with self._lock:
            self._on_disk = _tidied(self._root) if self._on_disk is None else self._on_disk + more
            if self._on_disk > self._disk:
                self._on_disk = _shrunk(self._root, int(self._disk * _KEEP))


def _parts(embedding: Embedding) -> list[bytes | memoryview]:
    head = json.dumps({"frame": embedding.frame, "shapes": [level.shape for level in embedding.levels]}).encode()
    levels = [np.ascontiguousarray(level).data.cast("B") for level in embedding.levels]
    checksum = zlib.crc32(head)
    for level in levels:
        checksum = zlib.crc32(level, checksum)
    return [_FIXED.pack(_MAGIC, len(head), checksum), head, *levels]


def _parsed(data: bytearray) -> Embedding | None:
    """The embedding of a file's bytes; None when they are not what was written."""
    if len(data) < _FIXED.size:
        return None
    magic, length, checksum = _FIXED.unpack_from(data)
    rest = memoryview(data)[_FIXED.size :]
    if magic != _MAGIC or length > _LONGEST_HEAD or zlib.crc32(rest) != checksum:
        return None
    head: dict[str, Any] = json.loads(bytes(rest[:length]))
    levels, start = [], length
    for shape in head["shapes"]:
        end = start + 2 * int(np.prod(shape))
        levels.append(np.frombuffer(rest[start:end], np.float16).reshape(shape))
        start = end
    height, width = head["frame"]
    return Embedding(tuple(levels), (height, width))


def _files(root: Path) -> list[tuple[float, int, Path]]:
    """(last use, bytes, path) of everything in a cache, and of nothing else that lies beside it."""
    found = []
    for path in root.glob("*/*"):
        if path.suffix == _SUFFIX or path.name.startswith(_DRAFT):
            with contextlib.suppress(OSError):
                state = path.stat()
                found.append((state.st_mtime, state.st_size, path))
    return found


def _tidied(root: Path) -> int:
    """Delete what a process that was killed left half-written; answers how many bytes the rest has."""
    files = _files(root)
    for _, _, path in files:
        if path.name.startswith(_DRAFT):
            path.unlink(missing_ok=True)
    return sum(size for _, size, path in files if path.suffix == _SUFFIX)


def _shrunk(root: Path, target: int) -> int:
    """Delete what was not used for longest until no more than `target` bytes are left; answers how many are."""
    files = sorted(_files(root))
    left = sum(size for _, size, _ in files)
    for _, size, path in files:
        if left <= target:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            left -= size
    return left


def _free(root: Path) -> int:
    disk = os.statvfs(root)
    return disk.f_bavail * disk.f_frsize

"""How the hostile outside looks at a daemon: its rows, its memory, its files, and raw bytes on its socket."""

from __future__ import annotations

import hashlib
import select
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from popcond.store.db import connect
from tests.daemons import RunningDaemon

ANSWER_SECONDS = 20.0  # that an answer may take on a small, busy machine
GRACE_SECONDS = 0.3  # that an answer to half a request may take before nobody waits for it
_PROC = Path("/proc")
HAS_PROC = _PROC.joinpath("self", "smaps_rollup").exists()


def rows(home: Path) -> dict[str, str]:
    """Every table with the number of its rows and a digest of all that is in them."""
    with closing(connect(home / "popcon.db", read_only=True)) as connection:
        tables = [
            row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
        ]
        told = {}
        for table in tables:
            content = [tuple(row) for row in connection.execute(f'SELECT * FROM "{table}"')]
            told[table] = f"{len(content)} {hashlib.sha256(repr(sorted(map(repr, content))).encode()).hexdigest()}"
    return told


def left_behind(home: Path) -> list[str]:
    """Scratch files and drafts of assets that are there now."""
    scratch = [path for path in (home / ".popcon-work").rglob("*") if path.is_file()]
    drafts = (home / "assets").glob(".draft-*")
    return sorted(str(path.relative_to(home)) for path in (*scratch, *drafts))


def complaints(home: Path) -> list[str]:
    """Every unexpected error that a daemon has logged, wherever its log went."""
    logs = (home / "serve.log", *sorted(home.glob("popcond.log*")))
    lines = [line for log in logs if log.exists() for line in log.read_text(errors="replace").splitlines()]
    return [line for line in lines if "Traceback" in line or "ERROR" in line]


# ------------------------------------------------------------------ raw bytes


@dataclass(frozen=True)
class RawAnswer:
    """What came back; status 0 when nothing did."""

    status: int
    head: str
    body: bytes


def address(daemon: RunningDaemon) -> tuple[str, int]:
    """Where its socket is."""
    parts = urlsplit(daemon.url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def connected(daemon: RunningDaemon) -> socket.socket:
    """A connection that has said nothing yet."""
    return socket.create_connection(address(daemon), timeout=ANSWER_SECONDS)


def ask_raw(daemon: RunningDaemon, request: bytes, *, whole: bool = True) -> RawAnswer:
    """Send these bytes and read until the daemon hangs up.

    A request that is not whole leaves the daemon waiting for the rest; it is told that none comes once it has had
    time to answer.
    """
    with connected(daemon) as line:
        try:
            line.sendall(request)
            if not whole and not select.select([line], [], [], GRACE_SECONDS)[0]:
                line.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):  # it hung up in the middle
            pass
        return read_answer(line)


def read_answer(line: socket.socket) -> RawAnswer:
    """All that comes until the other end hangs up."""
    told = b""
    try:
        while chunk := line.recv(65536):
            told += chunk
    except ConnectionResetError:  # it hung up on bytes that it did not want to read
        pass
    head, _, body = told.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    return RawAnswer(int(words[1]) if len(words) > 1 else 0, head.decode("latin-1"), body)


def request(
    daemon: RunningDaemon, line: str, *headers: str, body: bytes = b"", token: bool = True, host: bool = True
) -> bytes:
    """A request as bytes: what is given, with the headers that a fair client would send unless they are left away."""
    fair = ["Connection: close"]
    if host:
        fair.append("Host: 127.0.0.1")
    if token:
        fair.append(f"Authorization: Bearer {daemon.token}")
    return "\r\n".join((line, *fair, *headers, "", "")).encode("latin-1") + body


# ------------------------------------------------------------------ memory


def resident(pid: int) -> int:
    """Bytes of memory that a process holds now."""
    return _field(pid, "status", "VmRSS")


def peak(pid: int) -> int:
    """The most bytes that a process has ever held; 0 once it is gone."""
    return _field(pid, "status", "VmHWM")


def family(pid: int) -> Iterator[int]:
    """A process and all its descendants that live now."""
    parents: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    waiting = [pid]
    while waiting:
        waiting += parents.get(member := waiting.pop(), [])
        yield member


def proportional(pid: int) -> int:
    """Bytes that a process holds, pages that it shares counted by its share; 0 once it is gone."""
    return _field(pid, "smaps_rollup", "Pss")


def _field(pid: int, file: str, name: str) -> int:
    try:
        lines = (_PROC / str(pid) / file).read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:")), 0)

"""The daemon's own sockets: TCP, and a Unix socket that only its owner can connect to.

A Unix socket is bound under the lock of its folder, with mode 0600 from its first moment. One that is left over is
taken away; one that somebody listens on never is.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import ipaddress
import os
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from popcond.errors import HomeUnusable
from popcond.settings import Settings

_BACKLOG = 2048
_ON_ITS_WAY = 128 << 10  # bytes that a client who does not read may leave with the system; connections inherit it
_LONGEST_PATH = 103 if sys.platform == "darwin" else 107  # bytes of a Unix socket's path; see unix(4), unix(7)
_UNIX_PATIENCE = 1.0  # seconds until an old socket counts as one that nobody answers


@contextlib.contextmanager
def listening(settings: Settings) -> Iterator[list[socket.socket]]:
    """All sockets that the settings ask for, TCP first; a Unix socket's file goes with them. Raises HomeUnusable."""
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(listen(settings.host, settings.port))] if settings.tcp else []
        if settings.socket_file is not None:
            listeners.append(stack.enter_context(listen_here(settings.socket_file)))
        yield listeners


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes any free one. Raises HomeUnusable with the cure.

    Answers leave at once instead of waiting 40 ms for company: connections inherit TCP_NODELAY from here.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):  # names are looked up with numbers of their own
            raise HomeUnusable(
                f"{host} is no address of this computer.",
                cure="Leave --host away, or give 127.0.0.1.",
                code="no_such_host",
            ) from error
        raise HomeUnusable(
            f"popcond cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}.",
            cure="Choose another port with --port (0 takes any free one).",
            code="port_taken",
        ) from error
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ON_ITS_WAY)
    return listener


@contextlib.contextmanager
def listen_here(path: Path) -> Iterator[socket.socket]:
    """A Unix socket that listens, in a folder that is its owner's alone. Raises HomeUnusable with the cure."""
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise HomeUnusable(
            f"The path of the socket is too long for this system ({len(os.fsencode(path))} of {_LONGEST_PATH} bytes).",
            cure="Give a shorter one with --socket PATH.",
            code="socket_path_too_long",
        )
    listener = socket.socket(socket.AF_UNIX)
    with listener:
        try:
            with _locked_private_folder(path.parent):
                _make_way(path)
                _bind_privately(listener, path)
        except OSError as error:
            raise HomeUnusable(
                f"popcond cannot listen on {path}: {error.strerror or error}.",
                cure="Choose another path with --socket PATH.",
                code="socket_taken",
            ) from error
        ours = path.stat().st_ino
        try:
            yield listener
        finally:
            with contextlib.suppress(OSError):
                if path.stat().st_ino == ours:
                    path.unlink()


@contextlib.contextmanager
def _locked_private_folder(folder: Path) -> Iterator[None]:
    """One at a time looks for an old socket and binds a new one, whatever its home is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        found = os.fstat(handle)
        if found.st_mode & 0o077 or found.st_uid != os.geteuid():
            raise HomeUnusable(
                f"Others can reach into {folder}, so a socket there would not be yours alone.",
                cure=f"Give it a folder of its own, such as --socket {folder / 'popcond' / 'popcond.sock'}.",
                code="socket_not_private",
            )
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _make_way(path: Path) -> None:
    """An old socket goes; whoever is listening, and whatever is no socket, stays. Raises HomeUnusable for those."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise HomeUnusable(f"{path} is in the way: it is no socket.", cure="Move it, or give another path.")
    if _is_answered(path):
        raise HomeUnusable(
            f"Another program listens on {path}.",
            cure="Stop it, or give another path with --socket PATH.",
            code="socket_taken",
        )
    path.unlink()


def _is_answered(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(_UNIX_PATIENCE)
        try:
            caller.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # such as one whose queue is full
        return True


def _bind_privately(listener: socket.socket, path: Path) -> None:
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(_BACKLOG)


def is_public(listener: socket.socket) -> bool:
    """Whether other computers may be able to connect."""
    if listener.family == socket.AF_UNIX:
        return False
    return not ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def url_of(listener: socket.socket) -> str:
    """Where clients of this computer find it: `http://…`, or `unix:///…` for a Unix socket."""
    if listener.family == socket.AF_UNIX:
        return f"unix://{quote(listener.getsockname())}"
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

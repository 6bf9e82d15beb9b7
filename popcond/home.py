"""The home folder as both sides see it: its token, its lock, and the note that says where the daemon listens."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import BaseModel, ValidationError

from popcond.errors import HomeUnusable
from popcond.settings import Settings

log = logging.getLogger("popcond.home")

_NETWORK_SHARES = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "gpfs", "beegfs", "davfs"}
    | {f"fuse.{kind}" for kind in ("sshfs", "glusterfs", "rclone", "s3fs", "davfs2", "gcsfuse")}
)


class RuntimeInfo(BaseModel):
    """The runtime file: where the daemon of this home listens. It never holds the token."""

    url: str  # http://…, or unix:///… when it listens on nothing else
    socket: str | None = None  # the path of its Unix socket
    pid: int
    version: str
    started: float  # seconds since the epoch
    home: str


def prepare(settings: Settings) -> None:
    """Make the folders, private to the user. Raises HomeUnusable."""
    try:
        for folder in (settings.home, settings.assets, settings.work):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(settings, error) from error
    if not os.access(settings.home, os.W_OK | os.X_OK):
        raise _unusable(settings, PermissionError(errno.EACCES, "It may not be written to"))


def refuse_network_share(settings: Settings, mounts: Path = Path("/proc/self/mounts")) -> None:
    """SQLite's locks and shared memory do not hold across machines. Raises HomeUnusable where it is known to be so.

    Where the system has no list of mounts, nothing is known and nothing is refused.
    """
    kind = _file_system_of(settings.home.resolve(), mounts)
    if kind in _NETWORK_SHARES:
        raise HomeUnusable(
            f"The folder {settings.home} is on a network share ({kind}), where a database is not safe.",
            cure="Choose a folder on a disk of this computer with --home or POPCON_HOME.",
            code="home_on_network",
        )


def _file_system_of(path: Path, mounts: Path) -> str | None:
    """The kind of file system that holds a path: that of the deepest mount point above it, the last one there."""
    try:
        mounted = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    deepest: tuple[int, str | None] = (0, None)
    for _device, point, kind, *_ in (line.split() for line in mounted):
        place = Path(_unescaped(point))
        if path.is_relative_to(place) and len(place.parts) >= deepest[0]:
            deepest = len(place.parts), kind
    return deepest[1]


def _unescaped(text: str) -> str:
    """The kernel writes a space as \\040."""
    for code in (" ", "\t", "\n", "\\"):
        text = text.replace(f"\\{ord(code):03o}", code)
    return text


def read_or_make_token(settings: Settings) -> str:
    """The bearer token of this home; made on first use, readable by its owner only from the first byte."""
    prepare(settings)
    try:
        with contextlib.suppress(FileExistsError):
            if not settings.token_file.exists():
                _write_private(settings.token_file, secrets.token_urlsafe(32), os.link)
        _tighten(settings.token_file)
        token = settings.token_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(settings, error) from error
    if len(token) < 16:
        raise HomeUnusable(
            f"The token file {settings.token_file} is empty or damaged.", cure="Delete it; a new one is made."
        )
    return token


def _tighten(token_file: Path) -> None:
    """A copied or restored home may have opened it to others."""
    if token_file.stat().st_mode & 0o077:
        token_file.chmod(0o600)
        log.warning("Others could read %s until now. `popcond token --rotate` makes a new token.", token_file)


def replace_token(settings: Settings) -> str:
    """A new token in the place of the old one, whole at every moment. Raises HomeUnusable, and the old one stays."""
    prepare(settings)
    token = secrets.token_urlsafe(32)
    try:
        _write_private(settings.token_file, token, Path.replace)
    except OSError as error:
        raise _unusable(settings, error) from error
    return token


class TokenInForce:
    """The bearer token that a running daemon asks for; rotating it counts from that instant.

    `hide` hears every token before it is in force.
    """

    def __init__(self, token: str, hide: Callable[[str], None] = lambda _: None) -> None:
        self._hide = hide
        self._rotating = threading.Lock()
        hide(token)
        self._token = token.encode()

    def is_borne_by(self, authorization: str) -> bool:
        """Whether this `Authorization` header carries it, compared in constant time."""
        scheme, _, token = authorization.partition(" ")
        given = token.strip().encode("utf-8", "surrogateescape")
        return scheme.lower() == "bearer" and secrets.compare_digest(given, self._token)

    def rotate(self, settings: Settings) -> None:
        """A new one, in the file and in force. Raises HomeUnusable, and the old one stays in both."""
        with self._rotating:
            token = replace_token(settings)
            self._hide(token)
            self._token = token.encode()


def _write_private(path: Path, text: str, place: Callable[[Path, Path], object]) -> None:
    """Written whole under another name, then placed: nobody ever sees half a token, or one that others may read."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        place(draft, path)
    finally:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def only_daemon(settings: Settings) -> Iterator[None]:
    """Holds the lock of this home; the kernel frees it however the process ends. Raises HomeUnusable when taken.

    The file is never removed: whoever holds a removed one would not be seen.
    """
    prepare(settings)
    refuse_network_share(settings)
    try:
        file = settings.lock_file.open("a")
    except OSError as error:
        raise _unusable(settings, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HomeUnusable(
                f"Another popcond already serves {settings.home}.",
                cure="Use that one (`popcond status`), stop it, or choose another folder with --home.",
                code="home_locked",
            ) from error
        yield


def is_served(settings: Settings) -> bool:
    """Whether a daemon holds this home. A shared lock for an instant is the only way to ask."""
    try:
        with settings.lock_file.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def read_runtime(settings: Settings) -> RuntimeInfo | None:
    """The note of the last daemon, which may be dead by now; None when there is none or it is damaged."""
    try:
        return RuntimeInfo.model_validate_json(settings.runtime_file.read_bytes())
    except (OSError, ValidationError):
        return None


def write_runtime(settings: Settings, info: RuntimeInfo) -> None:
    """Leave the note, whole or not at all. Raises HomeUnusable."""
    try:
        _write_private(settings.runtime_file, info.model_dump_json(), Path.replace)
    except OSError as error:
        raise _unusable(settings, error) from error


def forget_runtime(settings: Settings) -> None:
    """Take the note away at a clean stop."""
    settings.runtime_file.unlink(missing_ok=True)


def _unusable(settings: Settings, error: Exception) -> HomeUnusable:
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    is_full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return HomeUnusable(
        f"The folder {settings.home} cannot be used: {why[:1].lower()}{why[1:]}.",
        cure=f"{'Free some space on that disk' if is_full else 'Make it writable for you'}, or choose another folder"
        " with --home or POPCON_HOME.",
    )

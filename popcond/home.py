"""The home folder as both sides see it: its token, its lock, and the note that says where the daemon listens."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ValidationError

from popcond.errors import HomeUnusable
from popcond.settings import Settings


class RuntimeInfo(BaseModel):
    """The runtime file: where the daemon of this home listens. It never holds the token."""

    url: str
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
        raise _unusable(settings, PermissionError("not writable"))


def read_or_make_token(settings: Settings) -> str:
    """The bearer token of this home; made on first use, readable by its owner only from the first byte."""
    prepare(settings)
    with contextlib.suppress(FileExistsError):
        _create_private(settings.token_file, secrets.token_urlsafe(32))
    try:
        token = settings.token_file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(settings, error) from error
    if len(token) < 16:
        raise HomeUnusable(
            f"The token file {settings.token_file} is empty or damaged.", cure="Delete it; a new one is made."
        )
    return token


def _create_private(path: Path, text: str) -> None:
    """Written whole under another name, then linked: two starters never see half a token."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
        os.link(draft, path)
    finally:
        draft.unlink()


@contextlib.contextmanager
def only_daemon(settings: Settings) -> Iterator[None]:
    """Holds the lock of this home; the kernel frees it however the process ends. Raises HomeUnusable when taken."""
    prepare(settings)
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


def read_runtime(settings: Settings) -> RuntimeInfo | None:
    """The note of the last daemon, which may be dead by now; None when there is none or it is damaged."""
    try:
        return RuntimeInfo.model_validate_json(settings.runtime_file.read_bytes())
    except (OSError, ValidationError):
        return None


def write_runtime(settings: Settings, info: RuntimeInfo) -> None:
    """Leave the note, whole or not at all."""
    draft = settings.runtime_file.with_suffix(".tmp")
    draft.write_text(info.model_dump_json())
    draft.replace(settings.runtime_file)


def forget_runtime(settings: Settings) -> None:
    """Take the note away at a clean stop."""
    settings.runtime_file.unlink(missing_ok=True)


def _unusable(settings: Settings, error: Exception) -> HomeUnusable:
    return HomeUnusable(
        f"The folder {settings.home} cannot be used: {error}.",
        cure="Make it writable for you, or choose another with --home or POPCON_HOME.",
    )

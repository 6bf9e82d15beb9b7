"""Uploads: written to the scratch folder as they come in, refused as soon as they are too large."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import UploadFile

from popcond.errors import OutOfDisk, TooLarge
from popcond.settings import Settings

_CHUNK = 1 << 20


@contextlib.asynccontextmanager
async def received(upload: UploadFile, settings: Settings, max_mib: int) -> AsyncIterator[Path]:
    """The upload as a file of its own, deleted afterwards unless it was moved away. Raises TooLarge and OutOfDisk."""
    if upload.size is not None and upload.size > max_mib << 20:
        raise TooLarge(f"This file is larger than {max_mib} MiB.", cure="Export it smaller.")
    path = settings.work / f"upload-{uuid.uuid4().hex}"
    try:
        await _write(upload, path)
        yield path
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfDisk("The disk is full.", cure="Free some space, then try again.") from error
        raise
    finally:
        path.unlink(missing_ok=True)


async def _write(upload: UploadFile, path: Path) -> None:
    with path.open("xb") as file:
        while chunk := await upload.read(_CHUNK):
            await asyncio.to_thread(file.write, chunk)

"""Uploads: written to the scratch folder as they come in, refused as soon as they are too large."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

from fastapi import UploadFile

from popcond.assets import refuse_full_disk
from popcond.errors import OutOfDisk, TooLarge
from popcond.settings import MOST_CLIP_MB, MOST_PICTURE_MB, Settings

# Bytes of a whole request; how many of them are taken is the settings' to say.
PICTURE_BODY = (MOST_PICTURE_MB + 1) << 20
CLIP_BODY = (MOST_CLIP_MB + 1) << 20

_CHUNK = 1 << 20
_LONGEST_NAME = 80  # characters; file systems count bytes


@contextlib.asynccontextmanager
async def received(upload: UploadFile, settings: Settings, max_mib: int) -> AsyncIterator[Path]:
    """The upload as a file of its own name, deleted afterwards unless it was moved away. Raises TooLarge, OutOfDisk."""
    if upload.size is not None and upload.size > max_mib << 20:
        raise TooLarge(f"This file is larger than {max_mib} MiB.", cure="Export it smaller.")
    folder = settings.work / f"upload-{uuid.uuid4().hex}"
    try:
        refuse_full_disk(settings.work, upload.size or 0)
        folder.mkdir(mode=0o700, parents=True)
        path = folder / plain_name(upload.filename or "")
        await _write(upload, path)
        yield path
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OutOfDisk("The disk is full.", cure="Free some space, then try again.") from error
        raise
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def plain_name(name: str) -> str:
    """A stranger's file name without folders and control characters; messages quote it, nothing else trusts it."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(letter for letter in last if letter.isprintable()).strip(". ")[-_LONGEST_NAME:] or "upload"


async def _write(upload: UploadFile, path: Path) -> None:
    with path.open("xb") as file:
        while chunk := await upload.read(_CHUNK):
            await asyncio.to_thread(file.write, chunk)

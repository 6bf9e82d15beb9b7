"""Uploads: written to the scratch folder as they come in, refused as soon as they are too large."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from typing import TypedDict

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartParser

from popcond.assets import refuse_full_disk
from popcond.errors import OutOfDisk, TooLarge
from popcond.settings import MOST_CLIP_MB, MOST_PICTURE_MB, Settings


class FormLimits(TypedDict, total=False):
    """What a form may have at most; a whole text of it counts bytes."""

    max_files: int
    max_fields: int
    max_part_size: int


# Bytes of a whole request; how many of them are taken is the settings' to say.
PICTURE_BODY = (MOST_PICTURE_MB + 1) << 20
CLIP_BODY = (MOST_CLIP_MB + 1) << 20

# What a form of ours may bring: one file, and a few words beside it.
ONE_FILE: FormLimits = {"max_files": 1, "max_fields": 8, "max_part_size": 16 << 10}

_CHUNK = 1 << 20
_IN_MEMORY = 64 << 10  # bytes of an upload that may stay in memory; what is longer goes to a file while it comes in
_LONGEST_NAME = 80  # characters; file systems count bytes


def install() -> None:
    """Keep uploads out of memory: many at once would each hold a megabyte of it."""
    MultiPartParser.spool_max_size = _IN_MEMORY


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
        await asyncio.to_thread(_write, upload, path)
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


def _write(upload: UploadFile, path: Path) -> None:
    """In one thread from end to end: what waits for a thread holds nothing."""
    with path.open("xb") as file:
        shutil.copyfileobj(upload.file, file, _CHUNK)

"""Whether the daemon is there, and whether it can work."""

from __future__ import annotations

import asyncio
import errno
import os

from fastapi import APIRouter, Response

from popcond.api.deps import Powers, Uses
from popcond.assets import RESERVE
from popcond.errors import PopconError
from popcond.settings import Settings
from popcond.store import queue
from popcond.wire import Check, Readiness
from popcond.workers import come_back, report_nothing

router = APIRouter(tags=["health"])

_PATIENCE = 5.0  # seconds that one check may take


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Says that somebody is there, and nothing else; needs no token."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    response_model_exclude_none=True,
    responses={503: {"model": Readiness, "description": "Something is broken"}},
)
async def readyz(powers: Uses, response: Response) -> Readiness:
    """What work needs, each with its cure; 503 when something is broken. A paused queue is not broken."""
    checks = tuple(await asyncio.gather(_database(powers), _disk(powers.settings), _workers(powers), _queue(powers)))
    is_ready = all(check.ok for check in checks)
    response.status_code = 200 if is_ready else 503
    return Readiness(status="ready" if is_ready else "broken", checks=checks)


async def _database(powers: Powers) -> Check:
    """The writer thread answers, and the home may be written to; nothing is written for it."""
    if not await asyncio.to_thread(os.access, powers.settings.home, os.W_OK):
        why = os.strerror(errno.EROFS if _is_read_only(powers.settings) else errno.EACCES)
        return _broken("database", f"The home folder cannot be written to: {why}.", "Make it writable for the daemon.")
    try:
        await asyncio.wait_for(powers.database.write(lambda _: None), _PATIENCE)
    except TimeoutError:
        return _broken("database", f"It has not answered for {_PATIENCE:.0f} s.", "Look at the disk, then restart.")
    except PopconError as error:
        return _broken("database", error.message, error.cure)
    return Check(name="database", ok=True, message="The database can be written.")


def _is_read_only(settings: Settings) -> bool:
    return bool(os.statvfs(settings.home).f_flag & os.ST_RDONLY)


async def _disk(settings: Settings) -> Check:
    """As much as files leave free for rows is not enough to work with."""
    disk = await asyncio.to_thread(os.statvfs, settings.home)
    free = disk.f_bavail * disk.f_frsize
    if free < 2 * RESERVE:
        return _broken("disk", f"Only {free >> 20} MiB are free.", f"Free some space on the disk of {settings.home}.")
    return Check(name="disk", ok=True, message=f"{free >> 20} MiB are free.")


async def _workers(powers: Powers) -> Check:
    """A child that does nothing comes back; while all places are taken, they are at work."""
    if powers.workers.is_full:
        return Check(name="workers", ok=True, message=f"All {powers.workers.count} are at work.")
    try:
        await asyncio.wait_for(powers.workers.run(come_back, report_nothing), _PATIENCE)
    except (PopconError, TimeoutError):
        return _broken("workers", "No child process can be started.", "Restart the daemon; its log says more.")
    return Check(name="workers", ok=True, message=f"Up to {powers.workers.count} child processes can work.")


async def _queue(powers: Powers) -> Check:
    try:
        is_paused = await powers.database.read(queue.is_paused)
    except PopconError as error:
        return _broken("queue", error.message, error.cure)
    return Check(name="queue", ok=True, message="It is paused: nothing new begins." if is_paused else "It goes on.")


def _broken(name: str, message: str, cure: str | None) -> Check:
    return Check(name=name, ok=False, message=message, cure=cure)

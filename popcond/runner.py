"""Runs the queue: claim a job, run its stage, finish or fail it, tell everybody.

A lane is a number of jobs at once and the kinds it takes, the most advanced first, so that started emojis end before
new ones begin. Each emoji fails alone. The end of a stage, the next stage's job and the event are one transaction; a
job that was cancelled or claimed anew in the meantime writes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from popcond import pipeline
from popcond.bus import Bus
from popcond.errors import OutOfDisk, PopconError
from popcond.stages import transitions
from popcond.stages.work import Finish, StageFunction, Work
from popcond.store import emojis, jobs, packs
from popcond.store.db import Connection, Database
from popcond.store.jobs import Job
from popcond.wire import Problem, Stage

log = logging.getLogger("popcond.runner")

_LOOK_AGAIN = 5.0  # seconds without a ring


@dataclass(frozen=True)
class Lane:
    """How many jobs of these kinds run at once."""

    name: str
    kinds: tuple[Stage, ...]  # the first has precedence
    width: int


class Runner:
    """The loops of all lanes."""

    def __init__(
        self, database: Database, bus: Bus, stages: Mapping[Stage, StageFunction], lanes: tuple[Lane, ...]
    ) -> None:
        self._database = database
        self._bus = bus
        self._stages = stages
        self._lanes = lanes
        self._loops: list[asyncio.Task[None]] = []
        self._running: dict[str, asyncio.Task[Finish]] = {}

    def start(self) -> None:
        """Begin to claim."""
        self._loops = [
            asyncio.create_task(self._work_off(lane), name=f"{lane.name}-{number}")
            for lane in self._lanes
            for number in range(lane.width)
        ]

    def stop(self, emoji_id: str) -> None:
        """End the running stage of an emoji whose job has been cancelled; children are killed."""
        if task := self._running.get(emoji_id):
            task.cancel()

    async def close(self) -> None:
        """Stop claiming, end what runs and give it back for the next start."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._database.write(jobs.recover)

    async def _work_off(self, lane: Lane) -> None:
        while True:
            job = await self._claim(lane)
            if job is None:
                await self._bus.heard(_LOOK_AGAIN)
                continue
            try:
                await self._run(job)
            except Exception:
                log.exception("job %s of emoji %s", job.id, job.emoji_id)

    async def _claim(self, lane: Lane) -> Job | None:
        """Looks before it claims: an empty claim would be a commit, and every commit rings."""
        for kind in lane.kinds:
            if await self._database.read(partial(jobs.is_ready, kind=kind)):
                job = await self._database.write(partial(transitions.claim, kind=kind))
                if job is not None:
                    return job
        return None

    async def _run(self, job: Job) -> None:
        work = await self._database.read(lambda connection: self._work(connection, job))
        if work is None:
            return
        task = asyncio.ensure_future(self._stages[job.kind](work))
        self._running[job.emoji_id] = task
        try:
            finish = await task
            await self._database.write(lambda connection: transitions.finish(connection, job, work, finish))
        except asyncio.CancelledError:
            if _is_stopping():
                raise  # the job is given back by `close`; an emoji that was cancelled says so in its row already
        except PopconError as error:
            await self._fail(job, error.problem())
        except Exception as error:
            log.exception("stage %s of emoji %s", job.kind, job.emoji_id)
            await self._fail(job, _unexpected(error))
        finally:
            if self._running.get(job.emoji_id) is task:
                del self._running[job.emoji_id]
                self._bus.settle(job.emoji_id)

    async def _fail(self, job: Job, problem: Problem) -> None:
        """Say why; while the disk has no room even for that, wait for it."""
        while True:
            try:
                await self._database.write(lambda connection: transitions.fail(connection, job, problem))
            except OutOfDisk as error:
                log.error("job %s of emoji %s: %s", job.id, job.emoji_id, error)
                await asyncio.sleep(_LOOK_AGAIN)
            else:
                return

    def _work(self, connection: Connection, job: Job) -> Work | None:
        """None when the job was cancelled, or its pack deleted, since it was claimed."""
        if not jobs.is_ours(connection, job):
            return None
        emoji = emojis.get(connection, job.emoji_id)
        return Work(
            job=job,
            emoji=emoji,
            action=emojis.action_of(connection, job.emoji_id),
            pack=packs.get(connection, emoji.pack_id),
            report=lambda fraction: self._bus.tick(job.emoji_id, pipeline.progress(job.kind, fraction)),
        )


def _is_stopping() -> bool:
    """Whether this loop itself is being cancelled, and not only the stage that it waits for."""
    current = asyncio.current_task()
    return current is not None and current.cancelling() > 0


def _unexpected(error: Exception) -> Problem:
    return Problem(
        code="unexpected",
        message=f"Something unexpected happened: {type(error).__name__}.",
        cure="Retry the emoji; the daemon's log says more.",
    )

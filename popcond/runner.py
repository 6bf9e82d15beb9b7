"""Runs the queue: claim a job, run its stage, finish or fail it, tell everybody.

A lane is a number of jobs at once and the kinds it takes, the most advanced first, so that started emojis end before
new ones begin. Each emoji fails alone. The end of a stage, the next stage's job and the event are one transaction; a
job that was cancelled or claimed anew in the meantime writes nothing. Whatever runs is held by a lease, which a beat
lengthens; a claim that no longer stands is stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

from popcond.bus import Bus
from popcond.crash import point
from popcond.errors import OutOfDisk, PopconError, TookTooLong
from popcond.stages import transitions
from popcond.stages.work import Finish, JobFunction
from popcond.store import jobs, queue
from popcond.store.db import Connection, Database
from popcond.store.jobs import LEASE, Job
from popcond.store.queue import Outlook
from popcond.wire import QueueLane, Stage

log = logging.getLogger("popcond.runner")

LOCAL_PATIENCE = 1800.0  # seconds: our own work on one emoji takes some; this is a hang

_LOOK_AGAIN = 5.0  # seconds after something went wrong with the queue itself
_LONGEST_SLEEP = 60.0  # seconds: clocks may be set while we wait for a time of day
_BEAT = LEASE / 4
_DRAIN = 4.0  # seconds that running stages get to end at a stop


@dataclass(frozen=True)
class Lane:
    """How many jobs of these kinds run at once."""

    name: str
    kinds: tuple[Stage, ...]  # the first has precedence
    width: int
    patience: float | None = None  # seconds that one job may take; None: whatever it takes

    def told(self) -> QueueLane:
        """As it crosses the wire."""
        return QueueLane(name=self.name, kinds=self.kinds, width=self.width)


@dataclass
class _Held:
    """A claim that is being worked on."""

    lane: Lane
    task: asyncio.Task[None]
    is_ending: bool = False

    def end(self) -> None:
        """Cancel it, once: a stage may need a moment to end well, which a second blow would take from it."""
        if not self.is_ending:
            self.is_ending = True
            self.task.cancel()


class Runner:
    """Claims for all lanes, and looks after what it holds."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        stages: Mapping[Stage, JobFunction],
        lanes: tuple[Lane, ...],
        *,
        most_at_once: Mapping[Stage, int] | None = None,
        at_work: Callable[[], AbstractAsyncContextManager[None]] = nullcontext,
        beat: float = _BEAT,
    ) -> None:
        self._database = database
        self._bus = bus
        self._stages = stages
        self._lanes = lanes
        self._most_at_once = most_at_once or {}
        self._at_work = at_work
        self._beat = beat
        self._held: dict[Job, _Held] = {}
        self._wake = asyncio.Event()
        self._loops: tuple[asyncio.Task[None], ...] = ()

    def start(self) -> None:
        """Begin to claim."""
        self._bus.at_commits(self._wake.set)
        self._loops = (
            asyncio.create_task(self._claim_for_ever(), name="claim"),
            asyncio.create_task(self._beat_for_ever(), name="beat"),
        )

    def stop(self, subject: str) -> None:
        """End the running job of an emoji or character that has been cancelled; children are killed."""
        for job, held in self._held.items():
            if job.subject == subject:
                held.end()

    async def close(self) -> None:
        """Stop claiming, end what runs and give it back for the next start."""
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        for held in self._held.values():
            held.end()
        if tasks := [held.task for held in self._held.values()]:
            await asyncio.wait(tasks, timeout=_DRAIN)
        await self._database.write(jobs.recover)

    # -------------------------------------------------------------- claiming

    async def _claim_for_ever(self) -> None:
        while True:
            self._wake.clear()  # before looking, so that no change is missed
            try:
                seconds = await self._fill_lanes()
            except Exception:
                log.exception("the queue cannot be read or written; looking again in %g s", _LOOK_AGAIN)
                seconds = _LOOK_AGAIN
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()

    async def _fill_lanes(self) -> float:
        """Claim for every free place; answers for how many seconds nothing will be due by itself."""
        outlook = await self._look()
        for lane in self._lanes:
            while kinds := self._kinds_to_claim(lane, outlook):
                job = await self._database.write(partial(transitions.claim, kinds=kinds))
                if job is None:
                    break
                self._begin(job, lane)
        if outlook.wakes_at is None:
            return _LONGEST_SLEEP
        return min(max(outlook.wakes_at - time.time(), 0.0), _LONGEST_SLEEP)

    async def _look(self) -> Outlook:
        """Looks before it claims: an empty claim would be a commit, and every commit rings."""
        kinds = [kind for lane in self._lanes for kind in lane.kinds]
        return await self._database.read(lambda connection: queue.look(connection, kinds, now=time.time()))

    def _kinds_to_claim(self, lane: Lane, outlook: Outlook) -> tuple[Stage, ...]:
        """What is due, has a free place in the lane, and is not at its own limit."""
        if sum(held.lane is lane for held in self._held.values()) >= lane.width:
            return ()
        running = Counter(job.kind for job in self._held)
        return tuple(
            kind
            for kind in lane.kinds
            if kind in outlook.due and running[kind] < self._most_at_once.get(kind, lane.width)
        )

    def _begin(self, job: Job, lane: Lane) -> None:
        task = asyncio.create_task(self._hold(job, lane), name=f"{job.kind} of {job.subject}")
        self._held[job] = _Held(lane, task)

    # -------------------------------------------------------------- holding

    async def _beat_for_ever(self) -> None:
        while True:
            try:
                await self._beat_once()
            except Exception:
                log.exception("leases cannot be written; trying again in %g s", self._beat)
            await asyncio.sleep(self._beat)

    async def _beat_once(self) -> None:
        """Beat first, sweep then, both at once: a clock that jumps forwards must not take our own work from us."""
        held = list(self._held)
        if not held and not await self._database.read(jobs.any_running):
            return  # a commit would wake a sleeping disk for nothing

        def beat(connection: Connection) -> list[Job]:
            now = time.time()
            lost = jobs.beat(connection, held, now=now)
            jobs.sweep(connection, now=now)
            return lost

        for job in await self._database.write(beat):
            if still := self._held.get(job):
                still.end()

    # -------------------------------------------------------------- running

    async def _hold(self, job: Job, lane: Lane) -> None:
        """One job from claim to end; it always gives its place back."""
        try:
            async with self._at_work():
                await self._run(job, lane)
        except Exception:
            log.exception("job %s of %s", job.id, job.subject)
        finally:
            del self._held[job]
            if not any(other.subject == job.subject for other in self._held):
                self._bus.settle(job.subject)
            self._wake.set()

    async def _run(self, job: Job, lane: Lane) -> None:
        """Cancelled, it writes nothing: either the row says already why, or `close` gives the job back."""
        try:
            finish = await self._stage(job, lane)
            await self._database.write(lambda connection: transitions.finish(connection, job, finish))
            point("after_finish")
        except PopconError as error:
            await self._fail(job, error)
        except Exception as error:
            log.exception("%s of %s", job.kind, job.subject)
            await self._fail(job, _unexpected(error))

    async def _stage(self, job: Job, lane: Lane) -> Finish:
        """What the stage answers. Raises what it raises, and TookTooLong."""
        try:
            async with asyncio.timeout(lane.patience) as clock:
                return await self._stages[job.kind](job, partial(self._bus.tick, job.subject))
        except TimeoutError as error:
            if not clock.expired():
                raise  # one of the stage's own
            raise TookTooLong(
                f"The stage {job.kind.value!r} was still at work after {(lane.patience or 0) / 60:.0f} minutes.",
                cure="Retry the emoji; if it happens again, try a shorter or smaller clip.",
            ) from error

    async def _fail(self, job: Job, error: PopconError) -> None:
        """Say why; while the disk has no room even for that, wait for it."""
        log.info("%s of %s: %s", job.kind, job.subject, error)
        while True:
            try:
                await self._database.write(lambda connection: transitions.fail(connection, job, error))
            except OutOfDisk as full:
                log.error("job %s of %s: %s", job.id, job.subject, full)
                await asyncio.sleep(_LOOK_AGAIN)
            else:
                return


def _unexpected(error: Exception) -> PopconError:
    return PopconError(
        f"Something unexpected happened: {type(error).__name__}.",
        cure="Try it again; the daemon's log says more.",
        code="unexpected",
    )

"""How an emoji gets from one place to the next: each function is one step, written inside the caller's transaction."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from popcond import backoff, pipeline
from popcond.errors import PopconError
from popcond.stages.work import Finish, Work
from popcond.store import emojis, events, jobs, packs, references
from popcond.store.db import Connection
from popcond.store.jobs import Job
from popcond.wire import Problem, Stage, Status

_BROKEN = ("asset_damaged", "asset_missing")  # codes of popcond.assets
_FREE = (Stage.SLICE, Stage.SEGMENT)  # stages that may be repeated unasked: they cost nothing but our own time


def enqueue(connection: Connection, emoji_id: str, stage: Stage) -> bool:
    """Queue a stage and say so; False when the emoji has a live job already, which is left alone."""
    if not jobs.add(connection, emoji_id, stage):
        return False
    place = pipeline.queued(stage)
    emojis.place(connection, emoji_id, place.stage, place.status, place.progress)
    return True


def cancel(connection: Connection, emoji_id: str) -> bool:
    """Cancel what waits or runs of an emoji and say so; False when there is nothing to cancel."""
    emoji = emojis.get(connection, emoji_id)
    if not jobs.cancel(connection, emoji_id) and emoji.status is not Status.QUEUED:  # queued: waits for the user's clip
        return False
    place = pipeline.stopped(emoji.stage, Status.CANCELLED)
    emojis.place(connection, emoji_id, place.stage, place.status, place.progress)
    return True


def refuse_clip(connection: Connection, emoji_id: str, problem: Problem) -> None:
    """The user's clip cannot be used. An emoji that already has a take keeps it and stays as it is."""
    if emojis.get(connection, emoji_id).chosen_take is None:
        place = pipeline.stopped(Stage.ANIMATE, Status.FAILED)
        emojis.place(connection, emoji_id, place.stage, place.status, place.progress, problem)


def claim(connection: Connection, kinds: Sequence[Stage]) -> Job | None:
    """Take the next due job of these kinds and say that its emoji is worked on; None when there is none."""
    job = jobs.claim(connection, kinds, now=time.time())
    if job is not None:
        _say_working(connection, job.emoji_id, job.kind)
    return job


def finish(connection: Connection, job: Job, work: Work, finish_stage: Finish) -> None:
    """Write a stage's result, close its job and queue what follows; nothing when the job is no longer ours."""
    if not jobs.finish(connection, job):
        return
    finish_stage(connection)
    is_accepted = packs.get(connection, work.pack.id).auto_accept or job.mends is Stage.ENCODE
    following = pipeline.following(job.kind, auto_accept=is_accepted)
    place = pipeline.working(following) if following else pipeline.done()
    if following and following is not Stage.REFINE:
        jobs.add(connection, job.emoji_id, following, mends=job.mends)
    emojis.place(connection, job.emoji_id, place.stage, place.status, place.progress)
    events.prune(connection)


def fail(connection: Connection, job: Job, error: PopconError) -> None:
    """Its stage failed: make a broken file again, try again later, or give up; nothing when it is no longer ours."""
    if not jobs.is_ours(connection, job):
        return
    maker = _maker_of_what_is_broken(connection, job, error)
    if maker is not None:
        _mend(connection, job, error.problem(), maker)
    elif job.failures < error.retries:
        _try_later(connection, job, error.problem())
    else:
        _give_up(connection, job, references.with_cure(connection, error, job.emoji_id).problem())


def _maker_of_what_is_broken(connection: Connection, job: Job, error: PopconError) -> Stage | None:
    """The stage that makes the missed file again by itself; once, for a disk that breaks it again is beyond us."""
    asset = (error.details or {}).get("asset")
    if error.code not in _BROKEN or not isinstance(asset, str) or job.mends is not None:
        return None
    maker = references.maker_of(connection, job.emoji_id, asset)
    return maker if maker in _FREE else None


def _mend(connection: Connection, job: Job, problem: Problem, maker: Stage) -> None:
    jobs.bury(connection, job, problem)
    jobs.add(connection, job.emoji_id, maker, mends=job.kind)
    _say_working(connection, job.emoji_id, maker, problem)


def _try_later(connection: Connection, job: Job, problem: Problem) -> None:
    seconds = backoff.pause(job.failures + 1, random.random(), backoff.wish_of(problem))
    run_at = time.time() + seconds
    announced = backoff.announced(problem, seconds, run_at)
    jobs.delay(connection, job, announced, run_at=run_at)
    _say_working(connection, job.emoji_id, job.kind, announced)


def _give_up(connection: Connection, job: Job, problem: Problem) -> None:
    jobs.bury(connection, job, problem)
    place = pipeline.stopped(job.kind, Status.FAILED)
    emojis.place(connection, job.emoji_id, place.stage, place.status, place.progress, problem)


def _say_working(connection: Connection, emoji_id: str, stage: Stage, problem: Problem | None = None) -> None:
    place = pipeline.working(stage)
    emojis.place(connection, emoji_id, place.stage, place.status, place.progress, problem)

"""How work gets from one place to the next: each function is one step, written inside the caller's transaction.

Of an emoji a job is one stage; of a character it is the whole drawing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from popcond import backoff, pipeline
from popcond.errors import PopconError
from popcond.stages.halting import halt_others
from popcond.stages.work import Finish
from popcond.store import characters, emojis, events, jobs, packs, references
from popcond.store.db import Connection
from popcond.store.jobs import Job
from popcond.wire import Problem, Stage, Status

_BROKEN = ("asset_damaged", "asset_missing")  # codes of popcond.assets
_FREE = (Stage.SLICE, Stage.SEGMENT)  # stages that may be repeated unasked: they cost nothing but our own time


def enqueue(connection: Connection, emoji_id: str, stage: Stage) -> bool:
    """Queue a stage and say so; False when the emoji has a live job already, which is left alone."""
    if not jobs.add(connection, emoji_id, stage):
        return False
    _place(connection, emoji_id, pipeline.queued(stage))
    return True


def enqueue_drawing(connection: Connection, character_id: str) -> bool:
    """Queue a character's drawing and say so; False when one is live already, which is left alone."""
    if not jobs.add_drawing(connection, character_id):
        return False
    characters.place(connection, character_id, "drawing")
    return True


def cancel(connection: Connection, emoji_id: str) -> bool:
    """Cancel what waits or runs of an emoji and say so; False when there is nothing to cancel."""
    emoji = emojis.get(connection, emoji_id)
    waits_for_a_person = emoji.status in (Status.QUEUED, Status.AWAITING_APPROVAL)  # queued: for the user's own clip
    if not jobs.cancel(connection, emoji_id) and not waits_for_a_person:
        return False
    _place(connection, emoji_id, pipeline.stopped(emoji.stage, Status.CANCELLED))
    return True


def cancel_drawing(connection: Connection, character_id: str) -> bool:
    """Cancel a character's drawing and say so; False when there is none. One with a picture is ready as it was."""
    if not jobs.cancel(connection, character_id):
        return False
    cancelled = Problem(code="cancelled", message="Its drawing was cancelled.", cure="Draw it again, or delete it.")
    _say_not_drawn(connection, character_id, cancelled)
    return True


def refuse_clip(connection: Connection, emoji_id: str, problem: Problem) -> None:
    """The user's clip cannot be used. An emoji that already has a take keeps it and stays as it is."""
    if emojis.get(connection, emoji_id).chosen_take is None:
        _place(connection, emoji_id, pipeline.stopped(Stage.ANIMATE, Status.FAILED), problem)


def claim(connection: Connection, kinds: Sequence[Stage]) -> Job | None:
    """Take the next due job of these kinds and say that its subject is worked on; None when there is none."""
    job = jobs.claim(connection, kinds, now=time.time())
    if job is not None:
        _say_working(connection, job)
    return job


def finish(connection: Connection, job: Job, finish_stage: Finish) -> None:
    """Write a stage's result, close its job and queue what follows; nothing when the job is no longer ours."""
    if not jobs.finish(connection, job):
        return
    finish_stage(connection)
    if job.kind is Stage.DRAW:
        characters.place(connection, job.subject, "ready")
    else:
        _go_on(connection, job)
    events.prune(connection)


def _go_on(connection: Connection, job: Job) -> None:
    """The emoji's next stage, or its end."""
    pack = packs.get(connection, emojis.get(connection, job.subject).pack_id)
    if job.kind is Stage.POSE and pack.approve_poses:
        _place(connection, job.subject, pipeline.awaiting_approval())
        return
    is_accepted = pack.auto_accept or job.mends is Stage.ENCODE
    following = pipeline.following(job.kind, auto_accept=is_accepted)
    if following and following is not Stage.REFINE:
        jobs.add(connection, job.subject, following, mends=job.mends)
    _place(connection, job.subject, pipeline.working(following) if following else pipeline.done())


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
        _give_up(connection, job, error)


def _maker_of_what_is_broken(connection: Connection, job: Job, error: PopconError) -> Stage | None:
    """The stage that makes the missed file again by itself; once, for a disk that breaks it again is beyond us."""
    asset = (error.details or {}).get("asset")
    if error.code not in _BROKEN or not isinstance(asset, str) or job.mends is not None:
        return None
    maker = references.maker_of(connection, job.subject, asset)
    return maker if maker in _FREE else None


def _mend(connection: Connection, job: Job, problem: Problem, maker: Stage) -> None:
    jobs.bury(connection, job, problem)
    jobs.add(connection, job.subject, maker, mends=job.kind)
    _place(connection, job.subject, pipeline.working(maker), problem)


def _try_later(connection: Connection, job: Job, problem: Problem) -> None:
    seconds = backoff.pause(job.failures + 1, random.random(), backoff.wish_of(problem))
    run_at = time.time() + seconds
    announced = backoff.announced(problem, seconds, run_at)
    jobs.delay(connection, job, announced, run_at=run_at)
    _say_working(connection, job, announced)


def _give_up(connection: Connection, job: Job, error: PopconError) -> None:
    """For good; and where the cause would stop others as well, they need not find out one by one."""
    emoji_id = None if job.kind is Stage.DRAW else job.subject
    problem = references.with_cure(connection, error, emoji_id).problem()
    jobs.bury(connection, job, problem)
    _say_failed(connection, job, problem)
    for other in halt_others(connection, job, error):
        _say_failed(connection, other, problem)


def _say_working(connection: Connection, job: Job, problem: Problem | None = None) -> None:
    if job.kind is Stage.DRAW:
        characters.place(connection, job.subject, "drawing", problem)
    else:
        _place(connection, job.subject, pipeline.working(job.kind), problem)


def _say_failed(connection: Connection, job: Job, problem: Problem) -> None:
    if job.kind is Stage.DRAW:
        _say_not_drawn(connection, job.subject, problem)
    else:
        _place(connection, job.subject, pipeline.stopped(job.kind, Status.FAILED), problem)


def _say_not_drawn(connection: Connection, character_id: str, problem: Problem) -> None:
    """A character that has a picture keeps it, and is as ready as it was."""
    has_picture = characters.get(connection, character_id).width > 0
    characters.place(connection, character_id, "ready" if has_picture else "failed", problem)


def _place(connection: Connection, emoji_id: str, place: pipeline.Place, problem: Problem | None = None) -> None:
    emojis.place(connection, emoji_id, place.stage, place.status, place.progress, problem)

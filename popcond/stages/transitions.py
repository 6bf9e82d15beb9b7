"""How an emoji gets from one place to the next: each function is one step, written inside the caller's transaction."""

from __future__ import annotations

from popcond import pipeline
from popcond.stages.work import Finish, Work
from popcond.store import emojis, events, jobs, packs
from popcond.store.db import Connection
from popcond.store.jobs import Job
from popcond.wire import Problem, Stage, Status


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


def claim(connection: Connection, kind: Stage) -> Job | None:
    """Take the oldest ready job of a kind and say that its emoji is worked on; None when none waits."""
    job = jobs.claim(connection, kind)
    if job is not None:
        place = pipeline.working(kind)
        emojis.place(connection, job.emoji_id, place.stage, place.status, place.progress)
    return job


def finish(connection: Connection, job: Job, work: Work, finish_stage: Finish) -> None:
    """Write a stage's result, close its job and queue what follows; nothing when the job is no longer ours."""
    if not jobs.finish(connection, job):
        return
    finish_stage(connection)
    following = pipeline.following(job.kind, auto_accept=packs.get(connection, work.pack.id).auto_accept)
    place = pipeline.working(following) if following else pipeline.done()
    if following and following is not Stage.REFINE:
        jobs.add(connection, job.emoji_id, following)
    emojis.place(connection, job.emoji_id, place.stage, place.status, place.progress)
    events.prune(connection)


def fail(connection: Connection, job: Job, problem: Problem) -> None:
    """Close a job whose stage failed and say why; nothing when the job is no longer ours."""
    if not jobs.fail(connection, job):
        return
    place = pipeline.stopped(job.kind, Status.FAILED)
    emojis.place(connection, job.emoji_id, place.stage, place.status, place.progress, problem)

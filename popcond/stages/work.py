"""The shape of a stage: it gets one piece of work and answers with what is to be written down when it is finished.

A stage never writes its own end: the runner runs the answered `Finish` in the transaction that closes the job and
queues the next stage, so that either all of it happened or nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from popcond import pipeline
from popcond.store import characters, emojis, jobs, packs
from popcond.store.db import Connection, Database
from popcond.store.jobs import Job
from popcond.wire import Action, Character, Emoji, Pack

Finish = Callable[[Connection], None]
Told = Callable[[float], None]  # progress of the whole emoji, 0..1


@dataclass(frozen=True)
class Work:
    """One claimed job of an emoji with all that its stage needs to know."""

    job: Job
    emoji: Emoji
    action: Action  # as it was when the emoji was added
    pack: Pack
    report: Callable[[float], None]  # progress of the stage, 0..1


@dataclass(frozen=True)
class Sitting:
    """One claimed DRAW with all that it needs to know."""

    job: Job
    character: Character


StageFunction = Callable[[Work], Awaitable[Finish]]
JobFunction = Callable[[Job, Told], Awaitable[Finish]]


def of_emojis(database: Database, stage: StageFunction) -> JobFunction:
    """A stage of emojis, as the runner calls it."""

    async def run(job: Job, told: Told) -> Finish:
        work = await database.read(lambda connection: _work(connection, job, told))
        return await stage(work) if work else _nothing

    return run


def of_characters(database: Database, draw: Callable[[Sitting], Awaitable[Finish]]) -> JobFunction:
    """The one stage of characters, as the runner calls it."""

    async def run(job: Job, _told: Told) -> Finish:
        sitting = await database.read(lambda connection: _sitting(connection, job))
        return await draw(sitting) if sitting else _nothing

    return run


def _work(connection: Connection, job: Job, told: Told) -> Work | None:
    """None when the job was cancelled, or its pack deleted, since it was claimed."""
    if not jobs.is_ours(connection, job):
        return None
    emoji = emojis.get(connection, job.subject)
    return Work(
        job=job,
        emoji=emoji,
        action=emojis.action_of(connection, job.subject),
        pack=packs.get(connection, emoji.pack_id),
        report=lambda fraction: told(pipeline.progress(job.kind, fraction)),
    )


def _sitting(connection: Connection, job: Job) -> Sitting | None:
    if not jobs.is_ours(connection, job):
        return None
    return Sitting(job, characters.get(connection, job.subject))


def _nothing(_connection: Connection) -> None:
    """The job is no longer ours: its end will not be written either."""

"""Jobs: claimed once, finished by their holder only, never two live ones for an emoji."""

from __future__ import annotations

import sqlite3
from functools import partial

import pytest

from popcond.stages import transitions
from popcond.store import emojis, events, jobs
from popcond.store.db import Database
from popcond.wire import Pack, Problem, Stage, Status


async def test_a_double_key_press_queues_once(database: Database, pack: Pack) -> None:
    emoji = pack.emojis[0]
    press = partial(transitions.enqueue, emoji_id=emoji.id, stage=Stage.ANIMATE)
    assert [await database.write(press), await database.write(press)] == [True, False]


async def test_the_database_itself_refuses_a_second_live_job(database: Database, pack: Pack) -> None:
    await database.write(partial(jobs.add, emoji_id=pack.emojis[0].id, kind=Stage.ANIMATE))

    def around_the_back(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO job(kind, emoji_id, state, created, updated) VALUES ('slice', ?, 'ready', 0, 0)",
            (pack.emojis[0].id,),
        )

    with pytest.raises(sqlite3.IntegrityError):
        await database.write(around_the_back)


async def test_the_oldest_job_of_a_kind_is_claimed_once(database: Database, pack: Pack) -> None:
    for emoji in pack.emojis:
        await database.write(partial(transitions.enqueue, emoji_id=emoji.id, stage=Stage.ANIMATE))
    claims = [await database.write(partial(transitions.claim, kind=Stage.ANIMATE)) for _ in range(3)]
    assert [job.emoji_id if job else None for job in claims] == [pack.emojis[0].id, pack.emojis[1].id, None]
    assert await database.write(partial(transitions.claim, kind=Stage.SLICE)) is None


async def test_a_cancelled_jobs_late_end_writes_nothing(database: Database, pack: Pack) -> None:
    emoji = pack.emojis[0]
    await database.write(partial(transitions.enqueue, emoji_id=emoji.id, stage=Stage.ENCODE))
    job = await database.write(partial(transitions.claim, kind=Stage.ENCODE))
    assert job is not None
    assert await database.write(partial(transitions.cancel, emoji_id=emoji.id))
    problem = Problem(code="late", message="Too late.")
    await database.write(partial(transitions.fail, job=job, problem=problem))
    after = await database.read(partial(emojis.get, emoji_id=emoji.id))
    assert (after.status, after.problem) == (Status.CANCELLED, None)


async def test_a_claim_of_before_a_restart_is_void(database: Database, pack: Pack) -> None:
    emoji = pack.emojis[0]
    await database.write(partial(transitions.enqueue, emoji_id=emoji.id, stage=Stage.ANIMATE))
    stale = await database.write(partial(transitions.claim, kind=Stage.ANIMATE))
    assert await database.write(jobs.recover) == 1
    fresh = await database.write(partial(transitions.claim, kind=Stage.ANIMATE))
    assert stale is not None
    assert fresh is not None
    assert fresh.attempt == 2
    assert not await database.write(partial(jobs.finish, job=stale))
    assert await database.write(partial(jobs.finish, job=fresh))


async def test_the_remote_task_outlives_a_restart(database: Database, pack: Pack) -> None:
    await database.write(partial(transitions.enqueue, emoji_id=pack.emojis[0].id, stage=Stage.ANIMATE))
    job = await database.write(partial(transitions.claim, kind=Stage.ANIMATE))
    assert job is not None
    assert await database.write(partial(jobs.note_remote_task, job=job, remote_task="task-42"))
    await database.write(jobs.recover)
    again = await database.write(partial(transitions.claim, kind=Stage.ANIMATE))
    assert again is not None
    assert again.remote_task == "task-42"


async def test_every_change_is_an_event_with_the_whole_emoji(database: Database, pack: Pack) -> None:
    emoji = pack.emojis[1]
    start = await database.read(events.newest)
    await database.write(partial(transitions.enqueue, emoji_id=emoji.id, stage=Stage.ANIMATE))
    await database.write(partial(transitions.claim, kind=Stage.ANIMATE))
    await database.write(partial(transitions.cancel, emoji_id=emoji.id))
    told = await database.read(partial(events.after, seq=start))
    assert [event.seq for event in told] == [start + 1, start + 2, start + 3]
    assert [event.emoji.status if event.emoji else None for event in told] == [
        Status.QUEUED,
        Status.GENERATING_VIDEO,
        Status.CANCELLED,
    ]

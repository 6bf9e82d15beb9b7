"""Jobs: claimed once, finished by their holder only, tried again where that may help, never two live ones an emoji."""

from __future__ import annotations

import sqlite3
import time
from functools import partial

import pytest

from popcond.errors import NotFound, OutOfDisk, PopconError, ProviderBusy, WorkerDied
from popcond.stages import transitions
from popcond.store import emojis, events, frames, jobs, queue
from popcond.store.db import Connection, Database
from popcond.store.frames import MaskRow, RawFrame
from popcond.store.jobs import Job
from popcond.wire import Emoji, JobRow, JobState, Pack, Stage, Status

CLOCK = 1_000_000.0  # seconds since the epoch: the time in tests that bring their own


async def claimed(database: Database, emoji: Emoji, stage: Stage = Stage.ANIMATE) -> Job:
    """The emoji's job of that stage, queued unless it is live, and claimed."""

    def write(connection: Connection) -> Job:
        transitions.enqueue(connection, emoji.id, stage)
        jobs.hasten(connection, emoji.id)
        job = transitions.claim(connection, [stage])
        assert job is not None
        return job

    return await database.write(write)


async def now(database: Database, emoji: Emoji) -> Emoji:
    """The emoji as its row says."""
    return await database.read(partial(emojis.get, emoji_id=emoji.id))


async def row_of(database: Database, emoji: Emoji) -> JobRow:
    """The emoji's newest job."""
    return (await database.read(partial(queue.rows, emoji_id=emoji.id)))[0]


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


async def test_a_job_of_nobody_is_refused(database: Database) -> None:
    with pytest.raises(NotFound):
        await database.write(partial(jobs.add, emoji_id="nobody", kind=Stage.SLICE))


async def test_the_oldest_job_of_a_kind_is_claimed_once(database: Database, pack: Pack) -> None:
    for emoji in pack.emojis:
        await database.write(partial(transitions.enqueue, emoji_id=emoji.id, stage=Stage.ANIMATE))
    claims = [await database.write(partial(transitions.claim, kinds=[Stage.ANIMATE])) for _ in range(3)]
    assert [job.subject if job else None for job in claims] == [pack.emojis[0].id, pack.emojis[1].id, None]
    assert await database.write(partial(transitions.claim, kinds=[Stage.SLICE])) is None
    assert await database.write(partial(transitions.claim, kinds=[])) is None


async def test_a_started_emoji_ends_before_a_new_one_begins(database: Database, pack: Pack) -> None:
    new, started = pack.emojis
    await database.write(partial(transitions.enqueue, emoji_id=new.id, stage=Stage.SLICE))
    await database.write(partial(transitions.enqueue, emoji_id=started.id, stage=Stage.ENCODE))
    job = await database.write(partial(transitions.claim, kinds=[Stage.ENCODE, Stage.SLICE]))
    assert job is not None
    assert job.subject == started.id


async def test_a_cancelled_jobs_late_end_writes_nothing(database: Database, pack: Pack) -> None:
    emoji = pack.emojis[0]
    job = await claimed(database, emoji, Stage.ENCODE)
    assert await database.write(partial(transitions.cancel, emoji_id=emoji.id))
    for error in (PopconError("Too late."), WorkerDied("Too late as well.")):
        await database.write(partial(transitions.fail, job=job, error=error))
    after = await now(database, emoji)
    assert (after.status, after.problem) == (Status.CANCELLED, None)
    assert (await row_of(database, emoji)).state is JobState.CANCELLED


async def test_a_claim_of_before_a_restart_is_void(database: Database, pack: Pack) -> None:
    emoji = pack.emojis[0]
    stale = await claimed(database, emoji)
    assert await database.write(jobs.recover) == 1
    fresh = await claimed(database, emoji)
    assert (fresh.attempt, fresh.failures) == (2, 0)  # a crash is no failure of the job's
    assert not await database.write(partial(jobs.finish, job=stale))
    assert await database.write(partial(jobs.finish, job=fresh))


async def test_every_change_is_an_event_with_the_whole_emoji(database: Database, pack: Pack) -> None:
    emoji = pack.emojis[1]
    start = await database.read(events.newest)
    await database.write(partial(transitions.enqueue, emoji_id=emoji.id, stage=Stage.ANIMATE))
    await database.write(partial(transitions.claim, kinds=[Stage.ANIMATE]))
    await database.write(partial(transitions.cancel, emoji_id=emoji.id))
    told = await database.read(partial(events.after, seq=start))
    assert [event.seq for event in told] == [start + 1, start + 2, start + 3]
    assert [event.emoji.status if event.emoji else None for event in told] == [
        Status.QUEUED,
        Status.GENERATING_VIDEO,
        Status.CANCELLED,
    ]


# ------------------------------------------------------------------ leases


async def test_a_holder_that_is_not_heard_of_loses_its_job(database: Database, pack: Pack) -> None:
    await database.write(partial(jobs.add, emoji_id=pack.emojis[0].id, kind=Stage.SLICE))
    claim = partial(jobs.claim, kinds=[Stage.SLICE], lease=60.0)
    lost = await database.write(partial(claim, now=CLOCK))
    assert lost is not None
    assert await database.write(partial(jobs.sweep, now=CLOCK + 59)) == 0
    assert await database.write(partial(jobs.sweep, now=CLOCK + 61)) == 1
    taken = await database.write(partial(claim, now=CLOCK + 61))
    assert taken is not None
    assert await database.write(partial(jobs.beat, held=[lost, taken], now=CLOCK + 62)) == [lost]
    assert not await database.write(partial(jobs.finish, job=lost))
    assert await database.write(partial(jobs.finish, job=taken))


async def test_a_clock_that_jumps_forwards_takes_nothing_from_who_beats_first(database: Database, pack: Pack) -> None:
    await database.write(partial(jobs.add, emoji_id=pack.emojis[0].id, kind=Stage.SLICE))
    job = await database.write(partial(jobs.claim, kinds=[Stage.SLICE], now=CLOCK))
    assert job is not None

    def beat(connection: Connection) -> tuple[list[Job], int]:
        later = CLOCK + 86400
        return jobs.beat(connection, [job], now=later), jobs.sweep(connection, now=later)

    assert await database.write(beat) == ([], 0)


# ------------------------------------------------------------------ trying again


async def test_what_may_pass_is_tried_again_and_the_emoji_says_when(database: Database, pack: Pack) -> None:
    emoji = pack.emojis[0]
    job = await claimed(database, emoji)
    busy = ProviderBusy("They are busy.", cure="Wait.", details={"retry_after": 40})
    await database.write(partial(transitions.fail, job=job, error=busy))
    waiting = await now(database, emoji)
    assert waiting.status is Status.GENERATING_VIDEO
    assert waiting.problem is not None
    assert waiting.problem.message.startswith("They are busy. Tried again in 4")
    assert (waiting.problem.code, waiting.problem.cure) == ("provider_busy", "Wait.")
    row = await row_of(database, emoji)
    assert (row.state, row.failures, row.problem) == (JobState.READY, 1, waiting.problem)
    assert row.run_at is not None
    assert row.run_at >= row.updated + 39
    assert await database.write(partial(transitions.claim, kinds=[Stage.ANIMATE])) is None


async def test_the_next_try_clears_the_problem(database: Database, pack: Pack) -> None:
    emoji = pack.emojis[0]
    job = await claimed(database, emoji)
    await database.write(partial(transitions.fail, job=job, error=ProviderBusy("They are busy.")))
    again = await claimed(database, emoji)
    assert (again.attempt, again.failures) == (2, 1)
    assert (await now(database, emoji)).problem is None
    assert (await row_of(database, emoji)).problem is None


@pytest.mark.parametrize("error", [OutOfDisk("Full."), WorkerDied("It died."), PopconError("A bug.")])
async def test_a_job_whose_tries_are_used_up_is_dead_and_says_why(
    database: Database, pack: Pack, error: PopconError
) -> None:
    emoji = pack.emojis[0]
    for _ in range(error.retries + 1):
        assert (await now(database, emoji)).status is not Status.FAILED
        job = await claimed(database, emoji)
        await database.write(partial(transitions.fail, job=job, error=error))
    dead = await row_of(database, emoji)
    assert (dead.state, dead.failures) == (JobState.DEAD, error.retries + 1)
    failed = await now(database, emoji)
    assert failed.status is Status.FAILED
    assert failed.problem == dead.problem == error.problem()


@pytest.mark.parametrize(("passed", "wakes"), [(0.0, False), (29.0, False), (30.0, True), (-3600.0, True)])
async def test_a_sleeping_job_wakes_in_time_also_when_the_clock_is_set_back(
    database: Database, pack: Pack, passed: float, wakes: bool
) -> None:
    job = await claimed(database, pack.emojis[0], Stage.SLICE)
    start = time.time()
    delayed = partial(jobs.delay, job=job, problem=PopconError("Later.").problem(), run_at=start + 30)
    assert await database.write(delayed)
    outlook = await database.read(partial(queue.look, kinds=[Stage.SLICE], now=start + passed))
    assert (Stage.SLICE in outlook.due) is wakes
    claim = await database.write(partial(jobs.claim, kinds=[Stage.SLICE], now=start + passed))
    assert (claim is not None) is wakes


# ------------------------------------------------------------------ files that broke

RAW, MASK, CLIP = "a" * 64, "b" * 64, "c" * 64


def framed(connection: Connection, emoji_id: str) -> None:
    """The emoji has a frame with its mask."""
    frames.replace(connection, emoji_id, [RawFrame(RAW, None, 8, 8, 0.1)])
    frames.mask(connection, emoji_id, [MaskRow(MASK, (), 0.0)])


def broken(asset: str, code: str = "asset_damaged") -> NotFound:
    """What a stage meets that reads a broken file."""
    return NotFound("A stored file is damaged.", code=code, details={"asset": asset})


async def fail(database: Database, job: Job, error: PopconError) -> None:
    """The job's stage raised this."""
    await database.write(partial(transitions.fail, job=job, error=error))


@pytest.mark.parametrize(("asset", "maker"), [(RAW, Stage.SLICE), (MASK, Stage.SEGMENT)])
@pytest.mark.parametrize("code", ["asset_damaged", "asset_missing"])
async def test_a_broken_file_is_made_again_by_itself_once(
    database: Database, pack: Pack, asset: str, maker: Stage, code: str
) -> None:
    emoji = pack.emojis[0]
    await database.write(partial(framed, emoji_id=emoji.id))
    job = await claimed(database, emoji, Stage.ENCODE)
    await fail(database, job, broken(asset, code))
    mending = await database.write(partial(transitions.claim, kinds=[Stage.SLICE, Stage.SEGMENT, Stage.ENCODE]))
    assert mending is not None
    assert (mending.kind, mending.mends) == (maker, Stage.ENCODE)
    await fail(database, mending, broken(asset, code))
    failed = await now(database, emoji)
    assert (failed.status, failed.problem and failed.problem.code) == (Status.FAILED, code)


async def test_a_broken_file_that_is_not_ours_to_make_is_told_with_its_cure(database: Database, pack: Pack) -> None:
    emoji = pack.emojis[0]
    job = await claimed(database, emoji, Stage.SLICE)
    await fail(database, job, broken(CLIP))
    failed = await now(database, emoji)
    assert failed.status is Status.FAILED
    assert not await database.read(partial(jobs.is_live, subject=emoji.id))

"""The queue as a whole: paused, reordered, listed and pruned; and databases that were made before it had an order."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

import pytest
from sqlite_utils import Database as Tables

from popcond.errors import Conflict, NotFound
from popcond.stages import transitions
from popcond.store import characters, emojis, events, jobs, packs, queue
from popcond.store.db import Connection, Database, connect
from popcond.store.m001_core import m001_core
from popcond.store.migrations import migrate, schema
from popcond.wire import JobState, Pack, QueueLane, Stage
from tests.data import a_character, a_new_pack, an_action, its_files

LANES = (QueueLane(name="local", kinds=(Stage.ENCODE, Stage.SLICE), width=2),)
FIVE = ("wave", "jump", "cry", "nod", "bow")


@pytest.fixture
async def five(database: Database) -> Pack:
    """A pack of five emojis, all waiting for SLICE."""
    character = await database.write(partial(characters.add, character=a_character(), files=its_files()))

    def order(connection: Connection) -> Pack:
        pack = packs.add(connection, a_new_pack(character, *FIVE), [an_action(name) for name in FIVE])
        for emoji in pack.emojis:
            transitions.enqueue(connection, emoji.id, Stage.SLICE)
        return pack

    return await database.write(order)


def ids(pack: Pack) -> dict[str, str]:
    """The pack's emojis' ids by action."""
    return {emoji.action: emoji.id for emoji in pack.emojis}


async def order_of(database: Database) -> list[str]:
    """The actions in the order in which they would be claimed."""
    return [row.action for row in await database.read(partial(queue.rows, state=JobState.READY))]


async def claim_all(database: Database) -> list[str]:
    """The actions in the order in which they are claimed."""
    claimed = []
    while (job := await database.write(partial(transitions.claim, kinds=[Stage.ENCODE, Stage.SLICE]))) is not None:
        emoji = await database.read(partial(emojis.get, emoji_id=job.subject))
        claimed.append(emoji.action)
    return claimed


async def move(database: Database, five: Pack, action: str, before: str | None) -> None:
    """Move one emoji of the five."""
    there = ids(five)
    place = there[before] if before else None
    await database.write(partial(queue.move, emoji_id=there[action], before=place))


# ------------------------------------------------------------------ pause


async def test_a_paused_queue_begins_nothing_until_it_is_resumed(database: Database, five: Pack) -> None:
    running = await database.write(partial(transitions.claim, kinds=[Stage.SLICE]))
    assert running is not None
    paused = await database.write(partial(queue.set_paused, lanes=LANES, paused=True))
    assert (paused.paused, paused.ready, paused.running, paused.lanes[0].running) == (True, 4, 1, 1)
    assert await database.write(partial(transitions.claim, kinds=[Stage.SLICE])) is None
    assert not (await database.read(partial(queue.look, kinds=[Stage.SLICE], now=0.0))).due
    assert await database.write(partial(jobs.finish, job=running))
    await database.write(partial(queue.set_paused, lanes=LANES, paused=False))
    assert await claim_all(database) == ["jump", "cry", "nod", "bow"]


async def test_a_pause_is_told_and_outlives_the_daemon(tmp_path: Path) -> None:
    path = tmp_path / "popcon.db"
    for _ in range(2):
        migrate(path)
        database = Database(path)
        assert await database.read(queue.is_paused) is (_ == 1)
        await database.write(partial(queue.set_paused, lanes=LANES, paused=True))
        told = (await database.read(partial(events.after, seq=0)))[-1]
        assert (told.type, told.queue and told.queue.paused) == ("queue_changed", True)
        database.close()


async def test_a_paused_queue_keeps_no_daemon_from_stopping(database: Database, five: Pack) -> None:
    assert await database.read(jobs.any_live)
    await database.write(partial(queue.set_paused, lanes=LANES, paused=True))
    assert not await database.read(jobs.any_live)


# ------------------------------------------------------------------ order


async def test_new_emojis_come_last(database: Database, five: Pack) -> None:
    def extend(connection: Connection) -> None:
        later = packs.extend(connection, five.id, [an_action("spin")])
        transitions.enqueue(connection, later.emojis[-1].id, Stage.SLICE)

    await database.write(extend)
    assert await order_of(database) == [*FIVE, "spin"]


@pytest.mark.parametrize(
    ("action", "before", "order"),
    [
        ("bow", "jump", ["wave", "bow", "jump", "cry", "nod"]),
        ("wave", "nod", ["jump", "cry", "wave", "nod", "bow"]),
        ("cry", None, ["cry", "wave", "jump", "nod", "bow"]),
        ("wave", None, list(FIVE)),
        ("wave", "jump", list(FIVE)),
        ("cry", "cry", list(FIVE)),
    ],
)
async def test_an_emoji_is_moved(
    database: Database, five: Pack, action: str, before: str | None, order: list[str]
) -> None:
    await move(database, five, action, before)
    assert await order_of(database) == order
    assert await claim_all(database) == order


async def test_a_hundred_moves_into_one_gap_keep_the_order(database: Database, five: Pack) -> None:
    for number in range(100):
        await move(database, five, "bow" if number % 2 else "nod", "cry")
    assert await order_of(database) == ["wave", "jump", "nod", "bow", "cry"]


async def test_priority_goes_before_everything(database: Database, five: Pack) -> None:
    there = ids(five)
    await database.write(partial(jobs.cancel, subject=there["wave"]))
    await database.write(partial(transitions.enqueue, emoji_id=there["wave"], stage=Stage.ENCODE))
    await database.write(partial(queue.prioritise, emoji_ids=[there["nod"]], priority=7))
    await database.write(partial(queue.prioritise, emoji_ids=[there["jump"]], priority=-1))
    order = ["nod", "wave", "cry", "bow", "jump"]
    assert await order_of(database) == order
    assert await claim_all(database) == order


async def test_a_moved_emoji_takes_over_the_priority_of_its_new_place(database: Database, five: Pack) -> None:
    await database.write(partial(queue.prioritise, emoji_ids=[ids(five)["nod"]], priority=7))
    await move(database, five, "bow", "nod")
    await move(database, five, "cry", None)
    assert await order_of(database) == ["cry", "bow", "nod", "wave", "jump"]
    await move(database, five, "cry", "wave")
    assert await order_of(database) == ["bow", "nod", "cry", "wave", "jump"]


async def test_priority_and_turn_outlive_a_stage(database: Database, five: Pack) -> None:
    there = ids(five)
    await move(database, five, "bow", None)
    await database.write(partial(queue.prioritise, emoji_ids=[there["cry"]], priority=3))
    for action in FIVE:
        await database.write(partial(jobs.cancel, subject=there[action]))
        await database.write(partial(transitions.enqueue, emoji_id=there[action], stage=Stage.ENCODE))
    assert await order_of(database) == ["cry", "bow", "wave", "jump", "nod"]


async def test_a_pack_is_prioritised_at_once_and_each_emoji_says_so(database: Database, five: Pack) -> None:
    start = await database.read(events.newest)
    await database.write(partial(queue.prioritise_pack, pack_id=five.id, priority=5))
    told = [event.emoji for event in await database.read(partial(events.after, seq=start))]
    assert [emoji.priority if emoji else None for emoji in told] == [5] * 5


async def test_what_is_not_in_the_queue_cannot_be_moved(database: Database, five: Pack) -> None:
    await database.write(partial(jobs.cancel, subject=ids(five)["wave"]))
    with pytest.raises(Conflict):
        await move(database, five, "wave", None)
    with pytest.raises(NotFound):
        await database.write(partial(queue.move, emoji_id=ids(five)["jump"], before="nobody"))
    with pytest.raises(NotFound):
        await database.write(partial(queue.prioritise, emoji_ids=["nobody"], priority=1))


# ------------------------------------------------------------------ lists and what goes


async def test_pages_of_a_list_miss_nothing_and_repeat_nothing(database: Database, five: Pack) -> None:
    await database.write(partial(queue.prioritise, emoji_ids=[ids(five)["nod"]], priority=7))
    for state, order in ((JobState.READY, ["nod", "wave", "jump", "cry", "bow"]), (None, list(reversed(FIVE)))):
        listed: list[str] = []
        after = None
        while page := await database.read(partial(queue.rows, state=state, after=after, limit=2)):
            listed += [row.action for row in page]
            after = page[-1].id
        assert listed == order


async def test_a_list_is_narrowed(database: Database, five: Pack) -> None:
    wave = ids(five)["wave"]
    assert len(await database.read(partial(queue.rows, emoji_id=wave))) == 1
    assert len(await database.read(partial(queue.rows, kind=Stage.SLICE))) == 5
    assert await database.read(partial(queue.rows, kind=Stage.SLICE, state=JobState.DEAD)) == []
    with pytest.raises(NotFound):
        await database.read(partial(queue.rows, state=JobState.READY, after=987))


async def test_ended_jobs_go_and_what_lives_stays(database: Database, five: Pack) -> None:
    assert len(await claim_all(database)) == 5
    for action in ("wave", "jump"):
        await database.write(partial(jobs.cancel, subject=ids(five)[action]))
    assert await database.write(partial(queue.prune, older_than=60.0)) == 0
    assert await database.write(partial(queue.prune, older_than=0.0)) == 2
    assert [row.action for row in await database.read(queue.rows)] == ["bow", "nod", "cry"]


# ------------------------------------------------------------------ databases of the first schema


def old_database(path: Path) -> None:
    """A database of the first schema: one emoji done, one failed, one waiting, one that was running."""
    schema_of_then = type(schema)("popcon")
    schema_of_then()(m001_core)
    connection = connect(path)
    schema_of_then.apply(Tables(connection))
    connection.execute(
        "INSERT INTO character VALUES ('c', 'Pip', 1, 1, 'auto', 'alpha', 1, '[]', 'p', 'image/png', 'q', 1)"
    )
    connection.execute("INSERT INTO pack VALUES ('p', 'Pack', 'c', 'puppet', NULL, '[]', 0, 0, 1)")
    for number, state in enumerate(("done", "failed", "ready", "running"), start=1):
        status = "failed" if state == "failed" else "queued"
        problem = '{"code": "old", "message": "Long ago."}' if state == "failed" else None
        connection.execute(
            "INSERT INTO emoji(id, pack_id, number, action, motion_prompt, status, stage, progress, problem, created,"
            " updated) VALUES (?, 'p', ?, ?, '', ?, 'slice', 0, ?, 1, 1)",
            (state, number, an_action(state).model_dump_json(), status, problem),
        )
        connection.execute(
            "INSERT INTO job(kind, emoji_id, state, attempt, claim_token, created, updated)"
            " VALUES ('slice', ?, ?, 1, 1, 1, 1)",
            (state, state),
        )
    connection.execute(
        "INSERT INTO job(kind, emoji_id, state, created, updated) VALUES ('slice', 'done', 'done', 1, 1)"
    )
    connection.execute("DELETE FROM job WHERE id = 5")
    connection.close()


async def test_an_older_database_comes_along_with_its_jobs(tmp_path: Path) -> None:
    path = tmp_path / "popcon.db"
    old_database(path)
    migrate(path)
    database = Database(path)
    states = {row.action: row.state for row in await database.read(queue.rows)}
    assert states == {
        "done": JobState.DONE,
        "failed": JobState.DEAD,
        "ready": JobState.READY,
        "running": JobState.RUNNING,
    }
    (dead,) = await database.read(partial(queue.rows, state=JobState.DEAD))
    assert dead.problem is not None
    assert dead.problem.message == "Long ago."
    await database.write(jobs.recover)
    assert await order_of(database) == ["ready", "running"]
    await database.write(partial(transitions.enqueue, emoji_id="done", stage=Stage.SLICE))
    assert (await database.read(queue.rows))[0].id == 6  # an id is never given twice
    assert await database.read(_broken_references) == []
    database.close()


def _broken_references(connection: sqlite3.Connection) -> list[object]:
    return list(connection.execute("PRAGMA foreign_key_check"))

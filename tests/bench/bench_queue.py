"""Claim + complete cycles a second, next to huey and litequeue, in one run: `python -m tests.bench.bench_queue`.

Every contender works off jobs that are there already, at `synchronous=FULL`, with 1 and with 32 callers at once:
tasks of one event loop for ours, threads for theirs. Rounds are interleaved, every second one in reverse order, so that
a busy machine slows all alike: read the ratios, each taken within its round. What each promises differs, and is printed
beside it. The last table is our claim among 150,000 rows. Wants the extra `bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import huey
import huey.storage
import litequeue

from popcond import pipeline
from popcond.stages import transitions
from popcond.store import characters, emojis, jobs, packs
from popcond.store.db import Connection, Database, connect
from popcond.store.migrations import migrate
from popcond.wire import Stage
from tests.data import a_character, a_new_pack, an_action, its_files

KIND = Stage.SEGMENT
DONE, READY = 100_000, 50_000  # rows of the large database
CLAIMS = 2_000
PAYLOAD = json.dumps({"emoji": "0" * 32, "stage": "segment"})

Cycles = Callable[[Path, int, int], float]  # (folder, cycles, callers) -> seconds


# -------------------------------------------------------------- ours


def filled(path: Path, count: int) -> None:
    """A database with this many emojis in a pack, a ready job each."""
    migrate(path)
    with closing(connect(path)) as connection:
        connection.execute("BEGIN")
        character = characters.add(connection, a_character(), its_files())
        pack = packs.add(connection, a_new_pack(character), [an_action() for _ in range(count)])
        for emoji in pack.emojis:
            jobs.add(connection, emoji.id, KIND)
        connection.execute("COMMIT")


def claim_row(connection: Connection) -> jobs.Job | None:
    """The job's row alone."""
    return jobs.claim(connection, (KIND,), now=time.time())


def finish_row(connection: Connection, job: jobs.Job) -> None:
    """The job's row alone."""
    assert jobs.finish(connection, job)


def claim_and_tell(connection: Connection) -> jobs.Job | None:
    """As the runner claims: with the emoji's row and the event that tells it."""
    return transitions.claim(connection, (KIND,))


def finish_and_tell(connection: Connection, job: jobs.Job) -> None:
    """As a last stage ends: with the emoji's row and the event that tells it."""
    assert jobs.finish(connection, job)
    place = pipeline.done()
    emojis.place(connection, job.subject, place.stage, place.status, place.progress)


def ours(
    claim: Callable[[Connection], jobs.Job | None],
    finish: Callable[[Connection, jobs.Job], None],
    folder: Path,
    count: int,
    callers: int,
) -> float:
    """Through the one writer thread, with its group commit."""
    filled(folder / "popcon.db", count)
    database = Database(folder / "popcon.db")

    async def work_off() -> None:
        while (job := await database.write(claim)) is not None:
            await database.write(lambda connection, job=job: finish(connection, job))  # type: ignore[misc]

    async def all_of_them() -> float:
        began = time.perf_counter()
        await asyncio.gather(*(work_off() for _ in range(callers)))
        return time.perf_counter() - began

    seconds = asyncio.run(all_of_them())
    database.close()
    return seconds


# -------------------------------------------------------------- theirs


def in_threads(callers: int, work_off: Callable[[], None]) -> float:
    """So many threads until nothing is left."""
    with ThreadPoolExecutor(callers) as pool:
        began = time.perf_counter()
        for done in [pool.submit(work_off) for _ in range(callers)]:
            done.result()
        return time.perf_counter() - began


def huey_storage(folder: Path, count: int, callers: int) -> float:
    """The storage alone: a claim deletes the row, so there is nothing to complete."""
    storage = huey.storage.SqliteStorage("q", str(folder / "huey.db"), fsync=True, timeout=60)
    for _ in range(count):
        storage.enqueue(PAYLOAD.encode())

    def work_off() -> None:
        while storage.dequeue() is not None:
            pass

    return in_threads(callers, work_off)


def huey_executed(folder: Path, count: int, callers: int) -> float:
    """A task that is executed, with its result stored."""
    queue = huey.SqliteHuey("q", filename=str(folder / "huey.db"), fsync=True, timeout=60)
    task = queue.task()(lambda payload: 1)
    for _ in range(count):
        task(PAYLOAD)

    def work_off() -> None:
        while (found := queue.dequeue()) is not None:
            queue.execute(found)

    return in_threads(callers, work_off)


def lite(folder: Path, count: int, callers: int) -> float:
    """pop and done; a connection for each caller."""

    def opened() -> litequeue.LiteQueue:
        queue = litequeue.LiteQueue(str(folder / "lite.db"), timeout=60)
        queue.conn.execute("PRAGMA synchronous=FULL")
        return queue

    first = opened()
    for _ in range(count):
        first.put(PAYLOAD)
    queues = [opened() for _ in range(callers)]  # opening changes the schema, which is not what is timed

    def work_off() -> None:
        queue = queues.pop()
        while (message := queue.pop()) is not None:
            queue.done(message.message_id)
        queue.close()

    seconds = in_threads(callers, work_off)
    first.close()
    return seconds


CONTENDERS: dict[str, tuple[Cycles, str]] = {
    "popcon, rows": (partial(ours, claim_row, finish_row), "leased, fenced, prioritised"),
    "popcon, as it runs": (
        partial(ours, claim_and_tell, finish_and_tell),
        "… with the emoji's row and an event, twice",
    ),
    "huey storage": (huey_storage, "at most once: a claim deletes"),
    "huey executed": (huey_executed, "at most once; result stored"),
    "litequeue": (lite, "acknowledged, no lease"),
}


def race(count: int, callers: int, rounds: int, base: str | None) -> None:
    """Everybody in turn, and the table."""
    speeds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for number in range(rounds):
        for name in list(CONTENDERS)[:: -1 if number % 2 else 1]:
            with tempfile.TemporaryDirectory(dir=base) as folder:
                speeds[name].append(count / CONTENDERS[name][0](Path(folder), count, callers))
    print(f"\n{callers} caller{'s' if callers > 1 else ''}, {count} cycles, medians of {rounds} rounds (range)")
    for name, each in speeds.items():
        median = statistics.median(each)
        told = f"{median:8,.0f} ({min(each):,.0f}-{max(each):,.0f})"
        ratio = statistics.median(own / other for own, other in zip(each, speeds["huey executed"], strict=True))
        print(f"  {name:20} {told:28} x{ratio:6.2f}   {CONTENDERS[name][1]}")


# -------------------------------------------------------------- many rows


def claims_among_many(base: str | None) -> None:
    """How long our claim takes inside the writer, and from call to commit, among 150,000 rows."""
    with tempfile.TemporaryDirectory(dir=base) as folder:
        path = Path(folder) / "popcon.db"
        fill_many(path)
        with closing(connect(path)) as connection:
            statement = []
            for _ in range(CLAIMS):
                connection.execute("BEGIN IMMEDIATE")
                began = time.perf_counter()
                assert claim_row(connection) is not None
                statement.append(time.perf_counter() - began)
                connection.execute("COMMIT")
        database = Database(path)
        committed = asyncio.run(claim_committed(database))
        database.close()
    print(f"\nclaim among {DONE + READY:,} rows, {CLAIMS} claims")
    print(f"  the statement       {quantiles(statement)}")
    print(f"  call to commit      {quantiles(committed)}")


def fill_many(path: Path) -> None:
    """One emoji a job; `done` ones first."""
    migrate(path)
    with closing(connect(path)) as connection:
        connection.execute("BEGIN")
        character = characters.add(connection, a_character(), its_files())
        pack = packs.add(connection, a_new_pack(character), [an_action()])
        connection.execute(
            "INSERT INTO emoji(id, pack_id, number, action, motion_prompt, status, stage, progress, created, updated)"
            " WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= ?)"
            " SELECT printf('%032x', i), pack_id, i, action, motion_prompt, status, stage, progress, created, updated"
            " FROM n, emoji WHERE emoji.pack_id = ?",
            (DONE + READY, pack.id),
        )
        connection.execute(
            "INSERT INTO job(kind, emoji_id, state, turn, created, updated)"
            " SELECT ?, id, CASE WHEN number <= ? THEN 'done' ELSE 'ready' END, number, 0, 0 FROM emoji",
            (KIND, DONE),
        )
        connection.execute("COMMIT")


async def claim_committed(database: Database) -> list[float]:
    """Seconds from call to commit, one after the other."""
    seconds = []
    for _ in range(CLAIMS):
        began = time.perf_counter()
        assert await database.write(claim_row) is not None
        seconds.append(time.perf_counter() - began)
    return seconds


def quantiles(seconds: list[float]) -> str:
    """p50 and p99 in milliseconds."""
    ordered = sorted(seconds)
    half, most = (ordered[int(share * (len(ordered) - 1))] * 1e3 for share in (0.5, 0.99))
    return f"p50 {half:.3f} ms, p99 {most:.3f} ms"


def sync_speed(base: str | None) -> str:
    """What a synced commit costs on this disk."""
    seconds = []
    with tempfile.NamedTemporaryFile(dir=base) as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            seconds.append(time.perf_counter() - began)
    return quantiles(seconds)


def main() -> None:
    """Run and print everything once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--base", help="folder of the databases")
    options = parser.parse_args()
    print(f"SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores, fsync of 4 kB: {sync_speed(options.base)}")
    for callers in (1, 32):
        race(options.count, callers, options.rounds, options.base)
    claims_among_many(options.base)


if __name__ == "__main__":
    main()

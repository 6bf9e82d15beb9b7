"""Job rows: one attempt-counted row runs one stage of one emoji, or draws one character.

The emoji or character is the job's subject. It has at most one live job; the database itself refuses a second, so a
double key press is harmless. Whoever claims a job holds it for as long as its lease lasts, and a token that grows with
every claim: a holder whose claim has ended, for whatever reason, writes nothing. Clocks are the caller's: every `now`
is in seconds since the epoch.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from popcond.errors import NotFound
from popcond.wire import Problem, Stage

LEASE = 60.0  # seconds; a holder beats several times in it

_CLOCK_SLACK = 5.0  # seconds that a clock may be set back without anybody noticing
_LIVE = "state IN ('ready', 'running')"
_ASLEEP = "state = 'ready' AND run_at > 0"
_REASONS_TO_WAKE = (  # the time has come, or the clock was set back meanwhile; each has an index of its own
    ("job_asleep", "run_at <= :now"),
    ("job_asleep_since", f"updated > :now + {_CLOCK_SLACK}"),
)


@dataclass(frozen=True)
class Job:
    """A claimed job."""

    id: int
    kind: Stage
    subject: str  # the emoji's id; of a DRAW, the character's
    attempt: int  # from 1; a claim that was lost to a crash counts as well
    claim_token: int
    failures: int = 0  # attempts that ended in an error
    mends: Stage | None = None  # the stage that missed a file which this job, or one behind it, makes again


def add(connection: sqlite3.Connection, emoji_id: str, kind: Stage, *, mends: Stage | None = None) -> bool:
    """Queue a stage at its emoji's place; False when the emoji has a live job already. Raises NotFound."""
    now = time.time()
    try:
        added = connection.execute(
            "INSERT INTO job(kind, emoji_id, state, priority, turn, mends, created, updated)"
            " SELECT ?, id, 'ready', priority, turn, ?, ?, ? FROM emoji WHERE id = ?",
            (kind, mends, now, now, emoji_id),
        )
    except sqlite3.IntegrityError:
        if is_live(connection, emoji_id):
            return False
        raise
    if added.rowcount != 1:
        raise NotFound("There is no such emoji.", cure="`GET /v1/packs` lists them.", details={"id": emoji_id})
    return True


def add_drawing(connection: sqlite3.Connection, character_id: str) -> bool:
    """Queue a character's drawing; False when one is live already. Raises NotFound."""
    now = time.time()
    try:
        added = connection.execute(
            "INSERT INTO job(kind, character_id, state, created, updated)"
            " SELECT ?, id, 'ready', ?, ? FROM character WHERE id = ?",
            (Stage.DRAW, now, now, character_id),
        )
    except sqlite3.IntegrityError:
        if is_live(connection, character_id):
            return False
        raise
    if added.rowcount != 1:
        raise NotFound(
            "There is no such character.", cure="`GET /v1/characters` lists them.", details={"id": character_id}
        )
    return True


def claim(connection: sqlite3.Connection, kinds: Sequence[Stage], *, now: float, lease: float = LEASE) -> Job | None:
    """Take the next job of these kinds; None when none is due, or the queue is paused.

    The highest priority first; then the earlier of the `kinds`, so that started emojis end before new ones begin; then
    the emoji's turn.
    """
    if not kinds:
        return None
    wake(connection, now)
    row = connection.execute(
        "UPDATE job SET state = 'running', attempt = attempt + 1, claim_token = claim_token + 1, problem = NULL,"
        f" lease_until = ?, updated = ? WHERE id = ({_next_of(len(kinds))}) AND state = 'ready'"
        " AND NOT EXISTS (SELECT 1 FROM queue WHERE paused) RETURNING *",
        (now + lease, now, *kinds),
    ).fetchone()
    return job_of(row) if row else None


def wake(connection: sqlite3.Connection, now: float) -> None:
    """Jobs that have slept long enough may be claimed."""
    for index, reason in _REASONS_TO_WAKE:
        wake_up = f"UPDATE job INDEXED BY {index} SET run_at = 0 WHERE {_ASLEEP} AND {reason}"
        connection.execute(wake_up, {"now": now})


def waking_kinds(connection: sqlite3.Connection, now: float) -> set[Stage]:
    """The kinds of the jobs that `wake` would wake."""
    each = (
        f"SELECT kind FROM job INDEXED BY {index} WHERE {_ASLEEP} AND {reason}" for index, reason in _REASONS_TO_WAKE
    )
    return {Stage(row["kind"]) for row in connection.execute(" UNION ".join(each), {"now": now})}


def next_waking(connection: sqlite3.Connection, now: float) -> float | None:
    """When the next of the jobs that sleep on will have slept long enough; None when none does."""
    asleep = f"SELECT min(run_at) FROM job WHERE {_ASLEEP} AND run_at > ?"
    wakes_at: float | None = connection.execute(asleep, (now,)).fetchone()[0]
    return wakes_at


def is_due(connection: sqlite3.Connection, kind: Stage) -> bool:
    """Whether a job of this kind waits for nothing but its turn."""
    return _exists(connection, "state = 'ready' AND run_at = 0 AND kind = ?", kind)


def beat(connection: sqlite3.Connection, held: Sequence[Job], *, now: float, lease: float = LEASE) -> list[Job]:
    """Lengthen the leases of these claims; answers those that no longer stand."""
    return [job for job in held if not _write_if_ours(connection, job, "lease_until = ?", now + lease)]


def sweep(connection: sqlite3.Connection, *, now: float) -> int:
    """Give jobs back whose holder has not been heard of; answers how many."""
    return connection.execute(
        "UPDATE job SET state = 'ready', lease_until = NULL, updated = ? WHERE state = 'running' AND lease_until < ?",
        (now, now),
    ).rowcount


def finish(connection: sqlite3.Connection, job: Job) -> bool:
    """Mark it done; False, and nothing written, when it is no longer ours."""
    return _write_if_ours(connection, job, "state = 'done', lease_until = NULL")


def delay(connection: sqlite3.Connection, job: Job, problem: Problem, *, run_at: float) -> bool:
    """It failed and is tried again then; False, and nothing written, when it is no longer ours."""
    assignment = "state = 'ready', lease_until = NULL, failures = failures + 1, run_at = ?, problem = ?"
    return _write_if_ours(connection, job, assignment, run_at, problem.model_dump_json())


def bury(connection: sqlite3.Connection, job: Job, problem: Problem) -> bool:
    """It failed for good; False, and nothing written, when it is no longer ours."""
    assignment = "state = 'dead', lease_until = NULL, failures = failures + 1, problem = ?"
    return _write_if_ours(connection, job, assignment, problem.model_dump_json())


def bury_waiting(connection: sqlite3.Connection, job: Job, problem: Problem) -> bool:
    """It will not be tried at all; False, and nothing written, when it does not wait any more."""
    changed = connection.execute(
        "UPDATE job SET state = 'dead', problem = ?, updated = ? WHERE id = ? AND state = 'ready'",
        (problem.model_dump_json(), time.time(), job.id),
    )
    return changed.rowcount == 1


def cancel(connection: sqlite3.Connection, subject: str) -> bool:
    """Cancel the live job of an emoji or character; False when there is none."""
    changed = connection.execute(
        f"UPDATE job SET state = 'cancelled', lease_until = NULL, updated = ? WHERE subject = ? AND {_LIVE}",
        (time.time(), subject),
    )
    return changed.rowcount == 1


def hasten(connection: sqlite3.Connection, subject: str) -> bool:
    """Wake a job of the emoji or character before its time; False when none sleeps."""
    changed = connection.execute(f"UPDATE job SET run_at = 0 WHERE subject = ? AND {_ASLEEP}", (subject,))
    return changed.rowcount == 1


def is_live(connection: sqlite3.Connection, subject: str) -> bool:
    """Whether a job of this emoji or character waits or runs."""
    return _exists(connection, f"subject = ? AND {_LIVE}", subject)


def any_live(connection: sqlite3.Connection) -> bool:
    """Whether anything runs, or waits in a queue that is not paused."""
    waits = "state = 'ready' AND NOT EXISTS (SELECT 1 FROM queue WHERE paused)"
    return any_running(connection) or _exists(connection, waits)


def any_running(connection: sqlite3.Connection) -> bool:
    """Whether anybody holds a job."""
    return _exists(connection, "state = 'running'")


def is_ours(connection: sqlite3.Connection, job: Job) -> bool:
    """Whether the claim still stands."""
    return _exists(connection, "id = ? AND state = 'running' AND claim_token = ?", job.id, job.claim_token)


def recover(connection: sqlite3.Connection) -> int:
    """What runs is ready again, after a crash or at a stop; answers how many. Only under the home's lock."""
    changed = connection.execute(
        "UPDATE job SET state = 'ready', lease_until = NULL, updated = ? WHERE state = 'running'", (time.time(),)
    )
    return changed.rowcount


def _next_of(count: int) -> str:
    """The id of the next job among so many kinds, each found by one step into the index."""
    each = (
        f"SELECT * FROM (SELECT id, priority, {place} AS place, turn FROM job"
        " WHERE state = 'ready' AND run_at = 0 AND kind = ? ORDER BY priority DESC, turn, id LIMIT 1)"
        for place in range(count)
    )
    return f"SELECT id FROM ({' UNION ALL '.join(each)}) ORDER BY priority DESC, place, turn, id LIMIT 1"


def job_of(row: sqlite3.Row) -> Job:
    """The job that a row is."""
    return Job(
        id=row["id"],
        kind=Stage(row["kind"]),
        subject=row["subject"],
        attempt=row["attempt"],
        claim_token=row["claim_token"],
        failures=row["failures"],
        mends=Stage(row["mends"]) if row["mends"] else None,
    )


def _exists(connection: sqlite3.Connection, condition: str, *values: str | int) -> bool:
    return connection.execute(f"SELECT 1 FROM job WHERE {condition} LIMIT 1", values).fetchone() is not None


def _write_if_ours(connection: sqlite3.Connection, job: Job, assignment: str, *values: str | float) -> bool:
    changed = connection.execute(
        f"UPDATE job SET {assignment}, updated = ? WHERE id = ? AND state = 'running' AND claim_token = ?",
        (*values, time.time(), job.id, job.claim_token),
    )
    return changed.rowcount == 1

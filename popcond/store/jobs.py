"""Job rows: one attempt-counted row runs one stage of one emoji.

An emoji has at most one live job; the database itself refuses a second, so a double key press is harmless. Claiming is
one statement. Whoever claimed holds a token that grows with every claim: a finish with an old token writes nothing.
"""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass

from popcond.wire import Stage


@dataclass(frozen=True)
class Job:
    """A claimed job."""

    id: int
    kind: Stage
    emoji_id: str
    attempt: int  # from 1
    claim_token: int
    remote_task: str | None  # the provider's id, when an earlier attempt has submitted already


def add(connection: sqlite3.Connection, emoji_id: str, kind: Stage) -> bool:
    """Queue a stage; False when the emoji has a live job already."""
    now = time.time()
    try:
        connection.execute(
            "INSERT INTO job(kind, emoji_id, state, created, updated) VALUES (?, ?, 'ready', ?, ?)",
            (kind, emoji_id, now, now),
        )
    except sqlite3.IntegrityError:
        if is_live(connection, emoji_id):
            return False
        raise
    return True


def claim(connection: sqlite3.Connection, kind: Stage) -> Job | None:
    """Take the oldest ready job of a kind; None when none waits."""
    row = connection.execute(
        "UPDATE job SET state = 'running', attempt = attempt + 1, claim_token = claim_token + 1, updated = ?"
        " WHERE id = (SELECT id FROM job WHERE state = 'ready' AND kind = ? ORDER BY id LIMIT 1) AND state = 'ready'"
        " RETURNING *",
        (time.time(), kind),
    ).fetchone()
    if row is None:
        return None
    remote_task = json.loads(row["remote_task"]) if row["remote_task"] else None
    return Job(row["id"], Stage(row["kind"]), row["emoji_id"], row["attempt"], row["claim_token"], remote_task)


def note_remote_task(connection: sqlite3.Connection, job: Job, remote_task: str | None) -> bool:
    """Write down the provider's id before anybody waits for it; False when the job is no longer ours."""
    return _write_if_ours(connection, job, "remote_task = ?", json.dumps(remote_task) if remote_task else None)


def finish(connection: sqlite3.Connection, job: Job) -> bool:
    """Mark it done; False, and nothing written, when it is no longer ours."""
    return _write_if_ours(connection, job, "state = ?", "done")


def fail(connection: sqlite3.Connection, job: Job) -> bool:
    """Mark it failed; False, and nothing written, when it is no longer ours."""
    return _write_if_ours(connection, job, "state = ?", "failed")


def cancel(connection: sqlite3.Connection, emoji_id: str) -> bool:
    """Cancel the live job of an emoji; False when there is none."""
    changed = connection.execute(
        "UPDATE job SET state = 'cancelled', updated = ? WHERE emoji_id = ? AND state IN ('ready', 'running')",
        (time.time(), emoji_id),
    )
    return changed.rowcount == 1


def is_ready(connection: sqlite3.Connection, kind: Stage) -> bool:
    """Whether a job of this kind waits to be claimed."""
    return _exists(connection, "state = 'ready' AND kind = ?", (kind,))


def is_live(connection: sqlite3.Connection, emoji_id: str) -> bool:
    """Whether a job of this emoji waits or runs."""
    return _exists(connection, "emoji_id = ? AND state IN ('ready', 'running')", (emoji_id,))


def any_live(connection: sqlite3.Connection) -> bool:
    """Whether anything waits or runs."""
    return _exists(connection, "state IN ('ready', 'running')", ())


def is_ours(connection: sqlite3.Connection, job: Job) -> bool:
    """Whether the claim still stands."""
    return _exists(connection, "id = ? AND state = 'running' AND claim_token = ?", (job.id, job.claim_token))


def recover(connection: sqlite3.Connection) -> int:
    """What runs is ready again, after a crash or at a stop; answers how many. Only under the home's lock."""
    changed = connection.execute("UPDATE job SET state = 'ready', updated = ? WHERE state = 'running'", (time.time(),))
    return changed.rowcount


def _exists(connection: sqlite3.Connection, condition: str, values: tuple[str | int, ...]) -> bool:
    return connection.execute(f"SELECT 1 FROM job WHERE {condition} LIMIT 1", values).fetchone() is not None


def _write_if_ours(connection: sqlite3.Connection, job: Job, assignment: str, value: str | None) -> bool:
    changed = connection.execute(
        f"UPDATE job SET {assignment}, updated = ? WHERE id = ? AND state = 'running' AND claim_token = ?",
        (value, time.time(), job.id, job.claim_token),
    )
    return changed.rowcount == 1

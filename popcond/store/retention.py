"""What the database lets go of as time passes: old events, ended jobs, and answers that nobody will ask for again."""

from __future__ import annotations

import sqlite3

from popcond.store import answered, events, queue

JOBS_KEPT = 30 * 86400.0  # seconds that an ended job, and why it is dead, can be looked at


def let_go(connection: sqlite3.Connection) -> None:
    """Delete what has had its time. Rows from a future that a wrong clock gave them stay until it comes."""
    events.prune(connection)
    queue.prune(connection, older_than=JOBS_KEPT)
    answered.prune(connection)

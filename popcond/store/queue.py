"""The queue as a whole: what is due, whether it is paused, in which order emojis come, and what has ended.

Priority and turn belong to the emoji and outlive its stages; its live job carries a copy, which the claim's index is
made of. A turn is a number between two others, so that a move changes one row.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from popcond.errors import Conflict, NotFound
from popcond.store import emojis, events, jobs, packs
from popcond.wire import JobRow, JobState, Queue, QueueLane, Stage

_ENDED = "state IN ('done', 'dead', 'cancelled')"
_SUPERSEDED = "EXISTS (SELECT 1 FROM job AS later WHERE later.subject = job.subject AND later.id > job.id)"
_PROGRESS = tuple(Stage)  # the further along, the earlier in the queue
# The place of a ready job among all kinds, the smallest first; what sleeps comes last, by the time of its waking.
_PLACE = (
    "job.run_at, -job.priority, CASE job.kind "
    + " ".join(f"WHEN '{kind}' THEN {-place}" for place, kind in enumerate(_PROGRESS))
    + " END, job.turn, job.id"
)
_ROWS = (
    "SELECT job.*, emoji.pack_id, coalesce(json_extract(emoji.action, '$.name'), '') AS action,"
    " coalesce(pack.name, '') AS pack_name, coalesce(character.name, '') AS character_name,"
    f" {_SUPERSEDED} AS superseded FROM job LEFT JOIN emoji ON emoji.id = job.emoji_id"
    " LEFT JOIN pack ON pack.id = emoji.pack_id LEFT JOIN character ON character.id = job.character_id"
)


@dataclass(frozen=True)
class Outlook:
    """What a runner needs to know before it claims."""

    due: frozenset[Stage]  # kinds of which a job may be claimed now; none while the queue is paused
    wakes_at: float | None  # when the next job wakes that sleeps on, seconds since the epoch; None: none does


def look(connection: sqlite3.Connection, kinds: Sequence[Stage], *, now: float) -> Outlook:
    """What may be claimed of these kinds; changes nothing."""
    if is_paused(connection):
        return Outlook(frozenset(), None)
    due = {kind for kind in kinds if jobs.is_due(connection, kind)}
    return Outlook(frozenset(due | jobs.waking_kinds(connection, now)), jobs.next_waking(connection, now))


def is_paused(connection: sqlite3.Connection) -> bool:
    """Whether nothing new is begun."""
    return bool(connection.execute("SELECT paused FROM queue").fetchone()[0])


def set_paused(connection: sqlite3.Connection, lanes: Sequence[QueueLane], *, paused: bool) -> Queue:
    """Begin nothing new from now on, or go on; it outlives the daemon."""
    connection.execute("UPDATE queue SET paused = ?", (paused,))
    return tell(connection, lanes)


def standing(connection: sqlite3.Connection, lanes: Sequence[QueueLane]) -> Queue:
    """The queue at a glance."""
    running = {
        Stage(row["kind"]): int(row["count"])
        for row in connection.execute("SELECT kind, count(*) AS count FROM job WHERE state = 'running' GROUP BY kind")
    }
    return Queue(
        paused=is_paused(connection),
        ready=_count(connection, "state = 'ready' AND run_at = 0"),
        delayed=_count(connection, "state = 'ready' AND run_at > 0"),
        running=sum(running.values()),
        dead=_count(connection, f"state = 'dead' AND NOT {_SUPERSEDED}"),
        lanes=tuple(
            lane.model_copy(update={"running": sum(running.get(kind, 0) for kind in lane.kinds)}) for lane in lanes
        ),
    )


def tell(connection: sqlite3.Connection, lanes: Sequence[QueueLane]) -> Queue:
    """Write the event that carries the queue as it is now."""
    queue = standing(connection, lanes)
    events.append(connection, "queue_changed", queue=queue)
    return queue


def move(connection: sqlite3.Connection, emoji_id: str, before: str | None) -> None:
    """Put an emoji in front of another one, whose priority it takes over; None: in front of all, and at once.

    Raises NotFound, and Conflict when nothing of the emoji waits or runs.
    """
    emoji = emojis.get(connection, emoji_id)
    if not jobs.is_live(connection, emoji_id):
        raise Conflict(f"Nothing of this emoji is in the queue; it is {emoji.status.value}.", cure="Retry it first.")
    if before == emoji_id:
        return
    if before is None:
        priority = max(emoji.priority, _highest_priority(connection))
        turn = connection.execute("SELECT min(turn) FROM emoji").fetchone()[0] - 1
        jobs.hasten(connection, emoji_id)
    else:
        priority, turn = emojis.get(connection, before).priority, _turn_before(connection, emoji_id, before)
    _arrange(connection, emoji_id, priority, turn)
    emojis.tell(connection, emoji_id)


def prioritise(connection: sqlite3.Connection, emoji_ids: Sequence[str], priority: int) -> None:
    """Give these emojis a priority; their live jobs follow. Raises NotFound."""
    for emoji_id in emoji_ids:
        emojis.get(connection, emoji_id)
        _arrange(connection, emoji_id, priority, _turn(connection, emoji_id))
        emojis.tell(connection, emoji_id)


def prioritise_pack(connection: sqlite3.Connection, pack_id: str, priority: int) -> None:
    """Give all emojis that a pack has now a priority. Raises NotFound."""
    prioritise(connection, [emoji.id for emoji in packs.get(connection, pack_id).emojis], priority)


def prune(connection: sqlite3.Connection, *, older_than: float) -> int:
    """Let jobs go that ended so many seconds ago; answers how many."""
    limit = time.time() - older_than
    return connection.execute(f"DELETE FROM job WHERE {_ENDED} AND updated <= ?", (limit,)).rowcount


def rows(
    connection: sqlite3.Connection,
    *,
    state: JobState | None = None,
    kind: Stage | None = None,
    emoji_id: str | None = None,
    after: int | None = None,
    limit: int = 100,
) -> list[JobRow]:
    """Jobs behind the job `after`: those that are ready in the order of the queue, all others the newest first.

    Raises NotFound when `after` is gone and its place in the queue with it.
    """
    wanted = {"job.state": state, "job.kind": kind, "job.emoji_id": emoji_id}
    conditions = [f"{column} = ?" for column, value in wanted.items() if value is not None]
    values: list[str | int | float] = [value for value in wanted.values() if value is not None]
    order = _PLACE if state is JobState.READY else "-job.id"
    if after is not None:
        cursor = _cursor(connection, order, after)
        conditions.append(f"({order}) > ({', '.join('?' * len(cursor))})")
        values.extend(cursor)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    found = connection.execute(f"{_ROWS} {where} ORDER BY {order} LIMIT ?", (*values, limit))
    return [_row(row) for row in found]


def _cursor(connection: sqlite3.Connection, order: str, after: int) -> tuple[float, ...]:
    if order == "-job.id":
        return (-after,)
    row = connection.execute(f"SELECT {order} FROM job WHERE id = ?", (after,)).fetchone()
    if row is None:
        raise NotFound("The job to go on from is gone.", cure="Begin again without `after`.", details={"after": after})
    return tuple(row)


def _row(row: sqlite3.Row) -> JobRow:
    sleeps = row["state"] == JobState.READY and row["run_at"] > 0
    return JobRow.model_validate(
        {
            **row,
            "run_at": row["run_at"] if sleeps else None,
            "problem": json.loads(row["problem"]) if row["problem"] else None,
            "superseded": bool(row["superseded"]),
        }
    )


def _highest_priority(connection: sqlite3.Connection) -> int:
    """Of all that waits or runs."""
    highest = "SELECT max(priority) FROM job WHERE state IN ('ready', 'running')"
    return int(connection.execute(highest).fetchone()[0] or 0)


def _turn_before(connection: sqlite3.Connection, emoji_id: str, before: str) -> float:
    """A number in the gap in front of another emoji's turn; when there is no gap left, gaps are made."""
    end = _turn(connection, before)
    start = connection.execute("SELECT max(turn) FROM emoji WHERE turn < ? AND id <> ?", (end, emoji_id)).fetchone()[0]
    middle = end - 1 if start is None else (start + end) / 2
    if middle < end and (start is None or start < middle):
        return float(middle)
    _spread(connection)
    return _turn_before(connection, emoji_id, before)


def _spread(connection: sqlite3.Connection) -> None:
    """Whole numbers for all turns, in their order; a fraction has some fifty halvings in it."""
    connection.execute(
        "UPDATE emoji SET turn = place.turn FROM"
        " (SELECT id, row_number() OVER (ORDER BY turn, id) AS turn FROM emoji) AS place WHERE place.id = emoji.id"
    )
    connection.execute(
        "UPDATE job SET turn = emoji.turn FROM emoji WHERE emoji.id = job.emoji_id AND state IN ('ready', 'running')"
    )


def _arrange(connection: sqlite3.Connection, emoji_id: str, priority: int, turn: float) -> None:
    """The emoji's place; its live job follows."""
    connection.execute("UPDATE emoji SET priority = ?, turn = ? WHERE id = ?", (priority, turn, emoji_id))
    connection.execute(
        "UPDATE job SET priority = ?, turn = ? WHERE emoji_id = ? AND state IN ('ready', 'running')",
        (priority, turn, emoji_id),
    )


def _turn(connection: sqlite3.Connection, emoji_id: str) -> float:
    turn: float = connection.execute("SELECT turn FROM emoji WHERE id = ?", (emoji_id,)).fetchone()[0]
    return turn


def _count(connection: sqlite3.Connection, condition: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM job WHERE {condition}").fetchone()[0])

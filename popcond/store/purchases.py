"""The ledger: what was asked of providers for money, written down before it was asked.

A purchase is for a piece of work: the clip or the pose of an emoji, or the drawing of a character. The database itself
refuses a second open purchase for the same work, and a remote task that is in the ledger already. Rows are never
deleted: they outlive their packs.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from popcond.errors import Conflict, NotFound
from popcond.store import events
from popcond.store.db import insert
from popcond.wire import Problem, Purchase, PurchaseKind, PurchaseState

_OPEN = "('intent', 'submitted', 'unknown')"
_CHOICES = "`popcond usage` shows what was bought."
_NAMED = (
    *("kind", "work", "request", "provider", "model", "pack_id", "pack_name", "action", "price", "currency", "job"),
    *("region", "resolution", "seconds", "unit_price"),
)


@dataclass(frozen=True)
class OrderFacts:
    """What whoever keeps a purchase needs to know of its order, however much later it comes."""

    prompt: str  # what the provider was told, or the end of it: its list repeats it
    backdrop: tuple[int, int, int] | None = None  # red, green, blue
    exact_loop: bool = False  # a clip: its end was asked to meet its beginning
    words: str = ""  # a picture: what the user asked for
    is_second: bool = False  # another try, since the first had flaws


@dataclass(frozen=True)
class Order:
    """What is to be bought."""

    kind: PurchaseKind
    subject: str  # the emoji that it is for; of a drawing, the character
    request: str  # SHA-256 of what is asked for: equal requests may stand in for each other
    provider: str
    model: str
    pack_id: str | None
    pack_name: str  # of a drawing, the character's name
    action: str
    price: float  # by the provider's own price list, in `currency`
    currency: str
    facts: OrderFacts
    job: int | None = None  # the job that ordered it
    region: str | None = None  # of the provider
    resolution: str | None = None  # in the provider's word
    seconds: float | None = None  # of a clip
    unit_price: float | None = None  # of one second, or of one picture

    @property
    def work(self) -> str:
        """What it is for: there is at most one open purchase of each."""
        return work_of(self.kind, self.subject)


@dataclass(frozen=True)
class Entry:
    """One line of the ledger."""

    id: str
    state: PurchaseState
    order: Order
    remote_task: str | None
    intent_at: float  # seconds since the epoch
    problem: Problem | None = field(default=None, compare=False)


def work_of(kind: PurchaseKind, subject: str) -> str:
    """What a purchase is for: there is at most one open purchase of each."""
    return f"{kind} of {subject}"


def intend(connection: sqlite3.Connection, order: Order) -> Entry:
    """Write down that it is about to be bought. Raises Conflict while the same work has an open purchase."""
    row = {name: getattr(order, name) for name in _NAMED} | _owners(order)
    row |= {
        "id": uuid.uuid4().hex,
        "order_facts": json.dumps(vars(order.facts)),
        "state": PurchaseState.INTENT,
        "amount": order.price,
        "is_estimate": True,
        "intent_at": time.time(),
    }
    try:
        insert(connection, "purchase", row)
    except sqlite3.IntegrityError as error:
        if open_for(connection, order.work) is None:
            raise
        raise Conflict("This has been ordered already, and the order is open.", cure=_CHOICES) from error
    return _told(connection, row["id"])


def accept(connection: sqlite3.Connection, purchase_id: str, remote_task: str, request_id: str | None = None) -> Entry:
    """The provider's id is known. Raises Conflict when it is another purchase's, or this one is settled already."""
    try:
        changed = connection.execute(
            "UPDATE purchase SET state = 'submitted', remote_task = ?, request_id = ?, submitted_at = ?, problem = NULL"
            " WHERE id = ? AND state IN ('intent', 'unknown')",
            (remote_task, request_id, time.time(), purchase_id),
        )
    except sqlite3.IntegrityError as error:
        raise Conflict("That remote task belongs to another purchase.", cure=_CHOICES) from error
    if changed.rowcount != 1:
        raise _settled_already(connection, purchase_id)
    return _told(connection, purchase_id)


def doubt(connection: sqlite3.Connection, purchase_id: str, problem: Problem) -> Entry:
    """Nobody knows whether it was bought. Raises Conflict when it is settled."""
    changed = connection.execute(
        "UPDATE purchase SET state = 'unknown', problem = ? WHERE id = ? AND state IN ('intent', 'unknown')",
        (problem.model_dump_json(), purchase_id),
    )
    if changed.rowcount != 1:
        raise _settled_already(connection, purchase_id)
    return _told(connection, purchase_id)


def look_again(connection: sqlite3.Connection, purchase_id: str) -> Entry:
    """A person wants the provider's list to be asked once more. Raises Conflict when it is not in doubt."""
    return doubt(connection, purchase_id, Problem(code="being_settled", message="The provider's list is asked again."))


def settle(
    connection: sqlite3.Connection,
    purchase_id: str,
    state: PurchaseState,
    *,
    billed: float | None = None,
    problem: Problem | None = None,
) -> Entry:
    """Close it for good; `billed` is what the provider says it cost. Raises Conflict when it is settled already."""
    amount = 0.0 if state.costs_nothing else billed
    changed = connection.execute(
        "UPDATE purchase SET state = ?, amount = coalesce(?, amount), is_estimate = ?, problem = ?, settled_at = ?"
        f" WHERE id = ? AND state IN {_OPEN}",
        (state, amount, amount is None, problem and problem.model_dump_json(), time.time(), purchase_id),
    )
    if changed.rowcount != 1:
        raise _settled_already(connection, purchase_id)
    return _told(connection, purchase_id)


def doubt_intents(connection: sqlite3.Connection) -> int:
    """At a start: whatever a dead daemon was about to buy may have been bought. Answers how many."""
    rows = connection.execute("SELECT id FROM purchase WHERE state = 'intent'").fetchall()
    interrupted = Problem(code="submit_interrupted", message="The daemon ended while this was being ordered.")
    for row in rows:
        doubt(connection, row["id"], interrupted)
    return len(rows)


def get(connection: sqlite3.Connection, purchase_id: str) -> Entry:
    """One line. Raises NotFound."""
    return _entry(_row(connection, purchase_id))


def open_for(connection: sqlite3.Connection, work: str) -> Entry | None:
    """The open purchase of a piece of work, if there is one."""
    row = connection.execute(f"SELECT * FROM purchase WHERE work = ? AND state IN {_OPEN}", (work,)).fetchone()
    return _entry(row) if row else None


def unattended(connection: sqlite3.Connection) -> list[Entry]:
    """Open purchases that no live job cares for: of cancelled, failed and deleted emojis."""
    rows = connection.execute(
        f"SELECT * FROM purchase WHERE state IN {_OPEN} AND NOT EXISTS"
        " (SELECT 1 FROM job WHERE job.subject IN (purchase.emoji_id, purchase.character_id)"
        "  AND job.state IN ('ready', 'running'))"
        " ORDER BY intent_at"
    )
    return [_entry(row) for row in rows]


def collected_by(connection: sqlite3.Connection, job: int, work: str) -> int:
    """How many purchases of a piece of work this job has brought home already."""
    return int(
        connection.execute(
            "SELECT count(*) FROM purchase WHERE work = ? AND job = ? AND state = 'collected'", (work, job)
        ).fetchone()[0]
    )


def undecided(connection: sqlite3.Connection, provider: str, model: str) -> list[Entry]:
    """All purchases of a model of which nobody knows yet whether they were bought."""
    rows = connection.execute(
        "SELECT * FROM purchase WHERE provider = ? AND model = ? AND state IN ('intent', 'unknown') ORDER BY intent_at",
        (provider, model),
    )
    return [_entry(row) for row in rows]


def known_tasks(connection: sqlite3.Connection, provider: str, tasks: Sequence[str]) -> set[str]:
    """Which of these remote tasks are in the ledger already."""
    rows = connection.execute(
        "SELECT remote_task FROM purchase WHERE provider = ? AND remote_task IN (SELECT value FROM json_each(?))",
        (provider, json.dumps(list(tasks))),
    )
    return {row["remote_task"] for row in rows}


def newest(connection: sqlite3.Connection, limit: int = 500, state: PurchaseState | None = None) -> list[Purchase]:
    """What was bought for money, the newest first."""
    rows = connection.execute(
        "SELECT * FROM purchase WHERE price > 0 AND (? IS NULL OR state = ?) ORDER BY intent_at DESC, id LIMIT ?",
        (state, state, limit),
    )
    return [_purchase(row) for row in rows]


def on_the_wire(connection: sqlite3.Connection, purchase_id: str) -> Purchase:
    """One line as clients see it. Raises NotFound."""
    return _purchase(_row(connection, purchase_id))


def _owners(order: Order) -> dict[str, str | None]:
    """The columns that say whose it is; '' where the first purchases always had somebody."""
    is_drawing = order.kind is PurchaseKind.DRAWING
    return {
        "pack_id": order.pack_id or "",
        "emoji_id": "" if is_drawing else order.subject,
        "character_id": order.subject if is_drawing else None,
    }


def _told(connection: sqlite3.Connection, purchase_id: str) -> Entry:
    """Write the event of a purchase that costs something; free ones change with their emoji."""
    row = _row(connection, purchase_id)
    if row["price"] > 0:
        events.append(connection, "purchase_changed", purchase=_purchase(row))
    return _entry(row)


def _row(connection: sqlite3.Connection, purchase_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM purchase WHERE id = ?", (purchase_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such purchase.", cure=_CHOICES, details={"id": purchase_id})
    return row


def _settled_already(connection: sqlite3.Connection, purchase_id: str) -> Conflict:
    state = _row(connection, purchase_id)["state"]
    return Conflict(f"This purchase is {state} already.", cure=_CHOICES, details={"id": purchase_id, "state": state})


def _entry(row: sqlite3.Row) -> Entry:
    facts = json.loads(row["order_facts"])
    backdrop = tuple(facts["backdrop"]) if facts["backdrop"] else None
    same = {name: row[name] for name in _NAMED if name not in ("work", "kind", "pack_id")}
    return Entry(
        id=row["id"],
        state=PurchaseState(row["state"]),
        order=Order(
            **same,
            kind=PurchaseKind(row["kind"]),
            subject=row["character_id"] or row["emoji_id"],
            pack_id=row["pack_id"] or None,
            facts=OrderFacts(**facts | {"backdrop": backdrop}),
        ),
        remote_task=row["remote_task"],
        intent_at=row["intent_at"],
        problem=Problem.model_validate_json(row["problem"]) if row["problem"] else None,
    )


def _purchase(row: sqlite3.Row) -> Purchase:
    problem = json.loads(row["problem"]) if row["problem"] else None
    owners = {"pack_id": row["pack_id"] or None, "emoji_id": row["emoji_id"] or None}
    return Purchase.model_validate({**row, **owners, "problem": problem})

"""Edit rows: what a person changed about the masks of an emoji, one replayable step each, on top of the first masks.

A step holds the masks that it made, so that undoing and redoing it is a matter of one flag. A new step forgets the
steps that were undone before it.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from popcond.errors import Conflict
from popcond.store.db import insert
from popcond.wire import Part

EditKind = Literal["apply", "propagate"]


@dataclass(frozen=True)
class EditMask:
    """The mask that an edit gives one frame."""

    frame: int
    mask: str  # asset: L PNG
    parts: tuple[Part, ...]
    attention: float


def add(
    connection: sqlite3.Connection, emoji_id: str, kind: EditKind, body: Mapping[str, Any], masks: Sequence[EditMask]
) -> None:
    """The next step. `body` is what was asked, as it crossed the wire; what was undone is forgotten."""
    connection.execute("DELETE FROM edit WHERE emoji_id = ? AND undone", (emoji_id,))
    now = time.time()
    last = connection.execute("SELECT coalesce(max(number), 0) FROM edit WHERE emoji_id = ?", (emoji_id,)).fetchone()[0]
    edit = {
        "id": uuid.uuid4().hex,
        "emoji_id": emoji_id,
        "number": last + 1,
        "kind": kind,
        "body": json.dumps(body),
        "created": now,
        "changed": now,
    }
    insert(connection, "edit", edit)
    connection.executemany(
        "INSERT INTO edit_mask(edit_id, emoji_id, frame, mask, parts, attention) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (
                edit["id"],
                emoji_id,
                row.frame,
                row.mask,
                json.dumps([part.model_dump() for part in row.parts]),
                row.attention,
            )
            for row in masks
        ],
    )


def undo(connection: sqlite3.Connection, emoji_id: str) -> list[int]:
    """Take the newest step back; the numbers of the frames that it had changed. Raises Conflict at the beginning."""
    newest = "SELECT id FROM edit WHERE emoji_id = ? AND NOT undone ORDER BY number DESC LIMIT 1"
    edit_id = _first(connection, newest, emoji_id)
    if edit_id is None:
        raise Conflict("There is no edit to undo.", cure="The masks are as they were cut at first.")
    return _flagged(connection, edit_id, undone=True)


def redo(connection: sqlite3.Connection, emoji_id: str) -> list[int]:
    """Do again what was undone last; the numbers of the frames that it changes. Raises Conflict at the end."""
    last_undone = "SELECT id FROM edit WHERE emoji_id = ? AND undone ORDER BY number LIMIT 1"
    edit_id = _first(connection, last_undone, emoji_id)
    if edit_id is None:
        raise Conflict("There is no edit to redo.", cure="Only what was undone, and not edited since, can be redone.")
    return _flagged(connection, edit_id, undone=False)


def are_newer_than_stickers(connection: sqlite3.Connection, emoji_id: str) -> bool:
    """Whether masks have been edited, or edits undone, since the emoji's stickers were made."""
    made = "SELECT max(created) FROM sticker WHERE emoji_id = ?1"
    asked = connection.execute(f"SELECT max(changed) > ({made}) FROM edit WHERE emoji_id = ?1", (emoji_id,))
    return bool(asked.fetchone()[0])


def forget(connection: sqlite3.Connection, emoji_id: str) -> None:
    """All steps of an emoji go: its frames are others."""
    connection.execute("DELETE FROM edit WHERE emoji_id = ?", (emoji_id,))


def _first(connection: sqlite3.Connection, question: str, emoji_id: str) -> str | None:
    row = connection.execute(question, (emoji_id,)).fetchone()
    return row["id"] if row else None


def _flagged(connection: sqlite3.Connection, edit_id: str, *, undone: bool) -> list[int]:
    connection.execute("UPDATE edit SET undone = ?, changed = ? WHERE id = ?", (undone, time.time(), edit_id))
    rows = connection.execute("SELECT frame FROM edit_mask WHERE edit_id = ? ORDER BY frame", (edit_id,))
    return [row["frame"] for row in rows]

"""Pack rows: a named, ordered collection of emojis of one character."""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Sequence

from popcond.errors import NotFound
from popcond.store import characters, emojis, events
from popcond.store.db import insert
from popcond.wire import Action, NewPack, Pack, PackChanges


def add(connection: sqlite3.Connection, new: NewPack, actions: Sequence[Action]) -> Pack:
    """A pack with one emoji an action, in their order.

    Raises NotFound when the character is gone, and Conflict when it has no picture yet.
    """
    characters.files(connection, new.character_id)
    row = new.model_dump(
        include={"name", "character_id", "provider", "model", "auto_accept", "awaits_clips", "max_spend"}
    )
    row |= new.model_dump(include={"draw_poses", "approve_poses", "pose_model"})
    row |= {"id": uuid.uuid4().hex, "targets": json.dumps(new.targets), "created": time.time()}
    insert(connection, "pack", row)
    emojis.add(connection, row["id"], actions, draw_poses=new.draw_poses)
    pack = get(connection, row["id"])
    events.append(connection, "pack_added", pack=pack)
    return pack


def extend(connection: sqlite3.Connection, pack_id: str, actions: Sequence[Action]) -> Pack:
    """More emojis at the pack's end. Raises NotFound."""
    emojis.add(connection, pack_id, actions, draw_poses=get(connection, pack_id).draw_poses)
    return _changed(connection, pack_id)


def get(connection: sqlite3.Connection, pack_id: str) -> Pack:
    """One pack with its emojis. Raises NotFound."""
    row = connection.execute("SELECT * FROM pack WHERE id = ?", (pack_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such pack.", cure="`GET /v1/packs` lists them.", details={"id": pack_id})
    return _pack(connection, row)


def every(connection: sqlite3.Connection) -> list[Pack]:
    """All packs, the newest first."""
    rows = connection.execute("SELECT * FROM pack ORDER BY created DESC, id").fetchall()
    return [_pack(connection, row) for row in rows]


def change(connection: sqlite3.Connection, pack_id: str, changes: PackChanges) -> Pack:
    """Apply what is not null. Raises NotFound."""
    get(connection, pack_id)
    if changes.name is not None:
        connection.execute("UPDATE pack SET name = ? WHERE id = ?", (changes.name, pack_id))
    if changes.targets is not None:
        connection.execute("UPDATE pack SET targets = ? WHERE id = ?", (json.dumps(changes.targets), pack_id))
    if changes.auto_accept is not None:
        connection.execute("UPDATE pack SET auto_accept = ? WHERE id = ?", (changes.auto_accept, pack_id))
    if changes.approve_poses is not None:
        connection.execute("UPDATE pack SET approve_poses = ? WHERE id = ?", (changes.approve_poses, pack_id))
    if changes.max_spend is not None:
        connection.execute("UPDATE pack SET max_spend = ? WHERE id = ?", (changes.max_spend, pack_id))
    return _changed(connection, pack_id)


def remove(connection: sqlite3.Connection, pack_id: str) -> None:
    """Take a pack away with all that belongs to it. Raises NotFound."""
    get(connection, pack_id)
    connection.execute("DELETE FROM pack WHERE id = ?", (pack_id,))
    events.append(connection, "pack_removed", id=pack_id)


def _changed(connection: sqlite3.Connection, pack_id: str) -> Pack:
    pack = get(connection, pack_id)
    events.append(connection, "pack_changed", pack=pack)
    return pack


def _pack(connection: sqlite3.Connection, row: sqlite3.Row) -> Pack:
    return Pack.model_validate(
        {**row, "targets": json.loads(row["targets"]), "emojis": emojis.of_pack(connection, row["id"])}
    )

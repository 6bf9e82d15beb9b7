"""Character rows."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from popcond.errors import Conflict, NotFound
from popcond.store import events
from popcond.store.db import insert
from popcond.wire import Character


@dataclass(frozen=True)
class CharacterFiles:
    """The assets of a character."""

    picture: str  # as it was given, untouched
    media_type: str  # of the picture
    cutout: str  # RGBA PNG


def add(connection: sqlite3.Connection, character: Character, files: CharacterFiles) -> Character:
    """A new character with its files."""
    row = character.model_dump(mode="json", exclude={"status", "problem"})
    row |= {"notes": json.dumps(character.notes), "picture": files.picture, "cutout": files.cutout}
    row["media_type"] = files.media_type
    insert(connection, "character", row)
    events.append(connection, "character_added", character=character)
    return character


def get(connection: sqlite3.Connection, character_id: str) -> Character:
    """One character. Raises NotFound."""
    return _character(_row(connection, character_id))


def files(connection: sqlite3.Connection, character_id: str) -> CharacterFiles:
    """The assets of one character. Raises NotFound."""
    row = _row(connection, character_id)
    return CharacterFiles(row["picture"], row["media_type"], row["cutout"])


def every(connection: sqlite3.Connection) -> list[Character]:
    """All characters, the newest first."""
    return [_character(row) for row in connection.execute("SELECT * FROM character ORDER BY created DESC, id")]


def remove(connection: sqlite3.Connection, character_id: str) -> None:
    """Take a character away. Raises Conflict while a pack uses it."""
    _row(connection, character_id)
    packs = connection.execute("SELECT name FROM pack WHERE character_id = ?", (character_id,)).fetchall()
    if packs:
        raise Conflict(
            f"{len(packs)} pack(s) use this character, such as {packs[0]['name']!r}.", cure="Delete the packs first."
        )
    connection.execute("DELETE FROM character WHERE id = ?", (character_id,))
    events.append(connection, "character_removed", id=character_id)


def _row(connection: sqlite3.Connection, character_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM character WHERE id = ?", (character_id,)).fetchone()
    if row is None:
        raise NotFound(
            "There is no such character.", cure="`GET /v1/characters` lists them.", details={"id": character_id}
        )
    return row


def _character(row: sqlite3.Row) -> Character:
    return Character.model_validate({**row, "notes": json.loads(row["notes"])})

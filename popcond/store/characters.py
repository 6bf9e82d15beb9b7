"""Character rows, and the drawings of those that are drawn from words."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Literal

from popcond.errors import Conflict, NotFound
from popcond.store import budget, events
from popcond.store.db import insert
from popcond.wire import Character, CharacterChanges, Drawing, Problem, Redraw, ReferenceUse

_MEDIA_TYPE = "image/png"  # of what a provider draws
_OF_A_DRAWING = ("picture", "media_type", "cutout", "width", "height", "background", "coverage", "notes")


@dataclass(frozen=True)
class CharacterFiles:
    """The assets of a character."""

    picture: str  # as it was given, untouched
    media_type: str  # of the picture
    cutout: str  # RGBA PNG


@dataclass(frozen=True)
class Sketch:
    """A picture that was drawn, as it is kept."""

    files: CharacterFiles
    width: int  # of the picture, pixels
    height: int
    background: Literal["alpha", "keyed", "kept"]
    coverage: float
    notes: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reference:
    """The picture that is shown to whoever draws."""

    picture: str  # asset
    use: ReferenceUse


def add(connection: sqlite3.Connection, character: Character, files: CharacterFiles) -> Character:
    """A new character with its files."""
    row = character.model_dump(mode="json", exclude={"problem", "drawings", "spend"})
    row |= {"notes": json.dumps(character.notes), "picture": files.picture, "cutout": files.cutout}
    row["media_type"] = files.media_type
    insert(connection, "character", row)
    events.append(connection, "character_added", character=character)
    return character


def add_undrawn(
    connection: sqlite3.Connection, character: Character, reference: str | None, use: ReferenceUse
) -> Character:
    """A character without a picture, whose drawing is queued elsewhere."""
    add(connection, character, CharacterFiles("", _MEDIA_TYPE, ""))
    connection.execute(
        "UPDATE character SET reference = ?, reference_use = ? WHERE id = ?",
        (reference, use if reference else None, character.id),
    )
    return character


def get(connection: sqlite3.Connection, character_id: str) -> Character:
    """One character. Raises NotFound."""
    return _character(connection, _row(connection, character_id))


def exists(connection: sqlite3.Connection, character_id: str) -> bool:
    """Whether it is still there."""
    return connection.execute("SELECT 1 FROM character WHERE id = ?", (character_id,)).fetchone() is not None


def files(connection: sqlite3.Connection, character_id: str) -> CharacterFiles:
    """The assets of one character. Raises NotFound, and Conflict while it has no picture yet."""
    row = _row(connection, character_id)
    if not row["picture"]:
        raise Conflict(
            f"{row['name']} has not been drawn yet.",
            cure="Wait until it is ready, or draw it again with POST /v1/characters/ID/regenerate.",
            details={"id": character_id, "status": row["status"]},
        )
    return CharacterFiles(row["picture"], row["media_type"], row["cutout"])


def reference(connection: sqlite3.Connection, character_id: str) -> Reference | None:
    """What is shown to whoever draws it. Raises NotFound."""
    row = _row(connection, character_id)
    return Reference(row["reference"], ReferenceUse(row["reference_use"])) if row["reference"] else None


def every(connection: sqlite3.Connection) -> list[Character]:
    """All characters, the newest first."""
    rows = connection.execute("SELECT * FROM character ORDER BY created DESC, id").fetchall()
    return [_character(connection, row) for row in rows]


def change(connection: sqlite3.Connection, character_id: str, changes: CharacterChanges) -> Character:
    """Apply what is not null. Raises NotFound."""
    _row(connection, character_id)
    if changes.name is not None:
        connection.execute("UPDATE character SET name = ? WHERE id = ?", (changes.name, character_id))
    return tell(connection, character_id)


def reword(connection: sqlite3.Connection, character_id: str, redraw: Redraw) -> None:
    """The words and the model of drawings to come; what is null stays."""
    connection.execute(
        "UPDATE character SET prompt = coalesce(?, prompt), model = coalesce(?, model) WHERE id = ?",
        (redraw.prompt, redraw.model, character_id),
    )


def place(
    connection: sqlite3.Connection,
    character_id: str,
    status: Literal["ready", "drawing", "failed"],
    problem: Problem | None = None,
) -> Character:
    """Say where it stands now; an event tells it. Raises NotFound."""
    connection.execute(
        "UPDATE character SET status = ?, problem = ? WHERE id = ?",
        (status, problem.model_dump_json() if problem else None, character_id),
    )
    return tell(connection, character_id)


def tell(connection: sqlite3.Connection, character_id: str) -> Character:
    """Write the event that carries the character as it is now. Raises NotFound."""
    character = get(connection, character_id)
    events.append(connection, "character_changed", character=character)
    return character


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


# ------------------------------------------------------------------ drawings


def add_drawing(connection: sqlite3.Connection, character_id: str, drawing: Drawing, sketch: Sketch) -> None:
    """Keep a drawing; earlier ones stay."""
    told = drawing.model_dump(exclude={"width", "height", "flaws"})
    insert(
        connection,
        "drawing",
        told
        | {"character_id": character_id, "flaws": json.dumps(drawing.flaws), "notes": json.dumps(sketch.notes)}
        | {"picture": sketch.files.picture, "media_type": sketch.files.media_type, "cutout": sketch.files.cutout}
        | {"width": sketch.width, "height": sketch.height}
        | {"background": sketch.background, "coverage": sketch.coverage},
    )


def choose_drawing(connection: sqlite3.Connection, character_id: str, drawing_id: str) -> None:
    """Its picture is the character's from now on; clips that are there stay as they are. Raises NotFound."""
    drawing = _drawing(connection, character_id, drawing_id)
    assignments = ", ".join(f"{column} = ?" for column in _OF_A_DRAWING)
    connection.execute(
        f"UPDATE character SET chosen_drawing = ?, {assignments} WHERE id = ?",
        (drawing_id, *(drawing[column] for column in _OF_A_DRAWING), character_id),
    )


def drawing_files(connection: sqlite3.Connection, character_id: str, drawing_id: str) -> CharacterFiles:
    """The assets of one drawing. Raises NotFound."""
    row = _drawing(connection, character_id, drawing_id)
    return CharacterFiles(row["picture"], row["media_type"], row["cutout"])


def _drawing(connection: sqlite3.Connection, character_id: str, drawing_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM drawing WHERE id = ? AND character_id = ?", (drawing_id, character_id)
    ).fetchone()
    if row is None:
        raise NotFound(
            "This character has no such drawing.",
            cure="Look at the character's `drawings`.",
            details={"drawing": drawing_id},
        )
    return row


def _row(connection: sqlite3.Connection, character_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM character WHERE id = ?", (character_id,)).fetchone()
    if row is None:
        raise NotFound(
            "There is no such character.", cure="`GET /v1/characters` lists them.", details={"id": character_id}
        )
    return row


def _character(connection: sqlite3.Connection, row: sqlite3.Row) -> Character:
    drawings = connection.execute(
        "SELECT * FROM drawing WHERE character_id = ? ORDER BY created, id", (row["id"],)
    ).fetchall()
    return Character.model_validate(
        {
            **row,
            "notes": json.loads(row["notes"]),
            "problem": json.loads(row["problem"]) if row["problem"] else None,
            "drawings": [{**drawing, "flaws": json.loads(drawing["flaws"])} for drawing in drawings],
            "spend": budget.spent_on_character(connection, row["id"]),
        }
    )

"""Sticker rows: the encoded files of an emoji, one a target."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from popcond.errors import NotFound
from popcond.store import events
from popcond.wire import Sticker


@dataclass(frozen=True)
class StickerRow:
    """A sticker and its bytes."""

    sticker: Sticker
    file: str  # asset


def replace(connection: sqlite3.Connection, emoji_id: str, rows: Sequence[StickerRow]) -> None:
    """The stickers of an emoji that has just been encoded; those of before go."""
    connection.execute("DELETE FROM sticker WHERE emoji_id = ?", (emoji_id,))
    connection.executemany(
        "INSERT INTO sticker(id, emoji_id, target, file, facts, created) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (row.sticker.id, emoji_id, row.sticker.target, row.file, row.sticker.model_dump_json(), time.time())
            for row in rows
        ],
    )
    events.append(connection, "stickers_made", id=emoji_id)


def of_emoji(connection: sqlite3.Connection, emoji_id: str) -> list[Sticker]:
    """The stickers of an emoji, by target."""
    rows = connection.execute("SELECT * FROM sticker WHERE emoji_id = ? ORDER BY target", (emoji_id,))
    return [_row(row).sticker for row in rows]


def get(connection: sqlite3.Connection, sticker_id: str) -> StickerRow:
    """One sticker with its file. Raises NotFound."""
    row = connection.execute("SELECT * FROM sticker WHERE id = ?", (sticker_id,)).fetchone()
    if row is None:
        raise NotFound("There is no such sticker.", details={"id": sticker_id})
    return _row(row)


def of_pack(connection: sqlite3.Connection, pack_id: str, target: str) -> list[StickerRow]:
    """All stickers of a pack for one target, in the pack's order."""
    rows = connection.execute(
        "SELECT sticker.* FROM sticker JOIN emoji ON emoji.id = sticker.emoji_id"
        " WHERE emoji.pack_id = ? AND sticker.target = ? ORDER BY emoji.number",
        (pack_id, target),
    )
    return [_row(row) for row in rows]


def _row(row: sqlite3.Row) -> StickerRow:
    return StickerRow(Sticker.model_validate_json(row["facts"]), row["file"])

"""Frame rows: the numbered stills of an emoji's chosen take, and their masks.

Frames and first masks never change. The current mask of a frame is that of its newest edit which is not undone, and
the first one where there is none; everybody who asks for a frame's mask gets the current one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from popcond.errors import Conflict, NotFound
from popcond.store import edits
from popcond.wire import Frame, Part

_CURRENT = """
SELECT frame.emoji_id, frame.number, frame.raw, frame.own_alpha, frame.width, frame.height, frame.seconds,
  frame.mask AS first_mask, coalesce(newest.mask, frame.mask) AS mask, coalesce(newest.parts, frame.parts) AS parts,
  coalesce(newest.attention, frame.attention) AS attention, newest.mask IS NOT NULL AS edited
FROM frame LEFT JOIN edit_mask AS newest ON newest.frame = frame.number AND newest.edit_id = (
  SELECT edit.id FROM edit_mask JOIN edit ON edit.id = edit_mask.edit_id
  WHERE edit_mask.emoji_id = frame.emoji_id AND edit_mask.frame = frame.number AND NOT edit.undone
  ORDER BY edit.number DESC LIMIT 1)
WHERE frame.emoji_id = ?
"""


@dataclass(frozen=True)
class RawFrame:
    """One frame as it came out of the clip."""

    raw: str  # asset: RGB PNG
    own_alpha: str | None  # asset: L PNG, where the clip brought its own transparency
    width: int
    height: int
    seconds: float


@dataclass(frozen=True)
class MaskRow:
    """The first mask of one frame."""

    mask: str  # asset: L PNG
    parts: tuple[Part, ...]
    attention: float


@dataclass(frozen=True)
class FrameFiles:
    """All that later stages need of one frame."""

    raw: str
    own_alpha: str | None
    mask: str | None
    seconds: float
    first_mask: str | None = None  # as it was before anybody edited it


def replace(connection: sqlite3.Connection, emoji_id: str, frames: Sequence[RawFrame]) -> None:
    """The frames of a newly chosen take, in their order. Edits stay only where the same frames have been made again."""
    before = connection.execute("SELECT raw FROM frame WHERE emoji_id = ? ORDER BY number", (emoji_id,))
    if [row["raw"] for row in before] != [frame.raw for frame in frames]:
        edits.forget(connection, emoji_id)
    connection.execute("DELETE FROM frame WHERE emoji_id = ?", (emoji_id,))
    connection.executemany(
        "INSERT INTO frame(emoji_id, number, raw, own_alpha, width, height, seconds) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (emoji_id, number, frame.raw, frame.own_alpha, frame.width, frame.height, frame.seconds)
            for number, frame in enumerate(frames)
        ],
    )


def mask(connection: sqlite3.Connection, emoji_id: str, masks: Sequence[MaskRow]) -> None:
    """The first masks, one a frame, in their order."""
    connection.executemany(
        "UPDATE frame SET mask = ?, parts = ?, attention = ? WHERE emoji_id = ? AND number = ?",
        [
            (row.mask, json.dumps([part.model_dump() for part in row.parts]), row.attention, emoji_id, number)
            for number, row in enumerate(masks)
        ],
    )


def every(connection: sqlite3.Connection, emoji_id: str) -> list[Frame]:
    """All frames of an emoji in their order; none before SLICE."""
    return [_frame(row) for row in connection.execute(f"{_CURRENT} ORDER BY frame.number", (emoji_id,))]


def some(connection: sqlite3.Connection, emoji_id: str, indices: Collection[int]) -> list[Frame]:
    """Those of these numbers, in their order."""
    return [frame for frame in every(connection, emoji_id) if frame.index in indices]


def files(connection: sqlite3.Connection, emoji_id: str) -> list[FrameFiles]:
    """The assets of all frames in their order."""
    return [_files(row) for row in connection.execute(f"{_CURRENT} ORDER BY frame.number", (emoji_id,))]


def file(connection: sqlite3.Connection, emoji_id: str, index: int) -> FrameFiles:
    """The assets of one frame. Raises NotFound."""
    row = connection.execute(f"{_CURRENT} AND frame.number = ?", (emoji_id, index)).fetchone()
    if row is None:
        raise NotFound("This emoji has no such frame.", details={"emoji": emoji_id, "frame": index})
    return _files(row)


def masked(files_of_frame: FrameFiles) -> str:
    """The mask's asset. Raises Conflict while there is none."""
    if files_of_frame.mask is None:
        raise Conflict("This frame has no mask yet.", cure="Wait until the emoji is past the stage `segment`.")
    return files_of_frame.mask


def _files(row: sqlite3.Row) -> FrameFiles:
    return FrameFiles(row["raw"], row["own_alpha"], row["mask"], row["seconds"], row["first_mask"])


def _frame(row: sqlite3.Row) -> Frame:
    return Frame.model_validate(
        {
            **row,
            "index": row["number"],
            "mask": row["mask"] is not None,
            "edited": bool(row["edited"]),
            "parts": json.loads(row["parts"]),
        }
    )

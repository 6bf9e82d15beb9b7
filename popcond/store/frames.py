"""Frame rows: the numbered stills of an emoji's chosen take, and their masks. Frames and first masks never change."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from popcond.errors import Conflict, NotFound
from popcond.wire import Frame, Part


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


def replace(connection: sqlite3.Connection, emoji_id: str, frames: Sequence[RawFrame]) -> None:
    """The frames of a newly chosen take, in their order."""
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
        "UPDATE frame SET mask = ?, parts = ?, attention = ?, edited = 0 WHERE emoji_id = ? AND number = ?",
        [
            (row.mask, json.dumps([part.model_dump() for part in row.parts]), row.attention, emoji_id, number)
            for number, row in enumerate(masks)
        ],
    )


def every(connection: sqlite3.Connection, emoji_id: str) -> list[Frame]:
    """All frames of an emoji in their order; none before SLICE."""
    rows = connection.execute("SELECT * FROM frame WHERE emoji_id = ? ORDER BY number", (emoji_id,))
    return [
        Frame.model_validate(
            {
                **row,
                "index": row["number"],
                "mask": row["mask"] is not None,
                "parts": json.loads(row["parts"]),
            }
        )
        for row in rows
    ]


def files(connection: sqlite3.Connection, emoji_id: str) -> list[FrameFiles]:
    """The assets of all frames in their order."""
    rows = connection.execute("SELECT * FROM frame WHERE emoji_id = ? ORDER BY number", (emoji_id,))
    return [FrameFiles(row["raw"], row["own_alpha"], row["mask"], row["seconds"]) for row in rows]


def file(connection: sqlite3.Connection, emoji_id: str, index: int) -> FrameFiles:
    """The assets of one frame. Raises NotFound."""
    row = connection.execute("SELECT * FROM frame WHERE emoji_id = ? AND number = ?", (emoji_id, index)).fetchone()
    if row is None:
        raise NotFound("This emoji has no such frame.", details={"emoji": emoji_id, "frame": index})
    return FrameFiles(row["raw"], row["own_alpha"], row["mask"], row["seconds"])


def masked(files_of_frame: FrameFiles) -> str:
    """The mask's asset. Raises Conflict while there is none."""
    if files_of_frame.mask is None:
        raise Conflict("This frame has no mask yet.", cure="Wait until the emoji is past the stage `segment`.")
    return files_of_frame.mask

"""Which rows name which assets: the one place that knows every such column, and which stage makes what is in it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from popcond.errors import PopconError
from popcond.wire import Stage

_OWN_CLIP = "clip-file"  # the provider's name on takes that the user brought
_COLUMNS = (
    ("character", "picture"),
    ("character", "cutout"),
    ("character", "reference"),
    ("drawing", "picture"),
    ("drawing", "cutout"),
    ("pose", "picture"),
    ("pose", "cutout"),
    ("take", "clip"),
    ("frame", "raw"),
    ("frame", "own_alpha"),
    ("frame", "mask"),
    ("edit_mask", "mask"),
    ("sticker", "file"),
)
_OF_CHARACTERS = ("character", "drawing")
_MAKERS = {
    ("pose", "picture"): Stage.POSE,
    ("pose", "cutout"): Stage.POSE,
    ("take", "clip"): Stage.ANIMATE,
    ("frame", "raw"): Stage.SLICE,
    ("frame", "own_alpha"): Stage.SLICE,
    ("frame", "mask"): Stage.SEGMENT,
    ("sticker", "file"): Stage.ENCODE,
}
_BROKEN = ("asset_missing", "asset_damaged")  # codes of popcond.assets
_ADD_PICTURE_AGAIN = "Add the picture as a new character; this one's file is lost."
_ADD_CLIP_AGAIN = "Upload the clip again with POST /v1/emojis/{emoji}/clip, or choose another take."
_UNDO = "Undo the edits with POST /v1/emojis/{emoji}/edits/undo until the frame is whole again, then make them anew."
_RETRY = 'POST /v1/emojis/{emoji}/retry {{"from_stage": "{stage}"}} makes it again.'
_BUY_AGAIN = _RETRY + " With a paid provider this is a new order; choosing another one costs nothing."


@dataclass(frozen=True)
class Wanted:
    """The names of all assets that some row refers to, as they were at one moment."""

    names: Mapping[str, str]  # by the two letters they begin with, with commas between them

    def beginning_with(self, prefix: str) -> frozenset[str]:
        """Those of one folder of assets."""
        names = self.names.get(prefix)
        return frozenset(names.split(",")) if names else frozenset()

    def has(self, name: str) -> bool:
        """Whether some row names it."""
        return name in self.beginning_with(name[:2])


@dataclass(frozen=True)
class Reference:
    """One row that names an asset."""

    emoji_id: str | None  # None: a character's
    maker: Stage | None  # the stage that makes such a file; None: only the user can bring it again
    asset: str
    is_edited: bool = False  # a person made it: no stage can


def wanted_assets(connection: sqlite3.Connection) -> Wanted:
    """Every asset that a row names. Gathered inside SQLite, which leaves the other threads alone meanwhile."""
    every = " UNION ".join(f"SELECT {column} AS name FROM {table}" for table, column in _COLUMNS)
    rows = connection.execute(
        f"SELECT substr(name, 1, 2) AS prefix, group_concat(name, ',') AS names FROM ({every})"
        " WHERE name <> '' GROUP BY prefix"
    )
    return Wanted({row["prefix"]: row["names"] for row in rows})


def maker_of(connection: sqlite3.Connection, emoji_id: str, asset: str) -> Stage | None:
    """The stage of this emoji that makes an asset again; None for what only the user can bring, or nobody names."""
    return next((each.maker for each in references(connection, asset) if each.emoji_id == emoji_id), None)


def references(connection: sqlite3.Connection, asset: str) -> list[Reference]:
    """All rows that name this asset, of emojis first, what stages make before what a person made.

    It reads whole tables: for a broken file, not for every day.
    """
    found = [
        Reference(row["emoji_id"], _maker(row), asset, is_edited=row["home"] == "edit_mask")
        for row in connection.execute(_WHO_NAMES, (asset,))
    ]
    return sorted(found, key=lambda reference: (reference.emoji_id is None, reference.is_edited))


def is_about_an_asset(error: PopconError) -> bool:
    """Whether a file of the asset folder is to blame."""
    return error.code in _BROKEN and isinstance((error.details or {}).get("asset"), str)


def with_cure(connection: sqlite3.Connection, error: PopconError, emoji_id: str | None = None) -> PopconError:
    """An error about a broken asset with the cure that fits what it is; any other error as it was.

    With `emoji_id` the cure is for that emoji, where several share the file.
    """
    named_by = references(connection, str((error.details or {})["asset"])) if is_about_an_asset(error) else []
    if not named_by:
        return error
    reference = next((each for each in named_by if each.emoji_id == emoji_id), named_by[0])
    details = {**(error.details or {}), "emoji": reference.emoji_id, "stage": reference.maker}
    return type(error)(error.message, cure=cure_of(reference), details=details, code=error.code)


def cure_of(reference: Reference) -> str:
    """What makes the file of this row again, as a sentence."""
    if reference.emoji_id is None:
        return _ADD_PICTURE_AGAIN
    if reference.is_edited:
        return _UNDO.format(emoji=reference.emoji_id)
    if reference.maker is None:
        return _ADD_CLIP_AGAIN.format(emoji=reference.emoji_id)
    told = _BUY_AGAIN if reference.maker in (Stage.POSE, Stage.ANIMATE) else _RETRY
    return told.format(emoji=reference.emoji_id, stage=reference.maker)


def _maker(row: sqlite3.Row) -> Stage | None:
    return None if row["provider"] == _OWN_CLIP else _MAKERS.get((row["home"], row["place"]))


def _who_names() -> str:
    """One row a reference, by the asset ?1: its table and column, its emoji, and a take's provider."""
    return " UNION ".join(
        f"SELECT '{table}' AS home, '{column}' AS place,"
        f" {'NULL' if table in _OF_CHARACTERS else 'emoji_id'} AS emoji_id,"
        f" {'provider' if table == 'take' else 'NULL'} AS provider"
        f" FROM {table} WHERE {column} = ?1"
        for table, column in _COLUMNS
    )


_WHO_NAMES = _who_names()

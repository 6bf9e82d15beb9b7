"""Edits: what a person changed about the masks, step by step, on top of the first masks."""

from __future__ import annotations

from sqlite_utils import Database as Tables

# `emoji_id` stands in edit_mask as well: the current mask of each frame is asked for far more often than it changes.
_EDITS = """
CREATE TABLE edit(
  id TEXT PRIMARY KEY, emoji_id TEXT NOT NULL REFERENCES emoji(id) ON DELETE CASCADE,
  number INTEGER NOT NULL, kind TEXT NOT NULL CHECK(kind IN ('apply','propagate','clear')),
  body TEXT NOT NULL CHECK(json_valid(body)), undone INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL,
  changed REAL NOT NULL, UNIQUE(emoji_id, number)) STRICT;
CREATE TABLE edit_mask(
  edit_id TEXT NOT NULL REFERENCES edit(id) ON DELETE CASCADE,
  emoji_id TEXT NOT NULL REFERENCES emoji(id) ON DELETE CASCADE,
  frame INTEGER NOT NULL, mask TEXT NOT NULL,
  parts TEXT NOT NULL CHECK(json_valid(parts)), attention REAL NOT NULL,
  PRIMARY KEY(edit_id, frame)) STRICT;
CREATE INDEX edit_mask_frame ON edit_mask(emoji_id, frame);
"""


def m005_edits(tables: Tables) -> None:
    """Edits and their masks."""
    for statement in _EDITS.split(";\n"):
        tables.execute(statement)

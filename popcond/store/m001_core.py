"""The first schema: characters, packs, emojis, takes, frames, stickers, jobs and events."""

from __future__ import annotations

from sqlite_utils import Database as Tables

_CORE = """
CREATE TABLE character(
  id TEXT PRIMARY KEY, name TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
  remove_background TEXT NOT NULL, background TEXT NOT NULL, coverage REAL NOT NULL,
  notes TEXT NOT NULL CHECK(json_valid(notes)),
  picture TEXT NOT NULL, media_type TEXT NOT NULL, cutout TEXT NOT NULL, created REAL NOT NULL) STRICT;

CREATE TABLE pack(
  id TEXT PRIMARY KEY, name TEXT NOT NULL, character_id TEXT NOT NULL REFERENCES character(id),
  provider TEXT NOT NULL, model TEXT, targets TEXT NOT NULL CHECK(json_valid(targets)),
  auto_accept INTEGER NOT NULL, awaits_clips INTEGER NOT NULL, created REAL NOT NULL) STRICT;
CREATE INDEX pack_character ON pack(character_id);

CREATE TABLE emoji(
  id TEXT PRIMARY KEY, pack_id TEXT NOT NULL REFERENCES pack(id) ON DELETE CASCADE,
  number INTEGER NOT NULL, action TEXT NOT NULL CHECK(json_valid(action)), motion_prompt TEXT NOT NULL,
  status TEXT NOT NULL, stage TEXT NOT NULL, progress REAL NOT NULL,
  problem TEXT CHECK(problem IS NULL OR json_valid(problem)),
  frame_count INTEGER NOT NULL DEFAULT 0, fps REAL NOT NULL DEFAULT 0,
  width INTEGER NOT NULL DEFAULT 0, height INTEGER NOT NULL DEFAULT 0, chosen_take TEXT,
  notes TEXT NOT NULL DEFAULT '[]' CHECK(json_valid(notes)), created REAL NOT NULL, updated REAL NOT NULL,
  UNIQUE(pack_id, number)) STRICT;

CREATE TABLE take(
  id TEXT PRIMARY KEY, emoji_id TEXT NOT NULL REFERENCES emoji(id) ON DELETE CASCADE,
  provider TEXT NOT NULL, model TEXT, motion_prompt TEXT NOT NULL, clip TEXT NOT NULL, seconds REAL,
  backdrop TEXT CHECK(backdrop IS NULL OR json_valid(backdrop)), exact_loop INTEGER NOT NULL,
  created REAL NOT NULL) STRICT;
CREATE INDEX take_emoji ON take(emoji_id, created);

CREATE TABLE frame(
  emoji_id TEXT NOT NULL REFERENCES emoji(id) ON DELETE CASCADE, number INTEGER NOT NULL,
  raw TEXT NOT NULL, own_alpha TEXT, mask TEXT, width INTEGER NOT NULL, height INTEGER NOT NULL,
  seconds REAL NOT NULL, attention REAL NOT NULL DEFAULT 0, edited INTEGER NOT NULL DEFAULT 0,
  parts TEXT NOT NULL DEFAULT '[]' CHECK(json_valid(parts)), PRIMARY KEY(emoji_id, number)) STRICT;

CREATE TABLE sticker(
  id TEXT PRIMARY KEY, emoji_id TEXT NOT NULL REFERENCES emoji(id) ON DELETE CASCADE,
  target TEXT NOT NULL, file TEXT NOT NULL, facts TEXT NOT NULL CHECK(json_valid(facts)), created REAL NOT NULL,
  UNIQUE(emoji_id, target)) STRICT;

CREATE TABLE job(
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,
  emoji_id TEXT NOT NULL REFERENCES emoji(id) ON DELETE CASCADE,
  state TEXT NOT NULL CHECK(state IN ('ready','running','done','failed','cancelled')),
  attempt INTEGER NOT NULL DEFAULT 0, claim_token INTEGER NOT NULL DEFAULT 0,
  remote_task TEXT CHECK(remote_task IS NULL OR json_valid(remote_task)),
  created REAL NOT NULL, updated REAL NOT NULL) STRICT;
CREATE INDEX job_ready ON job(kind, id) WHERE state = 'ready';
CREATE INDEX job_emoji ON job(emoji_id);
CREATE UNIQUE INDEX job_live ON job(emoji_id) WHERE state IN ('ready','running');

CREATE TABLE event(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, type TEXT NOT NULL,
  data TEXT NOT NULL CHECK(json_valid(data))) STRICT;
"""


def m001_core(tables: Tables) -> None:
    """Everything that a pack is made of."""
    for statement in _CORE.split(";\n"):
        tables.execute(statement)

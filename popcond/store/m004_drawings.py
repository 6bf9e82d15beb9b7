"""Characters that are drawn, start poses of emojis, and jobs and purchases that belong to either."""

from __future__ import annotations

from sqlite_utils import Database as Tables

# A job belongs to an emoji or to a character; `subject` is whichever it is. Pictures of a character that is still being
# drawn are '': its columns were made when every character had one.
_DRAWINGS = """
ALTER TABLE character ADD COLUMN status TEXT NOT NULL DEFAULT 'ready';
ALTER TABLE character ADD COLUMN problem TEXT;
ALTER TABLE character ADD COLUMN prompt TEXT NOT NULL DEFAULT '';
ALTER TABLE character ADD COLUMN provider TEXT;
ALTER TABLE character ADD COLUMN model TEXT;
ALTER TABLE character ADD COLUMN reference TEXT;
ALTER TABLE character ADD COLUMN reference_use TEXT;
ALTER TABLE character ADD COLUMN chosen_drawing TEXT;
CREATE TABLE drawing(
  id TEXT PRIMARY KEY, character_id TEXT NOT NULL REFERENCES character(id) ON DELETE CASCADE,
  provider TEXT NOT NULL, model TEXT NOT NULL, prompt TEXT NOT NULL, flaws TEXT NOT NULL CHECK(json_valid(flaws)),
  picture TEXT NOT NULL, media_type TEXT NOT NULL, cutout TEXT NOT NULL, width INTEGER NOT NULL,
  height INTEGER NOT NULL, background TEXT NOT NULL, coverage REAL NOT NULL,
  notes TEXT NOT NULL CHECK(json_valid(notes)), created REAL NOT NULL) STRICT;
CREATE INDEX drawing_character ON drawing(character_id, created);

ALTER TABLE pack ADD COLUMN draw_poses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pack ADD COLUMN approve_poses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pack ADD COLUMN pose_model TEXT;
ALTER TABLE emoji ADD COLUMN pose_prompt TEXT NOT NULL DEFAULT '';
ALTER TABLE emoji ADD COLUMN chosen_pose TEXT;
CREATE TABLE pose(
  id TEXT PRIMARY KEY, emoji_id TEXT NOT NULL REFERENCES emoji(id) ON DELETE CASCADE,
  provider TEXT NOT NULL, model TEXT NOT NULL, prompt TEXT NOT NULL, flaws TEXT NOT NULL CHECK(json_valid(flaws)),
  picture TEXT NOT NULL, media_type TEXT NOT NULL, cutout TEXT NOT NULL, created REAL NOT NULL) STRICT;
CREATE INDEX pose_emoji ON pose(emoji_id, created);
ALTER TABLE take ADD COLUMN flaws TEXT NOT NULL DEFAULT '[]' CHECK(json_valid(flaws));

CREATE TABLE job_of_anybody(
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,
  emoji_id TEXT REFERENCES emoji(id) ON DELETE CASCADE,
  character_id TEXT REFERENCES character(id) ON DELETE CASCADE,
  subject TEXT NOT NULL GENERATED ALWAYS AS (coalesce(emoji_id, character_id)) STORED,
  state TEXT NOT NULL CHECK(state IN ('ready','running','done','dead','cancelled')),
  priority INTEGER NOT NULL DEFAULT 0, turn REAL NOT NULL DEFAULT 0, run_at REAL NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, mends TEXT,
  claim_token INTEGER NOT NULL DEFAULT 0, lease_until REAL,
  problem TEXT CHECK(problem IS NULL OR json_valid(problem)),
  created REAL NOT NULL, updated REAL NOT NULL) STRICT;
INSERT INTO job_of_anybody(
  id, kind, emoji_id, state, priority, turn, run_at, attempt, failures, mends, claim_token, lease_until, problem,
  created, updated)
  SELECT id, kind, emoji_id, state, priority, turn, run_at, attempt, failures, mends, claim_token, lease_until,
    problem, created, updated FROM job;
INSERT INTO sqlite_sequence(name, seq)
  SELECT 'job_of_anybody', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'job_of_anybody');
UPDATE sqlite_sequence SET seq = coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'job'), 0)
  WHERE name = 'job_of_anybody';
DROP TABLE job;
ALTER TABLE job_of_anybody RENAME TO job;
CREATE INDEX job_due ON job(kind, priority DESC, turn, id) WHERE state = 'ready' AND run_at = 0;
CREATE INDEX job_asleep ON job(run_at) WHERE state = 'ready' AND run_at > 0;
CREATE INDEX job_asleep_since ON job(updated) WHERE state = 'ready' AND run_at > 0;
CREATE INDEX job_leased ON job(kind, lease_until) WHERE state = 'running';
CREATE INDEX job_dead ON job(id) WHERE state = 'dead';
CREATE INDEX job_subject ON job(subject);
CREATE INDEX job_emoji ON job(emoji_id);
CREATE INDEX job_character ON job(character_id);
CREATE UNIQUE INDEX job_live ON job(subject) WHERE state IN ('ready','running');

ALTER TABLE purchase ADD COLUMN kind TEXT NOT NULL DEFAULT 'clip' CHECK(kind IN ('clip','pose','drawing'));
ALTER TABLE purchase ADD COLUMN character_id TEXT;
ALTER TABLE purchase ADD COLUMN job INTEGER;
ALTER TABLE purchase ADD COLUMN region TEXT;
ALTER TABLE purchase ADD COLUMN resolution TEXT;
ALTER TABLE purchase ADD COLUMN seconds REAL;
ALTER TABLE purchase ADD COLUMN unit_price REAL;
ALTER TABLE purchase ADD COLUMN request_id TEXT;
CREATE INDEX purchase_work ON purchase(work);
CREATE INDEX purchase_character ON purchase(character_id);
UPDATE purchase SET order_facts = json_remove(
  json_set(order_facts, '$.prompt', json_extract(order_facts, '$.motion_prompt')), '$.motion_prompt');
"""


def m004_drawings(tables: Tables) -> None:
    """Drawings, poses, and jobs of characters."""
    for statement in _DRAWINGS.split(";\n"):
        tables.execute(statement)

"""The queue: leases, priorities, turns, backoff, and problems of dead jobs."""

from __future__ import annotations

from sqlite_utils import Database as Tables

# A ready job with a run_at other than 0 sleeps until then; waking it sets the 0. So the claim's index holds nothing but
# what may be claimed, in the order in which it is. A failed job of the first schema is dead: it failed for good.
_QUEUE = """
ALTER TABLE emoji ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE emoji ADD COLUMN turn REAL NOT NULL DEFAULT 0;
UPDATE emoji SET turn = place.turn FROM (
  SELECT emoji.id AS id, row_number() OVER (ORDER BY pack.created, pack.id, emoji.number) AS turn
  FROM emoji JOIN pack ON pack.id = emoji.pack_id) AS place WHERE place.id = emoji.id;
CREATE INDEX emoji_turn ON emoji(turn);

CREATE TABLE job_of_the_queue(
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,
  emoji_id TEXT NOT NULL REFERENCES emoji(id) ON DELETE CASCADE,
  state TEXT NOT NULL CHECK(state IN ('ready','running','done','dead','cancelled')),
  priority INTEGER NOT NULL DEFAULT 0, turn REAL NOT NULL DEFAULT 0, run_at REAL NOT NULL DEFAULT 0,
  attempt INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0, mends TEXT,
  claim_token INTEGER NOT NULL DEFAULT 0, lease_until REAL,
  problem TEXT CHECK(problem IS NULL OR json_valid(problem)),
  created REAL NOT NULL, updated REAL NOT NULL) STRICT;
INSERT INTO job_of_the_queue(
  id, kind, emoji_id, state, turn, attempt, claim_token, problem, created, updated)
  SELECT job.id, kind, emoji_id, CASE job.state WHEN 'failed' THEN 'dead' ELSE job.state END, turn, attempt,
    claim_token, CASE WHEN job.state = 'failed' AND emoji.status = 'failed' THEN emoji.problem END,
    job.created, job.updated
  FROM job JOIN emoji ON emoji.id = job.emoji_id;
INSERT INTO sqlite_sequence(name, seq)
  SELECT 'job_of_the_queue', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'job_of_the_queue');
UPDATE sqlite_sequence SET seq = coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'job'), 0)
  WHERE name = 'job_of_the_queue';
DROP TABLE job;
ALTER TABLE job_of_the_queue RENAME TO job;

CREATE INDEX job_due ON job(kind, priority DESC, turn, id) WHERE state = 'ready' AND run_at = 0;
CREATE INDEX job_asleep ON job(run_at) WHERE state = 'ready' AND run_at > 0;
CREATE INDEX job_asleep_since ON job(updated) WHERE state = 'ready' AND run_at > 0;
CREATE INDEX job_leased ON job(kind, lease_until) WHERE state = 'running';
CREATE INDEX job_dead ON job(id) WHERE state = 'dead';
CREATE INDEX job_emoji ON job(emoji_id);
CREATE UNIQUE INDEX job_live ON job(emoji_id) WHERE state IN ('ready','running');

CREATE TABLE queue(only INTEGER PRIMARY KEY CHECK(only = 1), paused INTEGER NOT NULL) STRICT;
INSERT INTO queue(only, paused) VALUES (1, 0);
"""


def m002_queue(tables: Tables) -> None:
    """Jobs that are leased, ordered and tried again; emojis that keep their place in the queue."""
    for statement in _QUEUE.split(";\n"):
        tables.execute(statement)

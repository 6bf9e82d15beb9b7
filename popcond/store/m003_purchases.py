"""The ledger: what was asked of providers for money. It has no foreign keys, for it outlives packs and jobs."""

from __future__ import annotations

from sqlite_utils import Database as Tables

_PURCHASES = """
CREATE TABLE purchase(
  id TEXT PRIMARY KEY, work TEXT NOT NULL, request TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN ('intent','submitted','unknown','collected','refused','failed','released',
    'expired','abandoned')),
  provider TEXT NOT NULL, model TEXT NOT NULL, remote_task TEXT,
  pack_id TEXT NOT NULL, pack_name TEXT NOT NULL, emoji_id TEXT NOT NULL, action TEXT NOT NULL,
  order_facts TEXT NOT NULL CHECK(json_valid(order_facts)),
  price REAL NOT NULL CHECK(price >= 0), amount REAL NOT NULL CHECK(amount >= 0), is_estimate INTEGER NOT NULL,
  currency TEXT NOT NULL,
  problem TEXT CHECK(problem IS NULL OR json_valid(problem)),
  intent_at REAL NOT NULL, submitted_at REAL, settled_at REAL,
  CHECK(state <> 'submitted' OR remote_task IS NOT NULL)) STRICT;
CREATE UNIQUE INDEX purchase_open ON purchase(work) WHERE state IN ('intent','submitted','unknown');
CREATE UNIQUE INDEX purchase_task ON purchase(provider, remote_task) WHERE remote_task IS NOT NULL;
CREATE INDEX purchase_emoji ON purchase(emoji_id);
CREATE INDEX purchase_pack ON purchase(pack_id);
CREATE INDEX purchase_day ON purchase(intent_at);
ALTER TABLE pack ADD COLUMN max_spend REAL;
CREATE TABLE answered(
  key TEXT PRIMARY KEY, digest TEXT NOT NULL, pack_id TEXT NOT NULL, at REAL NOT NULL) STRICT;
"""


def m003_purchases(tables: Tables) -> None:
    """Purchases, a ceiling a pack, and which orders have been answered already."""
    for statement in _PURCHASES.split(";\n"):
        tables.execute(statement)

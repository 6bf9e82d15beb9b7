"""Jobs that order from a provider: who of them waits for the same one, and who goes on with another's purchase."""

from __future__ import annotations

import sqlite3

from popcond.store.jobs import Job, job_of
from popcond.wire import Stage

ORDERING = (Stage.DRAW, Stage.POSE, Stage.ANIMATE)

# Every job that orders, with its provider and the model that it was told to use; null: the provider's first.
_ORDERERS = """
SELECT job.*, coalesce(pack.provider, character.provider) AS of_provider,
  CASE job.kind WHEN 'animate' THEN pack.model WHEN 'pose' THEN pack.pose_model ELSE character.model END AS of_model
FROM job LEFT JOIN emoji ON emoji.id = job.emoji_id LEFT JOIN pack ON pack.id = emoji.pack_id
  LEFT JOIN character ON character.id = job.character_id
WHERE job.kind IN ('draw', 'pose', 'animate')
"""
_WAITING_LIKE = f"""
WITH orderer AS ({_ORDERERS})
SELECT other.* FROM orderer AS one JOIN orderer AS other ON other.of_provider = one.of_provider
WHERE one.id = :job AND other.id <> one.id AND other.state = 'ready'
  AND (NOT :same_model OR (other.kind = one.kind AND other.of_model IS one.of_model))
  AND NOT EXISTS (SELECT 1 FROM purchase WHERE purchase.state IN ('intent', 'submitted', 'unknown')
    AND other.subject IN (purchase.emoji_id, purchase.character_id))
ORDER BY other.id
"""


def waiting_like(connection: sqlite3.Connection, job: Job, *, same_model: bool) -> list[Job]:
    """Jobs that wait to order from the provider of this one, or only from the same model of it.

    Those with an open purchase are left out.
    """
    rows = connection.execute(_WAITING_LIKE, {"job": job.id, "same_model": same_model})
    return [job_of(row) for row in rows]


def take_over(connection: sqlite3.Connection, purchase_id: str, job: Job) -> None:
    """This job brings home what an earlier one of its subject may have ordered."""
    connection.execute("UPDATE purchase SET job = ? WHERE id = ?", (job.id, purchase_id))

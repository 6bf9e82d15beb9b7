"""The queue: leases, priorities, turns, backoff, and problems of dead jobs."""

from __future__ import annotations

from sqlite_utils import Database as Tables


def m002_queue(tables: Tables) -> None:
    """To be filled in before it lands."""

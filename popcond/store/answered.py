"""Which orders have been answered already, so that a client that asks twice does not get, and pay, two packs."""

from __future__ import annotations

import hashlib
import sqlite3
import time

from popcond.errors import Conflict
from popcond.store.db import insert

_KEPT = 7 * 86400.0  # seconds


def digest(*parts: str) -> str:
    """What was asked for."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def pack_for(connection: sqlite3.Connection, key: str, asked: str) -> str | None:
    """The pack that an order with this key made; None for a new key. Raises Conflict for a key of another order."""
    row = connection.execute("SELECT digest, pack_id FROM answered WHERE key = ?", (key,)).fetchone()
    if row is None:
        return None
    if row["digest"] != asked:
        raise Conflict(
            "This Idempotency-Key has been used for another order.", cure="Use a new key for every new order."
        )
    return str(row["pack_id"])


def remember(connection: sqlite3.Connection, key: str, asked: str, pack_id: str) -> None:
    """An order with this key has made this pack."""
    insert(connection, "answered", {"key": key, "digest": asked, "pack_id": pack_id, "at": time.time()})


def prune(connection: sqlite3.Connection) -> int:
    """Forget keys that nobody will send again; answers how many."""
    return connection.execute("DELETE FROM answered WHERE at < ?", (time.time() - _KEPT,)).rowcount

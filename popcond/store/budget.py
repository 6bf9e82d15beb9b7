"""What has been spent, and what may still be: asked in the transaction that writes down the next purchase."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from popcond.errors import OverBudget
from popcond.wire import DaySpend, PackSpend, Spend, sum_of_money

_BILLED = "state NOT IN ('refused', 'failed', 'released')"
_SUMS = (
    "currency, total(amount) AS amount, count(*) AS purchases,"
    " total(CASE WHEN state IN ('intent', 'submitted', 'unknown') THEN amount ELSE 0 END) AS reserved"
)
_DRAWINGS = "Characters"  # what the drawings of characters are called among the packs
_CENT = 1e-6  # sums of prices are floats


@dataclass(frozen=True)
class Ceilings:
    """The most that may be spent, in the provider's currency; None: no limit."""

    per_pack: float | None = None
    per_day: float | None = None


def refuse_over(
    connection: sqlite3.Connection, ceilings: Ceilings, *, pack_id: str | None, amount: float, currency: str
) -> None:
    """Raises OverBudget when this much more would be over the pack's ceiling or the day's; free things always pass."""
    if amount <= 0:
        return
    of_pack = ceiling_of(connection, ceilings, pack_id)
    if of_pack is not None:
        spent = spent_on_pack(connection, pack_id, currency) if pack_id else 0.0
        _refuse("this pack", spent, amount, of_pack, currency, _RAISE_PACK)
    if ceilings.per_day is not None:
        _refuse("today", spent_today(connection, currency), amount, ceilings.per_day, currency, _RAISE_DAY)


def ceiling_of(connection: sqlite3.Connection, ceilings: Ceilings, pack_id: str | None) -> float | None:
    """The ceiling of a pack: its own or that of the settings, whichever is lower."""
    row = connection.execute("SELECT max_spend FROM pack WHERE id = ?", (pack_id,)).fetchone() if pack_id else None
    limits = [limit for limit in (row["max_spend"] if row else None, ceilings.per_pack) if limit is not None]
    return min(limits, default=None)


def spent_on_pack(connection: sqlite3.Connection, pack_id: str, currency: str) -> float:
    """Billed and reserved for a pack."""
    return _sum(connection, "pack_id = ?", (pack_id, currency))


def spent_on_emoji(connection: sqlite3.Connection, emoji_id: str) -> float:
    """Billed and reserved for an emoji, in its provider's currency."""
    row = connection.execute(
        f"SELECT total(amount) AS spent FROM purchase WHERE emoji_id = ? AND {_BILLED}", (emoji_id,)
    ).fetchone()
    return float(row["spent"])


def spent_on_character(connection: sqlite3.Connection, character_id: str) -> float:
    """Billed and reserved for the drawings of a character, in its provider's currency."""
    row = connection.execute(
        f"SELECT total(amount) AS spent FROM purchase WHERE character_id = ? AND {_BILLED}", (character_id,)
    ).fetchone()
    return float(row["spent"])


def spent_today(connection: sqlite3.Connection, currency: str) -> float:
    """Billed and reserved since midnight, by this computer's clock and time zone."""
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    return _sum(connection, "intent_at >= ?", (midnight.timestamp(), currency))


def totals(connection: sqlite3.Connection) -> tuple[Spend, ...]:
    """All that was ever spent, by currency."""
    return tuple(Spend.model_validate(dict(row)) for row in _grouped(connection, "", "currency"))


def by_pack(connection: sqlite3.Connection) -> tuple[PackSpend, ...]:
    """What each pack has cost, the newest purchase first; packs that are gone keep their line.

    The drawings of characters, which belong to no pack, share one.
    """
    rows = _grouped(connection, "nullif(pack_id, '') AS pack_id, pack_name,", "purchase.pack_id, currency")
    return tuple(
        PackSpend.model_validate({**row, "pack_name": row["pack_name"] if row["pack_id"] else _DRAWINGS})
        for row in rows
    )


def by_day(connection: sqlite3.Connection) -> tuple[DaySpend, ...]:
    """What each day has cost, the newest first."""
    rows = _grouped(connection, "date(intent_at, 'unixepoch', 'localtime') AS day,", "day, currency")
    return tuple(DaySpend.model_validate(dict(row)) for row in rows)


def _grouped(connection: sqlite3.Connection, columns: str, group: str) -> list[sqlite3.Row]:
    return connection.execute(
        f"SELECT {columns} {_SUMS} FROM purchase WHERE {_BILLED} AND amount > 0"
        f" GROUP BY {group} ORDER BY max(intent_at) DESC"
    ).fetchall()


def _sum(connection: sqlite3.Connection, condition: str, values: tuple[str | float, str]) -> float:
    row = connection.execute(
        f"SELECT total(amount) AS spent FROM purchase WHERE {condition} AND currency = ? AND {_BILLED}", values
    ).fetchone()
    return float(row["spent"])


_RAISE_PACK = "Raise the pack's `max_spend` (or the setting max_spend_per_pack), or buy fewer clips; then retry."
_RAISE_DAY = "Raise the setting max_spend_per_day (POPCON_MAX_SPEND_PER_DAY), or retry tomorrow."


def _refuse(whose: str, spent: float, amount: float, ceiling: float, currency: str, cure: str) -> None:
    if spent + amount <= ceiling + _CENT:
        return
    raise OverBudget(
        f"This would cost {sum_of_money(amount, currency)}; {whose} has {sum_of_money(spent, currency)} spent or"
        f" reserved of at most {sum_of_money(ceiling, currency)}.",
        cure=cure,
        details={"amount": amount, "spent": spent, "ceiling": ceiling, "currency": currency},
    )

"""Money: what was bought, what it cost, and the choices where nobody knows whether it was bought."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter

from popcond.api.deps import Powers, Uses
from popcond.api.security import MOST_TEXT
from popcond.errors import Conflict
from popcond.stages.collector import tell_not_bought
from popcond.store import budget, purchases
from popcond.store.db import Connection
from popcond.store.writer import Transaction
from popcond.wire import Adopt, Purchase, PurchaseState, Usage

router = APIRouter(prefix="/v1", tags=["money"], max_body_size=MOST_TEXT)


@router.get("/usage")
async def usage(powers: Uses) -> Usage:
    """Everything that was bought, by pack and by day; what costs nothing is left out."""
    ceilings = powers.ceilings

    def read(connection: Connection) -> Usage:
        return Usage(
            totals=budget.totals(connection),
            by_pack=budget.by_pack(connection),
            by_day=budget.by_day(connection),
            purchases=tuple(purchases.newest(connection)),
            max_spend_per_pack=ceilings.per_pack,
            max_spend_per_day=ceilings.per_day,
        )

    return await powers.database.read(read)


@router.get("/purchases")
async def every(powers: Uses, state: PurchaseState | None = None) -> list[Purchase]:
    """What was bought for money, the newest first."""
    return await powers.database.read(partial(purchases.newest, state=state))


@router.get("/purchases/{purchase_id}")
async def one(powers: Uses, purchase_id: str) -> Purchase:
    """One purchase."""
    return await powers.database.read(partial(purchases.on_the_wire, purchase_id=purchase_id))


@router.post("/purchases/{purchase_id}/adopt")
async def adopt(powers: Uses, purchase_id: str, task: Adopt) -> Purchase:
    """Maybe bought: this remote task is it. It is collected at once, and its emoji goes on."""
    return await _decide(powers, purchase_id, partial(_adopt, purchase_id=purchase_id, task=task.remote_task))


@router.post("/purchases/{purchase_id}/release")
async def release(powers: Uses, purchase_id: str) -> Purchase:
    """Maybe bought: it was not. The emoji may be retried, which buys."""
    return await _decide(powers, purchase_id, partial(_release, purchase_id=purchase_id))


@router.post("/purchases/{purchase_id}/look")
async def look(powers: Uses, purchase_id: str) -> Purchase:
    """Maybe bought: ask the provider's list once more. What it says comes by event."""
    return await _decide(powers, purchase_id, partial(purchases.look_again, purchase_id=purchase_id))


async def _decide(powers: Powers, purchase_id: str, decision: Transaction[object]) -> Purchase:
    def write(connection: Connection) -> Purchase:
        decision(connection)
        return purchases.on_the_wire(connection, purchase_id)

    decided = await powers.database.write(write)
    powers.collect_soon()
    return decided


def _adopt(connection: Connection, purchase_id: str, task: str) -> None:
    _refuse_settled(connection, purchase_id)
    purchases.accept(connection, purchase_id, task)


def _release(connection: Connection, purchase_id: str) -> None:
    entry = _refuse_settled(connection, purchase_id)
    purchases.settle(connection, purchase_id, PurchaseState.RELEASED)
    tell_not_bought(connection, entry)


def _refuse_settled(connection: Connection, purchase_id: str) -> purchases.Entry:
    """Only what is in doubt is for a person to decide; an order on its way is not."""
    entry = purchases.get(connection, purchase_id)
    if entry.state is not PurchaseState.UNKNOWN:
        raise Conflict(f"Nothing is in doubt here: this purchase is {entry.state.value}.")
    return entry

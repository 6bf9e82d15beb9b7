"""The ledger: the database itself refuses to buy twice, and a budget is asked in the transaction that buys."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from functools import partial

import pytest

from popcond.errors import Conflict, NotFound, OverBudget
from popcond.store import budget, emojis, events, packs, purchases
from popcond.store.budget import Ceilings
from popcond.store.db import Connection, Database
from popcond.store.purchases import Entry, Order, OrderFacts
from popcond.wire import Pack, PackChanges, Problem, PurchaseKind, PurchaseState

DOUBT = Problem(code="submit_unanswered", message="No answer.")


def an_order(pack: Pack, index: int = 0, price: float = 0.5) -> Order:
    """The clip of one of the pack's emojis."""
    emoji = pack.emojis[index]
    return Order(
        kind=PurchaseKind.CLIP,
        subject=emoji.id,
        request="0" * 64,
        provider="ledger",
        model="ledger-1",
        pack_id=pack.id,
        pack_name=pack.name,
        action=emoji.action,
        price=price,
        currency="USD",
        facts=OrderFacts(prompt="waves", backdrop=(1, 2, 3), exact_loop=True),
    )


async def intended(database: Database, order: Order) -> Entry:
    """Its line in the ledger."""
    return await database.write(partial(purchases.intend, order=order))


async def test_an_order_is_told_again_as_it_was_given(database: Database, pack: Pack) -> None:
    order = an_order(pack)
    entry = await intended(database, order)
    assert (entry.order, entry.state, entry.remote_task) == (order, PurchaseState.INTENT, None)
    assert await database.read(partial(purchases.open_for, work=order.work)) == entry


@pytest.mark.parametrize("state", ["intent", "submitted", "unknown"])
async def test_the_same_work_is_never_ordered_twice_at_once(database: Database, pack: Pack, state: str) -> None:
    order = an_order(pack)
    entry = await intended(database, order)
    if state == "submitted":
        await database.write(partial(purchases.accept, purchase_id=entry.id, remote_task="t1"))
    if state == "unknown":
        await database.write(partial(purchases.doubt, purchase_id=entry.id, problem=DOUBT))
    with pytest.raises(Conflict):
        await intended(database, order)

    def around_the_back(connection: sqlite3.Connection) -> None:
        columns = [row["name"] for row in connection.execute("SELECT name FROM pragma_table_info('purchase')")]
        other = {"id": "'x'", "state": "'intent'", "remote_task": "NULL"}
        values = ", ".join(other.get(column, column) for column in columns)
        connection.execute(f"INSERT INTO purchase({', '.join(columns)}) SELECT {values} FROM purchase")

    with pytest.raises(sqlite3.IntegrityError):
        await database.write(around_the_back)


async def test_a_hundred_callers_at_once_order_once(database: Database, pack: Pack) -> None:
    tries = [intended(database, an_order(pack)) for _ in range(100)]
    ended = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, Entry) for each in ended) == 1
    assert sum(isinstance(each, Conflict) for each in ended) == 99


async def test_one_remote_task_belongs_to_one_purchase(database: Database, pack: Pack) -> None:
    first, second = await intended(database, an_order(pack, 0)), await intended(database, an_order(pack, 1))
    await database.write(partial(purchases.accept, purchase_id=first.id, remote_task="t1"))
    with pytest.raises(Conflict, match="another purchase"):
        await database.write(partial(purchases.accept, purchase_id=second.id, remote_task="t1"))
    known = await database.read(partial(purchases.known_tasks, provider="ledger", tasks=["t1", "t2"]))
    assert known == {"t1"}


async def test_what_is_settled_stays_settled(database: Database, pack: Pack) -> None:
    entry = await intended(database, an_order(pack))
    await database.write(partial(purchases.settle, purchase_id=entry.id, state=PurchaseState.REFUSED))
    for step in (
        partial(purchases.accept, purchase_id=entry.id, remote_task="t1"),
        partial(purchases.doubt, purchase_id=entry.id, problem=DOUBT),
        partial(purchases.settle, purchase_id=entry.id, state=PurchaseState.COLLECTED),
    ):
        with pytest.raises(Conflict, match="refused already"):
            await database.write(step)
    with pytest.raises(NotFound):
        await database.read(partial(purchases.get, purchase_id="nobody"))


async def test_an_intent_of_before_a_restart_is_in_doubt(database: Database, pack: Pack) -> None:
    entry = await intended(database, an_order(pack))
    assert await database.write(purchases.doubt_intents) == 1
    doubtful = await database.read(partial(purchases.get, purchase_id=entry.id))
    assert (doubtful.state, doubtful.problem and doubtful.problem.code) == (PurchaseState.UNKNOWN, "submit_interrupted")
    assert await database.write(purchases.doubt_intents) == 0


async def spend(database: Database, order: Order, ceilings: Ceilings) -> Entry:
    """Order within a budget, as the stage does it: in one transaction."""

    def write(connection: Connection) -> Entry:
        budget.refuse_over(connection, ceilings, pack_id=order.pack_id, amount=order.price, currency=order.currency)
        return purchases.intend(connection, order)

    return await database.write(write)


@pytest.mark.parametrize("ceilings", [Ceilings(per_pack=0.75), Ceilings(per_day=0.75)], ids=["pack", "day"])
async def test_a_ceiling_counts_what_is_open_and_forgets_what_was_refused(
    database: Database, pack: Pack, ceilings: Ceilings
) -> None:
    first = await spend(database, an_order(pack, 0), ceilings)
    with pytest.raises(OverBudget) as caught:
        await spend(database, an_order(pack, 1), ceilings)
    assert "0.50 USD" in caught.value.message
    assert "0.75" in caught.value.message
    assert caught.value.cure
    assert await database.read(partial(purchases.open_for, work=an_order(pack, 1).work)) is None
    await database.write(partial(purchases.settle, purchase_id=first.id, state=PurchaseState.REFUSED))
    await spend(database, an_order(pack, 1), ceilings)


async def test_a_packs_own_ceiling_holds_too(database: Database, pack: Pack) -> None:
    await database.write(partial(packs.change, pack_id=pack.id, changes=PackChanges(max_spend=0.4)))
    with pytest.raises(OverBudget):
        await spend(database, an_order(pack), Ceilings(per_pack=100.0))
    await spend(database, an_order(pack, price=0.0), Ceilings(per_pack=0.0))


async def test_many_orders_at_once_stay_under_the_ceiling(database: Database, pack: Pack) -> None:
    orders = [replace(an_order(pack), subject=f"emoji {number}") for number in range(40)]
    ceilings = Ceilings(per_day=5.0)
    ended = await asyncio.gather(*(spend(database, order, ceilings) for order in orders), return_exceptions=True)
    assert sum(isinstance(each, Entry) for each in ended) == 10
    assert sum(isinstance(each, OverBudget) for each in ended) == 30


async def test_usage_counts_what_was_billed_and_keeps_the_lines_of_packs_that_are_gone(
    database: Database, pack: Pack
) -> None:
    first, second = await intended(database, an_order(pack, 0)), await intended(database, an_order(pack, 1))
    await database.write(partial(purchases.accept, purchase_id=first.id, remote_task="t1"))
    await database.write(partial(purchases.settle, purchase_id=first.id, state=PurchaseState.COLLECTED, billed=0.25))
    emoji = await database.read(partial(emojis.get, emoji_id=pack.emojis[0].id))
    assert emoji.spend == 0.25
    await database.write(partial(packs.remove, pack_id=pack.id))
    (of_pack,) = await database.read(budget.by_pack)
    (of_day,) = await database.read(budget.by_day)
    (total,) = await database.read(budget.totals)
    for spent in (of_pack, of_day, total):
        assert (spent.amount, spent.reserved, spent.purchases, spent.currency) == (0.75, 0.5, 2, "USD")
    assert of_pack.pack_name == pack.name
    lines = await database.read(purchases.newest)
    assert {line.id for line in lines} == {first.id, second.id}
    assert {line.id: (line.amount, line.is_estimate) for line in lines}[first.id] == (0.25, False)


async def test_every_step_of_a_purchase_is_an_event(database: Database, pack: Pack) -> None:
    start = await database.read(events.newest)
    entry = await intended(database, an_order(pack))
    await database.write(partial(purchases.accept, purchase_id=entry.id, remote_task="t1"))
    await database.write(partial(purchases.settle, purchase_id=entry.id, state=PurchaseState.COLLECTED))
    free = await intended(database, an_order(pack, 1, price=0.0))
    await database.write(partial(purchases.settle, purchase_id=free.id, state=PurchaseState.COLLECTED))
    told = await database.read(partial(events.after, seq=start))
    assert [event.purchase.state.value for event in told if event.purchase] == ["intent", "submitted", "collected"]


async def test_a_line_says_all_that_an_invoice_would(database: Database, pack: Pack) -> None:
    plain = an_order(pack)
    order = replace(plain, region="international", resolution="480P", seconds=5.0, unit_price=0.1)
    entry = await intended(database, order)
    accept = partial(purchases.accept, purchase_id=entry.id, remote_task="t-1", request_id="r-1")
    assert (await database.write(accept)).order == order
    told = await database.read(partial(purchases.on_the_wire, purchase_id=entry.id))
    assert (told.region, told.resolution, told.seconds, told.unit_price) == ("international", "480P", 5.0, 0.1)
    assert (told.kind, told.remote_task, told.request_id) == (PurchaseKind.CLIP, "t-1", "r-1")

"""Open purchases that no job cares for: nothing that was paid for is left at a provider."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from popcond.errors import MaybeBought
from popcond.stages import transitions
from popcond.stages.animate import animate
from popcond.store import packs, purchases
from popcond.store.purchases import Entry
from popcond.wire import Emoji, PurchaseState, Stage, Status
from tests.popcond.stages.house import House, until


async def cancelled_in_flight(house: House, emoji: Emoji) -> None:
    """A person cancels while the provider is at work."""
    house.provider.checks_until_ready = 10**9
    work = await house.job_of(emoji)
    task = asyncio.create_task(animate(house.studio, work))
    await until(lambda: sum(house.provider.checks.values()) > 1)
    await house.database.write(partial(transitions.cancel, emoji_id=emoji.id))
    task.cancel()
    await asyncio.wait([task])
    house.provider.checks_until_ready = 0


async def attend_all(house: House) -> None:
    """One round of the collector."""
    for entry in await house.database.read(purchases.unattended):
        await house.collector().attend(entry)


async def test_a_clip_that_comes_after_it_was_cancelled_is_kept(house: House) -> None:
    emoji = await house.emoji_of()
    await cancelled_in_flight(house, emoji)
    assert house.provider.cancelled == ["wave-1"]
    await attend_all(house)
    after = await house.now(emoji)
    assert (after.status, after.stage, len(after.takes)) == (Status.CANCELLED, Stage.SLICE, 1)
    assert await house.states() == ["collected"]


async def test_what_can_still_be_cancelled_costs_nothing(house: House) -> None:
    house.provider.cancels = True
    emoji = await house.emoji_of()
    await cancelled_in_flight(house, emoji)
    assert await house.states() == ["failed"]
    assert (await house.now(emoji)).spend == 0.0


async def test_an_order_of_a_deleted_pack_stays_in_the_ledger(house: House) -> None:
    emoji = await house.emoji_of()
    await cancelled_in_flight(house, emoji)
    await house.database.write(partial(packs.remove, pack_id=emoji.pack_id))
    await attend_all(house)
    (line,) = await house.lines()
    assert (line.state, line.amount) == (PurchaseState.ABANDONED, 0.5)


async def in_doubt(house: House) -> tuple[Emoji, Entry]:
    """An emoji that failed because nobody knows whether its clip was bought."""
    emoji = await house.emoji_of()
    await house.interrupted(emoji, accepted=True)
    house.provider.tells_prompts = False
    with pytest.raises(MaybeBought):
        await house.animate(emoji)
    return emoji, await house.open(emoji)


async def test_what_is_in_doubt_is_left_to_a_person(house: House) -> None:
    emoji, entry = await in_doubt(house)
    before = dict(house.provider.checks)
    await attend_all(house)
    assert house.provider.checks == before
    assert (await house.open(emoji)).state is entry.state is PurchaseState.UNKNOWN


async def test_an_adopted_task_is_collected_and_the_emoji_goes_on(house: House) -> None:
    emoji, entry = await in_doubt(house)
    await house.database.write(partial(purchases.accept, purchase_id=entry.id, remote_task="wave-1"))
    for _ in range(4):  # it is still running for two
        await attend_all(house)
    after = await house.now(emoji)
    assert (after.status, len(after.takes)) == (Status.QUEUED, 1)
    assert after.stage is Stage.SLICE


async def test_another_look_settles_it_when_the_list_tells_more(house: House) -> None:
    emoji, entry = await in_doubt(house)
    house.provider.tells_prompts = True
    await house.database.write(partial(purchases.look_again, purchase_id=entry.id))
    for _ in range(4):
        await attend_all(house)
    assert len((await house.now(emoji)).takes) == 1
    assert house.provider.ledger == ["wave"]


async def test_what_was_never_bought_says_so_and_may_be_retried(house: House) -> None:
    emoji, entry = await in_doubt(house)
    house.provider.listed.clear()
    await house.database.write(partial(purchases.look_again, purchase_id=entry.id))
    await attend_all(house)
    after = await house.now(emoji)
    assert after.problem is not None
    assert (after.status, after.problem.code) == (Status.FAILED, "not_bought")
    assert await house.states() == ["released"]

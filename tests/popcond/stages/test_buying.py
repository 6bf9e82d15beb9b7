"""ANIMATE over a real ledger, against a provider whose own ledger judges: nothing is bought twice, nothing is lost."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from popcond.errors import MaybeBought, OverBudget, ProviderFailed, ProviderUnreachable
from popcond.stages.animate import animate
from popcond.stages.settling import settle
from popcond.store import emojis, purchases
from popcond.store.budget import Ceilings
from popcond.video.provider import TaskList
from popcond.wire import PurchaseState
from tests.fakes import LedgerProvider
from tests.popcond.stages.house import House, until


async def test_a_clip_is_ordered_waited_for_and_collected(house: House) -> None:
    emoji = await house.animate(await house.emoji_of())
    (line,) = await house.lines()
    assert (line.state, line.amount, line.is_estimate) == (PurchaseState.COLLECTED, 0.5, False)
    assert (line.remote_task, line.pack_name, line.action) == ("wave-1", "Test", "wave")
    assert (len(emoji.takes), emoji.spend, emoji.chosen_take) == (1, 0.5, emoji.takes[0].id)


async def test_an_order_whose_answer_was_lost_is_found_in_the_list(house: House) -> None:
    house.provider.deaf.add("wave")
    emoji = await house.animate(await house.emoji_of())
    assert (house.provider.ledger, len(emoji.takes)) == (["wave"], 1)
    assert await house.states() == ["collected"]


async def test_an_order_that_never_arrived_costs_nothing_and_is_tried_later(house: House) -> None:
    house.provider.lost.add("wave")
    emoji = await house.emoji_of()
    with pytest.raises(ProviderUnreachable) as caught:
        await house.animate(emoji)
    assert caught.value.retries > 0
    house.provider.lost.clear()
    await house.animate(emoji)
    assert house.provider.ledger == ["wave"]
    assert await house.states() == ["released", "collected"]
    assert (await house.now(emoji)).spend == 0.5


@pytest.mark.parametrize("accepted", [True, False], ids=["accepted", "not accepted"])
async def test_a_daemon_that_died_between_order_and_answer_buys_once(house: House, accepted: bool) -> None:
    emoji = await house.emoji_of()
    await house.interrupted(emoji, accepted=accepted)
    after = await house.animate(emoji)
    assert house.provider.ledger == ["wave"]
    assert len(after.takes) == 1


async def test_tasks_of_other_programs_are_not_taken_for_ours(house: House) -> None:
    emoji = await house.emoji_of()
    await house.interrupted(emoji, accepted=False)
    house.provider.accept("stranger", "A cat rides a bicycle.")
    await house.animate(emoji)
    assert house.provider.ledger == ["stranger", "wave"]
    assert (await house.lines())[0].remote_task == "wave-2"


@pytest.mark.parametrize("blind", ["tells_prompts", "keeps_list"])
async def test_what_the_list_cannot_tell_is_never_sent_again(house: House, blind: str) -> None:
    emoji = await house.emoji_of()
    await house.interrupted(emoji, accepted=True)
    setattr(house.provider, blind, False)
    for _ in range(2):
        with pytest.raises(MaybeBought) as caught:
            await house.animate(emoji)
    assert house.provider.ledger == ["wave"]
    assert caught.value.details
    assert caught.value.details["purchase"] in str(caught.value.cure)
    assert caught.value.details["choices"] == ["look", "adopt", "release"]
    assert (await house.lines())[0].state is PurchaseState.UNKNOWN


async def test_two_tasks_that_fit_are_for_a_person_to_tell_apart(house: House) -> None:
    emoji = await house.emoji_of()
    await house.interrupted(emoji, accepted=True)
    house.provider.accept("wave", emoji.motion_prompt)
    with pytest.raises(MaybeBought) as caught:
        await house.animate(emoji)
    assert caught.value.details
    assert {each["remote_task"] for each in caught.value.details["candidates"]} == {"wave-1", "wave-2"}


@pytest.mark.parametrize("hours", [-3.0, 3.0], ids=["behind", "ahead"])
async def test_a_clock_that_jumped_by_hours_asks_instead_of_buying_again(house: House, hours: float) -> None:
    emoji = await house.emoji_of()
    await house.interrupted(emoji, accepted=True, at=time.time() + hours * 3600)
    with pytest.raises(MaybeBought):
        await house.animate(emoji)
    assert house.provider.ledger == ["wave"]


async def test_equal_orders_in_doubt_share_the_tasks_that_are_there(house: House) -> None:
    twins = [await house.emoji_of(), await house.emoji_of()]
    await house.interrupted(twins[0], accepted=True)
    await house.interrupted(twins[1], accepted=True)
    for emoji in twins:
        await house.animate(emoji)
    assert house.provider.ledger == ["wave", "wave"]
    assert sorted(str(line.remote_task) for line in await house.lines() if line.remote_task) == ["wave-1", "wave-2"]


class LaggingProvider(LedgerProvider):
    """What it has accepted turns up in its list just after somebody has looked for the first time."""

    async def tasks(self, since: float, until: float) -> TaskList:
        """As it was when it was asked."""
        listed = await super().tasks(since, until)
        if not self.ledger:
            self.accept("wave", "The character does: wave.")
        return listed


async def test_an_order_that_turns_up_between_two_looks_is_found(tmp_path: Path) -> None:
    provider = LaggingProvider(price=0.5)
    house = House(tmp_path, provider)
    emoji = await house.emoji_of()
    await house.interrupted(emoji, accepted=False)
    entry = await settle(house.database, provider, await house.open(emoji))
    assert entry is not None
    assert entry.remote_task == "wave-1"
    house.database.close()


async def test_the_same_words_for_another_picture_are_not_mixed_up(house: House) -> None:
    red, dark = await house.emoji_of(colour=200), await house.emoji_of(colour=10)
    await house.interrupted(red, accepted=True)
    await house.interrupted(dark, accepted=False)
    with pytest.raises(MaybeBought):
        await house.animate(dark)
    assert house.provider.ledger == ["wave"]


async def test_a_refused_order_costs_nothing_and_says_why(house: House) -> None:
    house.provider.refusals = {"wave": "Not that."}
    with pytest.raises(ProviderFailed, match="Not that"):
        await house.animate(emoji := await house.emoji_of())
    assert await house.states() == ["refused"]
    assert (await house.now(emoji)).spend == 0.0


async def test_a_failed_clip_is_not_billed(house: House) -> None:
    house.provider.failures = {"wave": "It rained."}
    with pytest.raises(ProviderFailed, match="It rained"):
        await house.animate(emoji := await house.emoji_of())
    assert await house.states() == ["failed"]
    assert (await house.now(emoji)).spend == 0.0


async def test_a_paid_clip_that_the_provider_lost_is_told_and_not_bought_again_by_itself(house: House) -> None:
    emoji = await house.emoji_of()
    entry = await house.interrupted(emoji, accepted=False)
    await house.database.write(partial(purchases.accept, purchase_id=entry.id, remote_task="gone-7"))
    with pytest.raises(ProviderFailed) as caught:
        await house.animate(emoji)
    assert caught.value.code == "clip_expired"
    assert house.provider.ledger == []
    assert await house.states() == ["expired"]
    assert (await house.now(emoji)).spend == 0.5


async def test_a_free_clip_that_was_lost_is_simply_made_again(tmp_path: Path) -> None:
    house = House(tmp_path, LedgerProvider(price=0.0))
    emoji = await house.emoji_of()
    work = await house.job_of(emoji)
    house.provider.checks_until_ready = 10**9
    task = asyncio.create_task(animate(house.studio, work))
    await until(lambda: sum(house.provider.checks.values()) > 1)
    task.cancel()  # the daemon stops
    await asyncio.wait([task])
    house.provider.checks.clear()  # and the animator with it
    house.provider.checks_until_ready = 0
    await animate(house.studio, work)
    assert house.provider.ledger == ["wave", "wave"]
    assert house.provider.cancelled == []
    house.database.close()


async def test_a_new_prompt_while_a_clip_is_on_its_way_keeps_both(house: House) -> None:
    emoji = await house.emoji_of()
    entry = await house.interrupted(emoji, accepted=True)
    await house.database.write(partial(purchases.accept, purchase_id=entry.id, remote_task="wave-1"))
    await house.database.write(partial(emojis.set_prompts, emoji_id=emoji.id, motion="waves with both", pose=None))
    after = await house.animate(emoji)
    assert house.provider.ledger == ["wave", "wave"]
    assert [take.motion_prompt for take in after.takes] == [emoji.motion_prompt, "waves with both"]
    assert after.chosen_take == after.takes[1].id
    assert await house.states() == ["collected", "collected"]


async def test_nothing_is_ordered_over_the_budget(house: House) -> None:
    house.studio = replace(house.studio, ceilings=Ceilings(per_day=0.4))
    with pytest.raises(OverBudget):
        await house.animate(await house.emoji_of())
    assert (house.provider.ledger, await house.lines()) == ([], [])

"""ANIMATE over a real ledger, against a provider whose own ledger judges: nothing is bought twice, nothing is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from popcond.assets import Assets
from popcond.errors import MaybeBought, OverBudget, ProviderFailed, ProviderUnreachable
from popcond.media.raster import png
from popcond.stages import transitions
from popcond.stages.animate import Studio, animate, what_to_order
from popcond.stages.collector import attend
from popcond.stages.work import Work
from popcond.store import characters, emojis, jobs, packs, purchases
from popcond.store.budget import Ceilings
from popcond.store.db import Connection, Database
from popcond.store.migrations import migrate
from popcond.store.purchases import Entry
from popcond.wire import Emoji, Problem, Purchase, PurchaseState, Stage, Status
from tests.data import a_character, a_new_pack, an_action, its_files
from tests.fakes import LedgerProvider


class House:
    """A home with packs in it, and a provider outside."""

    def __init__(self, home: Path, provider: LedgerProvider) -> None:
        migrate(home / "popcon.db")
        self.database = Database(home / "popcon.db")
        self.provider = provider
        self.studio = Studio(self.database, Assets(home / "assets"), {"ledger": provider}, Ceilings(), home)

    async def emoji_of(self, action: str = "wave", colour: int = 200) -> Emoji:
        """An emoji of a pack of its own, whose character has this much red."""
        cutout = np.zeros((32, 32, 4), np.uint8)
        cutout[8:24, 8:24] = (colour, 40, 40, 255)
        files = its_files(cutout=self.studio.assets.put(png(cutout)))
        character = await self.database.write(partial(characters.add, character=a_character(), files=files))
        new = a_new_pack(character, action).model_copy(update={"provider": "ledger"})
        pack = await self.database.write(partial(packs.add, new=new, actions=[an_action(action)]))
        return pack.emojis[0]

    async def job_of(self, emoji: Emoji) -> Work:
        """The emoji's ANIMATE, claimed."""

        def claim(connection: Connection) -> Work:
            transitions.enqueue(connection, emoji.id, Stage.ANIMATE)
            job = jobs.claim(connection, [Stage.ANIMATE], now=time.time())
            assert job is not None
            assert job.emoji_id == emoji.id
            fresh = emojis.get(connection, emoji.id)
            pack = packs.get(connection, emoji.pack_id)
            return Work(job, fresh, emojis.action_of(connection, emoji.id), pack, report=lambda _fraction: None)

        return await self.database.write(claim)

    async def animate(self, emoji: Emoji) -> Emoji:
        """Run the emoji's ANIMATE to its end, as the runner does."""
        work = await self.job_of(emoji)
        try:
            finish = await animate(self.studio, work)
        except BaseException as error:
            problem = Problem(code=getattr(error, "code", "cancelled"), message=str(error))
            await self.database.write(partial(_end_badly, work=work, problem=problem))
            raise
        await self.database.write(lambda connection: transitions.finish(connection, work.job, work, finish))
        return await self.now(emoji)

    async def now(self, emoji: Emoji) -> Emoji:
        """The emoji as its row says."""
        return await self.database.read(partial(emojis.get, emoji_id=emoji.id))

    async def open(self, emoji: Emoji) -> Entry:
        """The emoji's open purchase."""
        entry = await self.database.read(partial(purchases.open_for, work=purchases.clip_of(emoji.id)))
        assert entry is not None
        return entry

    async def interrupted(self, emoji: Emoji, *, accepted: bool, at: float | None = None) -> Entry:
        """The daemon died around the order: the intent is written, and the provider may have accepted it."""
        work = await self.job_of(emoji)
        request, order = await what_to_order(self.studio, work)
        entry = await self.database.write(partial(purchases.intend, order=order))
        if accepted:
            self.provider.accept(emoji.action, request.motion_prompt, at)
        await self.database.write(purchases.doubt_intents)
        await self.database.write(partial(jobs.cancel, emoji_id=emoji.id))
        return entry

    async def lines(self) -> list[Purchase]:
        """The ledger, the newest line first."""
        return await self.database.read(purchases.newest)

    async def states(self) -> list[str]:
        """What became of all that was ordered, in the order of its writing."""
        return [line.state.value for line in reversed(await self.lines())]


def _end_badly(connection: Connection, work: Work, problem: Problem) -> None:
    connection.execute("UPDATE job SET state = 'dead' WHERE id = ? AND state = 'running'", (work.job.id,))
    place = (Stage.ANIMATE, Status.FAILED, 0.0)
    emojis.place(connection, work.emoji.id, *place, problem)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A new home beside a provider that wants half a dollar for a clip."""
    house = House(tmp_path, LedgerProvider(price=0.5))
    yield house
    house.database.close()


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
    await _until(lambda: sum(house.provider.checks.values()) > 1)
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
    await house.database.write(partial(emojis.set_motion_prompt, emoji_id=emoji.id, motion_prompt="waves with both"))
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


# ------------------------------------------------------------------ what no job cares for


async def _until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not reached():
            await asyncio.sleep(0.005)


async def cancelled_in_flight(house: House, emoji: Emoji) -> None:
    """A person cancels while the provider is at work."""
    house.provider.checks_until_ready = 10**9
    work = await house.job_of(emoji)
    task = asyncio.create_task(animate(house.studio, work))
    await _until(lambda: sum(house.provider.checks.values()) > 1)
    await house.database.write(partial(transitions.cancel, emoji_id=emoji.id))
    task.cancel()
    await asyncio.wait([task])
    house.provider.checks_until_ready = 0


async def attend_all(house: House) -> None:
    """One round of the collector."""
    for entry in await house.database.read(purchases.unattended):
        await attend(house.studio, entry)


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

"""What was bought and turned out badly: tried once more, said so, and never a third time."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from popcond.errors import ProviderBusy, ProviderFailed
from popcond.stages import transitions
from popcond.stages.animate import STILL
from popcond.video.provider import ClipRequest, RemoteTask, TaskStatus
from popcond.wire import Emoji, Stage, Status
from tests.cloud.running import running_cloud
from tests.crash.trial import Trial
from tests.fakes import LedgerPainter, LedgerProvider
from tests.popcond.stages.workshop import Workshop


class Moody(LedgerProvider):
    """Takes one order, and meets the second with what it is told to; so it does with those who fetch."""

    trouble: Exception | None = None
    keeps_back: Exception | None = None

    async def submit(self, request: ClipRequest) -> RemoteTask:
        """The first is taken."""
        if self.ledger and self.trouble is not None:
            raise self.trouble
        return await super().submit(request)

    async def download(self, status: TaskStatus, to: Path) -> None:
        """Unless it is kept back."""
        if self.keeps_back is not None:
            raise self.keeps_back
        await super().download(status, to)


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    """A home beside a provider that wants half a dollar for a clip."""
    workshop = Workshop(tmp_path, Moody(price=0.5), LedgerPainter(price=0.1))
    yield workshop
    workshop.database.close()


def first_and_second(emoji: Emoji) -> tuple[bool, bool]:
    """Whether each of its two takes stands still."""
    first, second = emoji.takes
    return first.flaws == (STILL,), second.flaws == (STILL,)


async def test_a_clip_with_motion_is_bought_once(workshop: Workshop) -> None:
    emoji = await workshop.order()
    await workshop.run()
    after = await workshop.now(emoji)
    assert [take.flaws for take in after.takes] == [()]
    assert workshop.provider.ledger == ["wave"]


async def test_a_still_clip_is_bought_once_more_with_stronger_words_and_said_so(workshop: Workshop) -> None:
    workshop.provider.flawed = 1
    emoji = await workshop.order()
    await workshop.run()
    after = await workshop.now(emoji)
    assert first_and_second(after) == (True, False)
    assert after.chosen_take == after.takes[1].id
    plain, strong = workshop.provider.prompts.values()
    assert plain == emoji.motion_prompt
    assert strong != plain
    assert strong.endswith(plain)
    assert [take.motion_prompt for take in after.takes] == [plain, strong]
    assert (await workshop.states(), after.spend) == (["collected", "collected"], 1.0)
    assert (after.stage, after.status) == (Stage.SLICE, Status.EXTRACTING_FRAMES)


async def test_a_clip_that_stays_still_is_never_bought_a_third_time(workshop: Workshop) -> None:
    workshop.provider.flawed = 9
    emoji = await workshop.order()
    await workshop.run()
    after = await workshop.now(emoji)
    assert first_and_second(after) == (True, True)
    assert (after.chosen_take, after.stage) == (after.takes[1].id, Stage.SLICE)
    assert workshop.provider.ledger == ["wave", "wave"]


async def test_a_second_clip_over_the_budget_is_not_bought_and_the_first_goes_on(workshop: Workshop) -> None:
    workshop.provider.flawed = 1
    workshop.spend_at_most(0.9)
    emoji = await workshop.order()
    assert await workshop.run() is None
    after = await workshop.now(emoji)
    assert [take.flaws for take in after.takes] == [(STILL,)]
    assert (after.chosen_take, after.stage, after.problem) == (after.takes[0].id, Stage.SLICE, None)
    assert workshop.provider.ledger == ["wave"]


async def test_a_refused_second_clip_leaves_the_first(workshop: Workshop) -> None:
    assert isinstance(workshop.provider, Moody)
    workshop.provider.flawed, workshop.provider.trouble = 1, ProviderFailed("Not with these words.")
    emoji = await workshop.order()
    assert await workshop.run() is None
    after = await workshop.now(emoji)
    assert ([take.flaws for take in after.takes], after.stage) == ([(STILL,)], Stage.SLICE)
    assert (await workshop.states(), after.spend) == (["collected", "refused"], 0.5)


async def test_a_second_clip_that_nobody_knows_of_leaves_the_first_and_a_choice(workshop: Workshop) -> None:
    workshop.provider.flawed = 1
    emoji = await workshop.order()
    job = await workshop.claim()
    workshop.spend_at_most(0.9)
    await workshop.work_on(job)  # the first is here, and the daemon dies
    workshop.spend_at_most(None)
    workshop.provider.deaf, workshop.provider.tells_prompts = {"wave"}, False
    finish = await workshop.work_on(job)
    await workshop.database.write(finish)
    assert await workshop.states() == ["collected", "unknown"]
    assert [take.flaws for take in (await workshop.now(emoji)).takes] == [(STILL,)]


async def test_a_provider_that_is_busy_is_asked_for_the_second_clip_later(workshop: Workshop) -> None:
    assert isinstance(workshop.provider, Moody)
    workshop.provider.flawed, workshop.provider.trouble = 1, ProviderBusy("Too many orders.")
    emoji = await workshop.order()
    error = await workshop.run()
    assert isinstance(error, ProviderBusy)
    assert len((await workshop.now(emoji)).takes) == 1
    workshop.provider.trouble = None
    await workshop.database.write(lambda connection: connection.execute("UPDATE job SET run_at = 0"))
    await workshop.run()
    assert first_and_second(await workshop.now(emoji)) == (True, False)
    assert workshop.provider.ledger == ["wave", "wave"]


async def test_a_provider_that_stays_busy_leaves_the_first(workshop: Workshop) -> None:
    assert isinstance(workshop.provider, Moody)
    workshop.provider.flawed, workshop.provider.trouble = 1, ProviderBusy("Too many orders.")
    emoji = await workshop.order()
    await workshop.database.write(
        lambda connection: connection.execute("UPDATE job SET failures = ?", (ProviderBusy.retries,))
    )
    assert await workshop.run() is None
    after = await workshop.now(emoji)
    assert ([take.flaws for take in after.takes], after.stage) == ([(STILL,)], Stage.SLICE)


async def test_a_restart_between_the_two_tries_neither_repeats_the_first_nor_forgets_the_second(
    workshop: Workshop,
) -> None:
    workshop.provider.flawed = 1
    emoji = await workshop.order()
    job = await workshop.claim()
    workshop.spend_at_most(0.9)  # the daemon gets no further than the first
    await workshop.work_on(job)
    workshop.spend_at_most(None)
    finish = await workshop.work_on(job)
    await workshop.database.write(finish)
    assert first_and_second(await workshop.now(emoji)) == (True, False)
    assert workshop.provider.ledger == ["wave", "wave"]
    assert await workshop.states() == ["collected", "collected"]


async def test_a_clip_that_an_earlier_job_ordered_is_the_first_of_two_tries(workshop: Workshop) -> None:
    workshop.provider.flawed = 1
    emoji = await workshop.emoji_of()
    await workshop.adopt(await workshop.interrupted(emoji, accepted=True), "wave-1")
    await workshop.database.write(partial(transitions.enqueue, emoji_id=emoji.id, stage=Stage.ANIMATE))
    job = await workshop.claim()
    workshop.spend_at_most(0.9)
    await workshop.work_on(job)  # the first is here, and the daemon dies
    workshop.spend_at_most(None)
    await workshop.database.write(await workshop.work_on(job))
    assert first_and_second(await workshop.now(emoji)) == (True, False)
    assert workshop.provider.prompts["wave-2"] != workshop.provider.prompts["wave-1"]
    assert workshop.provider.ledger == ["wave", "wave"]


async def test_a_retry_may_buy_twice_as_well(workshop: Workshop) -> None:
    workshop.provider.flawed = 9
    emoji = await workshop.order()
    await workshop.run()
    await workshop.database.write(lambda connection: connection.execute("UPDATE job SET state = 'done'"))
    work = await workshop.job_of(emoji)
    await workshop.database.write(await workshop.work_on(work.job))
    assert len((await workshop.now(emoji)).takes) == 4
    assert workshop.provider.ledger == ["wave"] * 4


async def test_a_free_provider_is_never_asked_twice(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, LedgerProvider(price=0.0, flawed=9), LedgerPainter())
    emoji = await workshop.order()
    await workshop.run()
    assert [take.flaws for take in (await workshop.now(emoji)).takes] == [()]
    assert workshop.provider.ledger == ["wave"]
    workshop.database.close()


async def test_a_clip_that_a_setting_brings_home_is_not_given_up(workshop: Workshop) -> None:
    assert isinstance(workshop.provider, Moody)
    workshop.provider.keeps_back = ProviderFailed("That is no host of the provider.", code="download_refused")
    emoji = await workshop.order()
    assert await workshop.run() is workshop.provider.keeps_back
    (entry,) = await workshop.unattended()
    with pytest.raises(ProviderFailed, match="no host"):
        await workshop.collector().attend(entry)
    assert await workshop.states() == ["submitted"]
    workshop.provider.keeps_back = None
    await workshop.database.write(partial(transitions.enqueue, emoji_id=emoji.id, stage=Stage.ANIMATE))
    assert await workshop.run() is None
    assert (workshop.provider.ledger, len((await workshop.now(emoji)).takes)) == (["wave"], 1)


@pytest.mark.parametrize("at", ["between_tries", "after_submit:2", "before_finish"])
async def test_a_daemon_that_is_killed_around_the_second_try_buys_two_clips(tmp_path: Path, at: str) -> None:
    with running_cloud(tmp_path / "cloud") as cloud:
        trial = Trial(tmp_path / "home", cloud)
        cloud.turn(flawed=1)
        async with trial.life(POPCON_CRASH_AT=at) as life:
            await trial.order(life, "wave")
            assert await life.death() == -signal.SIGKILL
        (emoji,) = await trial.finish()
        still, lively = emoji.takes
        assert (still.flaws, lively.flaws) == ((STILL,), ())
        assert (emoji.status, emoji.chosen_take) == (Status.DONE, lively.id)
        assert len(cloud.ledger) == 2

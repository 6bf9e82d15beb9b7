"""A refusal that would meet every order alike stops what waits, with one sentence and no further call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from popcond.errors import PopconError, ProviderBusy, ProviderFailed
from popcond.stages import transitions
from popcond.video.provider import ClipRequest, RemoteTask
from popcond.wire import Emoji, Provider, Stage, Status
from tests.fakes import LedgerPainter, LedgerProvider
from tests.popcond.stages.workshop import Workshop

BAD_KEY = ProviderFailed("The key is not taken.", cure="Set another.", details={"stops": "all"})
NO_MODEL = ProviderFailed("There is no such model any more.", details={"stops": "model"})


@dataclass
class Refusing(LedgerProvider):
    """Has two models, and may have a reason to take no order."""

    trouble: PopconError | None = None
    calls: int = 0

    def describe(self) -> Provider:
        """An old one beside the usual one."""
        usual = super().describe()
        old = usual.models[0].model_copy(update={"name": "ledger-0"})
        return usual.model_copy(update={"models": (*usual.models, old)})

    async def submit(self, request: ClipRequest) -> RemoteTask:
        """Counts who asks."""
        self.calls += 1
        if self.trouble is not None:
            raise self.trouble
        return await super().submit(request)


@pytest.fixture
def provider() -> Refusing:
    """Nothing has happened yet."""
    return Refusing(price=0.5)


@pytest.fixture
async def workshop(tmp_path: Path, provider: Refusing) -> AsyncIterator[Workshop]:
    """A home beside it."""
    workshop = Workshop(tmp_path, provider, LedgerPainter(price=0.1))
    yield workshop
    workshop.database.close()


async def said(workshop: Workshop, emoji: Emoji) -> tuple[Status, str | None]:
    """Where the emoji stands, and why."""
    now = await workshop.now(emoji)
    return now.status, now.problem.message if now.problem else None


async def test_a_key_that_is_not_taken_stops_all_that_waits_for_the_provider(
    workshop: Workshop, provider: Refusing
) -> None:
    provider.trouble = BAD_KEY
    first, same = await workshop.order(), await workshop.order("jump")
    old, posed = await workshop.order(model="ledger-0"), await workshop.order(draw_poses=True)
    character = await workshop.words()
    assert await workshop.run(Stage.ANIMATE) is BAD_KEY
    for emoji in (first, same, old, posed):
        assert await said(workshop, emoji) == (Status.FAILED, BAD_KEY.message)
    assert (await workshop.now(posed)).stage is Stage.POSE
    drawn = await workshop.drawn(character)
    assert drawn.problem is not None
    assert (drawn.status, drawn.problem) == ("failed", (await workshop.now(first)).problem)
    assert provider.calls == 1
    assert (workshop.painter.ledger, await workshop.states()) == ([], ["refused"])


async def test_what_was_stopped_goes_on_when_it_is_retried(workshop: Workshop, provider: Refusing) -> None:
    provider.trouble = BAD_KEY
    _, waiting = await workshop.order(), await workshop.order("jump")
    await workshop.run()
    provider.trouble = None
    await workshop.database.write(partial(transitions.enqueue, emoji_id=waiting.id, stage=Stage.ANIMATE))
    assert await workshop.run() is None
    assert len((await workshop.now(waiting)).takes) == 1


async def test_other_providers_go_on(workshop: Workshop, provider: Refusing) -> None:
    provider.trouble = BAD_KEY
    await workshop.order()
    emoji, character = await workshop.order(provider="puppet"), await workshop.words(provider="somebody")
    await workshop.run(Stage.ANIMATE)
    assert await said(workshop, emoji) == (Status.QUEUED, None)
    assert (await workshop.drawn(character)).status == "drawing"


async def test_what_is_paid_for_goes_on(workshop: Workshop, provider: Refusing) -> None:
    paid = await workshop.emoji_of("jump")
    entry = await workshop.interrupted(paid, accepted=True)
    await workshop.adopt(entry, "jump-1")
    await workshop.order()
    await workshop.database.write(partial(transitions.enqueue, emoji_id=paid.id, stage=Stage.ANIMATE))
    await workshop.database.write(
        lambda connection: connection.execute("UPDATE job SET turn = 99 WHERE subject = ?", (paid.id,))
    )
    provider.trouble = BAD_KEY
    assert await workshop.run() is BAD_KEY
    assert await said(workshop, paid) == (Status.QUEUED, None)
    assert await workshop.run() is None
    assert len((await workshop.now(paid)).takes) == 1
    assert provider.ledger == ["jump"]


async def test_what_is_past_its_clip_goes_on(workshop: Workshop, provider: Refusing) -> None:
    emoji = await workshop.order("jump")
    await workshop.run()
    provider.trouble = BAD_KEY
    await workshop.order()
    await workshop.run(Stage.ANIMATE)
    assert await said(workshop, emoji) == (Status.EXTRACTING_FRAMES, None)


async def test_a_model_that_is_gone_stops_nothing_but_what_waits_for_it(workshop: Workshop, provider: Refusing) -> None:
    provider.trouble = NO_MODEL
    first, same = await workshop.order(model="ledger-0"), await workshop.order("jump", model="ledger-0")
    other, posed = await workshop.order(), await workshop.order(draw_poses=True, model="ledger-0")
    character = await workshop.words()
    assert await workshop.run(Stage.ANIMATE) is NO_MODEL
    for emoji in (first, same):
        assert await said(workshop, emoji) == (Status.FAILED, NO_MODEL.message)
    for emoji in (other, posed):
        assert await said(workshop, emoji) == (Status.QUEUED, None)
    assert (await workshop.drawn(character)).status == "drawing"
    assert provider.calls == 1


@pytest.mark.parametrize("error", [ProviderFailed("Not this picture."), ProviderBusy("Later.")], ids=["no", "later"])
async def test_a_refusal_of_one_order_stops_no_other(
    workshop: Workshop, provider: Refusing, error: ProviderFailed
) -> None:
    provider.trouble = error
    await workshop.order()
    other = await workshop.order("jump")
    assert await workshop.run() is error
    assert await said(workshop, other) == (Status.QUEUED, None)

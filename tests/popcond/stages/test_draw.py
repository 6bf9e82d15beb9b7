"""DRAW: a character from words, drawn again when it has flaws; what there is stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from popcond.errors import MaybeBought, OverBudget, ProviderFailed
from popcond.stages import transitions
from popcond.store import characters
from popcond.vision.full_body import Flaw
from popcond.wire import PurchaseKind
from tests.fakes import LedgerPainter, LedgerProvider
from tests.popcond.stages.workshop import Workshop, cancelled_in_flight


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    """A home beside a painter that wants a dime for a picture."""
    workshop = Workshop(tmp_path, LedgerProvider(price=0.5), LedgerPainter(price=0.1))
    yield workshop
    workshop.database.close()


async def test_words_become_a_character(workshop: Workshop) -> None:
    ordered = await workshop.words()
    await workshop.run()
    character = await workshop.drawn(ordered)
    (drawing,) = character.drawings
    assert (character.status, character.chosen_drawing, character.problem) == ("ready", drawing.id, None)
    assert (drawing.flaws, drawing.prompt, character.spend) == ((), "A robot.", 0.1)
    files = await workshop.database.read(partial(characters.files, character_id=character.id))
    assert files.media_type == "image/png"
    assert workshop.studio.assets.read(files.picture)
    (line,) = await workshop.lines()
    assert (line.kind, line.character_id, line.emoji_id, line.pack_id) == (
        PurchaseKind.DRAWING,
        character.id,
        None,
        None,
    )


async def test_a_flawed_drawing_is_drawn_once_more_and_the_better_one_is_chosen(workshop: Workshop) -> None:
    workshop.painter.flawed = 1
    ordered = await workshop.words()
    await workshop.run()
    character = await workshop.drawn(ordered)
    bad, good = character.drawings
    assert bad.flaws
    assert (good.flaws, character.chosen_drawing) == ((), good.id)
    assert workshop.painter.prompts["picture-2"] != workshop.painter.prompts["picture-1"]


async def test_a_second_drawing_that_is_worse_is_kept_and_not_chosen(workshop: Workshop) -> None:
    workshop.painter.flawed = 1
    character = await workshop.words()
    job = await workshop.claim()
    workshop.spend_at_most(0.15)
    await workshop.work_on(job)  # the first is here, and the daemon dies
    workshop.spend_at_most(None)
    workshop.painter.blank = True
    await workshop.database.write(await workshop.work_on(job))
    first, second = (after := await workshop.drawn(character)).drawings
    assert first.flaws == (Flaw.CUT_OFF_BOTTOM.sentence,)
    assert second.flaws == (Flaw.NOT_PLAIN.sentence,)
    assert after.chosen_drawing == first.id


async def test_a_drawing_is_never_made_a_third_time(workshop: Workshop) -> None:
    workshop.painter.flawed = 9
    character = await workshop.words()
    await workshop.run()
    assert all(drawing.flaws for drawing in (await workshop.drawn(character)).drawings)
    assert workshop.painter.ledger == ["picture", "picture"]


async def test_a_second_drawing_over_the_budget_is_not_bought_and_the_first_is_used(workshop: Workshop) -> None:
    workshop.painter.flawed = 1
    workshop.spend_at_most(0.15)
    ordered = await workshop.words()
    assert await workshop.run() is None
    character = await workshop.drawn(ordered)
    assert (character.status, len(character.drawings)) == ("ready", 1)
    assert character.chosen_drawing == character.drawings[0].id


async def test_a_restart_between_the_two_tries_neither_repeats_the_first_nor_forgets_the_second(
    workshop: Workshop,
) -> None:
    workshop.painter.flawed = 1
    character = await workshop.words()
    job = await workshop.claim()
    workshop.spend_at_most(0.15)
    await workshop.work_on(job)
    workshop.spend_at_most(None)
    await workshop.database.write(await workshop.work_on(job))
    assert [bool(drawing.flaws) for drawing in (await workshop.drawn(character)).drawings] == [True, False]
    assert workshop.painter.ledger == ["picture", "picture"]


async def test_a_drawing_over_the_budget_is_not_ordered(workshop: Workshop) -> None:
    workshop.spend_at_most(0.05)
    character = await workshop.words()
    assert isinstance(await workshop.run(), OverBudget)
    after = await workshop.drawn(character)
    assert (after.status, workshop.painter.ledger) == ("failed", [])
    assert after.problem is not None
    assert after.problem.code == "over_budget"


# ------------------------------------------------------------------ what is there already


async def test_drawing_again_keeps_what_is_there(workshop: Workshop) -> None:
    ordered = await workshop.words()
    await workshop.run()
    first = await workshop.drawn(ordered)
    await workshop.database.write(partial(transitions.enqueue_drawing, character_id=ordered.id))
    assert (await workshop.drawn(ordered)).status == "drawing"
    await workshop.run()
    after = await workshop.drawn(ordered)
    assert after.drawings[0] == first.drawings[0]
    assert (len(after.drawings), after.chosen_drawing) == (2, after.drawings[1].id)


async def test_a_character_with_a_picture_keeps_it_when_it_is_not_drawn_again(workshop: Workshop) -> None:
    ordered = await workshop.words()
    await workshop.run()
    first = await workshop.drawn(ordered)
    workshop.painter.refusals = {"picture": "Not that."}
    await workshop.database.write(partial(transitions.enqueue_drawing, character_id=ordered.id))
    assert isinstance(await workshop.run(), ProviderFailed)
    after = await workshop.drawn(ordered)
    assert (after.status, after.chosen_drawing) == ("ready", first.chosen_drawing)
    assert after.problem is not None
    assert after.problem.message == "Not that."


# ------------------------------------------------------------------ what comes late


async def test_a_drawing_that_comes_after_it_was_cancelled_is_kept_and_makes_the_character_ready(
    workshop: Workshop,
) -> None:
    character = await workshop.words()
    await cancelled_in_flight(workshop, character)
    cancelled = await workshop.drawn(character)
    assert cancelled.problem is not None
    assert (cancelled.status, cancelled.problem.code) == ("failed", "cancelled")
    await workshop.collect()
    after = await workshop.drawn(character)
    assert (after.status, after.problem, after.chosen_drawing) == ("ready", None, after.drawings[0].id)
    assert await workshop.states() == ["collected"]


async def test_a_late_drawing_does_not_take_the_place_of_a_chosen_one(workshop: Workshop) -> None:
    character = await workshop.words()
    await workshop.run()
    await workshop.database.write(partial(transitions.enqueue_drawing, character_id=character.id))
    await cancelled_in_flight(workshop, character)
    await workshop.collect()
    after = await workshop.drawn(character)
    assert (after.status, len(after.drawings), after.chosen_drawing) == ("ready", 2, after.drawings[0].id)


async def test_a_drawing_of_a_character_that_is_gone_stays_in_the_ledger(workshop: Workshop) -> None:
    character = await workshop.words()
    await cancelled_in_flight(workshop, character)
    await workshop.database.write(partial(characters.remove, character_id=character.id))
    await workshop.collect()
    assert await workshop.states() == ["abandoned"]


# ------------------------------------------------------------------ orders without an answer


async def test_two_drawings_in_doubt_are_for_a_person_though_there_is_one_task_only(workshop: Workshop) -> None:
    workshop.painter.tells_prompts = False
    workshop.painter.accept("picture", "Somebody else's cat.")
    workshop.painter.deaf = {"picture"}
    first = await workshop.words()
    assert isinstance(await workshop.run(), MaybeBought)
    assert (await workshop.drawn(first)).status == "failed"
    second = await workshop.words("A cat.")
    assert isinstance(await workshop.run(), MaybeBought)
    assert (await workshop.drawn(second)).drawings == ()
    assert await workshop.states() == ["unknown", "unknown"]


async def test_a_drawing_that_never_was_bought_says_so(workshop: Workshop) -> None:
    workshop.painter.tells_prompts = False
    workshop.painter.accept("picture", "Somebody else's cat.")
    workshop.painter.deaf = {"picture"}
    character = await workshop.words()
    await workshop.run()
    workshop.painter.listed.clear()
    (entry,) = await workshop.unattended()
    await workshop.look_again(entry)
    await workshop.collect()
    after = await workshop.drawn(character)
    assert after.problem is not None
    assert (after.status, after.problem.code) == ("failed", "not_bought")
    assert await workshop.states() == ["released"]

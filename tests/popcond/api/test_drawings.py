"""Characters drawn from words, over the whole daemon and the protocol of who draws them."""

from __future__ import annotations

import asyncio
import io
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from popcond.store import events
from popcond.wire import Character, Purchase, PurchaseKind, PurchaseState, Usage
from tests.cloud.running import Cloud
from tests.popcond.api.atelier import WORDS, Atelier, a_figure, an_order, atelier_at

CUT_OFF = "The figure is cut off at the bottom of the picture."


async def test_words_become_a_character_that_can_be_looked_at(atelier: Atelier) -> None:
    ordered = await atelier.ordered(name="Robbi")
    assert (ordered.status, ordered.width, ordered.prompt) == ("drawing", 0, WORDS)
    character = await atelier.settled(ordered)
    (drawing,) = character.drawings
    assert (character.status, character.problem, character.background) == ("ready", None, "keyed")
    assert (character.width, character.height) == (drawing.width, drawing.height) == (1024, 1024)
    assert (character.chosen_drawing, drawing.flaws, drawing.prompt) == (drawing.id, (), WORDS)
    picture = await atelier.http.get(f"/v1/characters/{character.id}/picture")
    same = await atelier.http.get(f"/v1/characters/{character.id}/drawings/{drawing.id}")
    assert picture.content == same.content
    assert picture.headers["content-type"] == same.headers["content-type"] == "image/png"
    cutout = Image.open(io.BytesIO((await atelier.http.get(f"/v1/characters/{character.id}/cutout")).content))
    assert cutout.getchannel("A").getextrema() == (0, 255)


async def test_a_drawing_is_a_purchase_of_its_character(atelier: Atelier) -> None:
    character = await atelier.drawn(name="Robbi")
    (line,) = await atelier.purchases()
    assert (line.kind, line.state, line.character_id) == (PurchaseKind.DRAWING, PurchaseState.COLLECTED, character.id)
    assert (line.pack_id, line.emoji_id, line.pack_name) == (None, None, "Robbi")
    usage = Usage.model_validate(await atelier.get("usage"))
    assert [(each.pack_id, each.amount) for each in usage.by_pack] == [(None, character.spend)]
    assert character.spend == line.amount > 0
    assert len(atelier.cloud.ledger) == 1


async def test_a_character_without_a_name_is_called_by_its_words(atelier: Atelier) -> None:
    assert (await atelier.ordered(prompt=" A cat\n with a hat ")).name == "A cat with a hat"


async def test_who_is_being_drawn_is_in_the_queue(atelier: Atelier) -> None:
    atelier.cloud.turn(run_seconds=30.0)
    character = await atelier.ordered()
    assert (await atelier.http.get("/v1/queue")).status_code == 200
    assert [each["id"] for each in await atelier.get("characters")] == [character.id]


async def test_a_picture_that_is_sent_along_is_shown_to_the_model(atelier: Atelier) -> None:
    answer = await atelier.http.post(
        "/v1/characters/generate",
        data={"prompt": "With a hat.", "name": "Pip", "reference_use": "style"},
        files={"reference": ("pip.png", a_figure(), "image/png")},
    )
    assert answer.status_code == 202, answer.text
    character = await atelier.settled(Character.model_validate(answer.json()))
    (line,) = atelier.cloud.ledger
    assert (character.status, line["frames"]) == ("ready", 1)
    assert "gives the drawing style only" in line["prompt"]


async def test_a_character_that_is_there_can_be_varied(atelier: Atelier) -> None:
    first = await atelier.drawn()
    second = await atelier.drawn(prompt="With a hat.", reference_character_id=first.id)
    assert (second.status, [line["frames"] for line in atelier.cloud.ledger]) == ("ready", [0, 1])
    assert "the character of the shown picture" in atelier.cloud.ledger[1]["prompt"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"prompt": ""}, 422, "bad_request"),
        ({}, 422, "bad_request"),
        ({"prompt": " \n"}, 422, "bad_input"),
        ({"prompt": "x", "provider": "puppet"}, 422, "draws_nothing"),
        ({"prompt": "x", "model": "dall-e"}, 422, "unknown_name"),
        ({"prompt": "x", "model": "wan2.6-image"}, 422, "wrong_model"),
        ({"prompt": "x", "reference_character_id": "nobody"}, 404, "not_found"),
    ],
)
async def test_an_order_that_cannot_be_drawn_is_refused_before_anything_is_bought(
    atelier: Atelier, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await atelier.http.post("/v1/characters/generate", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await atelier.get("characters") == []
    assert atelier.cloud.ledger == []


async def test_a_reference_that_is_no_picture_is_refused(atelier: Atelier) -> None:
    answer = await atelier.http.post(
        "/v1/characters/generate", data={"prompt": WORDS}, files={"reference": ("x.png", b"no picture", "image/png")}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_picture")
    assert await atelier.get("characters") == []


@pytest.mark.parametrize(
    ("words", "name"),
    [({"reference": "pip.png"}, "other"), ({}, "picture")],
    ids=["a text", "another name"],
)
async def test_a_reference_is_never_overlooked(atelier: Atelier, words: dict[str, str], name: str) -> None:
    answer = await atelier.http.post(
        "/v1/characters/generate",
        data={"prompt": WORDS, **words},
        files={name: ("pip.png", a_figure(), "image/png")},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
    assert await atelier.get("characters") == []


async def test_two_references_are_one_too_many(atelier: Atelier) -> None:
    other = await atelier.brought()
    answer = await atelier.http.post(
        "/v1/characters/generate",
        data={"prompt": WORDS, "reference_character_id": other.id},
        files={"reference": ("pip.png", a_figure(), "image/png")},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")


async def test_a_drawing_over_the_budget_is_refused_with_the_sum(tmp_path: Path, cloud: Cloud) -> None:
    async with atelier_at(tmp_path, cloud, max_spend_per_day=0.1) as atelier:
        told = await atelier.post("characters/generate", {"prompt": WORDS}, expect=402)
        assert (told["code"], told["details"]["ceiling"]) == ("over_budget", 0.1)
        assert await atelier.get("characters") == []
        assert cloud.ledger == []


async def test_who_has_not_been_drawn_has_no_picture_and_gets_no_pack(atelier: Atelier) -> None:
    atelier.cloud.turn(run_seconds=30.0)
    character = await atelier.ordered()
    for what in ("picture", "cutout"):
        answer = await atelier.http.get(f"/v1/characters/{character.id}/{what}")
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert answer.json()["cure"]
    await atelier.post("packs", an_order(character), expect=409)
    await atelier.post(
        "characters/generate", {"prompt": "A variation.", "reference_character_id": character.id}, expect=409
    )
    assert len(await atelier.get("characters")) == 1


async def test_a_drawing_with_flaws_is_drawn_once_more_and_the_better_one_is_chosen(atelier: Atelier) -> None:
    atelier.cloud.turn(flawed=1)
    character = await atelier.drawn()
    bad, good = character.drawings
    assert (bad.flaws, good.flaws, character.chosen_drawing) == ((CUT_OFF,), (), good.id)
    assert "leave space below both feet" in atelier.cloud.ledger[1]["prompt"]
    assert [line.state for line in await atelier.purchases()] == [PurchaseState.COLLECTED] * 2


async def test_a_drawing_that_stays_bad_is_kept_and_flagged_and_not_drawn_a_third_time(atelier: Atelier) -> None:
    atelier.cloud.turn(flawed=5)
    character = await atelier.drawn()
    assert [drawing.flaws for drawing in character.drawings] == [(CUT_OFF,), (CUT_OFF,)]
    assert (character.status, character.chosen_drawing) == ("ready", character.drawings[1].id)
    assert len(atelier.cloud.ledger) == 2


async def test_drawing_again_keeps_what_was_drawn_and_either_can_be_chosen(atelier: Atelier) -> None:
    first = await atelier.drawn()
    again = await atelier.post(f"characters/{first.id}/regenerate", {"prompt": "A small red robot."}, expect=202)
    assert again["status"] == "drawing"
    second = await atelier.settled(first)
    assert [each.prompt for each in second.drawings] == [WORDS, "A small red robot."]
    assert second.chosen_drawing == second.drawings[1].id != first.chosen_drawing
    before = (await atelier.http.get(f"/v1/characters/{first.id}/picture")).content
    chosen = await atelier.post(f"characters/{first.id}/choose-drawing", {"drawing_id": first.drawings[0].id})
    after = (await atelier.http.get(f"/v1/characters/{first.id}/picture")).content
    assert chosen["chosen_drawing"] == first.chosen_drawing
    assert before != after
    await atelier.post(f"characters/{first.id}/choose-drawing", {"drawing_id": "none"}, expect=404)


async def test_asking_twice_for_another_drawing_buys_one(atelier: Atelier) -> None:
    character = await atelier.drawn()
    atelier.cloud.turn(run_seconds=0.5)
    for _ in range(2):
        await atelier.post(f"characters/{character.id}/regenerate", {}, expect=202)
    assert len((await atelier.settled(character)).drawings) == 2
    assert len(atelier.cloud.ledger) == 2


async def test_nothing_is_drawn_again_without_words(atelier: Atelier) -> None:
    character = await atelier.drawn()
    await atelier.post(f"characters/{character.id}/regenerate", {"prompt": " "}, expect=422)
    assert (await atelier.settled(character)).prompt == WORDS
    assert len(atelier.cloud.ledger) == 1


async def test_a_picture_that_was_brought_is_not_drawn_again(atelier: Atelier) -> None:
    character = await atelier.brought()
    for body in ({}, {"prompt": WORDS}):
        told = await atelier.post(f"characters/{character.id}/regenerate", body, expect=409)
        assert told["cure"]
    assert atelier.cloud.ledger == []


async def test_everybody_is_told_how_a_drawing_goes(atelier: Atelier) -> None:
    character = await atelier.drawn()
    told = await atelier.daemon.powers.database.read(partial(events.after, seq=0))
    mine = [event.character for event in told if event.character is not None and event.character.id == character.id]
    assert (mine[0].status, mine[-1]) == ("drawing", character)
    assert any(event.purchase is not None and event.purchase.kind is PurchaseKind.DRAWING for event in told)


async def test_a_refused_drawing_says_why_and_can_be_tried_with_other_words(atelier: Atelier) -> None:
    atelier.cloud.fault("create", "error_before", status=400, code="DataInspectionFailed", message="Input text data.")
    character = await atelier.drawn()
    assert (character.status, character.drawings) == ("failed", ())
    assert character.problem is not None
    assert "content check refuses the prompt" in character.problem.message
    await atelier.post(f"characters/{character.id}/regenerate", {"prompt": "A kind robot."}, expect=202)
    character = await atelier.settled(character)
    assert (character.status, character.problem, len(character.drawings)) == ("ready", None, 1)


async def test_a_drawing_that_fails_leaves_the_picture_that_is_there(atelier: Atelier) -> None:
    character = await atelier.drawn()
    atelier.cloud.fail("red")
    await atelier.post(f"characters/{character.id}/regenerate", {"prompt": "A red robot."}, expect=202)
    after = await atelier.settled(character)
    assert (after.status, after.chosen_drawing, len(after.drawings)) == ("ready", character.chosen_drawing, 1)
    assert after.problem is not None


async def test_a_drawing_that_is_cancelled_is_kept_when_it_comes_after_all(atelier: Atelier) -> None:
    atelier.cloud.turn(run_seconds=1.0)
    character = await atelier.ordered()
    async with asyncio.timeout(30):
        while not atelier.cloud.ledger:
            await asyncio.sleep(0.02)
    cancelled = Character.model_validate(await atelier.post(f"characters/{character.id}/cancel"))
    assert cancelled.status == "failed"
    assert cancelled.problem is not None
    assert cancelled.problem.code == "cancelled"

    async def look() -> Character:
        atelier.daemon.powers.collect_soon()
        await asyncio.sleep(0.05)
        return Character.model_validate(await atelier.get(f"characters/{character.id}"))

    async with asyncio.timeout(30):
        while not (late := await look()).drawings:
            pass
    assert (late.status, late.problem, late.chosen_drawing) == ("ready", None, late.drawings[0].id)
    assert len(atelier.cloud.ledger) == 1


async def test_a_character_that_is_deleted_while_it_is_drawn_is_gone_and_its_order_is_not(atelier: Atelier) -> None:
    atelier.cloud.turn(run_seconds=0.3)
    character = await atelier.ordered()
    async with asyncio.timeout(30):
        while not atelier.cloud.ledger:
            await asyncio.sleep(0.02)
    assert (await atelier.http.delete(f"/v1/characters/{character.id}")).status_code == 204
    assert (await atelier.http.get(f"/v1/characters/{character.id}")).status_code == 404
    async with asyncio.timeout(30):
        while (line := (await atelier.purchases())[0]).state.is_open:
            atelier.daemon.powers.collect_soon()
            await asyncio.sleep(0.05)
    assert line.state in (PurchaseState.ABANDONED, PurchaseState.FAILED)
    assert await atelier.get("characters") == []


# ------------------------------------------------------------------ orders without an answer


async def in_doubt(atelier: Atelier) -> tuple[Character, Purchase]:
    """A character whose order got no answer, beside another that somebody else made."""
    atelier.cloud.order_elsewhere("A cat.", model="wan2.7-image")
    atelier.cloud.fault("create", "drop_after")
    character = await atelier.drawn()
    assert character.problem is not None
    assert (character.status, character.problem.code) == ("failed", "maybe_bought")
    (purchase,) = await atelier.purchases()
    assert (purchase.state, character.spend) == (PurchaseState.UNKNOWN, purchase.amount)
    return character, purchase


async def test_a_drawing_that_a_person_adopts_makes_the_character_ready(atelier: Atelier) -> None:
    character, purchase = await in_doubt(atelier)
    (line,) = atelier.cloud.ledger
    await atelier.post(f"purchases/{purchase.id}/adopt", {"remote_task": line["id"]})
    ready = await atelier.character(character, lambda now: now.status == "ready")
    assert (len(ready.drawings), ready.problem) == (1, None)
    assert len(atelier.cloud.ledger) == 1


async def test_a_drawing_that_a_person_releases_can_be_ordered_again(atelier: Atelier) -> None:
    character, purchase = await in_doubt(atelier)
    await atelier.post(f"purchases/{purchase.id}/release")
    told = await atelier.character(character, lambda now: now.problem is None or now.problem.code != "maybe_bought")
    assert told.problem is not None
    assert (told.problem.code, told.spend) == ("not_bought", 0.0)
    await atelier.post(f"characters/{character.id}/regenerate", {}, expect=202)
    assert (await atelier.settled(character)).status == "ready"
    assert len(atelier.cloud.ledger) == 2

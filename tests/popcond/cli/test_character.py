"""Characters at the shell: drawn from words, listed, drawn again, chosen among their drawings, forgotten."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.running import Cloud
from tests.popcond.cli.commands import Command, Told

POSES = ("--provider", "dashscope", "--poses", "approve")  # a pack that stops before any clip is bought


def _character(told: Told) -> dict[str, Any]:
    assert told.code == 0, told.err
    return told.json()


def _draw(paid: Command, words: str, *more: str | Path) -> dict[str, Any]:
    return _character(paid("character", "draw", words, "--json", *more))


def test_words_become_a_character_and_a_file_with_the_price_told_first(paid: Command) -> None:
    told = paid("character", "draw", "a round red bear", "--name", "Bruno", "--out", "bear.png")
    assert told.code == 0, told.err
    head, drawing = told.out.splitlines()
    assert "Bruno  ready  1024 × 1024" in head
    assert "(chosen)" in drawing
    assert Path("bear.png").read_bytes().startswith(b"\x89PNG")
    price, wait = told.err.index("A drawing of dashscope"), told.err.index("Bruno: is drawn")
    assert price < wait < told.err.index("Bruno: drawing 1 is here")
    assert head.split()[0] in paid("character", "list").out
    assert "Bruno: drawing of the character" in paid("purchases").out


def test_a_character_is_drawn_again_in_other_words_and_either_drawing_can_be_chosen(paid: Command) -> None:
    first = _draw(paid, "a blue whale")
    again = _character(paid("character", "redraw", first["id"][:8], "a green whale", "--json"))
    assert [drawing["prompt"] for drawing in again["drawings"]] == ["a blue whale", "a green whale"]
    assert again["chosen_drawing"] == again["drawings"][1]["id"]
    chosen = _character(paid("character", "choose", first["id"], "1", "--json"))
    assert chosen["chosen_drawing"] == first["chosen_drawing"]
    wrong = paid("character", "choose", first["id"], "7")
    assert (wrong.code, "Give a number from 1 to 2" in wrong.err) == (2, True)


def test_a_picture_or_a_character_may_be_shown_to_the_model(paid: Command, picture: Path) -> None:
    of_a_file = _draw(paid, "as a pirate", "--reference", picture)
    of_that = _draw(paid, "as a captain", "--reference", of_a_file["id"], "--style")
    assert of_that["status"] == "ready"


def test_nobody_has_to_wait(paid: Command) -> None:
    ordered = _draw(paid, "a patient heron", "--no-wait")
    assert ordered["status"] == "drawing"
    while f"{ordered['id']}  a patient heron  drawing" in (listed := paid("character", "list").out):
        pass
    assert f"{ordered['id']}  a patient heron  ready" in listed


def test_a_drawing_that_waits_can_be_stopped_and_is_not_bought(paid: Command) -> None:
    before = paid("purchases").out
    with _paused(paid):
        ordered = _draw(paid, "a shy owl", "--no-wait")
        assert paid("character", "cancel", ordered["id"]).code == 0
    assert "a shy owl  drawing" not in paid("character", "list").out
    assert paid("purchases").out == before


@contextmanager
def _paused(paid: Command) -> Iterator[None]:
    assert paid("queue", "pause").code == 0
    try:
        yield
    finally:
        assert paid("queue", "resume").code == 0


def test_ctrl_c_stops_the_drawing_and_says_how_to_go_on(paid: Command) -> None:
    with (
        _paused(paid),
        subprocess.Popen(
            [sys.executable, "-m", "popcond", "character", "draw", "a hasty hare"], stderr=subprocess.PIPE, text=True
        ) as drawing,
    ):
        while "a hasty hare  drawing" not in paid("character", "list").out:
            assert drawing.poll() is None
        drawing.send_signal(signal.SIGINT)
        _, err = drawing.communicate()
    assert drawing.returncode == 130, err
    assert "popcond character redraw " in err
    assert "a hasty hare  drawing" not in paid("character", "list").out


def test_a_drawing_with_flaws_is_drawn_once_more_and_told_with_what_to_do(paid: Command, cloud: Cloud) -> None:
    cloud.turn(flawed=2)
    told = paid("character", "draw", "a bear without feet", "--quiet")
    assert told.code == 0, told.err
    flaws, choose, redraw = told.err.splitlines()
    assert flaws.startswith("a bear without feet has flaws: ")
    assert "popcond character choose " in choose
    assert "popcond character redraw " in redraw
    assert len(told.out.splitlines()) == 3  # itself and both drawings


def test_a_drawing_that_fails_is_a_sentence_and_can_be_tried_again(paid: Command, cloud: Cloud) -> None:
    cloud.fail("a forbidden toad", "DataInspectionFailed", "Output data may contain inappropriate content.")
    told = paid("character", "draw", "a forbidden toad", "--json")
    assert told.code == 1
    assert told.json()["problems"][0]["message"].startswith("a forbidden toad: ")
    assert told.json()["problems"][0]["cure"]
    again = paid("character", "redraw", "a forbidden toad", "a polite toad", "--json")
    assert _character(again)["status"] == "ready"


def test_a_pack_is_made_of_a_character_that_is_there(paid: Command) -> None:
    drawn = _draw(paid, "a small comet", "--name", "Comet")
    told = paid("make", "--character", "Comet", "--actions", "nod", *POSES, "--json", "--quiet")
    assert told.code == 0, told.err
    assert told.json()["pack"]["character_id"] == drawn["id"]
    assert told.json()["pack"]["name"] == "Comet"
    assert Path("comet-pack/poses/nod.png").exists()
    kept = paid("character", "delete", drawn["id"])
    assert kept.code == 1  # a pack uses it
    missing = paid("make", "--character", "Meteor", "--actions", "nod", *POSES)
    assert (missing.code, "popcond character list" in missing.err) == (1, True)


def test_a_character_is_forgotten(paid: Command) -> None:
    drawn = _draw(paid, "a moth")
    assert _character(paid("character", "delete", drawn["id"], "--json"))["id"] == drawn["id"]
    assert drawn["id"] not in paid("character", "list").out
    gone = paid("character", "delete", drawn["id"])
    assert gone.code == 1
    assert "popcond character list" in gone.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["draw", ""], "The words cannot be used"),
        (["draw", "x" * 4001], "The words cannot be used"),
        (["draw", "a bear", "--reference", "no.png"], "There is no picture at no.png"),
        (["draw", "a bear", "--model", "wan2.7-imag"], "Did you mean wan2.7-image"),
        (["draw", "a bear", "--model", "wan2.6-image"], "needs a picture"),
        (["draw", "a bear", "--provider", "puppet"], "no provider that draws puppet"),
        (["draw", "a bear", "--out", "."], "is a folder"),
        (["draw", "a bear", "--out", "a.png", "--no-wait"], "before it is drawn"),
        ([], "VERB"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_anything_is_bought(paid: Command, words: list[str], says: str) -> None:
    before = paid("purchases").out
    told = paid("character", *words)
    assert told.code == 2
    assert says in told.err
    assert paid("purchases").out == before


def test_a_picture_that_was_brought_is_not_drawn_again_but_can_be_varied(paid: Command, picture: Path) -> None:
    made = paid("make", picture, "--name", "Brought", "--actions", "nod", *POSES, "--json", "--quiet")
    told = paid("character", "redraw", made.json()["pack"]["character_id"], "as a pirate")
    assert told.code == 1
    assert "popcond character draw WORDS --reference " in told.err


def test_a_character_that_is_nowhere_is_a_sentence(paid: Command) -> None:
    for words in (["redraw"], ["cancel"], ["delete"], ["draw", "a bear", "--reference"]):
        told = paid("character", *words, "nobody")
        assert told.code == 1
        assert "`popcond character list` lists them" in told.err


def test_the_list_is_data(paid: Command) -> None:
    drawn = _draw(paid, "a lonely star")
    told = paid("character", "list", "--json")
    assert drawn["id"] in {character["id"] for character in json.loads(told.out)}

"""The parts of a rehearsal's stand-in: its studio, its book, and what it plays."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from popcond.actions import load_actions
from popcond.media.clip import probe
from popcond.media.raster import from_png, png
from popcond.rehearsal.drawing import draw, performance_for
from popcond.rehearsal.orders import Ordered
from popcond.rehearsal.painting import paint
from popcond.rehearsal.studio import AT_ONCE, Studio
from popcond.rehearsal.tasks import KEPT, Book, Task

ACTIONS = tuple(load_actions().actions.values())
PATIENCE = 60.0  # seconds


def a_clip(prompt: str, picture: bytes = b"picture") -> Ordered:
    return Ordered("wan2.2-i2v-flash", prompt, picture, seconds=2, tier=480)


async def test_two_clips_are_made_at_once_and_only_what_waits_can_be_cancelled(tmp_path: Path) -> None:
    book, may_go_on, drawn = Book(tmp_path), threading.Event(), []

    def draw_slowly(task: Task, _picture: Path | None, to: Path) -> None:
        assert may_go_on.wait(PATIENCE)
        drawn.append(task.prompt)
        to.write_bytes(b"clip")

    studio = Studio(book, draw_slowly, clip_seconds=0.0)
    tasks = [book.accept(a_clip(str(number))) for number in range(AT_ONCE + 2)]
    studio.open()
    async with asyncio.timeout(PATIENCE):
        while [studio.status(task) for task in tasks].count("RUNNING") < AT_ONCE:
            await asyncio.sleep(0)
        assert [studio.status(task) for task in tasks] == ["RUNNING"] * AT_ONCE + ["PENDING"] * 2
        book.keep(tasks[-1].model_copy(update={"is_cancelled": True}))
        may_go_on.set()
        while studio.status(tasks[-2]) != "SUCCEEDED":
            await asyncio.sleep(0.01)
    cancelled = book.find(tasks[-1].id)
    assert cancelled is not None
    assert studio.status(cancelled) == "CANCELED"
    assert sorted(drawn) == ["0", "1", "2"]


async def test_a_picture_that_is_none_fails_its_task_and_no_other(tmp_path: Path) -> None:
    book = Book(tmp_path)

    def draw_here(task: Task, picture: Path | None, to: Path) -> None:
        assert picture is not None
        draw(picture, task.prompt, task.seconds, ACTIONS, to)

    studio = Studio(book, draw_here, clip_seconds=0.0)
    broken = book.accept(a_clip("wave", b"no picture"))
    good = book.accept(a_clip("wave", png(np.full((360, 360, 3), 90, np.uint8))))
    studio.open()
    async with asyncio.timeout(PATIENCE):
        while {studio.status(_now(book, task)) for task in (broken, good)} != {"FAILED", "SUCCEEDED"}:
            await asyncio.sleep(0.01)
    assert _now(book, broken).failure
    assert probe(book.result(good)).seconds == pytest.approx(2.0, abs=0.1)


def _now(book: Book, task: Task) -> Task:
    found = book.find(task.id)
    assert found is not None
    return found


def test_the_book_keeps_whole_tasks_for_a_day(tmp_path: Path) -> None:
    book = Book(tmp_path)
    new, old = (book.accept(a_clip(words)) for words in ("new", "old"))
    book.keep(old.model_copy(update={"at": time.time() - KEPT - 1}))
    (tmp_path / "half.json").write_text('{"id": "ha')
    again = Book(tmp_path)
    assert again.all() == [new]
    assert again.find(old.id) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"{new.id}.json", f"{new.id}.png", "half.json"])


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_is_played_as_itself(action: Any) -> None:
    assert performance_for(f"{action.motion_prompt.strip()} Fixed camera.", ACTIONS) == action.performance


@pytest.mark.parametrize(("prompt", "performance"), [("He JUMPS, jump!", "jump"), ("", "happy"), ("x" * 5000, "happy")])
def test_a_prompt_of_ones_own_is_played_by_its_words(prompt: str, performance: str) -> None:
    assert performance_for(prompt, ACTIONS) == performance


@pytest.mark.parametrize(
    ("prompt", "colour"),
    [
        ("On plain red, #ff0000. A green frog.", "green"),
        ("On plain green, #00ff00. A blue frog, red shoes.", "blue"),
        ("A violet frog.", "violet"),
    ],
)
def test_the_first_colour_that_the_words_name_is_worn(tmp_path: Path, prompt: str, colour: str) -> None:
    paint(prompt, None, 1024, tmp_path / "a.png")
    picture = from_png((tmp_path / "a.png").read_bytes())
    hues = cv2.cvtColor(picture[650:700, 440:570], cv2.COLOR_RGB2HSV).reshape(-1, 3)
    worn = np.bincount(hues[hues[:, 1] > 120][:, 0], minlength=180).argmax()
    assert worn == {"green": 60, "blue": 110, "violet": 135}[colour]


def test_the_same_words_paint_the_same_picture_and_others_another(tmp_path: Path) -> None:
    painted = []
    for words in ("A frog.", "A frog.", "A dog."):
        paint(words, None, 256, tmp_path / "a.png")
        painted.append((tmp_path / "a.png").read_bytes())
    assert painted[0] == painted[1] != painted[2]
    assert from_png(painted[0])[0, 0].tolist() == [255, 255, 255]

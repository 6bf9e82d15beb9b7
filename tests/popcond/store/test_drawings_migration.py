"""A home of before characters were drawn: its packs, its jobs and its ledger are as they were, and go on."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database as Tables

from popcond.store import characters, emojis, jobs, packs, purchases
from popcond.store.db import connect
from popcond.store.integrity import foreign_key_check, integrity_check
from popcond.store.migrations import migrate, schema, schema_known
from popcond.wire import PurchaseKind, PurchaseState, Stage
from tests.data import an_action

DRAWINGS = "m004_drawings"
LAST_JOB = 41
_FACTS = '{"motion_prompt": "The character does: wave.", "backdrop": [0, 170, 80], "exact_loop": true}'


def fill(connection: sqlite3.Connection) -> None:
    """A character, a pack of one emoji with a take, a job of it, and what was bought."""
    connection.execute(
        "INSERT INTO character VALUES ('c', 'Pip', 8, 9, 'auto', 'alpha', 1, '[]', 'p', 'image/png', 'q', 0)"
    )
    connection.execute(
        "INSERT INTO pack(id, name, character_id, provider, targets, auto_accept, awaits_clips, created)"
        " VALUES ('k', 'Pack', 'c', 'dashscope', '[\"gif\"]', 0, 0, 0)"
    )
    connection.execute(
        "INSERT INTO emoji(id, pack_id, number, action, motion_prompt, status, stage, progress, created, updated, turn)"
        " VALUES ('e', 'k', 1, ?, 'The character does: wave.', 'generating_video', 'animate', 0, 0, 0, 1)",
        (an_action().model_dump_json(),),
    )
    connection.execute(
        "INSERT INTO take(id, emoji_id, provider, model, motion_prompt, clip, exact_loop, created)"
        " VALUES ('t', 'e', 'dashscope', 'wan2.2-i2v-flash', 'Waves.', 'clip', 1, 0)"
    )
    connection.execute(
        "INSERT INTO job(id, kind, emoji_id, state, attempt, failures, created, updated)"
        " VALUES (?, 'animate', 'e', 'ready', 2, 1, 0, 0)",
        (LAST_JOB,),
    )
    for number, state in enumerate(("collected", "submitted")):
        connection.execute(
            "INSERT INTO purchase(id, work, request, state, provider, model, remote_task, pack_id, pack_name, emoji_id,"
            " action, order_facts, price, amount, is_estimate, currency, intent_at)"
            " VALUES (?, 'clip of e', 'r', ?, 'dashscope', 'wan2.2-i2v-flash', ?, 'k', 'Pack', 'e', 'wave', ?,"
            " 0.5, 0.5, 0, 'CNY', ?)",
            (f"p{number}", state, f"task-{number}", _FACTS, number),
        )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Such a home's database, brought up to date."""
    path = tmp_path / "popcon.db"
    assert DRAWINGS in schema_known()
    with closing(connect(path)) as connection:
        schema.apply(Tables(connection), stop_before=DRAWINGS)
        fill(connection)
    migrate(path)
    return path


def test_rows_hold_together(path: Path) -> None:
    with closing(connect(path)) as connection:
        assert (integrity_check(connection), foreign_key_check(connection)) == ([], [])


def test_a_character_that_was_brought_is_ready(path: Path) -> None:
    with closing(connect(path)) as connection:
        character = characters.get(connection, "c")
        assert (character.status, character.provider, character.drawings) == ("ready", None, ())
        assert characters.files(connection, "c").cutout == "q"


def test_packs_draw_no_poses_and_their_takes_have_no_flaws(path: Path) -> None:
    with closing(connect(path)) as connection:
        pack = packs.get(connection, "k")
        (emoji,) = pack.emojis
        assert (pack.draw_poses, pack.approve_poses, pack.pose_model) == (False, False, None)
        assert (emoji.poses, emoji.chosen_pose, [take.flaws for take in emoji.takes]) == ((), None, [()])


def test_a_job_that_waited_goes_on_waiting_with_all_that_it_has_been_through(path: Path) -> None:
    with closing(connect(path)) as connection:
        assert not jobs.add(connection, "e", Stage.SLICE)
        job = jobs.claim(connection, [Stage.ANIMATE], now=time.time())
        assert job is not None
        assert (job.id, job.subject, job.attempt, job.failures) == (LAST_JOB, "e", 3, 1)


def test_numbers_of_jobs_are_not_given_twice(path: Path) -> None:
    with closing(connect(path)) as connection:
        connection.execute("DELETE FROM job")
        assert jobs.add(connection, "e", Stage.ANIMATE)
        assert connection.execute("SELECT id FROM job").fetchone()["id"] == LAST_JOB + 1


def test_an_open_purchase_is_still_the_one_of_its_clip(path: Path) -> None:
    with closing(connect(path)) as connection:
        entry = purchases.open_for(connection, purchases.work_of(PurchaseKind.CLIP, "e"))
        assert entry is not None
        assert (entry.id, entry.order.kind, entry.order.subject, entry.remote_task) == (
            "p1",
            PurchaseKind.CLIP,
            "e",
            "task-1",
        )
        assert entry.order.facts.prompt == "The character does: wave."
        assert (entry.order.facts.backdrop, entry.order.facts.exact_loop) == ((0, 170, 80), True)
        assert (entry.order.job, purchases.collected_by(connection, LAST_JOB, entry.order.work)) == (None, 0)


def test_the_ledger_says_what_it_said(path: Path) -> None:
    with closing(connect(path)) as connection:
        lines = purchases.newest(connection)
        assert [(line.id, line.kind, line.emoji_id, line.character_id) for line in lines] == [
            ("p1", PurchaseKind.CLIP, "e", None),
            ("p0", PurchaseKind.CLIP, "e", None),
        ]
        assert emojis.get(connection, "e").spend == 1.0
        assert [line.id for line in purchases.newest(connection, state=PurchaseState.COLLECTED)] == ["p0"]


def test_a_pack_that_is_let_go_takes_its_jobs_along(path: Path) -> None:
    with closing(connect(path)) as connection:
        packs.remove(connection, "k")
        assert connection.execute("SELECT count(*) FROM job").fetchone()[0] == 0
        characters.remove(connection, "c")

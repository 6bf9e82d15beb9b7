"""What came of a pack: a table for people, one JSON object for scripts, and an honest exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from popcond.cli.report import Report, SavedBundle, SavedSticker, columns, human_size, invalid, problems_of
from popcond.wire import Problem, Status
from tests.popcond.cli.things import SIZE_RULE, emoji, pack, sticker


def test_everything_done_is_ok() -> None:
    report = Report(pack=pack(emoji("wave", Status.DONE), emoji("cry", Status.AWAITING_REFINEMENT)))
    assert (report.ok, report.exit_code) == (True, 0)


def test_a_failed_emoji_is_named_with_its_cure_and_the_exit_code_is_1() -> None:
    problem = Problem(code="out_of_memory", message="It was too large.", cure="Use a smaller picture.")
    made = pack(
        emoji("wave", Status.DONE), emoji("cry", Status.FAILED, problem=problem), emoji("bow", Status.CANCELLED)
    )
    report = Report(pack=made, problems=problems_of(made))
    assert [problem.message for problem in report.problems] == ["cry: It was too large.", "bow: it was cancelled."]
    assert report.problems[0].cure == "Use a smaller picture."
    assert report.exit_code == 1


def test_a_clip_that_was_refused_is_told_only_once() -> None:
    assert problems_of(pack(emoji("wave", Status.CANCELLED)), {"wave"}) == []


def test_a_sticker_that_breaks_a_rule_is_never_called_valid() -> None:
    saved = SavedSticker(sticker("wave", "line-emoji", SIZE_RULE), "wave", Path("pack/line-emoji/001.png"))
    report = Report(stickers=[saved], problems=[invalid(saved)])
    assert report.table()[1][-1] == "not valid: max bytes"
    assert "LINE takes 300 KB" in report.problems[0].message
    assert report.problems[0].cure == "Use fewer frames."
    assert report.exit_code == 1


def test_the_json_is_one_object_with_every_part() -> None:
    report = Report(
        pack=pack(emoji("wave", Status.DONE)),
        out=Path("pack"),
        stickers=[SavedSticker(sticker("wave"), "wave", Path("pack/line-emoji/001.png"))],
        bundles=[SavedBundle("line-emoji", Path("pack/line-emoji.zip"), 99, ("LINE wants 8.",))],
        contact_sheet=Path("pack/contact-sheet.png"),
    )
    told = json.loads(report.json())
    assert told["ok"] is True
    assert told["pack"]["id"] == "pack-1"
    assert told["emojis"][0]["status"] == "done"
    assert told["stickers"][0]["file"] == "pack/line-emoji/001.png"
    assert told["stickers"][0]["verdict"]["valid"] is True
    assert told["bundles"] == [
        {"target": "line-emoji", "file": "pack/line-emoji.zip", "bytes": 99, "extras": [], "advice": ["LINE wants 8."]}
    ]
    assert told["contact_sheet"] == "pack/contact-sheet.png"
    assert told["problems"] == []


def test_columns_stand_under_each_other_whatever_the_letters() -> None:
    lines = columns([("file", "size"), ("猫.png", "1"), ("e\u0301.png", "22")])
    assert lines == ["file    size", "猫.png  1", "e\u0301.png   22"]


@pytest.mark.parametrize(("count", "shown"), [(999, "999 B"), (61_470, "61.5 KB"), (2_500_000, "2.50 MB")])
def test_sizes_are_counted_as_stores_count_them(count: int, shown: str) -> None:
    assert human_size(count) == shown


def test_a_file_name_cannot_command_the_terminal() -> None:
    saved = SavedSticker(sticker("wave"), "wave", Path("pack\x1b[2J/001.png"))
    assert "\x1b" not in "".join(columns(Report(stickers=[saved]).table()))

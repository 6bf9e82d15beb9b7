"""The whole road by the command line, with a real daemon: a picture in, a folder of stickers out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.popcond.cli.commands import Command


def _packs(popcond: Command) -> int:
    count = popcond("status", "--json").json()["packs"]
    assert isinstance(count, int)
    return count


def test_one_picture_becomes_a_folder_a_zip_and_a_table_for_each_target(popcond: Command, picture: Path) -> None:
    told = popcond("make", picture, "--actions", "nod", "--target", "line-emoji,apng", "--out", "o")
    assert told.code == 0, told.err
    for target in ("line-emoji", "apng"):
        with zipfile.ZipFile(f"o/{target}.zip") as archive:
            for name in archive.namelist():
                assert Path("o", target, name).read_bytes() == archive.read(name)
    assert Path("o/line-emoji/tab.png").exists()
    assert Path("o/contact-sheet.png").read_bytes().startswith(b"\x89PNG")
    head, *rows = told.out.splitlines()
    assert head.split() == ["file", "size", "frames", "seconds", "verdict"]
    assert [row.split()[0] for row in rows] == ["o/line-emoji/001.png", "o/apng/nod.png"]
    assert all(row.endswith("  valid") and Path(row.split()[0]).exists() for row in rows)
    assert "nod: done" in told.err
    assert "8 to 40" in told.err  # LINE's own rule for a set is advice, not a failure
    assert [path.name for path in Path("o").rglob(".*")] == [".popcon-files.json"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--actions", "wav", "--target", "gif"], "Did you mean wave"),
        (["--actions", "wave", "--target", "line-emojy"], "Did you mean line-emoji"),
        (["--actions", "wave", "--provider", "pupet"], "Did you mean puppet"),
        (["--actions", "wave", "--model", "no-such-model"], "puppet has no model 'no-such-model'"),
        (["--actions", "wave", "--out", "hero.png/deep"], "Nothing can be written"),
        (["--actions", "wave", "--sample"], "Give one of them"),
        (["--actions", "wave", "--name", "x" * 200], "name"),
    ],
)
def test_wrong_words_end_with_2_before_any_work(popcond: Command, picture: Path, words: list[str], says: str) -> None:
    before = _packs(popcond)
    told = popcond("make", picture, "--quiet", *words)
    assert told.code == 2
    assert says in told.err
    assert told.out == ""
    assert _packs(popcond) == before
    assert sorted(path.name for path in Path().iterdir()) == ["hero.png"]


def test_a_text_that_calls_itself_a_picture_ends_with_1_and_a_sentence(popcond: Command, tmp_path: Path) -> None:
    (tmp_path / "letter.png").write_text("Dear reader,")
    told = popcond("make", "letter.png", "--actions", "wave", "--json")
    assert told.code == 1
    assert told.json()["problems"][0]["code"] == "unreadable_picture"
    assert "Traceback" not in told.err


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_ctrl_c_cancels_the_pack_and_says_how_to_go_on(popcond: Command, picture: Path, quiet: list[str]) -> None:
    words = ["make", str(picture), "--actions", "all", "--out", "o", "--json", "--name", "stopped", *quiet]
    with subprocess.Popen(
        [sys.executable, "-m", "popcond", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as make:
        while not _working_at(popcond, "stopped"):
            assert make.poll() is None
        make.send_signal(signal.SIGINT)
        out, err = make.communicate()
    assert make.returncode == 130, err
    told = json.loads(out)
    assert told["next_command"] == f"popcond resume {told['pack']['id']} --out o"
    assert told["next_command"] in err
    assert [problem["code"] for problem in told["problems"]] == ["cancelled"]
    assert {emoji["status"] for emoji in told["emojis"]} <= {"cancelled", "done"}
    assert not _working_at(popcond, "stopped")


def _working_at(popcond: Command, name: str) -> bool:
    works = popcond("status", "--json").json()["working"]
    return any(work["pack"] == name and work["status"] != "queued" for work in works)


def test_a_missing_pack_is_a_sentence(popcond: Command) -> None:
    for command in (["resume"], ["accept"], ["approve", "--all"], ["retry"]):
        told = popcond(*command, "no-such-pack", "--out", "o")
        assert told.code == 1
        assert told.err.startswith("popcond: ")
        assert "`popcond status` lists the packs" in told.err
        assert not Path("o").exists()

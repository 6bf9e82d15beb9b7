"""The user's own clips become stickers, and a clip that is none stops only its own emoji."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from popcond.cli.import_clip import paired
from popcond.cli.usage import WrongUsage
from popcond.media.raster import from_png, resize
from tests.clips import write_clip
from tests.popcond.cli.commands import Command


@pytest.fixture
def clip(tmp_path: Path, picture: Path) -> Path:
    """The character swaying on white for a second: mp4, 12 frames a second, 128 × 128 pixels."""
    character = resize(from_png(picture.read_bytes()), 128, 128)
    frames = [np.roll(character, round(8 * np.sin(2 * np.pi * index / 12)), axis=1) for index in range(12)]
    path = tmp_path / "sway.mp4"
    write_clip("mp4", frames, 12, path)
    return path


def test_a_clip_takes_the_place_of_the_animation(popcond: Command, picture: Path, clip: Path) -> None:
    told = popcond("import", clip, "--character", picture, "--action", "dance", "--target", "apng", "--out", "o")
    assert told.code == 0, told.err
    assert Path("o/apng/dance.png").exists()
    assert told.out.splitlines()[1].split()[0] == "o/apng/dance.png"


def test_a_second_run_replaces_the_first_and_json_says_it_all(popcond: Command, picture: Path, clip: Path) -> None:
    words = ("import", clip, "--character", picture, "--action", "dance", "--out", "o", "--json", "--name", "Héro")
    first, second = popcond(*words, "--quiet").json(), popcond(*words, "--quiet").json()
    assert second["ok"]
    assert second["pack"]["name"] == "Héro"
    assert second["pack"]["id"] != first["pack"]["id"]
    assert second["emojis"][0]["takes"][0]["provider"] == "clip-file"
    assert [sticker["file"] for sticker in second["stickers"]] == ["o/gif/dance.gif"]
    assert second["stickers"][0]["verdict"]["valid"]
    assert Path("o/gif/dance.gif").stat().st_size == second["stickers"][0]["bytes"]
    assert second["bundles"][0]["file"] == "o/gif.zip"


def test_a_second_run_leaves_nothing_of_the_first_that_it_did_not_make(
    popcond: Command, picture: Path, clip: Path
) -> None:
    both = ("--action", "nod", "--action", "bow", "--target", "apng,gif")
    first = popcond("import", clip, clip, "--character", picture, *both, "--out", "o")
    assert first.code == 0, first.err
    Path("o/gif/mine.gif").write_bytes(b"my own")
    one = ("--action", "nod", "--target", "apng")
    told = popcond("import", clip, "--character", picture, *one, "--out", "o", "--json")
    assert told.code == 0, told.err
    left = sorted(str(path) for path in Path("o").rglob("*") if path.is_file() and not path.name.startswith("."))
    assert left == ["o/apng.zip", "o/apng/nod.png", "o/contact-sheet.png", "o/gif/mine.gif"]
    assert sorted(told.json()["removed"]) == ["o/apng/bow.png", "o/gif.zip", "o/gif/bow.gif", "o/gif/nod.gif"]
    assert "left there by an earlier run: " in told.err


def test_a_pack_can_be_found_again_by_its_name(popcond: Command, picture: Path, clip: Path) -> None:
    words = ("import", clip, "--character", picture, "--action", "nod", "--name", "Findable", "--refine", "wait")
    pack = popcond(*words, "--json", "--quiet").json()["pack"]["id"]
    assert f"  {pack}  Findable (1 of 1)" in popcond("status").out.splitlines()
    (kept,) = (kept for kept in popcond("status", "--json").json()["kept"] if kept["name"] == "Findable")
    assert kept["id"] == pack


def test_waiting_for_refinement_stops_early_and_accepting_goes_on(popcond: Command, picture: Path, clip: Path) -> None:
    words = ("import", clip, "--character", picture, "--action", "dance", "--refine", "wait", "--out", "o", "--json")
    told = popcond(*words)
    assert told.code == 0, told.err
    report = told.json()
    assert report["emojis"][0]["status"] == "awaiting_refinement"
    assert report["stickers"] == []
    assert report["next_command"] == f"popcond accept {report['pack']['id']} --out o"
    assert popcond("resume", report["pack"]["id"], "--out", "o", "--json").json()["next_command"]  # it still waits
    accepted = popcond(*report["next_command"].split()[1:])
    assert accepted.code == 0, accepted.err
    assert Path("o/gif/dance.gif").exists()


def test_a_broken_clip_stops_its_own_emoji_only(popcond: Command, picture: Path, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile '/etc/passwd'\n")
    actions = ("--action", "dance", "--action", "wave")
    told = popcond("import", clip, "list.mp4", "--character", picture, *actions, "--out", "o", "--json")
    assert told.code == 1
    report = told.json()
    assert [sticker["action"] for sticker in report["stickers"]] == ["dance"]
    assert len(report["problems"]) == 1
    assert report["problems"][0]["message"].startswith("wave: ")


def test_a_home_without_a_daemon_gets_one_for_as_long_as_it_takes(popcond: Command, clip: Path) -> None:
    told = popcond("import", clip, "--sample", "--action", "nod", "--refine", "wait", "--home", "own", "--quiet")
    assert told.code == 0, told.err
    assert Path("sample-pack/contact-sheet.png").exists()
    info = json.loads(Path("own/runtime.json").read_text())
    _, status = os.waitpid(info["pid"], 0)  # it lingers for a moment; then it goes by itself
    assert os.waitstatus_to_exitcode(status) == 0
    assert not Path("own/runtime.json").exists()


def test_clips_and_actions_must_pair(tmp_path: Path) -> None:
    clip = tmp_path / "a.mp4"
    clip.write_bytes(b"clip")
    assert paired(["wave"], [clip]) == (("wave",), (clip,))
    for actions in (["wave", "jump"], ["wave", "wave"]):
        with pytest.raises(WrongUsage, match="different action"):
            paired(actions, [clip] * 2 if len(set(actions)) == 1 else [clip])
    with pytest.raises(WrongUsage, match="There is 1 clip and 2 different actions"):
        paired(["wave", "jump"], [clip])


def test_a_wrong_target_leaves_no_folder(popcond: Command, clip: Path) -> None:
    told = popcond("import", clip, "--sample", "--action", "nod", "--target", "line", "--out", "o")
    assert told.code == 2
    assert "Did you mean line-emoji or line-sticker" in told.err
    assert not Path("o").exists()

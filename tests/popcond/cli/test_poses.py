"""Poses at the shell: drawn, saved for a person to look at, approved one by one, and only then animated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cloud.running import Cloud
from tests.popcond.cli.commands import Command

PAID = ("--provider", "dashscope", "--model", "wan3.0-video", "--refine", "wait", "--out", "o")  # the shortest clips


def _waiting(paid: Command, picture: Path, actions: str) -> dict[str, Any]:
    """The report of a pack whose poses wait."""
    told = paid("make", picture, "--actions", actions, *PAID, "--poses", "approve", "--json", "--quiet")
    assert told.code == 0, told.err
    return told.json()


def test_the_poses_are_saved_and_wait_and_nothing_is_animated_yet(paid: Command, picture: Path) -> None:
    told = paid("make", picture, "--actions", "wave,nod", *PAID, "--poses", "approve", "--json")
    assert told.code == 0, told.err
    report = told.json()
    assert [emoji["status"] for emoji in report["emojis"]] == ["awaiting_approval"] * 2
    assert [emoji["takes"] for emoji in report["emojis"]] == [[], []]
    assert [pose["file"] for pose in report["poses"]] == ["o/poses/wave.png", "o/poses/nod.png"]
    assert Path("o/poses/wave.png").read_bytes().startswith(b"\x89PNG")
    assert "2 clips and 2 poses of dashscope will cost about" in told.err
    assert "; at most " in told.err
    assert report["next_command"] == f"popcond approve {report['pack']['id']} --all --out o"
    assert report["next_command"] in told.err
    assert "The poses in o/poses wait for you" in told.err
    again = paid("resume", report["pack"]["id"], "--out", "o", "--json")
    assert again.json()["next_command"] == report["next_command"]  # they still wait


def test_only_what_is_approved_is_animated(paid: Command, picture: Path) -> None:
    report = _waiting(paid, picture, "wave,nod")
    told = paid("approve", report["pack"]["id"], "nod", "--out", "o", "--json")
    assert told.code == 0, told.err
    assert "1 clip of dashscope will cost about" in told.err
    assert [emoji["status"] for emoji in told.json()["emojis"]] == ["awaiting_approval", "awaiting_refinement"]
    assert told.json()["next_command"] == report["next_command"]
    refused = paid("approve", report["pack"]["id"], "nod", "--out", "o", "--json")
    assert refused.code == 1
    assert refused.json()["problems"][0]["message"].startswith("nod: There is no pose to approve")


def test_what_was_bought_is_named_for_what_it_is(paid: Command, picture: Path) -> None:
    told = paid("make", picture, "--name", "Ledger", "--actions", "bow", *PAID, "--poses", "draw", "--json", "--quiet")
    assert told.code == 0, told.err
    assert told.json()["emojis"][0]["chosen_pose"]
    rows = [row.split("  ")[2] for row in paid("purchases").out.splitlines() if "Ledger" in row]
    assert rows == ["Ledger: bow", "Ledger: bow, its pose"]
    assert "Ledger: " in paid("usage").out
    assert "for 2 purchases" in paid("usage").out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "These wait: wave"),
        (["wav"], "Did you mean wave"),
        (["wave", "--all"], "Give one of them"),
    ],
)
def test_approving_says_what_it_needs(paid: Command, waiting_pack: str, words: list[str], says: str) -> None:
    told = paid("approve", waiting_pack, *words, "--out", "o")
    assert told.code == 2
    assert says in told.err


@pytest.fixture(scope="module")
def packs() -> dict[str, str]:
    """Ids of packs that several tests of this file look at, and leave as they are."""
    return {}


@pytest.fixture
def waiting_pack(paid: Command, picture: Path, packs: dict[str, str]) -> str:
    """The id of a pack whose only pose waits."""
    if "waiting" not in packs:
        packs["waiting"] = _waiting(paid, picture, "wave")["pack"]["id"]
    return packs["waiting"]


def test_another_pose_can_be_had_and_the_first_one_stays(paid: Command, waiting_pack: str) -> None:
    words = ("retry", waiting_pack, "wave", "--pose", "both arms straight up", "--out", "o", "--json")
    told = paid(*words)
    assert told.code == 0, told.err
    (emoji,) = told.json()["emojis"]
    assert emoji["status"] == "awaiting_approval"
    assert [pose["prompt"] for pose in emoji["poses"]][1:] == ["both arms straight up"]
    assert emoji["chosen_pose"] == emoji["poses"][1]["id"]


def test_other_words_need_an_emoji(paid: Command) -> None:
    told = paid("retry", "any", "--motion", "slower")
    assert told.code == 2
    assert "popcond retry PACK EMOJI" in told.err
    assert paid("retry", "any", "wave", "--motion", "x" * 4001).code == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--poses", "draw"], "There is no provider that draws puppet"),
        (["--poses", "draw", "--provider", "dashscope", "--pose-model", "wan2.2-t2i-flash"], "is shown no picture"),
        (["--poses", "draw", "--provider", "dashscope", "--pose-model", "wan9"], "is none that draws"),
        (["--pose-model", "wan2.7-image"], "Give --poses draw"),
        (["--draw", "a bear"], "There is a picture and --draw too"),
        (["--provider", "dashscope", "--max-spend", "0.01"], "that may be spent on the pack"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_bought(
    paid: Command, picture: Path, words: list[str], says: str
) -> None:
    before = paid("purchases").out
    told = paid("make", picture, "--actions", "wave", *words)
    assert told.code in (1, 2)
    assert says in told.err
    assert paid("purchases").out == before
    assert sorted(path.name for path in Path().iterdir()) == ["hero.png"]


def test_words_become_a_pack_and_a_flawed_drawing_is_told_even_when_quiet(paid: Command, cloud: Cloud) -> None:
    cloud.turn(flawed=2)
    words = ("--actions", "wave", *PAID, "--poses", "approve", "--json", "--quiet")
    told = paid("make", "--draw", "a round red bear", *words)
    assert told.code == 0, told.err
    assert told.json()["pack"]["name"] == "a round red bear"
    assert told.err.startswith("a round red bear has flaws: ")
    assert "popcond character redraw " in told.err


def test_everything_that_failed_is_started_again_at_once(paid: Command, picture: Path, cloud: Cloud) -> None:
    pack = _waiting(paid, picture, "wave,nod")["pack"]["id"]
    why = {"status": 400, "code": "DataInspectionFailed", "message": "Input data may contain inappropriate content."}
    cloud.fault("create", "error_before", times=2, match="a pose for the censor", **why)
    refused = paid("retry", pack, "wave", "nod", "--pose", "a pose for the censor", "--out", "o", "--json")
    assert [emoji["status"] for emoji in refused.json()["emojis"]] == ["failed", "failed"]
    assert refused.code == 1
    again = paid("retry", pack, "--out", "o", "--json")
    assert again.code == 0, again.err
    assert "2 clips and 2 poses of dashscope will cost about" in again.err
    assert [emoji["status"] for emoji in again.json()["emojis"]] == ["awaiting_approval", "awaiting_approval"]


def test_a_clip_without_motion_is_bought_once_more_and_told(paid: Command, picture: Path, cloud: Cloud) -> None:
    cloud.turn(flawed=1)
    told = paid("make", picture, "--actions", "wave", *PAID, "--json")
    assert told.code == 0, told.err
    (emoji,) = told.json()["emojis"]
    assert len(emoji["takes"]) == 2
    assert "wave: an earlier clip had flaws, and another one was taken." in told.err


def test_another_motion_is_another_take_with_its_price_told(paid: Command, picture: Path) -> None:
    pack = paid("make", picture, "--actions", "wave", *PAID, "--json", "--quiet").json()["pack"]["id"]
    told = paid("retry", pack, "wave", "--motion", "slower, with both arms", "--out", "o", "--json")
    assert told.code == 0, told.err
    assert "1 clip of dashscope will cost about" in told.err
    (emoji,) = told.json()["emojis"]
    assert [take["motion_prompt"] for take in emoji["takes"]][1:] == ["slower, with both arms"]


def test_a_pose_with_flaws_is_told_before_it_is_approved(paid: Command, picture: Path, cloud: Cloud) -> None:
    cloud.turn(flawed=2)
    told = paid("make", picture, "--actions", "wave", *PAID, "--poses", "approve", "--json", "--quiet")
    assert told.code == 0, told.err
    (pose,) = told.json()["poses"]
    assert f"wave: the pose has flaws: {' '.join(pose['flaws'])}" in told.err
    assert pose["flaws"]

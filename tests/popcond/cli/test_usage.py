"""What is wrong with a command line is said before any work begins, with the nearest right thing."""

from __future__ import annotations

from pathlib import Path

import pytest

from popcond.cli.order import wanted_actions, wanted_targets
from popcond.cli.usage import WrongUsage, comma_list, known_names, readable_file

KNOWN = ("wave", "jump", "cry", "cheer")


def test_names_keep_their_order_and_come_once() -> None:
    assert comma_list(["wave, jump,,", "cry", "wave"]) == ("wave", "jump", "cry")


@pytest.mark.parametrize(("wrong", "meant"), [("wav", "wave"), ("Jump", "jump"), ("cheeer", "cheer")])
def test_a_name_that_is_nearly_right_brings_the_right_one(wrong: str, meant: str) -> None:
    with pytest.raises(WrongUsage, match=wrong) as caught:
        known_names([wrong], KNOWN, "action")
    assert caught.value.cure == f"Did you mean {meant}?"


def test_a_name_like_no_other_brings_them_all() -> None:
    with pytest.raises(WrongUsage) as caught:
        known_names(["moonwalk"], KNOWN, "action")
    assert caught.value.cure == "Known: wave, jump, cry, cheer."


def test_all_wrong_names_are_told_at_once() -> None:
    with pytest.raises(WrongUsage, match="There is no action wav, jum or xyz"):
        known_names(["wav", "cry", "jum", "xyz"], KNOWN, "action")


def test_a_file_that_is_there_is_taken(tmp_path: Path) -> None:
    picture = tmp_path / "hero.png"
    picture.write_bytes(b"pixels")
    assert readable_file(picture, "picture") == picture


def test_a_missing_file_brings_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "hero.png").write_bytes(b"pixels")
    with pytest.raises(WrongUsage, match="There is no picture") as caught:
        readable_file(tmp_path / "herro.png", "picture")
    assert caught.value.cure == f"Did you mean {tmp_path / 'hero.png'}?"


def test_an_empty_file_and_a_folder_are_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(WrongUsage, match="is empty"):
        readable_file(tmp_path / "empty.png", "picture")
    with pytest.raises(WrongUsage, match="is a folder"):
        readable_file(tmp_path, "picture")


def test_without_a_target_a_plain_gif_is_made() -> None:
    assert wanted_targets(None) == ("gif",)
    assert wanted_targets(["line-emoji,gif"]) == ("line-emoji", "gif")


def test_a_list_of_nothing_is_wrong() -> None:
    for wanted in (wanted_actions, wanted_targets):
        with pytest.raises(WrongUsage, match="names nothing"):
            wanted([" , "])

"""What is wrong with a command line is said before any work begins, with the nearest right thing."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pytest

from popcond.cli.order import pack_name, wanted_actions, wanted_targets
from popcond.cli.usage import WrongUsage, comma_list, counted, known_names, readable_file

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


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/full", "/dev/null"])
def test_a_device_is_no_picture(device: str) -> None:
    with pytest.raises(WrongUsage, match="a pipe or a device") as caught:
        readable_file(Path(device), "picture")
    assert "as a file first" in str(caught.value.cure)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.png")
    with pytest.raises(WrongUsage, match="a pipe or a device"):
        readable_file(tmp_path / "fifo.png", "picture")


def test_a_link_is_told_with_what_is_wrong_with_it(tmp_path: Path) -> None:
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "lost.png").symlink_to("gone.png")
    with pytest.raises(WrongUsage, match="leads back to itself"):
        readable_file(tmp_path / "loop.png", "picture")
    with pytest.raises(WrongUsage, match=r"a link to gone\.png, and nothing is there"):
        readable_file(tmp_path / "lost.png", "picture")


def test_a_path_that_no_file_can_have_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="too long"):
        readable_file(tmp_path / ("x" * 300), "picture")


def test_the_beginning_of_a_name_brings_all_that_begin_so() -> None:
    with pytest.raises(WrongUsage) as caught:
        known_names(["line"], ("gif", "line-emoji", "line-sticker"), "target")
    assert caught.value.cure == "Did you mean line-emoji or line-sticker?"


@pytest.mark.parametrize(("name", "says"), [("", "is empty"), ("  ", "is empty"), ("x" * 121, "121 letters")])
def test_a_name_that_cannot_be_is_told_in_plain_words(name: str, says: str) -> None:
    with pytest.raises(WrongUsage, match=says) as caught:
        pack_name(argparse.Namespace(name=name))
    assert caught.value.cure
    assert "string" not in str(caught.value)


def test_a_picture_whose_name_is_not_utf_8_still_names_its_pack() -> None:
    picture = Path("hero\udcff.png")
    assert pack_name(argparse.Namespace(name=None, sample=False, draw=None, picture=picture)) == "hero\\udcff"


def test_one_is_not_told_as_many() -> None:
    assert [counted(number, "clip") for number in (0, 1, 2)] == ["0 clips", "1 clip", "2 clips"]


def test_without_a_target_a_plain_gif_is_made() -> None:
    assert wanted_targets(None) == ("gif",)
    assert wanted_targets(["line-emoji,gif"]) == ("line-emoji", "gif")


def test_a_list_of_nothing_is_wrong() -> None:
    for wanted in (wanted_actions, wanted_targets):
        with pytest.raises(WrongUsage, match="names nothing"):
            wanted([" , "])

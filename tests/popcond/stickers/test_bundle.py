"""A pack as a store takes it: names, extra pictures, the same bytes every time, and a verdict on the whole."""

from __future__ import annotations

import errno
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from popcond.errors import BadInput, NoCharacter, OutOfDisk
from popcond.stickers.bundle import file_names, validate_bundle, write_bundle, zipped
from popcond.stickers.decode import decode, first_frame
from popcond.stickers.sticker import make_sticker
from popcond.stickers.still import animated_target, make_extras, still_picture, validate_extra, validate_still
from popcond.stickers.validate import parse
from popcond.targets import TARGETS, target
from popcond.wire import LoopKind, Rule, Verdict
from tests.popcond.stickers.drawings import loop
from tests.popcond.stickers.mutations import flipped, with_plays

LINE = target("line-emoji")
TAB = LINE.extra_pictures[0]


def rule(verdict: Verdict, name: str) -> Rule:
    return next(rule for rule in verdict.rules if rule.name == name)


def names_in(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_a_full_line_set_is_valid_and_named_as_line_wants_it(line: bytes, tmp_path: Path) -> None:
    stickers = [(f"action-{number}", "Pack", line) for number in range(8)]
    report = write_bundle(tmp_path / "set.zip", LINE, stickers, make_extras(LINE, line))
    assert report.verdict.valid
    assert report.advice == ()
    assert names_in(report.path) == [*(f"{number:03d}.png" for number in range(1, 9)), "tab.png"]
    assert list(report.files) == names_in(report.path)
    assert report.bytes == report.path.stat().st_size


def test_a_small_set_is_written_with_advice(line: bytes, tmp_path: Path) -> None:
    report = write_bundle(tmp_path / "set.zip", LINE, [("wave", "Pack", line)] * 3, make_extras(LINE, line))
    assert report.verdict.valid
    assert report.stickers == 3
    assert "needs 8 to 40 stickers, this has 3" in report.advice[0]


def test_a_set_that_is_too_large_is_told_to_split(line: bytes) -> None:
    small = LINE.model_copy(update={"min_stickers": 1, "max_stickers": 2})
    files = [(f"{number:03d}.png", line) for number in range(1, 4)]
    found = validate_bundle(zipped([*files, *make_extras(LINE, line)]), small)
    assert "Split" in rule(found, "set_size").cure


def test_the_same_stickers_make_the_same_bytes(line: bytes, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        write_bundle(tmp_path / name, LINE, [("wave", "Pack", line)], make_extras(LINE, line))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_bad_sticker_makes_the_bundle_invalid_and_is_named(line: bytes) -> None:
    files = [("001.png", line), ("002.png", with_plays(line, 0)), *make_extras(LINE, line)]
    found = validate_bundle(zipped(files), LINE)
    assert not found.valid
    assert "002.png: The file plays for ever" in rule(found, "stickers").reason


@pytest.mark.parametrize("names", [["001.png", "003.png"], ["1.png", "2.png"], ["001.png", "a/002.png"]])
def test_wrong_names_are_caught(names: list[str], line: bytes) -> None:
    found = validate_bundle(zipped([*((name, line) for name in names), *make_extras(LINE, line)]), LINE)
    assert not found.valid
    assert not rule(found, "file_names").ok


def test_a_missing_tab_picture_is_caught(line: bytes) -> None:
    found = validate_bundle(zipped([("001.png", line)]), LINE)
    assert not rule(found, "extra_tab.png").ok


def test_too_many_bytes_in_all_are_caught(line: bytes) -> None:
    tight = LINE.model_copy(update={"max_bundle_bytes": 10_000})
    assert not rule(validate_bundle(zipped([("001.png", line)]), tight), "bundle_bytes").ok


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_zip_is_caught(damage: str, line: bytes) -> None:
    data = zipped([("001.png", line)])
    broken = {"cut": data[:-40], "flipped": flipped(data, len(data) // 2), "empty": b""}[damage]
    found = validate_bundle(broken, LINE)
    assert not found.valid
    assert found.rules[0].name == "archive"


def test_no_damage_to_a_zip_is_more_than_a_verdict(line: bytes) -> None:
    data = zipped([("001.png", line)])
    rng = np.random.default_rng(5)
    for _ in range(150):
        raw = bytearray(data)
        for place in rng.integers(-120, 60, 3):
            raw[place] = rng.integers(0, 256)
        assert validate_bundle(bytes(raw), LINE).rules[0].name == "archive"


def test_names_by_action_never_collide_and_hold_nothing_dangerous() -> None:
    gif = target("gif")
    assert file_names(gif, [("wave", "P"), ("wave", "P"), ("../../etc", "P")]) == ["wave.gif", "wave-2.gif", "etc.gif"]
    assert file_names(target("signal"), [("wave", "P")]) == ["001-wave.png"]


@pytest.mark.parametrize("name", TARGETS)
def test_names_that_we_give_are_names_that_we_accept(name: str) -> None:
    wanted = TARGETS[name]
    files = [(each, b"") for each in file_names(wanted, [("wave", "P"), ("jump", "P"), ("wave", "P")])]
    assert rule(validate_bundle(zipped(files), wanted), "file_names").ok


def test_a_folder_that_cannot_be_written_is_said_in_words(line: bytes, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        write_bundle(tmp_path / "nowhere" / "set.zip", LINE, [("wave", "P", line)], [])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_said_in_words_and_leaves_nothing(line: bytes, tmp_path: Path) -> None:
    (tmp_path / ".set.zip.part").symlink_to("/dev/full")
    with pytest.raises(OutOfDisk) as caught:
        write_bundle(tmp_path / "set.zip", LINE, [("wave", "P", line)], [])
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------ extra pictures


def test_the_tab_picture_is_a_clean_still_of_the_first_frame(line: bytes) -> None:
    ((name, data),) = make_extras(LINE, line)
    assert name == "tab.png"
    assert validate_still(data, TAB).valid
    picture = first_frame(data)
    assert picture.shape == (74, 96, 4)
    assert picture[..., 3].any(axis=1).sum() >= 66
    assert parse(data).format is None


def test_specks_do_not_reach_the_tab_picture() -> None:
    cutout = np.zeros((180, 180, 4), np.uint8)
    cutout[40:160, 40:150] = (200, 60, 60, 255)
    cutout[2:4, 2:4] = (0, 0, 0, 255)
    cutout[10:30, 160:175] = (90, 90, 90, 70)
    data = still_picture(cutout, TAB)
    assert validate_still(data, TAB).valid
    seen = first_frame(data)
    assert set(map(tuple, seen[seen[..., 3] > 0][:, :3].tolist())) == {(200, 60, 60)}


def test_a_tab_picture_with_specks_or_of_another_size_is_caught(line: bytes) -> None:
    ((_, data),) = make_extras(LINE, line)
    dirty = first_frame(data).copy()
    dirty[1, 1] = (9, 9, 9, 60)
    buffer = io.BytesIO()
    Image.fromarray(dirty).save(buffer, "PNG", dpi=(72, 72))
    assert {rule.name for rule in validate_still(buffer.getvalue(), TAB).failed} == {"specks"}
    assert "pixel_size" in {rule.name for rule in validate_still(data, TAB.model_copy(update={"width": 100})).failed}
    assert "still" in {rule.name for rule in validate_still(line, TAB).failed}
    assert not validate_still(data[:-9], TAB).valid


def test_an_empty_frame_makes_no_tab_picture() -> None:
    with pytest.raises(NoCharacter):
        still_picture(np.zeros((180, 180, 4), np.uint8), TAB)


def test_a_line_sticker_set_gets_an_animated_main_picture() -> None:
    wanted = target("line-sticker")
    clip = loop(10, side=96, fps=5)
    sticker = make_sticker(clip, wanted, loop=LoopKind.RETURN, exact_loop=True, poster=0.5, report=lambda _: None)
    extras = dict(make_extras(wanted, sticker.data))
    main = next(extra for extra in wanted.extra_pictures if extra.animated)
    found = validate_extra(extras["main.png"], main, wanted)
    assert found.valid, [rule.reason for rule in found.failed]
    assert animated_target(main, wanted).width == 240
    assert decode(extras["main.png"])[0].shape == (240, 240, 4)
    files = [(f"{number:02d}.png", sticker.data) for number in range(1, 9)]
    assert validate_bundle(zipped([*files, *extras.items()]), wanted).valid
    nine = validate_bundle(zipped([*files, ("09.png", sticker.data), *extras.items()]), wanted)
    assert "8, 16 or 24 stickers, this has 9" in rule(nine, "set_size").reason

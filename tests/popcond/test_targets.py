"""The table of destinations, and asking it for one."""

from __future__ import annotations

import pytest

from popcond.errors import UnknownName
from popcond.targets import TARGETS, target
from popcond.wire import StickerFormat, Target


def test_every_target_stands_under_its_own_name() -> None:
    assert [row.name for row in TARGETS.values()] == list(TARGETS)


def test_the_table_cannot_be_changed_by_accident() -> None:
    with pytest.raises(TypeError):
        TARGETS["gif"] = target("apng")  # type: ignore[index]


def test_a_misspelt_target_is_answered_with_the_near_ones_and_the_whole_list() -> None:
    with pytest.raises(UnknownName) as caught:
        target("line-emojis")
    assert "line-emoji" in (caught.value.cure or "").split("Known")[0]
    assert all(name in (caught.value.cure or "") for name in TARGETS)


def test_a_word_that_is_like_no_target_still_gets_the_list() -> None:
    with pytest.raises(UnknownName, match="Known targets: line-emoji") as caught:
        target("qqqq")
    assert caught.value.details == {"name": "qqqq", "near": [], "known": list(TARGETS)}


def test_line_emoji_has_the_numbers_of_its_guideline() -> None:
    line = target("line-emoji")
    assert (line.width, line.height, line.max_bytes, line.max_bundle_bytes) == (180, 180, 300_000, 20_000_000)
    assert (line.min_frames, line.max_frames, line.loop_seconds, line.plays) == (5, 20, (1, 2, 3, 4), (1, 2, 3, 4))
    assert (line.min_stickers, line.max_stickers, line.file_name) == (8, 40, "{number:03d}.png")
    assert [(extra.file_name, extra.width, extra.height) for extra in line.extra_pictures] == [("tab.png", 96, 74)]


@pytest.mark.parametrize("row", TARGETS.values(), ids=list(TARGETS))
def test_every_row_can_be_satisfied(row: Target) -> None:
    assert row.min_frames <= (row.max_frames or row.min_frames)
    assert row.width % 2 == 0
    assert row.height % 2 == 0
    assert row.source
    name = row.file_name.format(number=1, action="wave", name="pack")
    assert name.endswith(".gif" if row.format is StickerFormat.GIF else ".png")
    if row.loop_seconds is not None and row.max_seconds is not None:
        assert min(row.loop_seconds) * min(row.plays) <= row.max_seconds

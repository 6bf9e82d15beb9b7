"""Fitting into bytes: one knob at a time, few encodes, nothing wasted."""

from __future__ import annotations

from fractions import Fraction

import pytest

from popcond.stickers.cycle import thin
from popcond.stickers.fit import FEWEST_COLOURS, Bench, Fitted, Shot, fit
from popcond.stickers.source import CutoutList
from popcond.stickers.validate import parse
from popcond.targets import target
from tests.popcond.stickers.drawings import loop, noisy

LINE = target("line-emoji")


@pytest.fixture(scope="module")
def clip() -> CutoutList:
    return noisy(loop(20, side=96), 8.0)


def fitted(clip: CutoutList, name: str, limit: int | None) -> Fitted:
    def take(most: int) -> Shot:
        chosen = thin((1,) * len(clip), most, 0)
        return Shot([clip.frames[position] for position in chosen.positions], chosen.weights)

    return fit(Bench(take, target(name).model_copy(update={"max_bytes": limit}), Fraction(2), 2), len(clip))


def test_every_colour_is_kept_when_there_is_room(clip: CutoutList) -> None:
    result = fitted(clip, "line-emoji", 2_000_000)
    assert (result.colours, result.frames, result.encodes) == (None, 20, 1)


@pytest.mark.parametrize("name", ["line-emoji", "signal"])
def test_colours_go_before_frames_and_the_limit_is_nearly_filled(clip: CutoutList, name: str) -> None:
    most = len(fitted(clip, name, None).data)
    limit = int(most * 0.8)
    result = fitted(clip, name, limit)
    assert result.frames == 20
    assert result.colours is not None
    assert FEWEST_COLOURS <= result.colours < 256
    assert 0.85 * limit <= len(result.data) <= limit
    assert result.encodes <= 4


def test_frames_go_when_colours_are_spent(clip: CutoutList) -> None:
    limit = int(len(fitted(clip, "line-emoji", None).data) * 0.3)
    result = fitted(clip, "line-emoji", limit)
    assert 5 <= result.frames < 20
    assert (result.colours or 0) >= FEWEST_COLOURS
    assert len(result.data) <= limit
    assert parse(result.data).seconds == 2


def test_what_cannot_fit_comes_back_as_small_as_it_gets(clip: CutoutList) -> None:
    result = fitted(clip, "line-emoji", 900)
    assert result.frames == 5
    assert len(result.data) > 900


def test_a_gif_gives_up_colours_too(clip: CutoutList) -> None:
    most = len(fitted(clip, "slack", None).data)
    result = fitted(clip, "slack", int(most * 0.85))
    assert len(result.data) <= most * 0.85
    assert (result.colours or 256) < 256

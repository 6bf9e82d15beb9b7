"""Exact time: whole seconds stay whole, whatever the number of frames."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popcond.stickers.timing import (
    FASTEST,
    Delay,
    Timing,
    choose_length,
    choose_plays,
    deal,
    delays,
    longest_loop,
    merged,
    most_frames,
)
from popcond.targets import target
from popcond.wire import StickerFormat

LINE = target("line-emoji")
GIF = target("gif")
APNG = StickerFormat.APNG
weights = st.lists(st.integers(1, 40), min_size=1, max_size=20)


@given(st.integers(1, 4), st.integers(5, 20))
def test_even_frames_of_whole_seconds_are_written_as_seconds_over_frames(seconds: int, frames: int) -> None:
    written = delays(Fraction(seconds), (1,) * frames, APNG)
    assert written == (Delay(seconds, frames),) * frames
    assert sum(Fraction(num, den) for num, den in written) == seconds


@given(st.integers(1, 4), weights)
def test_uneven_frames_of_whole_seconds_add_up_exactly_and_keep_their_ratio(seconds: int, parts: list[int]) -> None:
    written = [delay.seconds for delay in delays(Fraction(seconds), parts, APNG)]
    assert sum(written) == seconds
    assert written == [Fraction(seconds * part, sum(parts)) for part in parts]


@given(st.integers(300, 9_000), weights)
def test_odd_lengths_are_dealt_out_in_milliseconds_without_losing_one(milliseconds: int, parts: list[int]) -> None:
    seconds = Fraction(milliseconds, 1000)
    written = delays(seconds, parts, APNG)
    assert sum((delay.seconds for delay in written), Fraction()) == seconds
    assert all(0 < delay.num <= 65_535 and 0 < delay.den <= 65_535 for delay in written)


@given(st.integers(50, 900), weights)
def test_a_gif_gets_whole_centiseconds_none_below_two(centiseconds: int, parts: list[int]) -> None:
    written = delays(Fraction(centiseconds, 100), parts, StickerFormat.GIF)
    assert sum(delay.num for delay in written) == centiseconds
    assert all(delay.den == 100 and delay.num >= 2 for delay in written)


def test_dealing_never_drifts_from_the_even_beat() -> None:
    parts = deal(200, (1,) * 60, 2)
    assert set(parts) == {3, 4}
    assert all(abs(sum(parts[:place]) - place * 200 / 60) <= 0.5 for place in range(61))


def test_dealing_more_than_there_is_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        deal(10, (1,) * 6, 2)


@given(st.floats(0.3, 5.0))
def test_line_gets_whole_seconds_and_is_never_rushed(own: float) -> None:
    length = choose_length(own, LINE)
    assert length.seconds in (1, 2, 3, 4)
    assert length.speed <= FASTEST + 1e-9
    assert length.speed == pytest.approx(own * length.repeats / float(length.seconds))


@pytest.mark.parametrize(
    ("own", "seconds", "repeats"),
    [(2.0, 2, 1), (1.9, 2, 1), (2.6, 3, 1), (0.5, 1, 2), (1.0, 1, 1), (4.9, 4, 1), (0.8, 1, 1)],
)
def test_the_nearest_whole_length_is_taken(own: float, seconds: int, repeats: int) -> None:
    length = choose_length(own, LINE)
    assert length.seconds == seconds
    assert length.repeats == repeats


def test_a_clip_far_too_long_admits_how_fast_it_would_run() -> None:
    assert choose_length(8.0, LINE).speed == pytest.approx(2.0)


def test_a_target_without_whole_seconds_keeps_the_clips_own_length() -> None:
    assert choose_length(1.9667, target("apng")).seconds == Fraction(1967, 1000)
    assert choose_length(1.9667, GIF).seconds == Fraction(197, 100)
    assert choose_length(3.4, target("signal")).seconds == 3


def test_a_clip_between_two_lengths_is_slowed_rather_than_rushed() -> None:
    assert choose_length(1.3, LINE).speed <= FASTEST


@pytest.mark.parametrize(("seconds", "plays"), [(1, 4), (2, 2), (3, 1), (4, 1)])
def test_line_plays_as_often_as_four_seconds_allow(seconds: int, plays: int) -> None:
    assert choose_plays(Fraction(seconds), LINE) == plays


def test_plain_formats_play_for_ever() -> None:
    assert choose_plays(Fraction(2), GIF) == 0


def test_the_number_of_frames_obeys_the_rate_and_the_limit() -> None:
    assert most_frames(Fraction(2), LINE) == 20
    assert most_frames(Fraction(1), LINE) == 20
    assert most_frames(Fraction(2), GIF) == 40
    assert most_frames(Fraction(3), target("slack")) == 50


def test_a_loop_may_be_as_long_as_the_target_and_a_little_hurry_allow() -> None:
    assert longest_loop(LINE) == 5.0
    assert longest_loop(target("signal")) == 3.75
    assert longest_loop(GIF) is None


@given(weights, st.data())
def test_holding_frames_longer_keeps_the_whole_length(parts: list[int], data: st.DataObject) -> None:
    timing = Timing(delays(Fraction(2), parts, APNG), 2)
    rest = data.draw(st.sets(st.integers(1, len(parts) - 1)) if len(parts) > 1 else st.just(set[int]()))
    shorter = merged(timing, [0, *sorted(rest)])
    assert shorter.seconds == 2
    assert len(shorter.delays) == len(rest) + 1

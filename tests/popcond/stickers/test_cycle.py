"""Which frames of a loop are shown, and for how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popcond.stickers.cycle import Cycle, there_and_back, thin, whole_clip


def test_sixty_frames_become_twenty_by_taking_every_third() -> None:
    chosen = thin((1,) * 60, 20, poster=0)
    assert chosen.positions == tuple(range(0, 60, 3))
    assert set(chosen.weights) == {1}


def test_thinning_keeps_the_poster() -> None:
    assert 31 in thin((1,) * 60, 20, poster=31).positions
    assert 17 in thin((1,) * 50, 20, poster=17).positions


@pytest.mark.parametrize(("count", "kept"), [(48, 16), (72, 18), (64, 16), (40, 20), (45, 15), (20, 20), (7, 7)])
def test_an_even_stride_is_preferred_when_it_keeps_most_frames(count: int, kept: int) -> None:
    chosen = thin((1,) * count, 20, poster=3)
    assert len(chosen.positions) == kept
    assert len(set(chosen.weights)) == 1


def test_without_an_even_stride_frames_are_held_for_their_own_time() -> None:
    chosen = thin((1,) * 50, 20, poster=0)
    assert len(chosen.positions) == 20
    assert sum(chosen.weights) == 50
    assert set(chosen.weights) == {2, 3}


@given(st.lists(st.integers(1, 9), min_size=2, max_size=80), st.integers(1, 20), st.integers(0, 79))
def test_thinning_never_loses_time_and_never_takes_more_than_asked(parts: list[int], most: int, poster: int) -> None:
    chosen = thin(parts, most, poster % len(parts))
    assert 1 <= len(chosen.positions) <= most
    assert list(chosen.positions) == sorted(set(chosen.positions))
    assert all(weight > 0 for weight in chosen.weights)
    if len(set(parts)) > 1 or len(parts) <= most:
        assert sum(chosen.weights) == sum(parts)


def test_there_and_back_shows_neither_end_twice() -> None:
    cycle = there_and_back(2, 5, (0.1,) * 8)
    assert cycle.indices == (2, 3, 4, 5, 4, 3)
    assert cycle.length == pytest.approx(0.6)


def test_equal_frames_weigh_one_each_and_uneven_ones_their_milliseconds() -> None:
    assert whole_clip((0.04, 0.0401, 0.04)).weights() == (1, 1, 1)
    assert Cycle((0, 1), (0.1, 0.25)).weights() == (100, 250)

"""Curves: periodic, smooth, true to their keys, slow where loops are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from popcond.video.curves import breath, eased, keyed, leap, poster_phase, sway, swing, wrap

KEYS = ((0.0, 0.2), (0.15, -0.4), (0.4, 1.0), (0.55, 0.9), (0.8, 0.1))
PHASES = [step / 997 for step in range(997)]


def test_a_keyed_curve_goes_through_its_keys() -> None:
    for phase, value in KEYS:
        assert keyed(phase, *KEYS) == pytest.approx(value)


def test_a_keyed_curve_never_overshoots_a_key() -> None:
    values = [keyed(phase, *KEYS) for phase in PHASES]
    assert max(values) <= 1.0 + 1e-9
    assert min(values) >= -0.4 - 1e-9


@given(st.floats(-3, 3, allow_nan=False))
def test_every_curve_repeats(phase: float) -> None:
    for curve in (lambda at: keyed(at, *KEYS), swing, sway, breath, lambda at: leap(at, 0.2, 0.7)):
        assert curve(phase) == pytest.approx(curve(phase + 1.0), abs=1e-6)


def test_a_keyed_curve_is_smooth_across_the_seam() -> None:
    step = 1e-4
    before = (keyed(1.0 - 1e-9, *KEYS) - keyed(1.0 - step, *KEYS)) / step
    after = (keyed(step, *KEYS) - keyed(0.0, *KEYS)) / step
    assert before == pytest.approx(after, abs=0.05)


def test_a_gaining_curve_ends_where_its_next_loop_begins() -> None:
    keys = ((0.0, 0.0), (0.1, -0.1), (0.7, 2.1))
    assert keyed(1.0 - 1e-9, *keys, gain=2.0) == pytest.approx(keyed(0.0, *keys, gain=2.0) + 2.0, abs=1e-6)


@pytest.mark.parametrize("poster", [0.25, 0.5, 0.7])
def test_eased_time_never_runs_backwards_and_keeps_the_period(poster: float) -> None:
    times = [eased(phase, poster) for phase in PHASES]
    assert all(later > earlier for earlier, later in pairwise(times))
    assert eased(0.0, poster) == pytest.approx(0.0)
    assert eased(1.0, poster) == pytest.approx(1.0)


@pytest.mark.parametrize("poster", [0.25, 0.5, 0.7])
def test_eased_time_is_slow_at_both_cuts(poster: float) -> None:
    def speed(phase: float) -> float:
        return (eased(phase + 1e-4, poster) - eased(phase - 1e-4, poster)) / 2e-4

    assert eased(poster_phase(poster), poster) == pytest.approx(poster)
    assert speed(0.0) < 0.4
    assert speed(poster_phase(poster)) < 0.4


def test_wrapping_stays_below_one() -> None:
    assert wrap(-1e-18) < 1.0
    assert wrap(2.25) == pytest.approx(0.25)

"""How long the queue waits before it tries again."""

from __future__ import annotations

import pytest

from popcond import backoff
from popcond.wire import Problem


@pytest.mark.parametrize(
    ("failures", "chance", "wish", "seconds"),
    [
        (1, 0.0, None, 0.0),  # full jitter: from nothing …
        (1, 1.0, None, 2.0),  # … to the ceiling
        (2, 1.0, None, 4.0),
        (5, 0.5, None, 16.0),
        (9, 1.0, None, 512.0),
        (10, 1.0, None, 600.0),  # and no further
        (10_000, 1.0, None, 600.0),
        (1, 0.0, 40.0, 40.0),  # as long as was asked for, and jitter on top
        (1, 1.0, 40.0, 42.0),
        (1, 0.0, 10**9, 3600.0),  # within reason
        (1, 0.0, -5.0, 0.0),
    ],
)
def test_pauses_grow_and_are_jittered(failures: int, chance: float, wish: float | None, seconds: float) -> None:
    assert backoff.pause(failures, chance, wish) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("details", "wish"),
    [
        (None, None),
        ({}, None),
        ({"retry_after": 12}, 12.0),
        ({"retry_after": 0.5}, 0.5),
        ({"retry_after": "12"}, None),
        ({"retry_after": True}, None),
        ({"retry_after": float("nan")}, None),
        ({"retry_after": float("inf")}, None),
        ({"retry_after": -1}, None),
    ],
)
def test_only_a_wish_that_makes_sense_is_heard(details: dict[str, object] | None, wish: float | None) -> None:
    assert backoff.wish_of(Problem(code="busy", message="Busy.", details=details)) == wish


@pytest.mark.parametrize(
    ("message", "seconds", "told"),
    [
        ("They are busy.", 40.2, "They are busy. Tried again in 40 s."),
        ("They are busy", 0.1, "They are busy. Tried again in 1 s."),
        ("Why?", 89, "Why? Tried again in 89 s."),
        ("Wait …", 90, "Wait … Tried again in 2 min."),
        ("They are busy.", 600, "They are busy. Tried again in 10 min."),
    ],
)
def test_a_problem_tells_when_it_is_tried_again(message: str, seconds: float, told: str) -> None:
    problem = Problem(code="busy", message=message, cure="Wait.", details={"why": 1})
    announced = backoff.announced(problem, seconds, at=100.0)
    assert announced.message == told
    assert (announced.code, announced.cure) == ("busy", "Wait.")
    assert announced.details == {"why": 1, "tried_again_at": 100.0}

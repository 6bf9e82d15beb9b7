"""Our own OpenAPI page holds for every request, fair or unfair; at length: `python -m tests.attack.api_fuzz`."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.attack.api_fuzz import LEFT_OUT, Outcome, fuzz
from tests.attack.outside import complaints
from tests.daemons import RunningDaemon, running_daemon

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """A daemon that may be asked anything."""
    with running_daemon(tmp_path_factory.mktemp("fuzzed")) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def outcome(target: RunningDaemon) -> Outcome:
    """What it answered."""
    return fuzz(target, examples=4)


def test_no_answer_fails_and_none_is_missing_from_the_page(outcome: Outcome) -> None:
    assert outcome.faults == {}


def test_nothing_unexpected_is_in_the_log(outcome: Outcome, target: RunningDaemon) -> None:
    assert outcome.requests > 100
    assert complaints(target.home) == []


def test_every_operation_was_asked_and_half_of_them_could_answer(outcome: Outcome, target: RunningDaemon) -> None:
    paths = httpx.get(f"{target.url}/openapi.json", headers=target.headers).json()["paths"]
    every = {f"{method.upper()} {path}" for path, methods in paths.items() for method in METHODS if method in methods}
    asked = {operation for operation, _ in outcome.statuses}
    answered = {operation for operation, status in outcome.statuses if status < 400}
    assert asked == every - LEFT_OUT
    assert len(answered) > len(asked) / 2

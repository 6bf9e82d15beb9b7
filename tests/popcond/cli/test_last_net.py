"""Whatever goes wrong, a person reads a sentence and a script one JSON object; a traceback is for those who ask."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.popcond.cli.commands import Command


@pytest.fixture
def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that has lost some of its files."""
    for module in ("popcond.cli.status", "popcond.cli.make"):
        monkeypatch.setitem(sys.modules, module, None)


@pytest.mark.usefixtures("_broken")
def test_a_bug_is_a_sentence_with_what_to_do(popcond: Command) -> None:
    told = popcond("status")
    assert told.code == 1
    assert told.out == ""
    assert told.err.startswith("popcond: This is a bug: ModuleNotFoundError: ")
    assert "Please report it" in told.err
    assert "Traceback" not in told.err


@pytest.mark.usefixtures("_broken")
@pytest.mark.parametrize("words", [["status"], ["make", "--sample", "--actions", "wave", "--out", "o"]])
def test_a_bug_is_one_object_of_json(popcond: Command, words: list[str]) -> None:
    told = popcond(*words, "--json")
    assert told.code == 1
    assert told.json()["problems"][0]["code"] == "bug"
    assert not Path("o").exists()


@pytest.mark.usefixtures("_broken")
def test_who_looks_for_the_bug_gets_the_traceback(popcond: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POPCON_DEBUG", "1")
    told = popcond("status", "--json")
    assert "Traceback" in told.err
    assert told.json()["ok"] is False

"""`popcond doctor`: lines for a person, an object for a program, and an exit code for both."""

from __future__ import annotations

from pathlib import Path

from tests.popcond.cli.commands import Command


def test_all_is_well_with_a_daemon_that_runs(popcond: Command) -> None:
    told = popcond("doctor")
    assert told.code == 0, told.out
    assert "All is well." in told.out
    assert "answers at http://127.0.0.1:" in told.out


def test_a_program_reads_one_object(popcond: Command, tmp_path: Path) -> None:
    told = popcond("doctor", "--json", "--deep", "--home", tmp_path / "empty")
    assert told.code == 0
    assert told.json()["ok"] is True
    assert {"name", "ok", "message", "cure"} == set(told.json()["findings"][0])
    assert not (tmp_path / "empty").exists()


def test_what_is_broken_is_told_with_its_cure_and_an_exit_code(popcond: Command, tmp_path: Path) -> None:
    in_the_way = tmp_path / "home\x1b[2J"
    in_the_way.write_text("a file")
    told = popcond("doctor", "--home", in_the_way)
    assert told.code == 1
    assert "BROKEN  home" in told.out
    assert "choose another with --home" in told.out
    assert "\x1b" not in told.out
    assert popcond("doctor", "--json", "--home", in_the_way).json()["ok"] is False

"""Where the daemon is, with which token, and what a wrong address says."""

from __future__ import annotations

from pathlib import Path

import pytest

from popcond.wire import VERSION
from tests.popcond.cli.commands import Command


def test_a_running_daemon_tells_where_it_is_and_which_version(popcond: Command) -> None:
    told = popcond("status")
    assert told.code == 0
    assert f"popcond {VERSION} runs at http://127.0.0.1:" in told.out
    assert str(popcond.home) in told.out


def test_an_empty_home_says_that_nobody_is_there(popcond: Command, tmp_path: Path) -> None:
    told = popcond("status", "--json", "--home", tmp_path / "empty")
    assert told.code == 1
    assert told.json()["running"] is False
    assert not (tmp_path / "empty").exists()


def test_the_token_opens_the_daemon_from_elsewhere(
    popcond: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, token = popcond("status", "--json").json()["url"], popcond("token").out.strip()
    monkeypatch.setenv("POPCON_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("POPCON_URL", url)
    without = popcond("status")
    assert without.code == 1
    assert "POPCON_TOKEN" in without.err
    monkeypatch.setenv("POPCON_TOKEN", token)
    assert popcond("status").code == 0
    monkeypatch.setenv("POPCON_TOKEN", "wrong-token")
    refused = popcond("status", "--json")
    assert refused.json()["problems"][0]["code"] == "unauthorized"
    assert "wrong-token" not in refused.out + refused.err


def test_a_token_for_elsewhere_does_not_lock_us_out_at_home(popcond: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POPCON_TOKEN", "a-token-for-elsewhere")
    assert popcond("status").code == 0


def test_an_address_that_is_none_is_wrong_usage(popcond: Command) -> None:
    for url in ("localhost:8765", "ftp://localhost", "http://", "http://[", "http://127.0.0.1:99999", "http://a:b"):
        told = popcond("status", "--url", url)
        assert told.code == 2
        assert "is no address" in told.err


def test_nobody_at_the_address_is_told_at_once(popcond: Command) -> None:
    told = popcond("make", "--sample", "--actions", "wave", "--url", "http://127.0.0.1:9", "--token", "t" * 20)
    assert told.code == 1
    assert "No daemon can be reached" in told.err


def test_a_token_without_a_daemon_to_open_is_wrong_usage(popcond: Command) -> None:
    told = popcond("status", "--token", "t" * 20)
    assert told.code == 2
    assert "--url" in told.err


def test_a_token_that_cannot_be_one_is_wrong_usage_and_not_shown(popcond: Command) -> None:
    for token in ("é-secret", "two secrets", "sec\nret", ""):
        told = popcond("status", "--url", "http://127.0.0.1:9", "--token", token)
        assert told.code == 2
        assert "popcond token" in told.err
        assert "sec" not in told.err.replace("seconds", "")

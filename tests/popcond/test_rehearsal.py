"""A rehearsal as a user sees it: the whole paid road with a stand-in, where everything says what it is."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from popcond.app import compose
from popcond.cli import main
from popcond.errors import BadSetting
from popcond.home import TokenInForce
from popcond.rehearsal.place import rehearsal_home
from popcond.rehearsal.provider import LABEL
from popcond.settings import Settings
from popcond.video.dashscope_models import SINGAPORE_URL
from tests.daemons import running_daemon

THEIRS = "sk-canary-of-the-user-0123456789"  # the user's own key


@pytest.fixture(autouse=True)
def only_a_users_key_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment of somebody who could spend money."""
    for name in [name for name in os.environ if name.startswith(("POPCON_", "DASHSCOPE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("POPCON_CONFIG_FOLDER", str(tmp_path / "config"))
    monkeypatch.setenv("DASHSCOPE_API_KEY", THEIRS)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of the user's real daemon."""
    return Settings.load(home=tmp_path / "home", dashscope_base_url=SINGAPORE_URL, dashscope_hosts=("mirror.example",))


def test_a_pack_is_bought_without_money_and_everything_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real, home = tmp_path / "home", tmp_path / "home" / "rehearsal"
    options = ("--home", str(real), "--rehearsal", "--clip-seconds", "0")
    monkeypatch.chdir(tmp_path)
    with way_out() as variables, running_daemon(home, *options, variables=variables) as daemon:
        words = ["--sample", "--actions", "wave", "--provider", "dashscope", "--refine", "wait"]
        code = main(["make", *words, "--model", "wan3.0-video", "--json", "--home", str(home)])
        told = capfd.readouterr()
        for command in ("status", "usage", "purchases"):
            assert main([command, "--home", str(home)]) == 0
            said = capfd.readouterr()
            assert "This is a rehearsal" in said.out + said.err, command
        version, providers, purchases = (
            httpx.get(f"{daemon.url}/v1/{noun}", headers=daemon.headers).json()
            for noun in ("version", "providers", "purchases")
        )
    assert code == 0, told.err
    assert told.err.count("This is a rehearsal") == 1
    assert "USD" in told.err  # the prices of Singapore
    assert [emoji["status"] for emoji in json.loads(told.out)["emojis"]] == ["awaiting_refinement"]
    assert "rehearsal" in version["features"]
    assert LABEL in {provider["label"] for provider in providers}
    assert [(row["amount"], row["is_estimate"]) for row in purchases] == [(0.1, False)]
    assert [path.name for path in real.iterdir()] == ["rehearsal"]
    assert f"--home {home}" in (home / "serve.log").read_text()
    for path in (path for path in home.rglob("*") if path.is_file()):
        assert THEIRS.encode() not in path.read_bytes(), path


@contextlib.contextmanager
def way_out() -> Iterator[dict[str, str]]:
    """The environment of a user whose only way to other computers is a proxy, which nobody may have called."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        address = "http://{}:{}".format(*proxy.getsockname())
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), address)
        yield {**proxies, "DASHSCOPE_API_KEY": THEIRS, "POPCON_DASHSCOPE_BASE_URL": SINGAPORE_URL}
        proxy.setblocking(False)
        with pytest.raises(BlockingIOError):
            proxy.accept()


def test_a_home_that_was_a_rehearsal_is_never_served_for_real(settings: Settings) -> None:
    home = rehearsal_home(settings, clip_seconds=0.0)
    with running_daemon(home, variables={"DASHSCOPE_API_KEY": THEIRS}) as daemon:
        version = httpx.get(f"{daemon.url}/v1/version", headers=daemon.headers).json()
    assert "rehearsal" in version["features"]
    with pytest.raises(BadSetting, match="asks no service outside"):
        compose(Settings.load(home=home), TokenInForce("a-token-of-nobody-at-all"))


def test_a_real_daemon_does_not_call_itself_a_rehearsal(tmp_path: Path) -> None:
    with running_daemon(tmp_path / "home") as daemon:
        version, providers = (
            httpx.get(f"{daemon.url}/v1/{noun}", headers=daemon.headers).json() for noun in ("version", "providers")
        )
    assert "rehearsal" not in version["features"]
    assert LABEL not in {provider["label"] for provider in providers}


def test_its_time_cannot_be_set_without_a_rehearsal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--home", str(tmp_path / "home"), "--clip-seconds", "1"]) == 2
    assert "--rehearsal" in capfd.readouterr().err
    assert not (tmp_path / "home").exists()

"""A real daemon in a process of its own, shared by the tests of this folder, and a picture for it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from popcond.daemon_process import running
from popcond.settings import Settings
from tests.cloud.running import KEY, Cloud, running_cloud
from tests.daemons import running_daemon
from tests.popcond.cli.commands import Command

START_SECONDS = 30.0


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a daemon that runs; it must end well."""
    home = tmp_path_factory.mktemp("daemon") / "home"
    log = home.parent / "log"
    words = [sys.executable, "-m", "popcond", "serve", "--home", str(home), "--port", "0"]
    with log.open("wb") as stream, subprocess.Popen(words, stdout=stream, stderr=stream) as daemon:
        try:
            _await_ready(home, daemon, log)
            yield home
        finally:
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(timeout=20) == 0, log.read_text()


def _await_ready(home: Path, daemon: subprocess.Popen[bytes], log: Path) -> None:
    settings, started = Settings.load(home=home), time.monotonic()
    while asyncio.run(running(settings)) is None:
        assert daemon.poll() is None, log.read_text()
        assert time.monotonic() - started < START_SECONDS, log.read_text()


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A stand-in that sells clips and pictures, each of them ready at once."""
    with running_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture(scope="session")
def paid_home(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of a daemon that buys there."""
    variables = {
        "DASHSCOPE_API_KEY": KEY,
        "POPCON_DASHSCOPE_BASE_URL": cloud.base_url,
        "POPCON_DASHSCOPE_POLL_SECONDS": "0.1",
    }
    with running_daemon(tmp_path_factory.mktemp("paid"), variables=variables) as daemon:
        yield daemon.home


@pytest.fixture
def popcond(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """The command line, standing in an empty folder, with the shared daemon's home."""
    for name in [name for name in os.environ if name.startswith("POPCON_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("POPCON_HOME", str(home))
    monkeypatch.setenv("POPCON_CONFIG_FOLDER", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return Command(home, capfd)


@pytest.fixture
def paid(popcond: Command, paid_home: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The same, with the home of the daemon that buys."""
    monkeypatch.setenv("POPCON_HOME", str(paid_home))
    return Command(paid_home, popcond.capfd)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A round yellow somebody with eyes, arms and feet, on nothing: 256 × 256, RGBA."""
    canvas = np.zeros((256, 256, 4), np.uint8)
    ink, skin = (40, 40, 60, 255), (60, 200, 250, 255)  # OpenCV's order: blue, green, red, alpha
    for x in (60, 196):
        cv2.line(canvas, (128, 140), (x, 110), ink, 14, cv2.LINE_AA)
        cv2.line(canvas, (128, 160), (x, 236), ink, 14, cv2.LINE_AA)
    cv2.circle(canvas, (128, 120), 72, ink, -1, cv2.LINE_AA)
    cv2.circle(canvas, (128, 120), 66, skin, -1, cv2.LINE_AA)
    for x in (104, 152):
        cv2.circle(canvas, (x, 104), 9, ink, -1, cv2.LINE_AA)
    cv2.ellipse(canvas, (128, 132), (26, 16), 0, 0, 180, ink, 5, cv2.LINE_AA)
    path = tmp_path / "hero.png"
    cv2.imwrite(str(path), canvas)
    return path

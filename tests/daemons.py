"""Real daemons for tests: `popcond serve` in a process of its own, on a free port of loopback, in a home of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 60.0  # seconds; a cold start of a busy small machine


@dataclass(frozen=True)
class RunningDaemon:
    """Where it listens, and what it takes to get in."""

    url: str
    token: str
    home: Path
    process: subprocess.Popen[bytes]

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.token}"}


def environment(home: Path) -> dict[str, str]:
    """The environment of a process that must not see the settings of whoever runs the tests."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("POPCON_", "DASHSCOPE_"))}
    return {**inherited, "POPCON_HOME": str(home), "POPCON_CONFIG_FOLDER": str(home / "config")}


@contextlib.contextmanager
def running_daemon(home: Path, *options: str, variables: Mapping[str, str] | None = None) -> Iterator[RunningDaemon]:
    """A daemon that is ready, and gone afterwards; `variables` come on top of its environment."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "popcond", "serve", "--port", "0", "--home", str(home), *options],
            stdout=log,
            stderr=log,
            env={**environment(home), **(variables or {})},
        )
    try:
        url = _url_when_ready(home, process)
        yield RunningDaemon(url, (home / "token").read_text().strip(), home, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE)


def _url_when_ready(home: Path, process: subprocess.Popen[bytes]) -> str:
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            note = json.loads((home / "runtime.json").read_text())
            if note["pid"] == process.pid:
                return str(note["url"])
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError((home / "serve.log").read_text())

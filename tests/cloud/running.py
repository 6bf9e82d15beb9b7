"""Starts the stand-in for a test, and talks to its control routes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.cloud.account import FOREIGN
from tests.daemons import PATIENCE

KEY = "sk-0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Cloud:
    """A stand-in that runs."""

    base_url: str  # up to and with /api/v1
    file: Path  # its ledger
    process: subprocess.Popen[str]

    def fault(self, route: str, kind: str, **more: Any) -> None:
        """Something is to go wrong; see tests.cloud.server."""
        self._control("faults", {"route": route, "kind": kind, **more})

    def reset(self) -> None:
        """Forget everything."""
        self._control("reset", {})

    def turn(self, **knobs: Any) -> None:
        """Change how it behaves; see tests.cloud.account.Knobs."""
        self._control("knobs", knobs)

    def fail(self, words: str, code: str = "InternalError", message: str = "An internal error.") -> None:
        """Tasks whose prompt has these words are accepted, and fail."""
        self._control("failures", {"words": words, "code": code, "message": message})

    def order_elsewhere(self, prompt: str, model: str = "wan2.2-i2v-flash") -> str:
        """Another program of the same account orders something; answers the task's id."""
        return str(self._control("foreign", {"model": model, "prompt": prompt})["id"])

    @property
    def calls(self) -> dict[str, int]:
        """Requests that came, by route."""
        return {route: len(times) for route, times in self.times.items()}

    @property
    def times(self) -> dict[str, list[float]]:
        """When requests came, by route; seconds of a clock of the stand-in's."""
        answer = httpx.get(f"{self._origin}/control/calls", trust_env=False, verify=False)
        return dict(answer.raise_for_status().json()["came"])

    @property
    def ledger(self) -> list[dict[str, Any]]:
        """What was accepted from us, in its order."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [line for line in map(json.loads, lines) if line["key"] != FOREIGN]

    @property
    def _origin(self) -> str:
        return self.base_url.removesuffix("/api/v1")

    def _control(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = httpx.post(f"{self._origin}/control/{what}", json=body, trust_env=False, verify=False)
        return dict(answer.raise_for_status().json())


@contextlib.contextmanager
def running_cloud(folder: Path) -> Iterator[Cloud]:
    """A stand-in with an empty ledger, gone afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    ledger = folder / "ledger.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cloud", "--port", "0", "--ledger", str(ledger)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with process:
        try:
            assert process.stdout is not None
            yield Cloud(process.stdout.readline().strip(), ledger, process)
        finally:
            process.kill()
            process.wait(PATIENCE)

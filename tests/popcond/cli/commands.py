"""Runs command lines in this process and keeps what they said."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from popcond.cli import main


@dataclass(frozen=True)
class Told:
    """An exit code, and both outputs."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        """Standard output, which must be one JSON object and nothing else."""
        told = json.loads(self.out)
        assert isinstance(told, dict)
        return told


@dataclass(frozen=True)
class Command:
    """The command `popcond` with a daemon at home."""

    home: Path
    capfd: pytest.CaptureFixture[str]

    def __call__(self, *words: str | Path) -> Told:
        """Run it to its end."""
        self.capfd.readouterr()
        code = main([str(word) for word in words])
        told = self.capfd.readouterr()
        return Told(code, told.out, told.err)

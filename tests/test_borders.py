"""What importing a module really loads. Contracts see the static graph; this sees deferred and indirect imports too."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = frozenset({"numpy", "cv2", "PIL", "av", "imagequant", "sqlite_utils", "fastapi", "uvicorn", "starlette"})
TORCH = frozenset({"torch", "torchvision", "ultralytics"})
TERMINAL = frozenset({"textual", "rich"})


def loaded_by(statement: str) -> frozenset[str]:
    """The top-level modules that a fresh interpreter holds after the statement."""
    program = (
        f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return frozenset(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "module", ["popcond.wire", "popcond.errors", "popcond.client", "popcond.settings", "popcon_tui"]
)
def test_the_clients_side_loads_no_picture_database_or_server_library(module: str) -> None:
    assert not loaded_by(f"import {module}") & (HEAVY | TORCH)


def test_the_wire_needs_pydantic_and_nothing_of_ours() -> None:
    strangers = "[name for name in sys.modules if name.startswith('popcond.') and not name.startswith('popcond.wire')]"
    loaded = loaded_by(f"import sys, popcond.wire\nassert not {strangers}")
    assert "httpx" not in loaded
    assert "pydantic" in loaded


def test_the_command_line_is_light_until_a_command_needs_more() -> None:
    assert not loaded_by("import popcond.cli") & (HEAVY | TORCH | TERMINAL)


def test_the_daemon_starts_without_torch_or_a_terminal_library() -> None:
    loaded = loaded_by("import popcond.life")
    assert not loaded & TORCH
    assert "textual" not in loaded


def test_importing_the_package_runs_nothing() -> None:
    assert "pydantic" not in loaded_by("import popcond")

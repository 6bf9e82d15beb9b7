"""What the model's libraries may touch: nothing of the daemon, of the user's home or of the network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from popcond.vision.sam_life import environment
from popcond.vision.sam_weights import can_run
from tests.test_borders import TORCH, loaded_by


@pytest.mark.parametrize("module", ["popcond.app", "popcond.runner", "popcond.vision.segmenter", "popcond.vision.sam"])
def test_the_daemons_side_loads_no_torch(module: str) -> None:
    assert not loaded_by(f"import {module}") & TORCH


def test_the_process_is_told_no_secret_and_stays_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-canary")
    monkeypatch.setenv("POPCON_TOKEN", "canary")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    told = environment(tmp_path, threads=2)
    assert "canary" not in str(told)
    assert (told["HOME"], told["CUDA_VISIBLE_DEVICES"], told["OMP_NUM_THREADS"]) == (str(tmp_path), "3", "2")


_LOOKS_AROUND = """
import json, cv2, PIL.Image, torch
opened = PIL.Image.open
from popcond.vision import sam_model
sam_model.tame_libraries(2)
from ultralytics.utils import ONLINE, SETTINGS
same = PIL.Image.open is opened
print(json.dumps([same, cv2.getNumThreads(), torch.get_num_threads(), SETTINGS["sync"], bool(ONLINE)]))
"""


@pytest.mark.skipif(not can_run(), reason="torch and ultralytics are not installed")
def test_the_libraries_are_tamed(tmp_path: Path) -> None:
    words = [sys.executable, "-c", _LOOKS_AROUND]
    done = subprocess.run(words, env=environment(tmp_path, 2), capture_output=True, check=True, timeout=120)
    assert json.loads(done.stdout) == [True, 2, 2, False, False]

"""The user's own actions.toml: what is good in it is used, what is bad is named with its line and cure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.daemons import PATIENCE, environment, running_daemon

OWN = """\
[hop]
label = "Hop"
motion_prompt = "The character hops twice on the spot and stands still again."
performance = "jump"

[wave]
poster = "in the middle"

[typo]
label == "Oops"

[hop]
motion_prompt = "The character hops for ever."

[stumble]
performance = "fall-down-the-stairs"
motion_prompt = "The character stumbles."
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose user has actions of their own, some of them with a mistake."""
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    (home / "config" / "actions.toml").write_text(OWN)
    return home


def test_a_good_entry_is_made_and_the_bad_ones_are_told(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with running_daemon(home):
        done = subprocess.run(
            [sys.executable, "-m", "popcond", "make", "--sample", "--actions", "hop,wave", "--out", str(out), "--json"],
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
            check=False,
            env=environment(home),
        )
    assert done.returncode == 0, done.stderr
    assert [sticker["action"] for sticker in json.loads(done.stdout)["stickers"]] == ["hop", "wave"]
    assert (out / "gif" / "hop.gif").is_file()
    told = " ".join(done.stderr.split())
    assert "actions.toml" in told
    assert "line 7" in told
    assert "stumble" in told
    assert "line 10: action 'typo'" in told
    assert "line 12: action 'hop' is here a second time" in told

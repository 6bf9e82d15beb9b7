"""What strangers named never moves the terminal of whoever reads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.attack.media import good_pictures
from tests.daemons import PATIENCE, environment, running_daemon

EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp"


def popcond(home: Path, *arguments: str) -> str:
    """All that a command says, on both streams."""
    done = subprocess.run(
        [sys.executable, "-m", "popcond", *arguments],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        env=environment(home),
    )
    return (done.stdout + done.stderr).decode()


def moves_a_terminal(text: str) -> bool:
    """Whether a control character other than a line's end is in it."""
    return any(letter in text for letter in ("\x1b", "\x07", "\x9b", "\u202e", "\r"))


@pytest.mark.parametrize("content", [b"no picture", good_pictures()["PNG"]], ids=["refused", "taken"])
def test_a_hostile_file_name_is_written_out(tmp_path: Path, content: bytes) -> None:
    picture = tmp_path / f"{EVIL}.png"
    picture.write_bytes(content)
    out = tmp_path / "out"
    said = popcond(tmp_path / "home", "make", str(picture), "--actions", "nod", "--target", "gif", "--out", str(out))
    assert said
    assert not moves_a_terminal(said)


def test_hostile_names_in_the_rows_are_written_out(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with (
        running_daemon(home) as daemon,
        httpx.Client(base_url=daemon.url, headers=daemon.headers, timeout=PATIENCE) as http,
    ):
        character = http.post("/v1/characters/sample").json()["id"]
        order = {"character_id": character, "actions": ["wave"], "awaits_clips": True}
        assert http.post("/v1/packs", json={"name": EVIL, **order}).status_code == 422
        assert http.post("/v1/packs", json={"name": "gnp\u202e", **order}).status_code in (201, 422)
        assert not moves_a_terminal(popcond(home, "status"))
        assert not any(moves_a_terminal(log.read_text()) for log in home.glob("*.log"))

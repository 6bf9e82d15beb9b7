"""`popcond models`: what is here, what it should be, and what cannot be fetched."""

from __future__ import annotations

from pathlib import Path

from popcond.vision import miniature
from tests.popcond.cli.commands import Command


def test_the_model_that_we_ship_is_here_and_whole(popcond: Command, tmp_path: Path) -> None:
    told = popcond("models", "verify", "mini", "--json", "--home", tmp_path)
    assert told.code == 0
    (row,) = told.json()["models"]
    assert (row["name"], row["file"], row["problem"]) == (miniature.DISPLAY_NAME, str(miniature.WEIGHTS), None)
    assert len(row["sha256"]) == 64


def test_a_broken_file_is_told_with_its_cure(popcond: Command, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "sam2.1_t.pt").write_bytes(b"half of something")
    told = popcond("models", "verify", "tiny", "--home", tmp_path)
    assert told.code == 1
    assert "popcond models fetch" in told.out


def test_what_is_not_published_cannot_be_fetched(popcond: Command, tmp_path: Path) -> None:
    told = popcond("models", "fetch", "huge", "--home", tmp_path)
    assert told.code != 0
    assert "tiny, small, base+, large" in told.err

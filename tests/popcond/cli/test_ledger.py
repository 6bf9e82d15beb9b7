"""What a run leaves that a later one does not vouch for goes; what is the user's own stays, whatever a list says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from popcond.cli.ledger import NAME
from popcond.cli.out_folder import OutFolder
from popcond.errors import BadInput


def run(folder: Path, *names: str, data: bytes = b"ours") -> list[str]:
    """A run that writes these files; returns what it took away."""
    out = OutFolder(folder)
    for name in names:
        out.save(data, *name.split("/"))
    removed = out.sweep()
    out.remember()
    return sorted(path.relative_to(folder).as_posix() for path in removed)


def names(folder: Path) -> list[str]:
    """All files but the list."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.name != NAME)


def listed(folder: Path, **files: bytes) -> None:
    """A list that calls these ours."""
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    (folder / NAME).write_text(json.dumps({"files": digests}))


def test_a_smaller_run_takes_the_larger_one_away(tmp_path: Path) -> None:
    run(tmp_path, "line-emoji/001.png", "line-emoji/002.png", "gif/wave.gif", "gif.zip")
    assert run(tmp_path, "line-emoji/001.png", data=b"new") == ["gif.zip", "gif/wave.gif", "line-emoji/002.png"]
    assert names(tmp_path) == ["line-emoji", "line-emoji/001.png"]
    assert run(tmp_path, "line-emoji/001.png") == []


def test_files_of_the_user_stay(tmp_path: Path) -> None:
    run(tmp_path, "gif/wave.gif", "gif/cry.gif")
    (tmp_path / "gif" / "mine.gif").write_bytes(b"ours")
    (tmp_path / "notes.txt").write_text("mine")
    assert run(tmp_path, "gif/wave.gif") == ["gif/cry.gif"]
    assert names(tmp_path) == ["gif", "gif/mine.gif", "gif/wave.gif", "notes.txt"]


def test_a_file_that_the_user_changed_is_the_users_for_ever(tmp_path: Path) -> None:
    run(tmp_path, "gif/wave.gif")
    (tmp_path / "gif" / "wave.gif").write_bytes(b"retouched")
    assert run(tmp_path, "gif/cry.gif") == []
    (tmp_path / "gif" / "wave.gif").write_bytes(b"ours")
    assert run(tmp_path, "gif/cry.gif") == []
    assert "gif/wave.gif" in names(tmp_path)


def test_files_without_a_list_are_the_users(tmp_path: Path) -> None:
    run(tmp_path, "gif/wave.gif")
    (tmp_path / NAME).unlink()
    assert run(tmp_path, "gif/cry.gif") == []
    assert "gif/wave.gif" in names(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"files": []}', '{"files": {"gif/wave.gif": 1}}', "[" * 9999])
def test_a_damaged_list_costs_nothing(tmp_path: Path, text: str) -> None:
    run(tmp_path, "gif/wave.gif")
    (tmp_path / NAME).write_text(text)
    assert run(tmp_path, "gif/cry.gif") == []
    assert "gif/wave.gif" in names(tmp_path)


def test_a_list_of_a_stranger_reaches_nothing_outside(tmp_path: Path) -> None:
    outside, folder = tmp_path / "precious", tmp_path / "pack"
    outside.mkdir()
    (outside / "file").write_bytes(b"ours")
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "one").symlink_to(outside / "file")
    reached = ("../precious/file", str(outside / "file"), "link/file", "one", "", "..", "a\x00b")
    listed(folder, **dict.fromkeys(reached, b"ours"))
    assert run(folder, "gif/cry.gif") == []
    assert (outside / "file").exists()
    assert (folder / "one").is_symlink()


def test_a_run_that_wrote_nothing_leaves_no_list(tmp_path: Path) -> None:
    OutFolder(tmp_path / "new").remember()
    OutFolder(tmp_path).remember()
    assert list(tmp_path.iterdir()) == []


def test_no_sticker_takes_the_name_of_the_list(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        OutFolder(tmp_path).save(b"{}", NAME)

"""Whole files or none, inside of the folder, and a sentence where that cannot be."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from popcond.cli.out_folder import OutFolder
from popcond.cli.usage import WrongUsage
from popcond.errors import BadInput, OutOfDisk, PopconError


@pytest.fixture
def folder(tmp_path: Path) -> OutFolder:
    """An empty folder that is ready to be written into."""
    folder = OutFolder(tmp_path / "deep" / "pack")
    folder.check()
    return folder


def _names(folder: OutFolder) -> list[str]:
    return sorted(str(path.relative_to(folder.path)) for path in folder.path.rglob("*") if path.is_file())


def test_the_check_makes_nothing(folder: OutFolder, tmp_path: Path) -> None:
    assert list(tmp_path.iterdir()) == []
    folder.path.mkdir(parents=True)
    folder.check()
    assert list(folder.path.iterdir()) == []


def test_a_second_run_replaces_the_files_of_the_first(folder: OutFolder) -> None:
    folder.save(b"first", "gif", "001.gif")
    path = folder.save(b"second", "gif", "001.gif")
    assert path.read_bytes() == b"second"
    assert _names(folder) == ["gif/001.gif"]


@pytest.mark.parametrize(
    "name", ["..", "../001.gif", "a/b.gif", "/etc/passwd", "a\\b.gif", "", ".bashrc", "a\x00b", "a\nb", "x" * 300]
)
def test_a_name_that_leads_elsewhere_is_refused(folder: OutFolder, name: str) -> None:
    with pytest.raises(BadInput, match="no file may be called that"):
        folder.save(b"?", "gif", name)
    assert _names(folder) == []


def test_a_place_where_no_folder_can_be_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "lost").symlink_to("gone")
    for place in (
        tmp_path / "lost",
        tmp_path / ("x" * 300),
        tmp_path / "file",
        tmp_path / "file" / "below",
        Path("/proc/popcond"),
    ):
        with pytest.raises(WrongUsage, match="Nothing can be written") as caught:
            OutFolder(place).check()
        assert "--out" in str(caught.value.cure)


def test_what_stands_in_the_way_of_a_file_is_named(folder: OutFolder) -> None:
    folder.path.mkdir(parents=True)
    (folder.path / "gif").write_text("not a folder")
    with pytest.raises(PopconError, match="cannot be written"):
        folder.save(b"?", "gif", "001.gif")


@pytest.fixture
def no_room() -> Iterator[None]:
    """No file may grow beyond a thousand bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, before)


@pytest.mark.usefixtures("no_room")
def test_a_full_disk_leaves_the_old_file_whole(folder: OutFolder) -> None:
    folder.save(b"old", "gif", "001.gif")
    with pytest.raises(OutOfDisk, match="is full"):
        folder.save(b"new" * 1000, "gif", "001.gif")
    assert (folder.path / "gif" / "001.gif").read_bytes() == b"old"
    assert _names(folder) == ["gif/001.gif"]

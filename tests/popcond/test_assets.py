"""Assets: whole or not there, kept once, swept when nobody wants them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from popcond.assets import Assets
from popcond.errors import NotFound


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    """An empty folder of assets."""
    return Assets(tmp_path / "assets")


def test_an_asset_is_named_by_its_bytes_and_kept_once(assets: Assets) -> None:
    name = assets.put(b"frame")
    assert name == hashlib.sha256(b"frame").hexdigest() == assets.put(b"frame")
    assert assets.read(name) == b"frame"
    assert [path.name for path in assets.folder.rglob("*") if path.is_file()] == [name]


def test_a_file_is_moved_in(assets: Assets, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"moving")
    name = assets.put_file(clip)
    assert not clip.exists()
    assert assets.read(name) == b"moving"


def test_what_nobody_wants_is_swept_and_so_are_drafts_of_the_dead(assets: Assets) -> None:
    wanted, unwanted = assets.put(b"wanted"), assets.put(b"unwanted")
    (assets.folder / ".draft-1-dead").write_bytes(b"half")
    assert assets.sweep({wanted}) == 2
    assert assets.read(wanted) == b"wanted"
    with pytest.raises(NotFound) as caught:
        assets.read(unwanted)
    assert caught.value.code == "asset_missing"
    assert caught.value.cure


def test_a_sweep_leaves_what_does_not_bear_our_names(assets: Assets) -> None:
    strangers = [assets.folder / "art" / "hero.psd", assets.folder / "ab" / "notes.txt", assets.folder / "thesis.txt"]
    for stranger in strangers:
        stranger.parent.mkdir(parents=True, exist_ok=True)
        stranger.write_text("years of work")
    unwanted = assets.put(b"unwanted")
    assert assets.sweep(set()) == 1
    assert all(stranger.read_text() == "years of work" for stranger in strangers)
    with pytest.raises(NotFound):
        assets.path(unwanted)


def test_a_damaged_asset_is_noticed_and_named(assets: Assets) -> None:
    name = assets.put(b"as it was drawn")
    assets.path(name).write_bytes(b"as it was drewn")
    with pytest.raises(NotFound, match=name) as caught:
        assets.read(name)
    assert caught.value.code == "asset_damaged"
    assert caught.value.cure


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "0" * 63, "G" * 64, "0" * 64 + "\n"])
def test_only_a_digest_is_a_name(assets: Assets, name: str) -> None:
    with pytest.raises(NotFound):
        assets.path(name)

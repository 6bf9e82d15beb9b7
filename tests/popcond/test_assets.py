"""Assets: whole or not there, kept once, never other than they were put, and let go when nobody wants them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from popcond.assets import PREFIXES, Assets
from popcond.errors import NotFound


@pytest.fixture
def assets(tmp_path: Path) -> Assets:
    """An empty folder of assets."""
    return Assets(tmp_path / "assets")


def files(assets: Assets) -> list[str]:
    """The names of all files in the folder, wherever they lie."""
    return sorted(path.name for path in assets.folder.rglob("*") if path.is_file())


def test_an_asset_is_named_by_its_bytes_and_kept_once(assets: Assets) -> None:
    name = assets.put(b"frame")
    assert name == hashlib.sha256(b"frame").hexdigest() == assets.put(b"frame")
    assert assets.read(name) == b"frame"
    assert files(assets) == [name]


def test_a_file_is_moved_in(assets: Assets, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"moving")
    name = assets.put_file(clip)
    assert not clip.exists()
    assert assets.read(name) == b"moving"


def test_a_sweep_leaves_what_does_not_bear_our_names(assets: Assets) -> None:
    strangers = [assets.folder / "art" / "hero.psd", assets.folder / "ab" / "notes.txt", assets.folder / "thesis.txt"]
    misplaced = assets.folder / "ab" / ("c" * 64)
    for stranger in (*strangers, misplaced):
        stranger.parent.mkdir(parents=True, exist_ok=True)
        stranger.write_text("years of work")
    assets.put(b"unwanted")
    for prefix in PREFIXES:
        assets.set_apart(prefix, ())
        assets.let_go(prefix, ())
    assert all(stranger.read_text() == "years of work" for stranger in (*strangers, misplaced))
    assert len(files(assets)) == 4


def test_what_is_set_apart_can_be_read_until_it_is_let_go(assets: Assets) -> None:
    kept, gone = assets.put(b"kept"), assets.put(b"gone")
    for name in (kept, gone):
        assert assets.set_apart(name[:2], ()) == 1
        assert not assets.is_kept(name)
    assert assets.read(kept) == b"kept"
    assert assets.let_go(gone[:2], ()) == 1
    assert files(assets) == [kept]
    with pytest.raises(NotFound, match=gone) as caught:
        assets.read(gone)
    assert caught.value.code == "asset_missing"
    assert caught.value.cure


def test_what_somebody_wants_after_all_comes_back(assets: Assets) -> None:
    name = assets.put(b"late row")
    assets.set_apart(name[:2], ())
    assert assets.let_go(name[:2], {name}) == 0
    assert assets.is_kept(name)


def test_what_was_put_again_while_it_was_set_apart_is_kept_once(assets: Assets) -> None:
    name = assets.put(b"twice")
    assets.set_apart(name[:2], ())
    assert assets.put(b"twice") == name
    assets.let_go(name[:2], {name})
    assert files(assets) == [name]


@pytest.mark.parametrize("bytes_now", [b"as it was drewn", b"as it", b""])
def test_a_damaged_asset_is_named_and_moved_aside(assets: Assets, bytes_now: bytes) -> None:
    name = assets.put(b"as it was drawn")
    assets.path(name).write_bytes(bytes_now)
    with pytest.raises(NotFound, match=name) as caught:
        assets.read(name)
    assert caught.value.code == "asset_damaged"
    assert caught.value.details == {"asset": name}
    assert assets.damaged() == (name,)
    with pytest.raises(NotFound) as caught:
        assets.read(name)
    assert caught.value.code == "asset_missing"


def test_a_large_file_is_verified_without_being_read_into_memory(assets: Assets, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"ab" * 1_500_000)
    name = assets.put_file(clip)
    with assets.held(name) as held:
        assert held.stat().st_size == 3_000_000
    with assets.path(name).open("r+b") as file:
        file.seek(2_000_001)
        file.write(b"X")
    with pytest.raises(NotFound) as caught, assets.held(name):
        pass
    assert caught.value.code == "asset_damaged"
    assert assets.drafts() == ()


def test_a_file_that_is_held_stays_where_it_is_whatever_is_tidied(assets: Assets) -> None:
    name = assets.put(b"a clip that is being decoded")
    with assets.held(name) as clip:
        assets.set_apart(name[:2], ())
        assert clip.read_bytes() == b"a clip that is being decoded"
        assets.let_go(name[:2], ())
        assert clip.read_bytes() == b"a clip that is being decoded"
    assert files(assets) == []


def test_a_file_that_was_set_apart_can_be_held(assets: Assets) -> None:
    name = assets.put(b"a clip")
    assets.set_apart(name[:2], ())
    with assets.held(name) as clip:
        assert clip.read_bytes() == b"a clip"
    assert files(assets) == [name]


def test_a_file_that_is_gone_cannot_be_held(assets: Assets) -> None:
    assets.put(b"another")
    with pytest.raises(NotFound) as caught, assets.held(hashlib.sha256(b"never put").hexdigest()):
        pass
    assert caught.value.code == "asset_missing"


def test_letting_go_of_a_held_file_leaves_the_asset(assets: Assets) -> None:
    name = assets.put(b"a clip")
    with assets.held(name), assets.held(name) as twice:
        assert twice.read_bytes() == b"a clip"
    assert assets.read(name) == b"a clip"
    assert files(assets) == [name]


@pytest.mark.parametrize("bytes_now", [b"as it was drewn", b"as it", b"", None])
def test_putting_the_same_bytes_heals_a_file_that_nobody_has_found_damaged_yet(
    assets: Assets, bytes_now: bytes | None
) -> None:
    name = assets.put(b"as it was drawn")
    place = assets.path(name)
    place.unlink() if bytes_now is None else place.write_bytes(bytes_now)
    assert assets.put(b"as it was drawn") == name
    assert assets.read(name) == b"as it was drawn"


def test_moving_the_same_file_in_heals_too(assets: Assets, tmp_path: Path) -> None:
    name = assets.put(b"clip")
    assets.path(name).write_bytes(b"clap")
    (tmp_path / "clip").write_bytes(b"clip")
    assert assets.put_file(tmp_path / "clip") == name
    assert assets.read(name) == b"clip"


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "0" * 63, "G" * 64, "0" * 64 + "\n"])
def test_only_a_digest_is_a_name(assets: Assets, name: str) -> None:
    with pytest.raises(NotFound):
        assets.path(name)

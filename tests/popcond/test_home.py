"""The home folder: one daemon, one token, and sentences for folders that are no good."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from popcond.errors import HomeUnusable
from popcond.home import (
    RuntimeInfo,
    TokenInForce,
    only_daemon,
    prepare,
    read_or_make_token,
    read_runtime,
    refuse_network_share,
    replace_token,
    write_runtime,
)
from popcond.settings import Settings

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export {share} nfs4 rw,vers=4.2 0 0
/dev/sdb1 {share}/local xfs rw 0 0
me@host: {share}/with\\040gap fuse.sshfs rw 0 0
tmpfs {share}/twice tmpfs rw 0 0
//host/files {share}/twice cifs rw 0 0
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home that is not there yet."""
    return Settings.load(home=tmp_path / "home")


def test_all_of_a_home_is_its_owners_alone(settings: Settings) -> None:
    token = read_or_make_token(settings)
    write_runtime(settings, RuntimeInfo(url="http://x", pid=1, version="0", started=0.0, home=str(settings.home)))
    assert len(token) >= 40
    assert settings.home.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in settings.home.iterdir() if path.is_file()} == {"token", "runtime.json"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in settings.home.iterdir())


def test_two_starters_at_once_make_one_token(settings: Settings) -> None:
    prepare(settings)
    at_once, made = threading.Barrier(8), []

    def make() -> None:
        at_once.wait()
        made.append(read_or_make_token(settings))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1


def test_a_token_file_that_others_could_read_is_closed_and_told(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    token = read_or_make_token(settings)
    settings.token_file.chmod(0o644)
    assert read_or_make_token(settings) == token
    assert settings.token_file.stat().st_mode & 0o777 == 0o600
    assert "--rotate" in caplog.text
    assert token not in caplog.text


@pytest.mark.parametrize("text", ["", "short", "nötascii-nötascii-nötascii"])
def test_a_damaged_token_file_is_told_and_never_taken(settings: Settings, text: str) -> None:
    prepare(settings)
    settings.token_file.write_text(text)
    with pytest.raises(HomeUnusable) as caught:
        read_or_make_token(settings)
    assert caught.value.cure


def test_a_new_token_replaces_the_old_one_whole_and_private(settings: Settings) -> None:
    old = read_or_make_token(settings)
    before = settings.token_file.stat().st_ino
    new = replace_token(settings)
    assert new != old
    assert settings.token_file.read_text() == new
    assert settings.token_file.stat().st_mode & 0o777 == 0o600
    assert settings.token_file.stat().st_ino != before  # another file: whoever reads the old one reads all of it
    assert sorted(path.name for path in settings.home.iterdir() if path.is_file()) == ["token"]


def test_the_old_token_is_out_and_the_new_one_in_at_the_same_moment(settings: Settings) -> None:
    old, hidden = read_or_make_token(settings), list[str]()
    in_force = TokenInForce(old, hidden.append)
    assert in_force.is_borne_by(f"Bearer {old}")
    in_force.rotate(settings)
    new = settings.token_file.read_text()
    assert not in_force.is_borne_by(f"Bearer {old}")
    assert in_force.is_borne_by(f"bearer {new}")
    assert hidden == [old, new]
    assert new not in repr(in_force)


def test_rotations_at_once_leave_the_file_and_the_daemon_of_one_mind(settings: Settings) -> None:
    in_force = TokenInForce(read_or_make_token(settings))
    threads = [threading.Thread(target=in_force.rotate, args=(settings,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert in_force.is_borne_by(f"Bearer {settings.token_file.read_text()}")


def test_a_rotation_that_fails_changes_nothing(settings: Settings) -> None:
    old = read_or_make_token(settings)
    in_force = TokenInForce(old)
    settings.token_file.unlink()
    settings.token_file.mkdir()  # nothing can be put in its place
    with pytest.raises(HomeUnusable):
        in_force.rotate(settings)
    assert in_force.is_borne_by(f"Bearer {old}")
    assert [path.name for path in settings.home.iterdir() if path.name.startswith(".token")] == []


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer {}x", "Bearer \udcff", "Bearer ÿ"]
)
def test_anything_else_is_not_the_token(settings: Settings, authorization: str) -> None:
    token = read_or_make_token(settings)
    assert not TokenInForce(token).is_borne_by(authorization.format(token, token))


def test_one_home_has_one_daemon(settings: Settings) -> None:
    with only_daemon(settings):
        with pytest.raises(HomeUnusable, match="already serves") as caught, only_daemon(settings):
            pass
        assert caught.value.code == "home_locked"
        assert "popcond status" in (caught.value.cure or "")
    with only_daemon(settings):
        pass  # free again


def test_a_file_in_the_way_of_the_home_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for home in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(HomeUnusable, match="cannot be used") as caught:
            prepare(Settings.load(home=home))
        assert "--home" in (caught.value.cure or "")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="only Linux has /proc, where nobody can make a folder")
def test_a_place_where_nobody_can_write_is_told_even_to_root() -> None:
    with pytest.raises(HomeUnusable, match="cannot be used"):
        prepare(Settings.load(home=Path("/proc/popcon")))


@pytest.mark.parametrize("folder", ["", "deep/below", "with gap/home", "twice"])
def test_a_network_share_is_refused_by_the_kind_of_its_mount(tmp_path: Path, folder: str) -> None:
    (tmp_path / "mounts").write_text(MOUNTS.format(share=tmp_path / "share"))
    with pytest.raises(HomeUnusable, match="network share") as caught:
        refuse_network_share(Settings.load(home=tmp_path / "share" / folder), tmp_path / "mounts")
    assert caught.value.code == "home_on_network"


@pytest.mark.parametrize("folder", ["elsewhere", "share/local/home", "shared"])
def test_a_disk_of_this_computer_is_fine_also_below_and_beside_a_share(tmp_path: Path, folder: str) -> None:
    (tmp_path / "mounts").write_text(MOUNTS.format(share=tmp_path / "share"))
    refuse_network_share(Settings.load(home=tmp_path / folder), tmp_path / "mounts")


def test_a_link_to_a_share_does_not_hide_it(tmp_path: Path) -> None:
    (tmp_path / "mounts").write_text(MOUNTS.format(share=tmp_path / "share"))
    (tmp_path / "share").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "share")
    with pytest.raises(HomeUnusable, match="nfs4"):
        refuse_network_share(Settings.load(home=tmp_path / "link" / "home"), tmp_path / "mounts")


def test_where_nothing_is_known_of_mounts_nothing_is_refused(tmp_path: Path, settings: Settings) -> None:
    refuse_network_share(settings, tmp_path / "no such list")


def test_a_damaged_runtime_file_is_none(settings: Settings) -> None:
    prepare(settings)
    assert read_runtime(settings) is None
    settings.runtime_file.write_text('{"url": ')
    assert read_runtime(settings) is None
    os.truncate(settings.runtime_file, 0)
    assert read_runtime(settings) is None

"""The daemon's own sockets."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from popcond.api.listen import is_public, listen, listen_here, listening, url_of
from popcond.errors import HomeUnusable
from popcond.settings import Settings


def test_a_connection_sends_short_answers_at_once() -> None:
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()[:2]):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_taken_port_and_a_stranger_address_are_told_apart() -> None:
    with listen("127.0.0.1", 0) as listener:
        with pytest.raises(HomeUnusable, match="cannot listen") as caught:
            listen("127.0.0.1", listener.getsockname()[1])
        assert (caught.value.code, "--port" in str(caught.value)) == ("port_taken", True)
    with pytest.raises(HomeUnusable, match="no address") as caught:
        listen("256.1.1.1", 0)
    assert caught.value.code == "no_such_host"


def test_the_url_is_one_that_this_computer_can_call() -> None:
    with listen("0.0.0.0", 0) as listener:
        assert url_of(listener).startswith("http://127.0.0.1:")


def test_an_address_of_the_newer_kind_can_be_listened_on() -> None:
    with listen("::1", 0) as listener:
        assert url_of(listener).startswith("http://[::1]:")


@pytest.mark.parametrize(("host", "expected"), [("127.0.0.1", False), ("::1", False), ("0.0.0.0", True), ("::", True)])
def test_it_is_known_who_else_could_connect(host: str, expected: bool) -> None:
    with listen(host, 0) as listener:
        assert is_public(listener) is expected


# ------------------------------------------------------------------ the Unix socket


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A short path, for those of sockets may not be long, whatever the umask of whoever runs the tests."""
    before = os.umask(0)
    with tempfile.TemporaryDirectory(prefix="pop") as short:
        yield Path(short)
    os.umask(before)


def test_a_unix_socket_is_its_owners_alone_and_goes_at_the_end(folder: Path) -> None:
    path = folder / "socket" / "pop.sock"
    with listen_here(path) as listener, socket.socket(socket.AF_UNIX) as caller:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert url_of(listener) == f"unix://{path}"
        assert not is_public(listener)
        caller.connect(str(path))
        (folder / "file").touch()
    assert (folder / "file").stat().st_mode & 0o777 == 0o666  # the umask is what it was
    assert not path.exists()


def test_a_socket_that_a_dead_daemon_left_is_taken_over(folder: Path) -> None:
    path = folder / "pop.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with listen_here(path), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))


def test_a_socket_that_somebody_listens_on_is_never_taken(folder: Path) -> None:
    path = folder / "pop.sock"
    with listen_here(path) as first:
        with pytest.raises(HomeUnusable, match="Another program listens") as caught, listen_here(path):
            pass
        assert caught.value.code == "socket_taken"
        first.settimeout(5)
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(path))
            first.accept()[0].close()  # the one that asked whether anybody listens
            first.accept()[0].close()


def test_a_file_in_the_way_stays(folder: Path) -> None:
    path = folder / "pop.sock"
    path.write_text("precious")
    with pytest.raises(HomeUnusable, match="no socket"), listen_here(path):
        pass
    assert path.read_text() == "precious"


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_a_folder_that_others_can_reach_into_is_refused(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    with pytest.raises(HomeUnusable, match="Others can reach") as caught, listen_here(folder / "pop.sock"):
        pass
    assert caught.value.code == "socket_not_private"
    assert list(folder.iterdir()) == []


def test_a_path_that_is_too_long_is_a_sentence(folder: Path) -> None:
    with pytest.raises(HomeUnusable, match="too long") as caught, listen_here(folder / ("x" * 100) / "pop.sock"):
        pass
    assert "--socket" in (caught.value.cure or "")


def test_a_socket_that_was_replaced_meanwhile_stays(folder: Path) -> None:
    path = folder / "pop.sock"
    with listen_here(path):
        path.unlink()
        path.write_text("somebody else's")
    assert path.exists()


def test_the_settings_say_where_all_is_listened(folder: Path) -> None:
    path = folder / "with gap" / "pop.sock"
    both = Settings.load(home=folder, port=0, socket=path)
    with listening(both) as listeners:
        assert [url_of(listener).partition(":")[0] for listener in listeners] == ["http", "unix"]
        assert url_of(listeners[1]).endswith("/with%20gap/pop.sock")
    alone = Settings.load(home=folder, tcp=False, socket=path)
    with listening(alone) as listeners:
        assert [listener.family for listener in listeners] == [socket.AF_UNIX]


def test_a_taken_port_leaves_no_socket_behind(folder: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        settings = Settings.load(home=folder, port=taken.getsockname()[1], socket=folder / "pop.sock")
        with pytest.raises(HomeUnusable), listening(settings):
            pass
    assert list(folder.iterdir()) == []

"""A daemon's life as its user sees it: how it starts, how it stops, and what it says when it cannot."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from httpx_sse import EventSource

from popcond.client import Client
from popcond.daemon_process import rotate_token, running
from popcond.errors import Unauthorized
from popcond.settings import Settings
from popcond.wire import Event
from tests.daemons import PATIENCE, RunningDaemon, environment, running_daemon


def log_of(home: Path) -> list[str]:
    """What the daemon of a home has said, message by message."""
    lines = (home / "popcond.log").read_text().splitlines()
    return [str(json.loads(line)["message"]) for line in lines]


def refused(home: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A daemon that should not come up."""
    return subprocess.run(
        [sys.executable, "-m", "popcond", "serve", "--home", str(home), *options],
        capture_output=True,
        text=True,
        env=environment(home),
        timeout=PATIENCE,
        check=False,
    )


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that will be."""
    give_up_at = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def half_an_upload(daemon: RunningDaemon) -> socket.socket:
    """A request that the daemon has begun to read, and that never ends."""
    host, port = daemon.url.removeprefix("http://").split(":")
    line = socket.create_connection((host, int(port)), timeout=PATIENCE)
    head = (
        f"POST /v1/characters HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {daemon.token}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n"
    )
    line.sendall(head.encode())
    assert line.recv(100).startswith(b"HTTP/1.1 100")
    return line


@contextlib.asynccontextmanager
async def stream(daemon: RunningDaemon) -> AsyncIterator[AsyncIterator[str]]:
    """The names of the events from now on, until the stream ends."""
    async with (
        asyncio.timeout(PATIENCE),
        httpx.AsyncClient(timeout=PATIENCE) as http,
        http.stream("GET", f"{daemon.url}/v1/events", headers=daemon.headers) as response,
    ):
        assert response.status_code == 200
        messages = EventSource(response).aiter_sse()
        yield (message.event async for message in messages if message.data)


@pytest.fixture
def short() -> Iterator[Path]:
    """A home with a short path, for those of sockets may not be long."""
    with TemporaryDirectory(prefix="pop") as folder:
        yield Path(folder) / "home"


@pytest.fixture(scope="module")
def exposed() -> Iterator[RunningDaemon]:
    """A daemon in a home that others can enter, which other computers can call, and with a socket."""
    with TemporaryDirectory(prefix="pop") as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o755)
        with running_daemon(home, "--host", "0.0.0.0", "--socket") as daemon:
            yield daemon


# ------------------------------------------------------------------ start


def test_it_starts_in_its_order(exposed: RunningDaemon) -> None:
    said = log_of(exposed.home)
    order = ["the database is at", "recovered", "popcond"]
    places = [next(place for place, line in enumerate(said) if line.startswith(word)) for word in order]
    assert places == sorted(places)
    assert "is ready on http://127.0.0.1:" in said[places[-1]]


def test_it_warns_of_listening_for_others(exposed: RunningDaemon) -> None:
    assert httpx.get(f"{exposed.url}/v1/packs").status_code == 401  # the token is asked for all the same
    assert any("not encrypted" in line for line in log_of(exposed.home))


def test_everything_it_makes_is_private_even_in_an_open_home(exposed: RunningDaemon) -> None:
    made = httpx.post(f"{exposed.url}/v1/characters/sample", headers=exposed.headers, timeout=PATIENCE)
    made.raise_for_status()
    ours = [path for path in exposed.home.rglob("*") if path.name != "serve.log"]  # which the test has made itself
    assert len(ours) > 5
    assert [path for path in ours if path.stat().st_mode & 0o077] == []


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="only Linux tells a process's limits to others")
def test_files_enough_for_a_thousand_streams_are_asked_for(exposed: RunningDaemon) -> None:
    lines = Path(f"/proc/{exposed.process.pid}/limits").read_text().splitlines()
    soft, hard = next(line.split()[3:5] for line in lines if line.startswith("Max open files"))
    assert soft == hard or int(soft) >= 1 << 16


def test_a_second_daemon_leaves_the_first_ones_home_as_it_is(exposed: RunningDaemon) -> None:
    (exposed.home / ".popcon-work" / "in-use").write_text("scratch")
    done = refused(exposed.home, "--port", "0", "--socket")
    assert done.returncode == 1
    assert "already serves" in done.stderr
    assert "popcond status" in done.stderr
    assert (exposed.home / ".popcon-work" / "in-use").exists()
    assert (exposed.home / "socket" / "popcond.sock").exists()
    assert sum(line.startswith("the database is at") for line in log_of(exposed.home)) == 1
    assert httpx.get(f"{exposed.url}/v1/packs", headers=exposed.headers).status_code == 200


def test_what_was_left_is_recovered_before_anybody_may_call(tmp_path: Path) -> None:
    """The port is taken, so binding fails; by then the dead daemon's draft has gone, and no note says `ready`."""
    draft = tmp_path / "assets" / ".draft-of-the-dead"
    with running_daemon(tmp_path) as daemon:
        pass
    draft.write_text("half a file")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = refused(tmp_path, "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "cannot listen on 127.0.0.1" in done.stderr
    assert not draft.exists()
    assert not (tmp_path / "runtime.json").exists()
    with running_daemon(tmp_path) as again:  # the lock and the database were given back
        assert again.token == daemon.token


@pytest.mark.parametrize(
    ("config", "told"),
    [("port = 99999", "port"), ("port = = 1", "config.toml"), ('dashscope_api_key = "sk-1234567890"', "key set")],
)
def test_a_setting_that_is_no_good_is_wrong_usage(tmp_path: Path, config: str, told: str) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(config)
    done = refused(tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
    assert "sk-" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "popcon.db").exists()


# ------------------------------------------------------------------ folders that are no good

UNSHARE = ["unshare", "--map-root-user", "--mount"]


def mounts_can_be_tried() -> bool:
    """Whether this system lets us mount where nobody else sees it."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode == 0


def in_a_mount(folder: Path, prepare: str, home: Path) -> subprocess.CompletedProcess[str]:
    """A daemon that should not come up, in a small file system of its own that goes with it."""
    folder.mkdir(exist_ok=True)
    serve = f'{prepare} && exec "{sys.executable}" -m popcond serve --port 0 --home "{home}"'
    return subprocess.run(
        [*UNSHARE, "sh", "-c", serve],
        capture_output=True,
        text=True,
        env=environment(home),
        timeout=PATIENCE,
        check=False,
    )


needs_mounts = pytest.mark.skipif(not mounts_can_be_tried(), reason="this system does not let us mount in private")


@needs_mounts
def test_a_read_only_home_is_a_sentence(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    make = f'mount -t tmpfs tmpfs "{disk}" && mkdir -p "{disk}/home" && mount -o remount,ro "{disk}"'
    for home in (disk / "home", disk / "new"):
        done = in_a_mount(disk, make, home)
        assert done.returncode == 1
        assert f"The folder {home} cannot be used" in done.stderr
        assert "--home" in done.stderr


@needs_mounts
@pytest.mark.parametrize("size", ["8k", "300k"])
def test_a_home_on_a_full_disk_is_a_sentence(tmp_path: Path, size: str) -> None:
    disk = tmp_path / "disk"
    done = in_a_mount(disk, f'mount -t tmpfs -o size={size} tmpfs "{disk}"', disk / "home")
    assert done.returncode == 1
    assert "Free some space" in done.stderr
    assert "Traceback" not in done.stderr


# ------------------------------------------------------------------ stop


async def test_it_stops_with_ten_streams_open_and_says_goodbye_to_each(tmp_path: Path) -> None:
    """Beyond 5 seconds it would leave with status 1."""
    with running_daemon(tmp_path) as daemon:
        async with contextlib.AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(stream(daemon)) for _ in range(10)]
            daemon.process.send_signal(signal.SIGTERM)
            last = [[name async for name in names][-1] for names in streams]
        assert last == ["bye"] * 10
        assert await asyncio.to_thread(daemon.process.wait, PATIENCE) == 0
    assert log_of(tmp_path)[-1] == "stopped"
    assert not (tmp_path / "runtime.json").exists()
    assert not (tmp_path / "popcon.db-wal").exists()  # folded into the database


def test_somebody_who_hangs_in_the_middle_does_not_keep_it(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon, half_an_upload(daemon):
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(PATIENCE) == 0


def test_a_second_signal_does_not_wait_for_anybody(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        with half_an_upload(daemon):
            daemon.process.send_signal(signal.SIGINT)
            until(lambda: "stopping" in log_of(tmp_path))
            daemon.process.send_signal(signal.SIGTERM)
            assert daemon.process.wait(PATIENCE) == 1
        assert log_of(tmp_path)[-1] == "leaving at once: told twice"
    with running_daemon(tmp_path) as again:
        assert httpx.get(f"{again.url}/readyz", headers=again.headers, timeout=PATIENCE).status_code == 200


# ------------------------------------------------------------------ the token


async def test_a_rotation_shuts_the_old_token_out_at_once_and_its_streams_too(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        async with stream(daemon) as names, Client(daemon.url, daemon.token) as client:
            await client.rotate_token()
            with pytest.raises(Unauthorized):
                await client.packs()
            assert [name async for name in names][-1] == "bye"
        token = (tmp_path / "token").read_text()
        assert token != daemon.token
        assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
        async with Client(daemon.url, token) as client:
            assert await client.packs() == ()


async def test_a_client_that_can_read_the_new_token_does_not_notice(tmp_path: Path) -> None:
    settings = Settings.load(home=tmp_path)
    with running_daemon(tmp_path) as daemon:
        async with Client(daemon.url, daemon.token, renew=settings.token_file.read_text) as client:
            events = client.events()
            assert (await anext(events)).type == "reset"
            await rotate_token(settings)  # as `popcond token --rotate` does
            sample = await client.add_sample_character()  # an upload of nothing, sent twice
            assert await _until_told_of(events, sample.id)
            await events.aclose()


async def _until_told_of(events: AsyncIterator[Event], character_id: str) -> bool:
    async with asyncio.timeout(PATIENCE):
        async for event in events:
            if event.character is not None and event.character.id == character_id:
                return True
    return False


def test_without_a_daemon_only_the_file_changes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "popcond", "token", "--home", str(tmp_path)]
    first = subprocess.run(command, capture_output=True, text=True, check=True, env=environment(tmp_path))
    second = subprocess.run(
        [*command, "--rotate"], capture_output=True, text=True, check=True, env=environment(tmp_path)
    )
    assert first.stdout != second.stdout
    assert second.stdout.strip() == (tmp_path / "token").read_text()


# ------------------------------------------------------------------ the Unix socket


async def test_a_daemon_may_listen_on_nothing_but_a_socket(short: Path) -> None:
    with running_daemon(short, "--no-tcp", "--socket") as daemon:
        path = short / "socket" / "popcond.sock"
        assert daemon.url == f"unix://{path}"
        assert json.loads((short / "runtime.json").read_text())["socket"] == str(path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        async with Client(daemon.url, daemon.token) as client:
            assert await client.is_healthy()
            assert (await client.version()).version
        found = await running(Settings.load(home=short))  # as every command looks for it
        assert found is not None
        assert found.url == daemon.url
    assert not path.exists()


def test_the_socket_has_the_same_gate(exposed: RunningDaemon) -> None:
    path = exposed.home / "socket" / "popcond.sock"
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as http:
        answers = {
            host: http.get("http://localhost/v1/packs", headers={**exposed.headers, "Host": host}).status_code
            for host in ("localhost", "popcond", "evil.example", "127.0.0.1", str(path))
        }
        assert list(answers.values()) == [200, 200, 400, 400, 400]
        assert http.get("http://popcond/v1/packs").status_code == 401
        page = {**exposed.headers, "Origin": "null"}
        assert http.get("http://popcond/v1/packs", headers=page).status_code == 403
    host = {**exposed.headers, "Host": "popcond"}  # that name is for the socket alone
    assert httpx.get(f"{exposed.url}/v1/packs", headers=host).status_code == 400


def test_the_command_line_reaches_a_daemon_by_its_socket(exposed: RunningDaemon) -> None:
    url = f"unix://{exposed.home}/socket/popcond.sock"
    done = subprocess.run(
        [sys.executable, "-m", "popcond", "status", "--url", url, "--home", str(exposed.home)],
        capture_output=True,
        text=True,
        check=True,
        env=environment(exposed.home),
    )
    assert f"runs at {url}" in done.stdout


def test_a_socket_of_a_killed_daemon_is_in_nobodys_way(short: Path) -> None:
    with running_daemon(short, "--socket") as daemon:
        daemon.process.kill()
        daemon.process.wait(PATIENCE)
    assert (short / "socket" / "popcond.sock").exists()
    with running_daemon(short, "--socket", "--no-tcp") as again:
        assert again.process.poll() is None

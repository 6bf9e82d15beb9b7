"""Who gets in: bearers of the token, from this machine, and never a web page."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.clips import moving_disc, write_clip
from tests.daemons import PATIENCE, RunningDaemon, running_daemon

ROUTES = ["/v1/version", "/v1/packs", "/v1/events", "/v1/actions", "/openapi.json", "/v1/nothing", "/"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer wrong", "Basic {token}", "{token}"])
def test_nobody_gets_in_without_the_token(daemon: RunningDaemon, route: str, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.format(token=daemon.token)}
    answer = httpx.get(daemon.url + route, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"
    assert "popcond token" in answer.json()["cure"]
    assert daemon.token not in answer.text


def test_health_needs_no_token_and_tells_nothing_else(daemon: RunningDaemon) -> None:
    answer = httpx.get(f"{daemon.url}/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:8765", ""])
@pytest.mark.parametrize("route", ["/healthz", "/v1/packs"])
def test_a_web_page_is_refused_even_with_the_token(daemon: RunningDaemon, origin: str, route: str) -> None:
    answer = httpx.get(daemon.url + route, headers={**daemon.headers, "Origin": origin})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::2]:80"])
def test_a_rebound_name_is_refused(daemon: RunningDaemon, host: str) -> None:
    assert httpx.get(f"{daemon.url}/v1/packs", headers={**daemon.headers, "Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost:8765", "[::1]", "[::1]:8765"])
def test_this_machine_goes_by_its_own_names(daemon: RunningDaemon, host: str) -> None:
    assert httpx.get(f"{daemon.url}/v1/packs", headers={**daemon.headers, "Host": host}).status_code == 200


def test_every_answer_is_told_not_to_be_a_page(daemon: RunningDaemon) -> None:
    answer = httpx.get(f"{daemon.url}/v1/packs", headers=daemon.headers)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]


def test_the_token_is_private_to_its_owner(daemon: RunningDaemon) -> None:
    assert (daemon.home / "token").stat().st_mode & 0o777 == 0o600
    assert daemon.token not in (daemon.home / "serve.log").read_text()
    assert daemon.token not in (daemon.home / "runtime.json").read_text()


def test_the_server_does_not_say_what_it_is_made_of(daemon: RunningDaemon) -> None:
    assert "server" not in httpx.get(f"{daemon.url}/healthz").headers


@pytest.mark.parametrize("twice", ["Authorization: Bearer {token}", "Host: 127.0.0.1"])
def test_a_header_that_comes_twice_counts_as_none(daemon: RunningDaemon, twice: str) -> None:
    """Two readers of one request could take different ones."""
    host, port = daemon.url.removeprefix("http://").split(":")
    lines = ["GET /v1/packs HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {daemon.token}", twice, "", ""]
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as line:
        line.sendall("\r\n".join(lines).format(token=daemon.token).encode())
        status = line.recv(100).split()[1]
    assert status in (b"400", b"401")


def test_nothing_of_a_strangers_file_is_decoded_outside_a_limited_child(tmp_path: Path) -> None:
    """With less memory for a child than its libraries need, every decoder fails, and the daemon goes on."""
    home, picture, clip = tmp_path / "home", tmp_path / "picture.png", tmp_path / "clip.mp4"
    disc = moving_disc(4)
    Image.fromarray(disc[0]).save(picture)
    write_clip("mp4", disc, 8, clip)

    def sent(daemon: RunningDaemon, path: str, file: Path) -> httpx.Response:
        with file.open("rb") as opened:
            return httpx.post(daemon.url + path, headers=daemon.headers, files={"file": opened}, timeout=PATIENCE)

    with running_daemon(home) as daemon:
        character = sent(daemon, "/v1/characters", picture).raise_for_status().json()
        order = {"character_id": character["id"], "actions": ["wave"], "targets": ["gif"]}
        pack = httpx.post(f"{daemon.url}/v1/packs", headers=daemon.headers, json=order).raise_for_status().json()
        emoji = f"/v1/emojis/{pack['emojis'][0]['id']}"
        httpx.post(f"{daemon.url}{emoji}/cancel", headers=daemon.headers).raise_for_status()
        sent(daemon, f"{emoji}/clip", clip).raise_for_status()
        httpx.post(f"{daemon.url}{emoji}/cancel", headers=daemon.headers).raise_for_status()
    with running_daemon(home, variables={"POPCON_WORKER_MEMORY_MB": "512"}) as daemon:
        assert sent(daemon, "/v1/characters", picture).json()["code"] == "out_of_memory"
        assert sent(daemon, f"{emoji}/clip", clip).json()["code"] in ("out_of_memory", "worker_died")
        assert httpx.get(f"{daemon.url}/v1/packs", headers=daemon.headers).status_code == 200

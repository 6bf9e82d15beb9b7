"""Who gets in: bearers of the token, from this machine, and never a web page."""

from __future__ import annotations

import httpx
import pytest

from tests.daemons import RunningDaemon

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

"""Canaries in a mine: a daemon's key and token, driven through successes and failures, are told nowhere."""

from __future__ import annotations

import contextlib
import json
import signal
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from tests.daemons import PATIENCE, RunningDaemon, running_daemon

pytestmark = pytest.mark.xdist_group("secrets")  # one daemon hears them all, and the last one stops it

KEY = "sk-canary0123456789abcdef0123456789"
OTHER_TOKEN = "canary-of-another-daemon-0123456789"  # what a client of elsewhere has in POPCON_TOKEN
CANARIES = (KEY, "canary")


class _Indiscreet(BaseHTTPRequestHandler):
    """A provider that refuses every key, and repeats it in its answer."""

    def answer(self) -> None:
        """401, with all that it was sent."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        authorization = self.headers.get("Authorization", "")
        told = {"code": "InvalidApiKey", "message": f"Wrong key: {authorization}. See https://x/?Signature={KEY}"}
        body = json.dumps(told).encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-Id", authorization)
        self.end_headers()
        self.wfile.write(body)
        self.server.heard.append(authorization)  # type: ignore[attr-defined]

    do_GET = do_POST = answer  # noqa: N815 - the library's names

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextlib.contextmanager
def indiscreet_provider() -> Iterator[ThreadingHTTPServer]:
    """The provider; `heard` holds the keys that it was shown."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Indiscreet)
    server.heard = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Witness:
    """Sends requests, and remembers every word of the answers."""

    def __init__(self, daemon: RunningDaemon) -> None:
        self.daemon = daemon
        self.heard: list[str] = []
        self.statuses: set[int] = set()
        self.http = httpx.Client(base_url=daemon.url, headers=daemon.headers, timeout=PATIENCE)

    def ask(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """One request, as the bearer of the token unless its headers say otherwise."""
        answer = self.http.request(method, path, **parts)
        self.heard.append(f"{answer.headers}{answer.text}")
        self.statuses.add(answer.status_code)
        return answer

    def made(self, path: str, body: Any = None) -> Any:
        """What a request has made."""
        return self.ask("POST", path, json=body).raise_for_status().json()

    def events(self) -> str:
        """All that was told so far, from the first event on."""
        newest, told = self.made("/v1/characters/sample"), ""
        with self.http.stream("GET", "/v1/events", headers={"Last-Event-ID": "0"}) as response:
            for text in response.iter_text():
                told += text
                if newest["id"] in told:
                    break
        return told

    def order(self, provider: str, actions: list[str]) -> dict[str, Any]:
        """The body of a pack's order."""
        character = self.ask("GET", "/v1/characters").json()[0]["id"]
        order = {"name": "Pack", "character_id": character, "actions": actions, "provider": provider}
        return {**order, "targets": ["gif"], "auto_accept": True}


@pytest.fixture(scope="module")
def mine() -> Iterator[tuple[Witness, ThreadingHTTPServer]]:
    """The daemon with the canaries; it says all that it can say."""
    with TemporaryDirectory(prefix="pop") as folder, indiscreet_provider() as provider:
        variables = {
            "DASHSCOPE_API_KEY": KEY,
            "POPCON_TOKEN": OTHER_TOKEN,
            "POPCON_DASHSCOPE_BASE_URL": f"http://127.0.0.1:{provider.server_port}/api/v1",
            "POPCON_LOG_LEVEL": "debug",
        }
        with running_daemon(Path(folder) / "home", "--socket", variables=variables) as daemon:
            witness = Witness(daemon)
            with witness.http:
                yield witness, provider


def until_settled(witness: Witness, pack_id: str, meanwhile: Any = lambda: None) -> list[dict[str, Any]]:
    """The pack's emojis, once nothing more happens to them."""
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        meanwhile()
        emojis: list[dict[str, Any]] = witness.ask("GET", f"/v1/packs/{pack_id}").json()["emojis"]
        if all(emoji["status"] in ("done", "failed", "cancelled") for emoji in emojis):
            return emojis
        time.sleep(0.05)
    raise AssertionError(emojis)


def descendants(pid: int) -> dict[int, bytes]:
    """The environments of a process's children and theirs, by their ids."""
    parents = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found, grown = {pid}, True
    while grown:
        more = {child for child, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    environments = {}
    for child in found - {pid}:
        with contextlib.suppress(OSError):
            environments[child] = Path(f"/proc/{child}/environ").read_bytes()
    return environments


def assert_silent(*told: str | bytes) -> None:
    """No canary in any of it."""
    for text in told:
        raw = text.encode() if isinstance(text, str) else text
        for canary in CANARIES:
            at = raw.find(canary.encode())
            assert at < 0, raw[max(at - 200, 0) : at + 60]


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux shows environments")
def test_no_child_is_given_a_secret(mine: tuple[Witness, ThreadingHTTPServer]) -> None:
    witness, _ = mine
    witness.made("/v1/characters/sample")
    pack = witness.made("/v1/packs", witness.order("puppet", ["wave"]))
    seen: dict[int, bytes] = {}
    emojis = until_settled(witness, pack["id"], lambda: seen.update(descendants(witness.daemon.process.pid)))
    assert [emoji["status"] for emoji in emojis] == ["done"]
    assert len(seen) > 3  # the server of children, its helper, and children
    assert_silent(*seen.values())
    assert not any(witness.daemon.token.encode() in environment for environment in seen.values())


def test_a_provider_that_repeats_the_key_is_not_repeated(mine: tuple[Witness, ThreadingHTTPServer]) -> None:
    witness, provider = mine
    known = {row["name"]: row for row in witness.ask("GET", "/v1/providers").json()}
    assert known["dashscope"]["has_key"] is True
    pack = witness.made("/v1/packs", witness.order("dashscope", ["jump"]))
    emojis = until_settled(witness, pack["id"])
    assert f"Bearer {KEY}" in provider.heard  # type: ignore[attr-defined]
    assert [emoji["status"] for emoji in emojis] == ["failed"]
    assert emojis[0]["problem"]["message"]
    assert_silent(json.dumps(emojis))


def _misplaced(token: str) -> list[dict[str, Any]]:
    """Requests that carry secrets where none belong."""
    return [
        {"params": {"token": token, "api_key": KEY, "Signature": KEY, "after": KEY}},
        {"headers": {"Authorization": f"Bearer {KEY}"}},
        {"headers": {"X-Api-Key": KEY, "Cookie": f"token={token}; key={KEY}", "Idempotency-Key": KEY}},
        {"headers": {"Origin": f"https://{KEY}.example"}},
        {"headers": {"Host": f"{KEY}.example"}},
        {"headers": {"Popcon-Client": f"{KEY}/1 api=7-8"}},
        {"headers": {"Last-Event-ID": KEY, "Range": KEY, "Accept": KEY}},
        {"json": {"token": token, "api_key": KEY, "actions": KEY, "frames": {KEY: KEY}, "task_id": [KEY]}},
        {"json": [KEY]},
        {"content": f'{{"key": "{KEY}", "token": {token}', "headers": {"Content-Type": "application/json"}},
        {
            "files": {"file": (f"{KEY}.png", f"{KEY} {token}".encode()), KEY: KEY.encode()},
            "data": {"name": f" {KEY}\x00"},
        },
    ]


def test_secrets_in_wrong_places_are_not_told_on(mine: tuple[Witness, ThreadingHTTPServer]) -> None:
    witness, _ = mine
    token = witness.daemon.token
    routes = witness.ask("GET", "/openapi.json").json()["paths"]
    witness.heard.clear()
    for path, methods in routes.items():
        if path in ("/v1/events", "/v1/token/rotate"):  # one does not end, the other is for the end
            continue
        filled = "/".join(KEY if part.startswith("{") else part for part in path.split("/"))
        for method in methods:
            for parts in _misplaced(token):
                witness.ask(method.upper(), filled, **parts)
    with_token = f"/v1/emojis/{token}/frames?Signature={token}"
    witness.ask("GET", with_token)
    assert {400, 401, 403, 404, 422, 426} <= witness.statuses
    assert not {status for status in witness.statuses if status >= 500 and status != 503}
    answers = [answer for answer in witness.heard if token not in answer]
    assert len(answers) >= len(witness.heard) - 1  # only who wrote it into the path is answered with what he wrote
    assert_silent(*answers)
    assert_silent(witness.events())


def test_what_stays_behind_holds_no_secret(mine: tuple[Witness, ThreadingHTTPServer]) -> None:
    """The last: it stops the daemon."""
    witness, _ = mine
    home, old = witness.daemon.home, witness.daemon.token
    witness.ask("POST", "/v1/token/rotate", params={"token": old}).raise_for_status()
    new = (home / "token").read_text()
    witness.ask("GET", f"/v1/packs/{new}", headers={"Authorization": f"Bearer {new}"})
    witness.daemon.process.send_signal(signal.SIGTERM)
    assert witness.daemon.process.wait(PATIENCE) == 0
    left = {path.name: path.read_bytes() for path in home.rglob("*") if path.is_file() and path.name != "token"}
    assert {"popcon.db", "popcond.log", "serve.log"} <= left.keys()
    assert len(left["popcond.log"]) > 1000
    for name, held in left.items():
        assert_silent(held)
        assert old.encode() not in held, name
        assert new.encode() not in held, name

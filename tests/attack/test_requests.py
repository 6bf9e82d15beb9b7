"""Whatever bytes a stranger puts on the daemon's socket: an answer or a hang-up, no change, and others are served."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.attack.outside import RawAnswer, address, ask_raw, complaints, connected, read_answer, request, rows
from tests.daemons import RunningDaemon, running_daemon


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """A daemon of these tests' own, with a character and a pack that waits for clips: nothing moves by itself."""
    with running_daemon(tmp_path_factory.mktemp("attacked")) as daemon:
        with httpx.Client(base_url=daemon.url, headers=daemon.headers, timeout=60) as http:
            character = http.post("/v1/characters/sample").json()["id"]
            order = {"name": "Calm", "character_id": character, "actions": ["wave"], "awaits_clips": True}
            assert http.post("/v1/packs", json=order).status_code == 201
        yield daemon


@pytest.fixture(autouse=True)
def _nothing_changes(target: RunningDaemon) -> Iterator[None]:
    """No attack of this file may change a row, nor bring the daemon down."""
    before, said = rows(target.home), complaints(target.home)
    yield
    assert rows(target.home) == before
    assert httpx.get(f"{target.url}/healthz").json() == {"status": "ok"}
    assert complaints(target.home) == said


def is_refused(answer: RawAnswer) -> bool:
    """Whether it was answered with a refusal, or not at all."""
    return answer.status == 0 or 400 <= answer.status < 500


# ------------------------------------------------------------------ who asks

TOKENS = [
    "Bearer ",
    "Bearer  ",
    "Bearer x",
    "bearer",
    "Basic dXNlcjp4",
    "Bearer \x00",
    "Bearer \xff\xfe",
    "Bearer " + "a" * 15_000,
    "Bearer null",
    "Bearer undefined",
    "Token x",
    ",",
    "Bearer x, Bearer y",
]


@pytest.mark.parametrize("value", TOKENS)
def test_no_other_authorization_gets_in(target: RunningDaemon, value: str) -> None:
    answer = ask_raw(target, request(target, "GET /v1/packs HTTP/1.1", f"Authorization: {value}", token=False))
    assert answer.status in (400, 401)
    assert target.token.encode() not in answer.body


def test_a_shortened_or_lengthened_token_does_not_get_in(target: RunningDaemon) -> None:
    for token in (target.token[:-1], target.token + "x", target.token.upper() + "x", "".join(reversed(target.token))):
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}) as http:
            assert http.get(f"{target.url}/v1/packs").status_code == 401


def test_of_two_authorizations_neither_gets_in(target: RunningDaemon) -> None:
    good, bad = f"Authorization: Bearer {target.token}", "Authorization: Bearer x"
    for headers in ((good, bad), (bad, good)):
        assert ask_raw(target, request(target, "GET /v1/packs HTTP/1.1", *headers, token=False)).status in (400, 401)


def test_the_token_counts_in_no_other_place(target: RunningDaemon) -> None:
    attempts = (
        f"GET /v1/packs?token={target.token} HTTP/1.1",
        f"GET /v1/packs?access_token={target.token} HTTP/1.1",
        f"GET http://x:{target.token}@127.0.0.1/v1/packs HTTP/1.1",
    )
    for line in attempts:
        assert is_refused(ask_raw(target, request(target, line, token=False)))
    cookie = request(target, "GET /v1/packs HTTP/1.1", f"Cookie: token={target.token}", token=False)
    assert ask_raw(target, cookie).status == 401


HOSTS = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example:8765",
    "127.0.0.1@evil.example",
    "127.0.0.1, evil.example",
    "localhost\tx",
    "[::2]",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",
    "127.1",
    "2130706433",
    "0x7f000001",
    "localhost.",
    "LOCALHOST.evil",
    "printer.local",
    "machine.internal",
    "192.168.1.10",
    "x" * 5000,
    "",
]


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host[:24] or "empty")
def test_a_name_that_is_not_ours_is_refused_even_with_the_token(target: RunningDaemon, host: str) -> None:
    answer = ask_raw(target, request(target, "GET /v1/packs HTTP/1.1", f"Host: {host}", host=False))
    assert answer.status == 400


def test_a_request_without_a_name_and_one_with_two_are_refused(target: RunningDaemon) -> None:
    assert ask_raw(target, request(target, "GET /v1/packs HTTP/1.1", host=False)).status == 400
    assert ask_raw(target, request(target, "GET /v1/packs HTTP/1.0", host=False)).status == 400
    two = request(target, "GET /v1/packs HTTP/1.1", "Host: 127.0.0.1", "Host: evil.example", host=False)
    assert ask_raw(target, two).status == 400
    absolute = request(target, "GET http://evil.example/v1/packs HTTP/1.1")
    assert is_refused(ask_raw(target, absolute))


@pytest.mark.parametrize("origin", ["null", "NULL", "", "http://127.0.0.1", "chrome-extension://x", "\xff", "file://"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
def test_whatever_names_an_origin_is_refused(target: RunningDaemon, origin: str, method: str) -> None:
    asked = request(target, f"{method} /v1/packs HTTP/1.1", f"Origin: {origin}", "Content-Length: 0")
    answer = ask_raw(target, asked)
    assert answer.status == 403
    assert "access-control" not in answer.head.lower()


# ------------------------------------------------------------------ what is asked

METHODS = ["TRACE", "CONNECT", "OPTIONS", "HEAD", "PUT", "PROPFIND", "PATCH", "get", "G\x01T", "A" * 4000]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: ascii(method[:10]))
def test_a_method_that_no_route_has_is_refused(target: RunningDaemon, method: str) -> None:
    for path in ("/v1/packs", "/v1/characters/sample", "*", "127.0.0.1:80"):
        answer = ask_raw(target, request(target, f"{method} {path} HTTP/1.1", "Content-Length: 0"), whole=False)
        assert is_refused(answer)
        assert target.token.encode() not in answer.body  # TRACE would give it back


def test_an_upgrade_opens_nothing(target: RunningDaemon) -> None:
    wanted = ("Upgrade: websocket", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13")
    for path in ("/v1/nothing", "/"):
        asked = request(target, f"GET {path} HTTP/1.1", "Connection: Upgrade", *wanted, token=False)
        assert is_refused(ask_raw(target, asked, whole=False))
    with connected(target) as line:
        line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert is_refused(read_answer(line))


IDS = [
    "..%2f..%2ftoken",
    "%2e%2e",
    "..\\..\\token",
    "%00",
    "x%00.png",
    "%ff%fe",
    "%ed%a0%80",
    "a" * 12_000,
    "%0d%0aX-Evil:1",
    "%1b[31m",
    "' OR 1=1 --",
    "*",
    "-1",
    "1e999",
    "%F0%9F%98%80",
]


@pytest.mark.parametrize("identity", IDS, ids=lambda identity: identity[:16])
def test_an_id_is_only_ever_an_id(target: RunningDaemon, identity: str) -> None:
    identity = identity.replace(" ", "%20")
    for path in (
        f"/v1/characters/{identity}",
        f"/v1/characters/{identity}/picture",
        f"/v1/emojis/{identity}/frames",
        f"/v1/emojis/{identity}/raw-frame/0",
        f"/v1/stickers/{identity}/file",
        f"/v1/packs/{identity}/bundle/gif",
        f"/v1/packs/x/bundle/{identity}",
    ):
        answer = ask_raw(target, request(target, f"GET {path} HTTP/1.1"))
        assert answer.status in (400, 404, 422), path
        assert "x-evil" not in answer.head.lower()
        assert target.token.encode() not in answer.body
        if answer.body.startswith(b"{"):
            problem = json.loads(answer.body)
            assert problem["message"].endswith((".", "…"))
            assert "\x1b" not in problem["message"]


@pytest.mark.parametrize(
    "path", ["/../token", "/v1/../../token", "//etc/passwd", "/%2e%2e/token", "/v1//packs", "/.", "/?x"]
)
def test_no_path_leads_to_a_file(target: RunningDaemon, path: str) -> None:
    assert ask_raw(target, request(target, f"GET {path} HTTP/1.1")).status == 404


# ------------------------------------------------------------------ bodies

SMUGGLED = [
    ("Content-Length: 5", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    ("Transfer-Encoding: xchunked",),
    ("Transfer-Encoding : chunked",),
    ("Content-Length: 5", "Content-Length: 6"),
    ("Content-Length: -1",),
    ("Content-Length: 5, 6",),
    ("Content-Length: 0x5",),
    ("Content-Length: +5",),
    ("Content-Length: 99999999999999999999999999999999",),
]


@pytest.mark.parametrize("headers", SMUGGLED, ids=lambda headers: headers[0] + (" +" if len(headers) > 1 else ""))
def test_a_body_of_two_lengths_carries_no_second_request(target: RunningDaemon, headers: tuple[str, ...]) -> None:
    inner = request(target, "POST /v1/characters/sample HTTP/1.1", "Content-Length: 0")
    asked = request(target, "POST /v1/packs HTTP/1.1", "Content-Type: application/json", *headers)
    answer = ask_raw(target, asked.replace(b"Connection: close\r\n", b"") + b"0\r\n\r\n" + inner, whole=False)
    assert is_refused(answer)
    assert b"201 Created" not in answer.body


CHUNKS = {
    "no number": b"zz\r\nx\r\n0\r\n\r\n",
    "less than nothing": b"-1\r\nx\r\n",
    "more than anything": b"f" * 40 + b"\r\nx",
    "a long extension": b"5;" + b"x" * 70_000,
}


@pytest.mark.parametrize("chunks", list(CHUNKS.values()), ids=list(CHUNKS))
def test_bad_chunks_are_refused(target: RunningDaemon, chunks: bytes) -> None:
    asked = request(target, "POST /v1/packs HTTP/1.1", "Transfer-Encoding: chunked", "Content-Type: application/json")
    assert is_refused(ask_raw(target, asked + chunks, whole=False))


JSON = {
    "100,000 brackets": b"[" * 100_000,
    "100,000 objects": b'{"a":' * 100_000,
    "NaN": b'{"character_id": "x", "actions": ["wave"], "max_spend": NaN}',
    "Infinity": b'{"character_id": "x", "actions": ["wave"], "max_spend": Infinity}',
    "a number without end": b'{"character_id": "x", "actions": ["wave"], "max_spend": ' + b"9" * 500_000 + b"}",
    "half a character": b'{"character_id": "\\ud800", "actions": ["wave"]}',
    "half a character in a list": b'{"character_id": "x", "actions": ["\\udfff"]}',
    "half a character in a key": b'{"\\ud800": 1}',
    "no UTF-8": b'{"character_id": "\xff"}',
    "UTF-16": '{"character_id": "x"}'.encode("utf-16"),
    "a zero": b'{"character_id": "\\u0000", "actions": ["wave"]}',
    "twice the same key": b'{"character_id": "x", "character_id": ["y"], "actions": []}',
    "an array": b"[]",
    "null": b"null",
    "nothing": b"",
    "200,000 actions": json.dumps({"character_id": "x", "actions": ["wave"] * 100_000}).encode(),
    "a long action": json.dumps({"character_id": "x", "actions": ["w" * 900_000]}).encode(),
}


PRICED_ANYWAY = {"half a character", "a zero"}  # a price does not depend on who is drawn


@pytest.mark.parametrize("kind", JSON)
@pytest.mark.parametrize("path", ["/v1/packs", "/v1/quotes"])
def test_json_that_nobody_writes_is_refused_with_a_sentence(target: RunningDaemon, kind: str, path: str) -> None:
    with httpx.Client(headers={**target.headers, "Content-Type": "application/json"}, timeout=60) as http:
        answer = http.post(target.url + path, content=JSON[kind])
    if path == "/v1/quotes" and kind in PRICED_ANYWAY:
        return
    assert 400 <= answer.status_code < 500
    assert answer.json()["message"].endswith((".", "…"))
    assert len(answer.content) < 4000


def test_a_text_beyond_the_limit_is_refused_whatever_length_it_declares(target: RunningDaemon) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 65536

    with httpx.Client(headers={**target.headers, "Content-Type": "application/json"}, timeout=60) as http:
        assert http.post(f"{target.url}/v1/packs", content=b" " * (2 << 20)).status_code == 413
        assert http.post(f"{target.url}/v1/packs", content=endless()).status_code == 413


def test_headers_without_end_are_refused(target: RunningDaemon) -> None:
    for headers in ((f"X: {'y' * 2_000_000}",), tuple(f"X-{number}: y" for number in range(200_000))):
        assert is_refused(ask_raw(target, request(target, "GET /v1/packs HTTP/1.1", *headers), whole=False))
    assert is_refused(ask_raw(target, b"GET /" + b"a" * 2_000_000 + b" HTTP/1.1\r\n\r\n", whole=False))


@pytest.mark.parametrize(
    "noise",
    [b"\x00" * 4096, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\r\n\r\n\r\n", b"SSH-2.0-x\r\n", b"\n"],
    ids=["zeros", "TLS", "empty lines", "SSH", "a line end"],
)
def test_what_is_no_http_is_hung_up_on(target: RunningDaemon, noise: bytes) -> None:
    assert is_refused(ask_raw(target, noise, whole=False))


# ------------------------------------------------------------------ patience


def test_half_open_connections_do_not_keep_others_waiting(target: RunningDaemon) -> None:
    beginnings = (b"", b"GET", b"POST /v1/packs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500\r\n")
    lines: list[socket.socket] = []
    try:
        for number in range(100):
            lines.append(connected(target))
            lines[-1].sendall(beginnings[number % len(beginnings)])
        for line in lines[::7]:
            line.sendall(b" ")
        asked_at = time.monotonic()
        assert httpx.get(f"{target.url}/v1/packs", headers=target.headers, timeout=20).status_code == 200
        assert time.monotonic() - asked_at < 10
    finally:
        for line in lines:
            line.close()


# ------------------------------------------------------------------ nothing changes by GET


def test_no_get_of_the_whole_api_changes_a_row(target: RunningDaemon) -> None:
    with httpx.Client(base_url=target.url, headers=target.headers, timeout=30) as http:
        pack = http.get("/v1/packs").json()[0]
        known = {
            "character_id": pack["character_id"],
            "pack_id": pack["id"],
            "emoji_id": pack["emojis"][0]["id"],
            "target": "gif",
        }
        asked = 0
        for path, methods in http.get("/openapi.json").json()["paths"].items():
            if "get" not in methods or path == "/v1/events":
                continue
            names = {p["name"] for p in methods["get"].get("parameters", []) if p["in"] == "path"}
            answer = http.get(path.format(**{name: known.get(name, "0") for name in names}))
            assert answer.status_code < 500, path
            asked += 1
    assert asked > 15
    with socket.create_connection(address(target)) as line:
        line.sendall(request(target, "GET /v1/events HTTP/1.1"))
        assert line.recv(4096).startswith(b"HTTP/1.1 200")

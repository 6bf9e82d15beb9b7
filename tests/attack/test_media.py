"""Hostile pictures and clips: refused with a sentence or taken, and never a crash, a leak or a file left behind.

At length: `python -m tests.attack.fuzz --count 2000`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.attack.fuzz import CHILD_MIB, MIB, Outcome, attack
from tests.attack.media import PICTURE_KINDS, good_clips, good_pictures, hostile_files
from tests.attack.outside import HAS_PROC, complaints, connected, left_behind, peak, read_answer, request
from tests.clips import CLIP_KINDS
from tests.daemons import PATIENCE, RunningDaemon, running_daemon

BOUNDARY = "x-boundary"
UPLOAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'.encode(),
    f"\r\n--{BOUNDARY}--\r\n".encode(),
)
KIND = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What a daemon made of every lie and of some broken files."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "scratch").mkdir()
    return attack(folder / "home", hostile_files(150), daemon_files=folder / "scratch")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """A daemon for uploads that go wrong on their way."""
    with running_daemon(tmp_path_factory.mktemp("uploads")) as daemon:
        yield daemon


def test_every_hostile_file_gets_a_fair_answer(outcome: Outcome) -> None:
    assert len(outcome.answers) == 150
    assert outcome.faults == []


def test_the_daemon_lives_and_says_nothing_unexpected(outcome: Outcome) -> None:
    assert outcome.is_alive
    assert outcome.complaints == []


def test_no_scratch_file_is_left(outcome: Outcome) -> None:
    assert outcome.left == []


@pytest.mark.skipif(not HAS_PROC, reason="memory is read from /proc")
def test_memory_stays_within_its_limits(outcome: Outcome) -> None:
    assert 0 < outcome.child_peak < CHILD_MIB * MIB
    assert outcome.daemon_peak < outcome.daemon_before + 64 * MIB


def test_the_same_files_unbroken_are_taken(target: RunningDaemon) -> None:
    with httpx.Client(base_url=target.url, headers=target.headers, timeout=PATIENCE) as http:
        for kind, data in good_pictures().items():
            assert http.post("/v1/characters", files={"file": (kind, data)}).status_code == 201, kind
        assert len(http.get("/v1/characters").json()) == len(PICTURE_KINDS)
        character = http.get("/v1/characters").json()[0]["id"]
        order = {"character_id": character, "actions": ["wave"] * len(CLIP_KINDS), "awaits_clips": True}
        emojis = http.post("/v1/packs", json=order).json()["emojis"]
        for emoji, (kind, data) in zip(emojis, good_clips().items(), strict=True):
            answer = http.post(f"/v1/emojis/{emoji['id']}/clip", files={"file": (kind, data)})
            assert answer.status_code == 200, kind


# ------------------------------------------------------------------ uploads that go wrong on their way


def wait_until_tidy(home: Path) -> None:
    """Until no scratch file is there; says which is, when one stays."""
    give_up_at = time.monotonic() + PATIENCE
    while left := left_behind(home):
        assert time.monotonic() < give_up_at, left
        time.sleep(0.05)


def test_an_upload_that_breaks_off_leaves_nothing(target: RunningDaemon) -> None:
    for length in (f"Content-Length: {40 << 20}", "Transfer-Encoding: chunked"):
        with connected(target) as line:
            line.sendall(request(target, "POST /v1/characters HTTP/1.1", KIND, length))
            body = UPLOAD[0] + bytes(3 << 20)
            line.sendall(body if "Length" in length else f"{len(body):x}\r\n".encode() + body)
    wait_until_tidy(target.home)
    assert complaints(target.home) == []


@pytest.mark.parametrize("length", [1, 60, 10**12], ids=["too short", "in the middle", "a terabyte"])
def test_a_length_that_lies_is_refused(target: RunningDaemon, length: int) -> None:
    before = httpx.get(f"{target.url}/v1/characters", headers=target.headers).json()
    with connected(target) as line:
        line.sendall(request(target, "POST /v1/characters HTTP/1.1", KIND, f"Content-Length: {length}"))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may hang up before it has everything
            line.sendall(UPLOAD[0] + good_pictures()["PNG"] + UPLOAD[1])
        assert read_answer(line).status in (0, 400, 413, 422)
    assert httpx.get(f"{target.url}/v1/characters", headers=target.headers).json() == before
    wait_until_tidy(target.home)


def test_a_body_without_end_is_stopped_at_its_limit(target: RunningDaemon) -> None:
    with connected(target) as line:
        line.sendall(request(target, "POST /v1/characters HTTP/1.1", KIND, "Transfer-Encoding: chunked"))
        chunk = bytes(1 << 20)
        sent = 0
        try:
            line.sendall(f"{len(UPLOAD[0]):x}\r\n".encode() + UPLOAD[0] + b"\r\n")
            while sent < 400:
                line.sendall(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
                sent += 1
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert sent < 400
        assert read_answer(line).status in (0, 413)
    wait_until_tidy(target.home)


@pytest.mark.parametrize(("parts", "kind"), [(40, "files"), (400, "fields")])
def test_a_form_has_no_more_parts_than_it_needs(target: RunningDaemon, parts: int, kind: str) -> None:
    files = [("file" if not n else f"more{n}", ("a.png", b"x" * 900_000)) for n in range(parts)]
    fields = {f"field{n}": "x" for n in range(parts)}
    with httpx.Client(base_url=target.url, headers=target.headers, timeout=PATIENCE) as http:
        if kind == "files":
            answer = http.post("/v1/characters", files=files)
        else:
            answer = http.post("/v1/characters", files={"file": ("a.png", b"x")}, data=fields)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Too many")


@pytest.mark.parametrize(
    "name",
    [
        "../../token",
        "/etc/passwd",
        "C:\\x\\y.png",
        "\x1b[2J\x07.png",
        "a" * 4000,
        ".",
        "..",
        "",
        "\u202egnp.exe",
        "%00",
    ],
)
def test_a_file_name_is_only_ever_a_name(target: RunningDaemon, name: str) -> None:
    with httpx.Client(base_url=target.url, headers=target.headers, timeout=PATIENCE) as http:
        answer = http.post("/v1/characters", files={"file": (name, good_pictures()["PNG"])})
        refused = http.post("/v1/characters", files={"file": (name, b"no picture at all")})
    assert answer.status_code in (201, 422)
    if answer.status_code == 201:
        assert answer.json()["name"].isprintable()
        assert 0 < len(answer.json()["name"]) <= 120
    assert refused.status_code == 422
    assert refused.json()["message"].isprintable()
    assert len(refused.json()["message"]) < 400


@pytest.mark.parametrize("name", ["\x1b[31mred", "a\nb", "a\u202eb", "\x9b2J", "\x00", "\u2028", "\ud800"], ids=ascii)
def test_a_name_that_would_move_a_terminal_is_no_name(target: RunningDaemon, name: str) -> None:
    body = UPLOAD[0] + good_pictures()["PNG"]
    field = f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="name"\r\n\r\n'.encode()
    whole = body + field + name.encode("utf-8", "surrogatepass") + UPLOAD[1]
    with httpx.Client(base_url=target.url, headers=target.headers, timeout=PATIENCE) as http:
        answer = http.post("/v1/characters", content=whole, headers=dict([KIND.split(": ")]))
    assert answer.status_code in (201, 422)
    if answer.status_code == 201:
        assert not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in answer.json()["name"])


@pytest.mark.skipif(not HAS_PROC, reason="memory is read from /proc")
async def test_two_hundred_uploads_at_once_are_all_answered_and_cost_little(tmp_path: Path) -> None:
    noise = b"\x89PNG\r\n\x1a\n" + bytes(3 << 20)
    with running_daemon(tmp_path / "home") as daemon:
        begun_with = peak(daemon.process.pid)
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(headers=daemon.headers, timeout=PATIENCE * 2, limits=limits) as http:
            asked = [http.post(f"{daemon.url}/v1/characters", files={"file": ("a.png", noise)}) for _ in range(200)]
            answers = await asyncio.gather(*asked)
        assert {answer.status_code for answer in answers} == {422}
        assert peak(daemon.process.pid) - begun_with < 200 * MIB
        assert left_behind(daemon.home) == []


def test_an_uploader_that_never_goes_on_keeps_nobody_waiting(target: RunningDaemon) -> None:
    lines: list[socket.socket] = []
    try:
        for _ in range(50):
            lines.append(connected(target))
            lines[-1].sendall(request(target, "POST /v1/characters HTTP/1.1", KIND, "Content-Length: 9000000"))
            lines[-1].sendall(UPLOAD[0] + bytes(100_000))
        with httpx.Client(base_url=target.url, headers=target.headers, timeout=20) as http:
            assert http.post("/v1/characters", files={"file": ("a.png", good_pictures()["PNG"])}).status_code == 201
    finally:
        for line in lines:
            line.close()
    wait_until_tidy(target.home)

"""Downloads of addresses that a provider names: only from where it may be, only so much, only so long, whole or not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from popcond.errors import PopconError, ProviderFailed, ProviderUnreachable, TooLarge
from popcond.video.fetch import Rules, fetch, pinned

CLIP = bytes(range(256)) * 2000
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(CLIP) + CLIP
FROM_HERE = Rules(("oss.example.com",), allows_loopback=True, seconds=20.0)

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Place:
    """A server of raw bytes: what it says on each path, and what it was asked."""

    url: str = ""
    says: dict[str, bytes | Script] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    talks: list[asyncio.Future[None]] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer."""
        self.talks.append(asyncio.ensure_future(self._talk(reader, writer)))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            self.heard.append(head)
            said = self.says[head.split()[1].partition("?")[0]]
            if isinstance(said, bytes):
                writer.write(said)
                await writer.drain()
            else:
                await said(writer)

    async def end(self) -> None:
        """Let nobody wait any longer."""
        for talk in self.talks:
            talk.cancel()
        await asyncio.gather(*self.talks, return_exceptions=True)


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """A real socket of loopback."""
    place = Place()
    server = await asyncio.start_server(place.answer, "127.0.0.1", 0)
    place.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield place
        await place.end()


def redirect(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"\0" * 65536)
        await writer.drain()


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b"\0")
        await writer.drain()
        await asyncio.sleep(0.01)


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def refusal_of(url: str, to: Path, rules: Rules = FROM_HERE) -> PopconError:
    """The error of a download that has to fail, after which nothing may be left in the folder."""
    with pytest.raises(PopconError) as caught:
        await fetch(url, to, rules)
    assert names_in(to.parent) == []
    return caught.value


async def test_a_clip_arrives_whole_and_is_asked_for_without_key_or_cookie(place: Place, tmp_path: Path) -> None:
    place.says = {"/a": redirect("/b?Signature=x"), "/b": WHOLE}
    await fetch(f"{place.url}/a", tmp_path / "clip.mp4", FROM_HERE)
    assert (tmp_path / "clip.mp4").read_bytes() == CLIP
    assert names_in(tmp_path) == ["clip.mp4"]
    assert len(place.heard) == 2
    assert not any("authorization" in head.lower() or "cookie" in head.lower() for head in place.heard)


@pytest.mark.parametrize(
    "url",
    [
        "http://oss.example.com/clip.mp4",  # not https
        "https://oss.example.com:8443/clip.mp4",  # a port of somebody's
        "https://evil.example.org/clip.mp4",
        "https://oss.example.com.evil.org/clip.mp4",
        "https://evil-oss.example.com/clip.mp4",
        "https://somebody:secret@oss.example.com/clip.mp4",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/clip.mp4",
        "http://localhost/clip.mp4",
        "http://127.0.0.2/clip.mp4",
        "file:///etc/passwd",
        "ftp://oss.example.com/clip.mp4",
        "//oss.example.com/clip.mp4",
        "clip.mp4",
        "",
        "https://oss.example.com\x00/clip",
    ],
)
async def test_an_address_that_is_not_the_providers_is_never_asked(url: str, tmp_path: Path) -> None:
    error = await refusal_of(url, tmp_path / "clip.mp4")
    assert isinstance(error, ProviderFailed)
    assert (error.code, error.retries) == ("download_refused", 0)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "https://evil.example.org/clip.mp4",
        "http://localhost/clip.mp4",
        "",
    ],
)
async def test_a_redirect_off_the_list_is_not_followed(place: Place, tmp_path: Path, to: str) -> None:
    place.says = {"/a": redirect(to)}
    error = await refusal_of(f"{place.url}/a", tmp_path / "clip.mp4")
    assert error.code == "download_refused"


async def test_a_ring_of_redirects_ends(place: Place, tmp_path: Path) -> None:
    place.says = {"/a": redirect("/b"), "/b": redirect("/a")}
    error = await refusal_of(f"{place.url}/a", tmp_path / "clip.mp4")
    assert "too often" in error.message
    assert len(place.heard) == 4


async def test_loopback_is_refused_to_whoever_has_no_stand_in(place: Place, tmp_path: Path) -> None:
    place.says = {"/a": WHOLE}
    error = await refusal_of(f"{place.url}/a", tmp_path / "clip.mp4", Rules(("oss.example.com",)))
    assert error.code == "download_refused"
    assert place.heard == []


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.1.1", "::1", "fe80::1", "fc00::1"]
)
def test_a_public_name_that_leads_to_a_private_address_is_refused(address: str) -> None:
    with pytest.raises(ProviderFailed, match="not public"):
        pinned(httpx.Request("GET", "https://oss.example.com/clip.mp4"), address)


@pytest.mark.parametrize("address", ["47.95.1.2", "2408:4000::1"])
def test_a_request_to_an_address_keeps_its_name_for_the_certificate(address: str) -> None:
    request = pinned(httpx.Request("GET", "https://oss.example.com/clip.mp4?Signature=x"), address)
    assert request.url.host == address
    assert request.url.raw_path == b"/clip.mp4?Signature=x"
    assert request.headers.get_list("host") == ["oss.example.com"]
    assert request.extensions["sni_hostname"] == "oss.example.com"


async def test_a_name_of_the_list_that_is_on_this_machine_is_refused(tmp_path: Path) -> None:
    error = await refusal_of("https://localhost/clip.mp4", tmp_path / "clip.mp4", Rules(("localhost",)))
    assert "not public" in error.message


async def test_an_endless_body_ends_at_the_cap(place: Place, tmp_path: Path) -> None:
    place.says = {"/a": endless}
    rules = Rules((), allows_loopback=True, most_bytes=1 << 20, seconds=20.0)
    assert isinstance(await refusal_of(f"{place.url}/a", tmp_path / "clip.mp4", rules), TooLarge)


async def test_a_body_that_says_it_is_too_large_is_not_read(place: Place, tmp_path: Path) -> None:
    place.says = {"/a": WHOLE}
    rules = Rules((), allows_loopback=True, most_bytes=1000, seconds=20.0)
    assert isinstance(await refusal_of(f"{place.url}/a", tmp_path / "clip.mp4", rules), TooLarge)


@pytest.mark.parametrize(
    "answer",
    [
        WHOLE[:-1],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 503 Busy\r\nContent-Length: 3\r\n\r\nabc",
        b"",
        b"not http at all\r\n\r\n",
    ],
)
async def test_a_clip_that_does_not_come_whole_is_tried_again_later(
    place: Place, tmp_path: Path, answer: bytes
) -> None:
    place.says = {"/a": answer}
    assert isinstance(await refusal_of(f"{place.url}/a", tmp_path / "clip.mp4"), ProviderUnreachable)


async def test_a_drip_ends_with_the_time(place: Place, tmp_path: Path) -> None:
    place.says = {"/a": drip}
    rules = Rules((), allows_loopback=True, seconds=0.3)
    error = await refusal_of(f"{place.url}/a", tmp_path / "clip.mp4", rules)
    assert isinstance(error, ProviderUnreachable)
    assert "0.3 s" in error.message


async def test_a_download_that_is_cancelled_leaves_nothing(place: Place, tmp_path: Path) -> None:
    place.says = {"/a": drip}
    task = asyncio.create_task(fetch(f"{place.url}/a", tmp_path / "clip.mp4", FROM_HERE))
    async with asyncio.timeout(20):
        while not names_in(tmp_path):
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert names_in(tmp_path) == []

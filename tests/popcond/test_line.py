"""How a request travels: over TCP or a Unix socket, with a token that may change on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from popcond.client import Client
from popcond.errors import DaemonUnreachable, TooLarge, Unauthorized
from popcond.line import is_address
from tests.popcond.script_server import answer, scripted

NOT_WELCOME = answer(401, {"code": "unauthorized", "message": "This is the old token."})
VERSION = answer(200, {"version": "0", "api": {"min": 1, "max": 1}, "features": []})


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path, for those of sockets may not be long."""
    with TemporaryDirectory(prefix="pop") as folder:
        yield Path(folder)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("unix:///run/me/pop.sock", True),
        ("unix:///with%20gap/pop.sock", True),
        ("unix://", False),
        ("unix:///", False),
        ("unix://host/pop.sock", False),
        ("unix:pop.sock", False),
        ("ftp://127.0.0.1/", False),
        ("http://127.0.0.1:8765", True),
    ],
)
def test_an_address_is_known_by_its_form(url: str, expected: bool) -> None:
    assert is_address(url) is expected


async def test_a_unix_socket_is_reached_by_its_path(short: Path) -> None:
    path, asked = short / "with gap.sock", list[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(VERSION)
        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    async with server, Client(f"unix://{short}/with%20gap.sock", "token") as client:
        assert (await client.version()).version == "0"
    assert b"Host: popcond\r\n" in asked[0]


async def test_a_socket_that_is_not_there_is_a_daemon_that_is_not_there(short: Path) -> None:
    async with Client(f"unix://{short}/pop.sock", "token") as client:
        with pytest.raises(DaemonUnreachable, match=r"unix://.*pop\.sock"):
            await client.version()


async def test_a_refused_request_is_sent_again_once_with_a_new_token() -> None:
    async with scripted(NOT_WELCOME, VERSION) as server, Client(server.url, "old", renew=lambda: "new") as client:
        assert (await client.version()).version == "0"
    assert ["Bearer old" in asked for asked in server.asked] == [True, False]
    assert "Bearer new" in server.asked[1]


async def test_a_refused_upload_is_sent_again_whole(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"a picture" * 10)
    too_large = answer(413, {"code": "too_large", "message": "Too large."})
    async with scripted(NOT_WELCOME, too_large) as server, Client(server.url, "old", renew=lambda: "new") as client:
        with pytest.raises(TooLarge):
            await client.add_character(picture)
    assert [asked.count("a picture") for asked in server.asked] == [10, 10]


async def test_the_same_token_is_not_tried_twice() -> None:
    async with scripted(NOT_WELCOME, VERSION) as server, Client(server.url, "old", renew=lambda: "old") as client:
        with pytest.raises(Unauthorized, match="old token"):
            await client.version()
    assert len(server.asked) == 1

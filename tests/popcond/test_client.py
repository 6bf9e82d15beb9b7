"""The client: errors come back as what they were, lost lines are taken up, and the token stays secret."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from popcond.client import Client
from popcond.errors import (
    BadInput,
    Conflict,
    DaemonUnreachable,
    NotFound,
    PopconError,
    TooLarge,
    Unauthorized,
    UnreadablePicture,
)
from popcond.wire import Character, CharacterChanges, Event, NewDrawing, ReferenceUse, RemoveBackground
from tests.popcond.script_server import ScriptServer, answer, scripted, stream

TOKEN = "a-token-that-nobody-may-see"
CHARACTER = {
    "id": "c1",
    "name": "Hero",
    "width": 10,
    "height": 10,
    "remove_background": "auto",
    "background": "alpha",
    "coverage": 0.5,
    "created": 1.0,
}


@asynccontextmanager
async def speaking(*answers: bytes) -> AsyncIterator[tuple[ScriptServer, Client]]:
    """A client, and the server that will answer it so."""
    async with scripted(*answers) as server, Client(server.url, TOKEN) as client:
        yield server, client


def _tree(kind: type[PopconError]) -> Iterator[type[PopconError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


@pytest.mark.parametrize("kind", list(_tree(PopconError)), ids=lambda kind: kind.code)
async def test_every_error_of_the_daemon_arrives_as_the_class_that_it_was(kind: type[PopconError]) -> None:
    told = kind("Something is wrong.", cure="Mend it.", details={"why": 1})
    async with speaking(answer(400, told.problem().model_dump())) as (_, client):
        with pytest.raises(kind) as caught:
            await client.packs()
    assert type(caught.value) is kind
    assert caught.value.problem() == told.problem()


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFound), (409, Conflict), (413, TooLarge), (422, BadInput), (401, Unauthorized)]
)
async def test_a_code_from_a_newer_daemon_falls_back_on_its_status(status: int, kind: type[PopconError]) -> None:
    body = {"code": "from_the_future", "message": "What was that?"}
    async with speaking(answer(status, body)) as (_, client):
        with pytest.raises(kind) as caught:
            await client.pack("p1")
    assert caught.value.code == "from_the_future"


@pytest.mark.parametrize(
    "stranger",
    [
        answer(200, b"<html>It works!</html>", media_type="text/html"),
        answer(200, {"neither": "a list"}),
        answer(200, [{"not": "a pack"}]),
        answer(502, b"Bad gateway", media_type="text/plain"),
        answer(500, ["no", "problem"]),
        answer(302, b"", headers="Location: http://example.org/\r\n"),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ],
    ids=["page", "object", "other list", "proxy", "other error", "redirect", "no http", "silence"],
)
async def test_a_stranger_on_the_port_is_told_as_unreachable_with_a_cure(stranger: bytes) -> None:
    async with speaking(stranger) as (_, client):
        with pytest.raises(DaemonUnreachable) as caught:
            await client.packs()
    assert caught.value.cure


async def test_no_error_shows_the_token() -> None:
    async with speaking(answer(500, b"?")) as (server, client):
        shown = [repr(client), str(vars(client))]
        for _ in range(2):  # a stranger's answer, then a line that is cut
            with pytest.raises(DaemonUnreachable) as caught:
                await client.version()
            shown.append("".join(traceback.format_exception(caught.value)) + str(caught.value.problem()))
    assert server.asked[0].count(f"Bearer {TOKEN}") == 1
    assert TOKEN not in "".join(shown)


async def test_nobody_at_home_is_a_sentence_with_a_cure() -> None:
    async with Client("http://127.0.0.1:9", TOKEN) as client:  # the discard port: nothing listens
        with pytest.raises(DaemonUnreachable, match="popcond serve"):
            await client.version()
        assert not await client.is_healthy()


async def test_the_environments_proxies_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with speaking(answer(200, {"status": "ok"})) as (_, client):
        assert await client.is_healthy()


async def test_a_picture_travels_with_its_name_and_its_wish(tmp_path: Path) -> None:
    picture = tmp_path / "hero.png"
    picture.write_bytes(b"the pixels")
    async with speaking(answer(201, CHARACTER)) as (server, client):
        character = await client.add_character(picture, "Hero", RemoveBackground.NEVER)
    assert character.name == "Hero"
    asked = server.asked[0]
    assert asked.startswith("POST /v1/characters HTTP/1.1")
    for part in (
        'filename="hero.png"',
        "the pixels",
        'name="name"\r\n\r\nHero',
        'name="remove_background"\r\n\r\nnever',
    ):
        assert part in asked


async def test_a_picture_that_cannot_be_opened_is_never_sent(tmp_path: Path) -> None:
    async with speaking() as (server, client):
        with pytest.raises(BadInput, match="cannot be read"):
            await client.add_character(tmp_path / "missing.png")
    assert server.asked == []


async def test_a_refused_upload_says_why() -> None:
    told = UnreadablePicture("This is a text file.", cure="Give a picture.")
    async with speaking(answer(400, told.problem().model_dump())) as (_, client):
        with pytest.raises(UnreadablePicture, match="text file"):
            await client.add_character(b"hello")


async def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    async with speaking(answer(404, NotFound("No such pack.").problem().model_dump())) as (server, client):
        with pytest.raises(NotFound):
            await client.pack("../characters?x=/#")
    assert server.asked[0].startswith("GET /v1/packs/..%2Fcharacters%3Fx%3D%2F%23 HTTP/1.1")


@pytest.mark.parametrize(
    ("header", "advice"),
    [
        ("", ()),
        ('X-Popcon-Advice: ["LINE wants at least 8."]\r\n', ("LINE wants at least 8.",)),
        ("X-Popcon-Advice: plain words\r\n", ("plain words",)),
    ],
)
async def test_a_bundle_brings_its_advice(header: str, advice: tuple[str, ...]) -> None:
    async with speaking(answer(200, b"PK", media_type="application/zip", headers=header)) as (_, client):
        bundle = await client.bundle("p1", "line-emoji")
    assert (bundle.data, bundle.advice) == (b"PK", advice)


# ------------------------------------------------------------------ events


def _event(seq: int) -> Event:
    return Event(seq=seq, at=1.0, type="pack_removed", id=f"pack {seq}")


async def _take(client: Client, count: int, after: int | None = None) -> list[Event]:
    taken: list[Event] = []
    async with aclosing(client.events(after, patience=5.0)) as events:
        async for event in events:
            taken.append(event)
            if len(taken) == count:
                break
    return taken


async def test_listening_begins_with_a_reset_so_that_everything_is_read_once() -> None:
    async with speaking(stream(_event(4))) as (server, client):
        events = await _take(client, 2)
    assert [event.type for event in events] == ["reset", "pack_removed"]
    assert "last-event-id" not in server.asked[0].lower()


async def test_a_lost_line_is_taken_up_behind_the_last_event() -> None:
    async with speaking(stream(_event(4), _event(5)), stream(_event(6))) as (server, client):
        events = await _take(client, 4)
    assert [event.seq for event in events[1:]] == [4, 5, 6]
    assert "last-event-id: 5" in server.asked[1].lower()


async def test_a_daemon_that_is_not_ready_is_asked_again() -> None:
    busy = answer(503, PopconError("Starting.").problem().model_dump())
    async with speaking(stream(_event(4)), busy, b"", stream(_event(5))) as (server, client):
        events = await _take(client, 3)
    assert [event.seq for event in events[1:]] == [4, 5]
    assert len(server.asked) == 4


async def test_a_reset_of_the_daemon_is_handed_through() -> None:
    reset = Event(seq=90, at=1.0, type="reset")
    async with speaking(stream(reset), stream(_event(91))) as (server, client):
        events = await _take(client, 2, after=3)
    assert [(event.type, event.seq) for event in events] == [("reset", 90), ("pack_removed", 91)]
    assert "last-event-id: 90" in server.asked[1].lower()


async def test_an_event_from_a_newer_daemon_is_skipped() -> None:
    unknown = 'id: 4\nevent: emoji_danced\ndata: {"seq":4,"at":1.0,"type":"emoji_danced"}\n\n: a comment\n\n'
    async with speaking(stream(_event(5), more=unknown)) as (_, client):
        events = await _take(client, 2)
    assert events[1].seq == 5


async def test_a_daemon_that_does_not_come_back_is_given_up() -> None:
    async with speaking(stream(_event(4))) as (server, client):
        with pytest.raises(DaemonUnreachable):
            async for _ in client.events(patience=0.0):
                pass
    assert len(server.asked) == 2


async def test_a_daemon_that_was_never_there_is_given_up_at_once() -> None:
    async with speaking() as (server, client):
        with pytest.raises(DaemonUnreachable):
            await _take(client, 1)
    assert len(server.asked) == 1


async def test_a_wrong_token_ends_the_listening() -> None:
    refusal = answer(401, Unauthorized("A wrong token.").problem().model_dump())
    async with speaking(refusal) as (_, client):
        with pytest.raises(Unauthorized, match="wrong token"):
            await _take(client, 1)


# ------------------------------------------------------------------ what it costs to import


def test_importing_the_client_brings_in_no_pictures_and_no_daemon() -> None:
    heavy = {"numpy", "cv2", "av", "PIL", "torch", "fastapi", "uvicorn", "sqlite3", "sqlite_utils"}
    program = f"import sys, popcond.client, popcond.cli; print({heavy!r} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


@pytest.mark.parametrize("url", ["http://[", "http://127.0.0.1:99999", "http://a:b", "ftp://localhost", "localhost"])
def test_an_address_that_is_none_is_told_before_anything_is_sent(url: str) -> None:
    with pytest.raises(DaemonUnreachable, match="no address"):
        Client(url, TOKEN)


@pytest.mark.parametrize("token", ["é", "two words", "line\nbreak", ""])
def test_a_token_that_cannot_be_sent_is_told_and_not_shown(token: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        Client("http://127.0.0.1:9", token)
    assert not token or token not in str(caught.value)


async def test_a_pipe_is_not_uploaded_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    async with speaking() as (_, client):
        with pytest.raises(BadInput, match="is not a file"):
            await client.add_character(tmp_path / "pipe")


async def test_a_file_whose_name_is_not_utf_8_is_uploaded(tmp_path: Path) -> None:
    picture = tmp_path / "hero\udcff.png"
    picture.write_bytes(b"pixels")
    async with speaking(answer(200, CHARACTER)) as (_, client):
        assert (await client.add_character(picture)).name == "Hero"


async def test_a_reference_travels_beside_the_words_that_are_drawn() -> None:
    async with speaking(answer(202, CHARACTER)) as (server, client):
        new = NewDrawing(prompt="as a pirate", reference_use=ReferenceUse.STYLE)
        assert (await client.generate_character(new, b"a picture")).id == "c1"
    asked = server.asked[0]
    assert asked.startswith("POST /v1/characters/generate ")
    assert "multipart/form-data" in asked
    assert 'name="reference"; filename="upload"' in asked


async def test_words_alone_are_json() -> None:
    async with speaking(answer(202, CHARACTER)) as (server, client):
        await client.generate_character(NewDrawing(prompt="a bear"))
    assert "application/json" in server.asked[0]


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda client: client.regenerate_character("c/1"), "POST /v1/characters/c%2F1/regenerate"),
        (lambda client: client.choose_drawing("c1", "d1"), "POST /v1/characters/c1/choose-drawing"),
        (lambda client: client.cancel_drawing("c1"), "POST /v1/characters/c1/cancel"),
        (lambda client: client.change_character("c1", CharacterChanges(name="Bo")), "PATCH /v1/characters/c1"),
    ],
)
async def test_a_drawn_character_is_changed_by_its_routes(
    call: Callable[[Client], Awaitable[Character]], line: str
) -> None:
    async with speaking(answer(200, CHARACTER)) as (server, client):
        assert (await call(client)).id == "c1"
    assert server.asked[0].startswith(f"{line} ")


async def test_pictures_of_drawings_and_poses_are_bytes() -> None:
    picture = answer(200, b"picture", media_type="image/png")
    async with speaking(picture, picture, picture) as (server, client):
        told = [
            await client.drawing_picture("c1", "d1"),
            await client.pose_picture("e1", "p1"),
            await client.character_picture("c1"),
        ]
    assert told == [b"picture"] * 3
    assert [asked.split()[1] for asked in server.asked] == [
        "/v1/characters/c1/drawings/d1",
        "/v1/emojis/e1/poses/p1",
        "/v1/characters/c1/picture",
    ]

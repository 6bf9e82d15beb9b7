"""The client of a PopCon daemon: one async method a route, wire models out, and our own errors instead of HTTP's.

It is quick to import (no pictures, no numbers, no codecs), reads no proxy settings from the environment, follows no
redirects, and never lets the token into an error's text.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import quote, urlsplit

import httpx
from httpx_sse import EventSource, SSEError
from pydantic import ValidationError

from popcond import answers
from popcond.answers import Model
from popcond.errors import BadInput, DaemonUnreachable, PopconError, Unauthorized
from popcond.wire import (
    VERSION,
    Action,
    Character,
    ChooseTake,
    Emoji,
    Event,
    Frame,
    NewEmojis,
    NewPack,
    Pack,
    PackChanges,
    Problem,
    Provider,
    Quote,
    RemoveBackground,
    Retry,
    Sticker,
    Target,
    Version,
    Wire,
)

ANSWER_SECONDS = 120.0  # the slowest honest answer: a large picture is cut out while the upload waits
CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 45.0  # the daemon sends a comment every 15 s, so this much silence is a dead line
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 4.0  # seconds between two tries to reconnect

_LOOK = "See `popcond status`; start one with `popcond serve`."


@dataclass(frozen=True)
class Bundle:
    """A pack as its store takes it."""

    data: bytes  # a ZIP
    advice: tuple[str, ...]  # sentences that a person should read, such as "LINE wants 8 to 40 of them"


class Client:
    """Speaks to the daemon at `url` with `token`. Use it as `async with Client(url, token) as client`.

    Raises DaemonUnreachable for a URL, and Unauthorized for a token, that can belong to no daemon.
    """

    def __init__(self, url: str, token: str, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.url = url.rstrip("/")
        _refuse_unusable(self.url, token)
        self._http = httpx.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}", "Popcon-Client": VERSION},
            timeout=httpx.Timeout(answer_seconds, connect=min(CONNECT_SECONDS, answer_seconds)),
            trust_env=False,
            verify=_trust(self.url),
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    # -------------------------------------------------------------- the daemon and its catalogue

    async def is_healthy(self) -> bool:
        """Whether something at the URL says that it is well; needs no token."""
        try:
            return bool(answers.body(await self._send("GET", "/healthz")) == {"status": "ok"})
        except PopconError:
            return False

    async def version(self) -> Version:
        """The daemon's version, the API versions that it speaks, and its features."""
        return await self._one(Version, "GET", "/v1/version")

    async def actions(self) -> tuple[Action, ...]:
        """All that a character can do."""
        return await self._many(Action, "/v1/actions")

    async def action_problems(self) -> tuple[Problem, ...]:
        """What is wrong with the user's own actions.toml, entry by entry."""
        return await self._many(Problem, "/v1/actions/problems")

    async def targets(self) -> tuple[Target, ...]:
        """All destinations with their rules."""
        return await self._many(Target, "/v1/targets")

    async def providers(self) -> tuple[Provider, ...]:
        """Everybody who makes clips, with models and prices."""
        return await self._many(Provider, "/v1/providers")

    # -------------------------------------------------------------- characters

    async def add_character(
        self,
        picture: Path | bytes,
        name: str | None = None,
        remove_background: RemoveBackground = RemoveBackground.AUTO,
    ) -> Character:
        """Upload a picture. Raises UnreadablePicture, TooLarge or NoCharacter when it cannot become a character."""
        fields = {"remove_background": remove_background.value} | ({"name": name} if name else {})
        return await self._upload(Character, "/v1/characters", picture, fields)

    async def add_sample_character(self) -> Character:
        """The character that the daemon draws itself."""
        return await self._one(Character, "POST", "/v1/characters/sample")

    async def characters(self) -> tuple[Character, ...]:
        """All characters."""
        return await self._many(Character, "/v1/characters")

    async def character(self, character_id: str) -> Character:
        """One character."""
        return await self._one(Character, "GET", f"/v1/characters/{_id(character_id)}")

    async def character_cutout(self, character_id: str) -> bytes:
        """PNG, RGBA: the character without its background."""
        return await self._bytes(f"/v1/characters/{_id(character_id)}/cutout")

    async def delete_character(self, character_id: str) -> None:
        """Forget a character. Raises Conflict while a pack uses it."""
        await self._send("DELETE", f"/v1/characters/{_id(character_id)}")

    # -------------------------------------------------------------- packs

    async def quote(self, pack: NewPack) -> Quote:
        """What a pack would cost; buys nothing."""
        return await self._one(Quote, "POST", "/v1/quotes", pack)

    async def add_pack(self, pack: NewPack) -> Pack:
        """Order a pack; its emojis start at once."""
        return await self._one(Pack, "POST", "/v1/packs", pack)

    async def packs(self) -> tuple[Pack, ...]:
        """All packs."""
        return await self._many(Pack, "/v1/packs")

    async def pack(self, pack_id: str) -> Pack:
        """One pack with its emojis as they are now."""
        return await self._one(Pack, "GET", f"/v1/packs/{_id(pack_id)}")

    async def change_pack(self, pack_id: str, changes: PackChanges) -> Pack:
        """Rename a pack, or change its targets or its way of accepting."""
        return await self._one(Pack, "PATCH", f"/v1/packs/{_id(pack_id)}", changes)

    async def delete_pack(self, pack_id: str) -> None:
        """Forget a pack, its emojis and their stickers."""
        await self._send("DELETE", f"/v1/packs/{_id(pack_id)}")

    async def add_emojis(self, pack_id: str, actions: Sequence[str]) -> Pack:
        """More actions for a pack."""
        return await self._one(Pack, "POST", f"/v1/packs/{_id(pack_id)}/emojis", NewEmojis(actions=tuple(actions)))

    async def bundle(self, pack_id: str, target: str) -> Bundle:
        """The pack's ZIP for a target. Raises Conflict, with the failed rules, while a sticker is not valid."""
        response = await self._send("GET", f"/v1/packs/{_id(pack_id)}/bundle/{_id(target)}")
        return Bundle(response.content, answers.sentences(response.headers.get("X-Popcon-Advice", "")))

    async def contact_sheet(self, pack_id: str) -> bytes:
        """PNG: every emoji of the pack in a few of its frames."""
        return await self._bytes(f"/v1/packs/{_id(pack_id)}/contact-sheet")

    # -------------------------------------------------------------- emojis

    async def emoji(self, emoji_id: str) -> Emoji:
        """One emoji."""
        return await self._one(Emoji, "GET", f"/v1/emojis/{_id(emoji_id)}")

    async def retry(self, emoji_id: str, retry: Retry | None = None) -> Emoji:
        """Do it again, all of it or from a stage on."""
        return await self._one(Emoji, "POST", f"/v1/emojis/{_id(emoji_id)}/retry", retry or Retry(motion_prompt=None))

    async def cancel(self, emoji_id: str) -> Emoji:
        """Stop an emoji."""
        return await self._one(Emoji, "POST", f"/v1/emojis/{_id(emoji_id)}/cancel")

    async def accept(self, emoji_id: str) -> Emoji:
        """Take the cut-out as it is; the stickers follow."""
        return await self._one(Emoji, "POST", f"/v1/emojis/{_id(emoji_id)}/accept")

    async def choose_take(self, emoji_id: str, take_id: str) -> Emoji:
        """Go on with another take."""
        return await self._one(Emoji, "POST", f"/v1/emojis/{_id(emoji_id)}/choose-take", ChooseTake(take_id=take_id))

    async def upload_clip(self, emoji_id: str, clip: Path | bytes) -> Emoji:
        """The user's own clip becomes a take. Raises UnreadableClip or TooLarge."""
        return await self._upload(Emoji, f"/v1/emojis/{_id(emoji_id)}/clip", clip, {})

    async def frames(self, emoji_id: str) -> tuple[Frame, ...]:
        """The emoji's frames in order."""
        return await self._many(Frame, f"/v1/emojis/{_id(emoji_id)}/frames")

    async def raw_frame(self, emoji_id: str, index: int, *, width: int | None = None) -> bytes:
        """PNG, RGB: a frame as it was filmed; `width` in pixels scales it down."""
        return await self._frame_picture(emoji_id, "raw-frame", index, width)

    async def cutout(self, emoji_id: str, index: int, *, width: int | None = None) -> bytes:
        """PNG, RGBA: a frame without its backdrop."""
        return await self._frame_picture(emoji_id, "cutout", index, width)

    async def mask(self, emoji_id: str, index: int, *, width: int | None = None) -> bytes:
        """PNG, L: which pixels belong to the character and its effects."""
        return await self._frame_picture(emoji_id, "mask", index, width)

    async def stickers(self, emoji_id: str) -> tuple[Sticker, ...]:
        """The emoji's stickers, one a target, with their verdicts."""
        return await self._many(Sticker, f"/v1/emojis/{_id(emoji_id)}/stickers")

    async def sticker_file(self, sticker_id: str) -> bytes:
        """The sticker's bytes as the store wants them."""
        return await self._bytes(f"/v1/stickers/{_id(sticker_id)}/file")

    # -------------------------------------------------------------- events

    async def events(self, after: int | None = None, *, patience: float = 30.0) -> AsyncGenerator[Event, None]:
        """What happens from now on, or after the event `after`, for ever; a lost line is taken up where it broke.

        Without `after` the first event is a `reset` of our own, sent once the line is open: who reads everything then
        misses nothing that follows. A `reset` of the daemon is handed through. Raises DaemonUnreachable when the first
        try fails, or when a lost daemon has not come back for `patience` seconds.
        """
        answered_at: float | None = None  # by the monotonic clock
        pause = FIRST_PAUSE
        while True:
            try:
                async with self._listen(after) as source:
                    pause = FIRST_PAUSE
                    if after is None:
                        yield Event(seq=-1, at=time.time(), type="reset")
                    try:
                        async for event in source:
                            after = event.seq
                            yield event
                    finally:
                        answered_at = time.monotonic()
            except DaemonUnreachable:
                if answered_at is None or time.monotonic() - answered_at >= patience:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    @asynccontextmanager
    async def _listen(self, after: int | None) -> AsyncIterator[AsyncGenerator[Event, None]]:
        headers = {"Accept": "text/event-stream"} | ({} if after is None else {"Last-Event-ID": str(after)})
        timeout = httpx.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS)
        async with (
            self._translated(),
            self._http.stream("GET", "/v1/events", headers=headers, timeout=timeout) as response,
        ):
            if response.is_server_error:  # it is stopping or starting, which the next try will find over
                raise DaemonUnreachable(f"The daemon at {self.url} is not ready.", cure=_LOOK)
            if not response.is_success:
                await response.aread()
            answers.refuse_errors(response)
            async with aclosing(_told(EventSource(response))) as events:
                yield events

    # -------------------------------------------------------------- the staircase under every route

    async def _one(self, model: type[Model], method: str, path: str, body: Wire | None = None) -> Model:
        content = None if body is None else body.model_dump(mode="json")
        return answers.one(model, await self._send(method, path, json=content))

    async def _many(self, model: type[Model], path: str) -> tuple[Model, ...]:
        return answers.many(model, await self._send("GET", path))

    async def _bytes(self, path: str, params: dict[str, str] | None = None) -> bytes:
        return (await self._send("GET", path, params=params)).content

    async def _frame_picture(self, emoji_id: str, kind: str, index: int, width: int | None) -> bytes:
        params = None if width is None else {"width": str(width)}
        return await self._bytes(f"/v1/emojis/{_id(emoji_id)}/{kind}/{index}", params)

    async def _upload(self, model: type[Model], path: str, file: Path | bytes, fields: dict[str, str]) -> Model:
        async with AsyncExitStack() as stack:
            name, content = (
                ("upload", file) if isinstance(file, bytes) else (_file_name(file), await _opened(file, stack))
            )
            response = await self._send("POST", path, files={"file": (name, content)}, data=fields)
        return answers.one(model, response)

    async def _send(self, method: str, path: str, **parts: Any) -> httpx.Response:
        async with self._translated():
            response = await self._http.request(method, path, **parts)
        answers.refuse_errors(response)
        return response

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise DaemonUnreachable(f"The daemon at {self.url} does not answer.", cure=_LOOK) from error
        except (httpx.HTTPError, httpx.InvalidURL, SSEError) as error:
            raise DaemonUnreachable(f"No daemon can be reached at {self.url}.", cure=_LOOK) from error


def is_address(url: str) -> bool:
    """Whether a daemon could be there: http or https, a host, and a port that exists."""
    try:
        httpx.URL(url)  # refuses what cannot be sent, such as control characters
        parts = urlsplit(url)  # refuses brackets that do not close, and ports that do not exist
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (httpx.InvalidURL, ValueError):
        return False


def is_token(text: str) -> bool:
    """Whether it can be sent as a token: ASCII letters and signs, no gaps, no controls."""
    return bool(text) and all("!" <= letter <= "~" for letter in text)


def _refuse_unusable(url: str, token: str) -> None:
    if not is_address(url):
        raise DaemonUnreachable(f"{url} is no address of a daemon.", cure="Write it like http://127.0.0.1:8765.")
    if not is_token(token):
        raise Unauthorized(
            "The token has letters that no token has.", cure="Copy it again, whole, from what `popcond token` prints."
        )


def _id(name: str) -> str:
    return quote(name, safe="")


def _trust(url: str) -> ssl.SSLContext | bool:
    # Loading the certificates costs more time than a whole request on loopback, so only https pays for it.
    return httpx.create_ssl_context(trust_env=False) if url.startswith("https:") else False


def _file_name(file: Path) -> str:
    return file.name.encode(errors="replace").decode()  # a name that is not UTF-8 must not stop the upload


async def _opened(file: Path, stack: AsyncExitStack) -> BinaryIO:
    try:
        return stack.enter_context(await asyncio.to_thread(_open, file))
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.", cure="Check the path.") from error


def _open(file: Path) -> BinaryIO:
    if file.exists() and not file.is_file():  # a pipe would wait for a writer for ever
        raise BadInput(f"{file} is not a file.", cure="Save it as a file first, then give that file.")
    return file.open("rb")


async def _told(source: EventSource) -> AsyncGenerator[Event, None]:
    async with aclosing(source.aiter_sse()) as messages:
        async for message in messages:
            try:
                event = Event.model_validate_json(message.data)
            except ValidationError:
                continue  # an event that only newer clients know
            yield event

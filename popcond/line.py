"""The line from a client to its daemon: one staircase of HTTP under every route, and nothing that knows a route.

It reads no proxy settings from the environment, follows no redirects, never lets the token into an error's text, and
tells every way in which a line may fail as DaemonUnreachable.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urlsplit

import httpx
from httpx_sse import EventSource, SSEError
from pydantic import ValidationError

from popcond import answers
from popcond.answers import Model
from popcond.errors import BadInput, DaemonUnreachable, Unauthorized
from popcond.wire import API_MAX, API_MIN, CLIENT_HEADER, VERSION, Event, Speaker, Wire

ANSWER_SECONDS = 120.0  # the slowest honest answer: a large picture is cut out while the upload waits
CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 45.0  # the daemon sends a comment every 15 s, so this much silence is a dead line

_LOOK = "See `popcond status`; start one with `popcond serve`."


class Line:
    """Carries requests to the daemon at `url`, and its answers back.

    `renew` reads the token anew, for a daemon that has rotated its own. Raises DaemonUnreachable for a URL, and
    Unauthorized for a token, that can belong to no daemon.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        name: str = "popcond",
        renew: Callable[[], str] | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.speaker = Speaker(name, VERSION, API_MIN, API_MAX)
        _refuse_unusable(self.url, token)
        self._bearer = _Bearer(token, renew)
        self._timeout = httpx.Timeout(answer_seconds, connect=min(CONNECT_SECONDS, answer_seconds))
        self._http = self._to(self.url)

    def _to(self, url: str) -> httpx.AsyncClient:
        socket = _socket_of(url)
        return httpx.AsyncClient(
            base_url="http://popcond" if socket else url,
            transport=httpx.AsyncHTTPTransport(uds=socket) if socket else None,
            auth=self._bearer,
            headers={CLIENT_HEADER: str(self.speaker)},
            timeout=self._timeout,
            trust_env=False,
            verify=_trust(url),
        )

    async def open(self) -> None:
        """Get ready to send."""
        await self._http.__aenter__()

    async def move(self, url: str) -> None:
        """The daemon is to be found elsewhere from now on."""
        before, self.url = self._http, url.rstrip("/")
        self._http = self._to(self.url)
        await self._http.__aenter__()
        await before.aclose()

    async def close(self) -> None:
        """Hang up."""
        await self._http.__aexit__()

    async def one(
        self, model: type[Model], method: str, path: str, body: Wire | None = None, *, key: str | None = None
    ) -> Model:
        """Send a value, or nothing, and read the one value of the answer. With an Idempotency-Key it counts once."""
        content = None if body is None else body.model_dump(mode="json")
        headers = {"Idempotency-Key": key} if key else None
        return answers.one(model, await self.send(method, path, json=content, headers=headers))

    async def many(self, model: type[Model], path: str, params: dict[str, str] | None = None) -> tuple[Model, ...]:
        """Read a list of values."""
        return answers.many(model, await self.send("GET", path, params=params))

    async def content(self, path: str, params: dict[str, str] | None = None) -> bytes:
        """Read a file or a picture."""
        return (await self.send("GET", path, params=params)).content

    async def upload(
        self, model: type[Model], path: str, file: Path | bytes, fields: dict[str, str], *, part: str = "file"
    ) -> Model:
        """Send a file as `part`, with some words about it, and read the one value of the answer. Raises BadInput."""
        async with AsyncExitStack() as stack:
            name, content = (
                (_file_name(file), await _opened(file, stack)) if isinstance(file, Path) else ("upload", file)
            )
            response = await self.send("POST", path, files={part: (name, content)}, data=fields)
        return answers.one(model, response)

    async def send(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """Send a request and wait for its good answer. Raises the error that the daemon met, and DaemonUnreachable."""
        async with self._translated():
            response = await self._http.request(method, path, **parts)
        answers.refuse_errors(response)
        return response

    @asynccontextmanager
    async def listen(self, after: int | None) -> AsyncIterator[AsyncGenerator[Event, None]]:
        """An open stream of events, from now on or behind an event, until it breaks."""
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

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise DaemonUnreachable(f"The daemon at {self.url} does not answer.", cure=_LOOK) from error
        except (httpx.HTTPError, httpx.InvalidURL, SSEError) as error:
            raise DaemonUnreachable(f"No daemon can be reached at {self.url}.", cure=_LOOK) from error


class _Bearer(httpx.Auth):
    """Every request carries the token. A refused one is sent again, once, when there is a new token by then."""

    def __init__(self, token: str, renew: Callable[[], str] | None) -> None:
        self._token = token
        self._renew = renew

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """httpx's seam for this: a request out, its answer in, another request out."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        response = yield request
        if response.status_code != httpx.codes.UNAUTHORIZED or self._renew is None:
            return
        refused, self._token = self._token, self._renew()
        if self._token != refused:
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request


def is_address(url: str) -> bool:
    """Whether a daemon could be there: http or https with a host and a port that exists, or unix with a whole path."""
    try:
        httpx.URL(url)  # refuses what cannot be sent, such as control characters
        parts = urlsplit(url)  # refuses brackets that do not close, and ports that do not exist
        if parts.scheme == "unix":
            return not parts.netloc and parts.path.startswith("/") and len(parts.path) > 1
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (httpx.InvalidURL, ValueError):
        return False


def is_token(text: str) -> bool:
    """Whether it can be sent as a token: ASCII letters and signs, no gaps, no controls."""
    return bool(text) and all("!" <= letter <= "~" for letter in text)


def quoted(name: str) -> str:
    """An id as one segment of a path, which it cannot leave."""
    return quote(name, safe="")


def _refuse_unusable(url: str, token: str) -> None:
    if not is_address(url):
        raise DaemonUnreachable(f"{url} is no address of a daemon.", cure="Write it like http://127.0.0.1:8765.")
    if not is_token(token):
        raise Unauthorized(
            "The token has letters that no token has.", cure="Copy it again, whole, from what `popcond token` prints."
        )


def _socket_of(url: str) -> str | None:
    """The path of a Unix socket; None for every other address."""
    return unquote(urlsplit(url).path) if url.startswith("unix:") else None


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

"""Who gets in: bearers of the token, from this machine, and never a web page.

A browser cannot leave out `Origin` on anything that could change state, so every request with one is refused, `null`
included. The Host check stops DNS rebinding. No cookies, no CORS: there is nothing that a page could ride on. Clients
that speak no API version of ours are told so before anything is misunderstood.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from fastapi import APIRouter
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from popcond.api.deps import Uses
from popcond.errors import PopconError, Unauthorized
from popcond.home import TokenInForce
from popcond.wire import API_MAX, API_MIN, CLIENT_HEADER, VERSION, Problem, Speaker, disagreement

router = APIRouter(prefix="/v1", tags=["token"])

MOST_TEXT = 1 << 20  # bytes of a request that brings no file
OPEN_PATHS = frozenset({"/healthz"})

_SOCKET_NAMES = frozenset({"localhost", "popcond"})  # a Unix socket has no address that a name could be bound to
_TOLD_BEFORE_PARTING = frozenset({"/healthz", "/v1/version"})
_OURSELVES = Speaker("the daemon", VERSION, API_MIN, API_MAX)

_ANSWER_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": b"sandbox; default-src 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"private, no-cache",
}


class Gate:
    """ASGI middleware: refuses what must not come in, and stamps every answer."""

    def __init__(self, app: ASGIApp, *, token: TokenInForce, hosts: Sequence[str]) -> None:
        self._app = app
        self._token = token
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through, or answer with the refusal."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope, Headers(scope=scope))
        app = self._app if refusal is None else refusal

        async def send_stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] += [(name, value) for name, value in _ANSWER_HEADERS.items() if name not in present]
            await send(message)

        await app(scope, receive, send_stamped)

    def _refusal(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        path = scope["path"]
        if "transfer-encoding" in headers and "content-length" in headers:
            return _answer(400, _TWO_LENGTHS, {"Connection": "close"})
        if not self._is_our_name(_host(_only(headers, "host")), scope.get("server")):
            return _answer(400, _WRONG_HOST)
        if "origin" in headers:
            return _answer(403, _WEB_PAGE)
        if path not in OPEN_PATHS and not self._token.is_borne_by(_only(headers, "authorization")):
            return _answer(401, _WRONG_TOKEN.problem())
        if path not in _TOLD_BEFORE_PARTING and (parting := _parting(headers)):
            return _answer(426, parting)
        if _is_too_long(headers):
            return _answer(413, _TOO_LONG)
        return None

    def _is_our_name(self, host: str, server: tuple[str, int | None] | None) -> bool:
        """A rebound name is never the plain address that the connection came in on."""
        address, port = server or ("", None)
        if port is None:
            return host in _SOCKET_NAMES
        return host in self._hosts or host.strip("[]") == address


@router.post("/token/rotate", status_code=204)
async def rotate_token(powers: Uses) -> None:
    """A new token from this instant on, in the token file of the home; open event streams end with `bye`.

    The answer does not hold it: whoever has stolen the old one would be handed the new one.
    """
    await asyncio.to_thread(powers.token.rotate, powers.settings)
    powers.bus.ring()


_TOO_LONG = Problem(
    code="too_large", message="This request is longer than any order needs.", cure="Send files as multipart/form-data."
)
_TWO_LENGTHS = Problem(
    code="bad_request",
    message="This request says twice how long it is, and a second request may be hidden in it.",
    cure="Send either Content-Length or Transfer-Encoding.",
)
_WRONG_HOST = Problem(
    code="wrong_host",
    message="This daemon does not go by that name.",
    cure="Call it by its address, such as 127.0.0.1, or by `localhost`.",
)
_WEB_PAGE = Problem(
    code="web_page",
    message="Web pages may not talk to this daemon.",
    cure="Use a program on this computer, such as `popcond` or curl.",
)
_WRONG_TOKEN: PopconError = Unauthorized(
    "This request carries no token, or a wrong one.",
    cure="Send `Authorization: Bearer TOKEN`; `popcond token` prints it.",
)


def _only(headers: Headers, name: str) -> str:
    """The header's value; none when it comes twice, for two readers could take different ones."""
    values = headers.getlist(name)
    return values[0] if len(values) == 1 else ""


def _parting(headers: Headers) -> Problem | None:
    client = Speaker.read(_only(headers, CLIENT_HEADER))
    return disagreement(client, _OURSELVES) if client else None


def _is_too_long(headers: Headers) -> bool:
    """A declared length beyond any text's; files come as multipart, and their routes have limits of their own."""
    length = headers.get("content-length", "0")
    is_text = not headers.get("content-type", "").startswith("multipart/")
    return is_text and length.isdecimal() and int(length) > MOST_TEXT


def _host(header: str) -> str:
    """The name without its port; brackets of IPv6 stay."""
    return header.rpartition(":")[0] if header.count(":") == 1 or "]:" in header else header


_REQUIRED = {  # by RFC 9110, and by RFC 9112 where a request's end is in doubt
    400: {"Connection": "close"},
    401: {"WWW-Authenticate": "Bearer"},
    426: {"Upgrade": "popcon-api"},
}


def _answer(status: int, problem: Problem, more: Mapping[str, str] | None = None) -> JSONResponse:
    headers = {**_REQUIRED.get(status, {}), **(more or {})}
    return JSONResponse(problem.model_dump(exclude_none=True), status_code=status, headers=headers)

"""Who gets in: bearers of the token, from this machine, and never a web page.

A browser cannot leave out `Origin` on anything that could change state, so every request with one is refused, `null`
included. The Host check stops DNS rebinding. No cookies, no CORS: there is nothing that a page could ride on.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from popcond.errors import PopconError, Unauthorized
from popcond.wire import Problem

MOST_TEXT = 1 << 20  # bytes of a request that brings no file
OPEN_PATHS = frozenset({"/healthz"})

_ANSWER_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"content-security-policy": b"sandbox; default-src 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"private, no-cache",
}


class Gate:
    """ASGI middleware: refuses what must not come in, and stamps every answer."""

    def __init__(self, app: ASGIApp, *, token: str, hosts: Sequence[str]) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it through, or answer with the refusal."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        own_address = (scope.get("server") or ("",))[0]
        refusal = self._refusal(scope["path"], Headers(scope=scope), own_address)
        app = self._app if refusal is None else refusal

        async def send_stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                message["headers"] += [(name, value) for name, value in _ANSWER_HEADERS.items() if name not in present]
            await send(message)

        await app(scope, receive, send_stamped)

    def _refusal(self, path: str, headers: Headers, own_address: str) -> JSONResponse | None:
        """A rebound name is never the plain address that the connection came in on."""
        host = _host(headers.get("host", ""))
        if host not in self._hosts and host.strip("[]") != own_address:
            return _answer(400, _WRONG_HOST)
        if "origin" in headers:
            return _answer(403, _WEB_PAGE)
        if path not in OPEN_PATHS and not self._bears_token(headers.get("authorization", "")):
            return _answer(401, _WRONG_TOKEN.problem())
        if _is_too_long(headers):
            return _answer(413, _TOO_LONG)
        return None

    def _bears_token(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and secrets.compare_digest(token.strip().encode(), self._token)


_TOO_LONG = Problem(
    code="too_large", message="This request is longer than any order needs.", cure="Send files as multipart/form-data."
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


def _is_too_long(headers: Headers) -> bool:
    """A declared length beyond any text's; files come as multipart, and their routes have limits of their own."""
    length = headers.get("content-length", "0")
    is_text = not headers.get("content-type", "").startswith("multipart/")
    return is_text and length.isdecimal() and int(length) > MOST_TEXT


def _host(header: str) -> str:
    """The name without its port; brackets of IPv6 stay."""
    return header.rpartition(":")[0] if header.count(":") == 1 or "]:" in header else header


def _answer(status: int, problem: Problem) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return JSONResponse(problem.model_dump(exclude_none=True), status_code=status, headers=headers)

"""HTTP with DashScope: one request, sent once, and its answer told apart from silence.

An order has three ends: accepted, refused for sure (nothing bought), or unanswered. A question has two: its answer, or
ProviderUnreachable. Nothing here is ever sent again by itself, and the key appears in no message.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, SecretStr, ValidationError

from popcond.errors import ProviderBusy, ProviderFailed, ProviderUnreachable, SubmitUnanswered
from popcond.video.dashscope_answers import Refusal, TaskAnswer
from popcond.video.dashscope_refusals import CLIP, Wording, refusal
from popcond.video.pace import Limits, Pace

_CREATE = httpx.Timeout(60.0, connect=10.0)
_ASK = httpx.Timeout(20.0, connect=10.0)
_ASK_SECONDS = 60.0
_QUESTIONS = Limits(per_second=18, at_once=18)  # of the 20 calls a second that an account has for them
_MOST_BYTES = 4 << 20  # of one answer
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_AMBIGUOUS = (408, 409)  # a 4xx that does not say whether the order was taken
_LOOK = "Check the network; it is tried again by itself."

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True)
class Answer:
    """An answer that came whole."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def at(self) -> float:
        """When, by the service's clock; by ours when it does not say."""
        return _instant(self.headers.get("date")) or time.time()

    def read(self, shape: type[A]) -> A | None:
        """The body in this shape, or None when it has another."""
        try:
            return shape.model_validate_json(self.body)
        except ValidationError:
            return None


class Gateway:
    """The service at one address, asked with the key that holds at that moment."""

    def __init__(self, base_url: str, key: Callable[[], SecretStr | None], *, answers_in: float) -> None:
        self._base_url = base_url.rstrip("/")
        self._key = key  # answers one of usable shape; raises ProviderFailed
        self._answers_in = answers_in  # seconds after which an order counts as unanswered, whatever trickles in
        self._questions = Pace(_QUESTIONS)
        url = httpx.URL(base_url)
        self.is_loopback = (url.scheme, url.host) == ("http", "127.0.0.1")  # a stand-in of tests
        self._is_private = url.scheme == "https" or self.is_loopback

    async def create(self, path: str, order: Mapping[str, Any], wording: Wording = CLIP) -> TaskAnswer:
        """Send an order once; answers with the task. Raises ProviderFailed, ProviderBusy and SubmitUnanswered.

        A refusal speaks of what was ordered by its `wording`.
        """
        headers = {**await self._authorization(), "X-DashScope-Async": "enable"}
        try:
            async with asyncio.timeout(self._answers_in):
                answer = await self._send("POST", path, headers, _CREATE, json=order)
        except _NOTHING_SENT as error:
            raise ProviderBusy("DashScope cannot be reached; nothing was ordered.", cure=_LOOK) from error
        except (httpx.HTTPError, TimeoutError) as error:
            raise _unanswered(type(error).__name__) from error
        return _accepted(answer, wording)

    async def ask(self, path: str, **parameters: str | int) -> Answer:
        """The answer to a question. Raises ProviderUnreachable, whatever it is that hinders."""
        answer = await self._free("GET", path, parameters)
        if answer.status != 200:
            raise _no_answer(answer)
        return answer

    async def wish(self, path: str) -> bool:
        """Whether a POST that changes nothing for the worse was granted. Raises ProviderUnreachable."""
        answer = await self._free("POST", path, {})
        if answer.status >= 500:
            raise _no_answer(answer)
        return answer.status == 200

    async def _free(self, method: str, path: str, parameters: Mapping[str, str | int]) -> Answer:
        try:
            headers = await self._authorization()
        except ProviderFailed as error:  # what was bought is still there, and waits for the key
            raise ProviderUnreachable(error.message, cure=error.cure, details=error.details) from error
        try:
            async with self._questions.sending(), asyncio.timeout(_ASK_SECONDS):
                return await self._send(method, path, headers, _ASK, params=dict(parameters))
        except (httpx.HTTPError, TimeoutError) as error:
            raise ProviderUnreachable(f"DashScope does not answer ({type(error).__name__}).", cure=_LOOK) from error

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Made once: reading all certificates takes longer than most requests."""
        return httpx.create_ssl_context()

    async def _send(
        self, method: str, path: str, headers: Mapping[str, str], patience: httpx.Timeout, **content: Any
    ) -> Answer:
        async with (
            httpx.AsyncClient(timeout=patience, verify=self._tls, trust_env=not self.is_loopback) as client,
            client.stream(method, self._base_url + path, headers=headers, **content) as response,
        ):
            return Answer(response.status_code, await _whole(response), response.headers)

    async def _authorization(self) -> dict[str, str]:
        """Raises ProviderFailed when there is no key, or none that may be sent."""
        if not self._is_private:
            raise ProviderFailed(
                "The API key is not sent over an open line.",
                cure="POPCON_DASHSCOPE_BASE_URL has to begin with https://.",
                code="bad_base_url",
                details={"stops": "all"},
            )
        key = await asyncio.to_thread(self._key)  # from a file, or a keyring that takes its time
        if key is None:
            raise ProviderFailed(
                "There is no DashScope API key.",
                cure="Run `popcond key set`, or set DASHSCOPE_API_KEY for the daemon.",
                code="no_key",
                details={"stops": "all"},
            )
        return {"Authorization": f"Bearer {key.get_secret_value()}"}


async def _whole(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise httpx.DecodingError("the answer is too large")
    return bytes(body)


def _accepted(answer: Answer, wording: Wording) -> TaskAnswer:
    """What was bought. Raises unless the answer says just that."""
    if answer.status == 200:
        task = answer.read(TaskAnswer)
        if task is not None:
            return task
        raise _unanswered("an answer without a task")
    said = answer.read(Refusal)
    if 400 <= answer.status < 500 and answer.status not in _AMBIGUOUS and said is not None:
        raise refusal(answer.status, said, _seconds(answer.headers.get("retry-after")), wording)
    raise _unanswered(f"HTTP {answer.status}")


def _unanswered(why: str) -> SubmitUnanswered:
    return SubmitUnanswered(
        f"DashScope did not answer this order ({why}).",
        cure="Whether it was bought is looked up in its list; nothing is sent again.",
    )


def _no_answer(answer: Answer) -> ProviderUnreachable:
    said = answer.read(Refusal)
    if said is None:
        return ProviderUnreachable(f"DashScope does not answer (HTTP {answer.status}).", cure=_LOOK)
    why = refusal(answer.status, said, _seconds(answer.headers.get("retry-after")))
    return ProviderUnreachable(why.message, cure=why.cure, details=why.details)


def _seconds(header: str | None) -> float | None:
    """What Retry-After says, within an hour."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return min(float(header), 3600.0)
    until = _instant(header)
    return min(max(until - time.time(), 0.0), 3600.0) if until is not None else None


def _instant(header: str | None) -> float | None:
    try:
        return parsedate_to_datetime(header).timestamp() if header else None
    except ValueError:
        return None

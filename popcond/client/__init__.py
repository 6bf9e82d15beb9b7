"""The client of a PopCon daemon: one async method a route, wire models out, and our own errors instead of HTTP's.

Each noun's routes are in a file of their own; here are the line, the daemon itself, its catalogue and its events. It is
quick to import (no pictures, no numbers, no codecs). How a request travels is the business of `popcond.line`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from popcond import answers
from popcond.client.characters import CharacterRoutes
from popcond.client.emojis import EmojiRoutes
from popcond.client.money import MoneyRoutes
from popcond.client.packs import Bundle, PackRoutes
from popcond.client.queue import QueueRoutes
from popcond.client.refine import RefineRoutes
from popcond.errors import DaemonUnreachable, PopconError
from popcond.line import ANSWER_SECONDS, Line, is_address, is_token
from popcond.wire import API_MAX, API_MIN, Action, Event, Problem, Provider, Speaker, Target, Version, disagreement

__all__ = ["Bundle", "Client", "is_address", "is_token"]

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 4.0  # seconds between two tries to reconnect


class Client(CharacterRoutes, PackRoutes, EmojiRoutes, RefineRoutes, MoneyRoutes, QueueRoutes):
    """Speaks to the daemon at `url` with `token`. Use it as `async with Client(url, token) as client`.

    The URL may be `unix:///path/of.sock`. `name` is the program's, for the handshake. `renew` reads the token anew, for
    a daemon that has rotated its own. `revive` finds or starts a daemon in place of one that was lost, and answers its
    URL; without it a lost daemon is waited for where it was. Raises DaemonUnreachable for a URL, and Unauthorized for a
    token, that can belong to no daemon.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        name: str = "popcond",
        renew: Callable[[], str] | None = None,
        revive: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self._revive = revive
        self._line = Line(url, token, answer_seconds=answer_seconds, name=name, renew=renew)

    @property
    def url(self) -> str:
        """Where the daemon is."""
        return self._line.url

    async def __aenter__(self) -> Self:
        await self._line.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._line.close()

    # -------------------------------------------------------------- the daemon and its catalogue

    async def is_healthy(self) -> bool:
        """Whether something at the URL says that it is well; needs no token."""
        try:
            return bool(answers.body(await self._line.send("GET", "/healthz")) == {"status": "ok"})
        except PopconError:
            return False

    async def version(self) -> Version:
        """The daemon's version, the API versions that it speaks, and its features."""
        return await self._line.one(Version, "GET", "/v1/version")

    async def shake_hands(self) -> Version:
        """The daemon's version. Raises PopconError (`version_mismatch`) when the two do not understand each other."""
        told = await self.version()
        daemon = Speaker("the daemon", told.version, told.api.get("min", API_MIN), told.api.get("max", API_MAX))
        parting = disagreement(self._line.speaker, daemon)
        if parting is not None:
            raise PopconError(parting.message, cure=parting.cure, code=parting.code)
        return told

    async def rotate_token(self) -> None:
        """The daemon takes a new token, into its token file; this client's own is refused from then on."""
        await self._line.send("POST", "/v1/token/rotate")

    async def actions(self) -> tuple[Action, ...]:
        """All that a character can do."""
        return await self._line.many(Action, "/v1/actions")

    async def action_problems(self) -> tuple[Problem, ...]:
        """What is wrong with the user's own actions.toml, entry by entry."""
        return await self._line.many(Problem, "/v1/actions/problems")

    async def targets(self) -> tuple[Target, ...]:
        """All destinations with their rules."""
        return await self._line.many(Target, "/v1/targets")

    async def providers(self) -> tuple[Provider, ...]:
        """Everybody who makes clips, with models and prices."""
        return await self._line.many(Provider, "/v1/providers")

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
                async with self._line.listen(after) as source:
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
                await self._find_again()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _find_again(self) -> None:
        """A lost daemon may have come back elsewhere, or is started anew; whatever hinders that is tried again."""
        if self._revive is None:
            return
        with suppress(PopconError):
            url = await self._revive()
            if url != self._line.url:
                await self._line.move(url)

"""Follows a pack, or a drawing, by the daemon's events until nothing more happens by itself.

The line is opened before anything is ordered and stays open until the files are saved. So no event is missed, and a
daemon that runs for us alone sees that somebody is still there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from popcond.cli.narrate import Narrator, is_settled
from popcond.client import Client
from popcond.errors import DaemonUnreachable, PopconError
from popcond.wire import Emoji, Event, Pack

QUIET_SECONDS = 10.0  # without any event, until the pack is read again


@dataclass(frozen=True)
class News:
    """What has happened since somebody last looked."""

    read_again: bool  # something may have been missed: what is held is no longer to be trusted
    changed: dict[str, Event] = field(default_factory=dict)  # by the emoji's id, the newest of each
    characters: frozenset[str] = frozenset()  # ids of those that changed


_NOTHING = News(read_again=False)


class Feed:
    """The daemon's events, read as they come; what nobody has looked at yet is kept once an emoji, newest only."""

    def __init__(self, client: Client, *, patience: float = 30.0) -> None:
        self._client = client
        self._patience = patience  # seconds without any daemon before it is given up
        self._bell = asyncio.Event()
        self._unseen = _NOTHING
        self._error: PopconError | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Returns once the line is open. Raises DaemonUnreachable or Unauthorized."""
        self._reader = asyncio.create_task(self._read())
        try:
            await self.news()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def news(self) -> News:
        """Waits for something new. Raises what ended the line, once all that came before has been seen."""
        await self._bell.wait()
        if self._error is None:
            self._bell.clear()
        elif self._unseen == _NOTHING:
            raise self._error
        news, self._unseen = self._unseen, _NOTHING
        return news

    async def _read(self) -> None:
        try:
            async with aclosing(self._client.events(patience=self._patience)) as events:
                async for event in events:
                    self._take(event)
        except PopconError as error:
            self._error = error
            self._bell.set()

    def _take(self, event: Event) -> None:
        if event.type == "reset":
            self._unseen = News(read_again=True)
        elif event.emoji is not None:
            self._unseen = replace(self._unseen, changed={**self._unseen.changed, event.emoji.id: event})
        elif event.character is not None:
            self._unseen = replace(self._unseen, characters=self._unseen.characters | {event.character.id})
        else:
            return
        self._bell.set()

    async def _stop(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader


class Held:
    """A pack as it was read, renewed by the events that came since."""

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        self._seqs: dict[str, int] = {}  # by the emoji's id, the event that it was last renewed by

    def renew(self, changed: dict[str, Event]) -> None:
        """Take the emojis as they are now. What is older than what is held already stays out."""
        self.pack = self.pack.model_copy(
            update={"emojis": tuple(self._newer(each, changed) for each in self.pack.emojis)}
        )

    def _newer(self, held: Emoji, changed: dict[str, Event]) -> Emoji:
        event = changed.get(held.id)
        if event is None or event.emoji is None or not self._is_newer(held, event.seq, event.emoji):
            return held
        self._seqs[held.id] = event.seq
        return event.emoji

    def _is_newer(self, held: Emoji, seq: int, changed: Emoji) -> bool:
        """By the order of events where both came so, for clocks are set back; by the clock after a reading."""
        last = self._seqs.get(held.id)
        return changed.updated >= held.updated if last is None else seq >= last


async def settled(client: Client, feed: Feed, pack: Pack, narrator: Narrator, idle: Collection[str] = ()) -> Pack:
    """The pack, once every emoji is finished or waits for a person; nobody waits for the `idle` ones.

    Raises DaemonUnreachable when the daemon is gone for good.
    """
    held = Held(await client.pack(pack.id))
    narrator.show(held.pack.emojis)
    while not all(is_settled(emoji) or emoji.id in idle for emoji in held.pack.emojis):
        news = await _news(feed)
        if news.read_again:
            held = await _read_again(client, held, narrator)
        else:
            held.renew(news.changed)
        narrator.show(held.pack.emojis)
    return held.pack


async def changed_character(feed: Feed, character_id: str) -> None:
    """Returns when the character may have changed. Raises DaemonUnreachable when the daemon is gone for good."""
    news = await _news(feed)
    while not news.read_again and character_id not in news.characters:
        news = await _news(feed)


async def _read_again(client: Client, held: Held, narrator: Narrator) -> Held:
    """The pack as held when nobody answers: whether the daemon is gone for good is the feed's to say."""
    try:
        return Held(await client.pack(held.pack.id))
    except DaemonUnreachable as error:
        narrator.note(f"{error.message} Trying again …")
        return held


async def _news(feed: Feed) -> News:
    """After a long silence the pack is read again: a daemon that hangs must not hang us too."""
    try:
        async with asyncio.timeout(QUIET_SECONDS):
            return await feed.news()
    except TimeoutError:
        return News(read_again=True)

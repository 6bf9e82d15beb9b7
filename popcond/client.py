"""The client of a PopCon daemon: one async method a route, wire models out, and our own errors instead of HTTP's.

It is quick to import (no pictures, no numbers, no codecs). How a request travels is the business of `popcond.line`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from popcond import answers
from popcond.errors import DaemonUnreachable, PopconError
from popcond.line import ANSWER_SECONDS, Line, is_address, is_token, quoted
from popcond.wire import (
    API_MAX,
    API_MIN,
    Action,
    Adopt,
    Character,
    ChooseTake,
    Emoji,
    Event,
    Frame,
    JobRow,
    JobState,
    Move,
    NewEmojis,
    NewPack,
    Pack,
    PackChanges,
    Prioritise,
    Problem,
    Provider,
    Prune,
    Pruned,
    Purchase,
    PurchaseState,
    Queue,
    Quote,
    RemoveBackground,
    Retry,
    Speaker,
    Stage,
    Sticker,
    Target,
    Usage,
    Version,
    disagreement,
)

__all__ = ["Bundle", "Client", "is_address", "is_token"]

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 4.0  # seconds between two tries to reconnect


@dataclass(frozen=True)
class Bundle:
    """A pack as its store takes it."""

    data: bytes  # a ZIP
    advice: tuple[str, ...]  # sentences that a person should read, such as "LINE wants 8 to 40 of them"


class Client:
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

    # -------------------------------------------------------------- characters

    async def add_character(
        self,
        picture: Path | bytes,
        name: str | None = None,
        remove_background: RemoveBackground = RemoveBackground.AUTO,
    ) -> Character:
        """Upload a picture. Raises UnreadablePicture, TooLarge or NoCharacter when it cannot become a character."""
        fields = {"remove_background": remove_background.value} | ({"name": name} if name else {})
        return await self._line.upload(Character, "/v1/characters", picture, fields)

    async def add_sample_character(self) -> Character:
        """The character that the daemon draws itself."""
        return await self._line.one(Character, "POST", "/v1/characters/sample")

    async def characters(self) -> tuple[Character, ...]:
        """All characters."""
        return await self._line.many(Character, "/v1/characters")

    async def character(self, character_id: str) -> Character:
        """One character."""
        return await self._line.one(Character, "GET", f"/v1/characters/{quoted(character_id)}")

    async def character_cutout(self, character_id: str) -> bytes:
        """PNG, RGBA: the character without its background."""
        return await self._line.content(f"/v1/characters/{quoted(character_id)}/cutout")

    async def delete_character(self, character_id: str) -> None:
        """Forget a character. Raises Conflict while a pack uses it."""
        await self._line.send("DELETE", f"/v1/characters/{quoted(character_id)}")

    # -------------------------------------------------------------- packs

    async def quote(self, pack: NewPack) -> Quote:
        """What a pack would cost; buys nothing."""
        return await self._line.one(Quote, "POST", "/v1/quotes", pack)

    async def add_pack(self, pack: NewPack, *, key: str | None = None) -> Pack:
        """Order a pack; its emojis start at once. Sent again with the same key, it is answered with the same pack."""
        return await self._line.one(Pack, "POST", "/v1/packs", pack, key=key)

    async def packs(self) -> tuple[Pack, ...]:
        """All packs."""
        return await self._line.many(Pack, "/v1/packs")

    async def pack(self, pack_id: str) -> Pack:
        """One pack with its emojis as they are now."""
        return await self._line.one(Pack, "GET", f"/v1/packs/{quoted(pack_id)}")

    async def change_pack(self, pack_id: str, changes: PackChanges) -> Pack:
        """Rename a pack, or change its targets or its way of accepting."""
        return await self._line.one(Pack, "PATCH", f"/v1/packs/{quoted(pack_id)}", changes)

    async def delete_pack(self, pack_id: str) -> None:
        """Forget a pack, its emojis and their stickers."""
        await self._line.send("DELETE", f"/v1/packs/{quoted(pack_id)}")

    async def add_emojis(self, pack_id: str, actions: Sequence[str]) -> Pack:
        """More actions for a pack."""
        return await self._line.one(
            Pack, "POST", f"/v1/packs/{quoted(pack_id)}/emojis", NewEmojis(actions=tuple(actions))
        )

    # -------------------------------------------------------------- money

    async def usage(self) -> Usage:
        """What was bought, by pack and by day."""
        return await self._line.one(Usage, "GET", "/v1/usage")

    async def purchases(self, state: PurchaseState | None = None) -> tuple[Purchase, ...]:
        """What was bought for money, the newest first."""
        return await self._line.many(Purchase, "/v1/purchases", {"state": state.value} if state else None)

    async def adopt(self, purchase_id: str, remote_task: str) -> Purchase:
        """Maybe bought: this remote task is it. Raises Conflict when nothing is in doubt."""
        path = f"/v1/purchases/{quoted(purchase_id)}/adopt"
        return await self._line.one(Purchase, "POST", path, Adopt(remote_task=remote_task))

    async def release(self, purchase_id: str) -> Purchase:
        """Maybe bought: it was not. Raises Conflict when nothing is in doubt."""
        return await self._line.one(Purchase, "POST", f"/v1/purchases/{quoted(purchase_id)}/release")

    async def look(self, purchase_id: str) -> Purchase:
        """Maybe bought: ask the provider's list once more. Raises Conflict when nothing is in doubt."""
        return await self._line.one(Purchase, "POST", f"/v1/purchases/{quoted(purchase_id)}/look")

    # -------------------------------------------------------------- bundles

    async def bundle(self, pack_id: str, target: str) -> Bundle:
        """The pack's ZIP for a target. Raises Conflict, with the failed rules, while a sticker is not valid."""
        response = await self._line.send("GET", f"/v1/packs/{quoted(pack_id)}/bundle/{quoted(target)}")
        return Bundle(response.content, answers.sentences(response.headers.get("X-Popcon-Advice", "")))

    async def contact_sheet(self, pack_id: str) -> bytes:
        """PNG: every emoji of the pack in a few of its frames."""
        return await self._line.content(f"/v1/packs/{quoted(pack_id)}/contact-sheet")

    # -------------------------------------------------------------- emojis

    async def emoji(self, emoji_id: str) -> Emoji:
        """One emoji."""
        return await self._line.one(Emoji, "GET", f"/v1/emojis/{quoted(emoji_id)}")

    async def retry(self, emoji_id: str, retry: Retry | None = None) -> Emoji:
        """Do it again, all of it or from a stage on."""
        return await self._line.one(
            Emoji, "POST", f"/v1/emojis/{quoted(emoji_id)}/retry", retry or Retry(motion_prompt=None)
        )

    async def cancel(self, emoji_id: str) -> Emoji:
        """Stop an emoji."""
        return await self._line.one(Emoji, "POST", f"/v1/emojis/{quoted(emoji_id)}/cancel")

    async def accept(self, emoji_id: str) -> Emoji:
        """Take the cut-out as it is; the stickers follow."""
        return await self._line.one(Emoji, "POST", f"/v1/emojis/{quoted(emoji_id)}/accept")

    async def choose_take(self, emoji_id: str, take_id: str) -> Emoji:
        """Go on with another take."""
        return await self._line.one(
            Emoji, "POST", f"/v1/emojis/{quoted(emoji_id)}/choose-take", ChooseTake(take_id=take_id)
        )

    async def upload_clip(self, emoji_id: str, clip: Path | bytes) -> Emoji:
        """The user's own clip becomes a take. Raises UnreadableClip or TooLarge."""
        return await self._line.upload(Emoji, f"/v1/emojis/{quoted(emoji_id)}/clip", clip, {})

    async def frames(self, emoji_id: str) -> tuple[Frame, ...]:
        """The emoji's frames in order."""
        return await self._line.many(Frame, f"/v1/emojis/{quoted(emoji_id)}/frames")

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
        return await self._line.many(Sticker, f"/v1/emojis/{quoted(emoji_id)}/stickers")

    async def sticker_file(self, sticker_id: str) -> bytes:
        """The sticker's bytes as the store wants them."""
        return await self._line.content(f"/v1/stickers/{quoted(sticker_id)}/file")

    # -------------------------------------------------------------- the queue

    async def queue(self) -> Queue:
        """The queue at a glance."""
        return await self._line.one(Queue, "GET", "/v1/queue")

    async def pause_queue(self) -> Queue:
        """Begin nothing new; what runs goes on to its end."""
        return await self._line.one(Queue, "POST", "/v1/queue/pause")

    async def resume_queue(self) -> Queue:
        """Go on after a pause."""
        return await self._line.one(Queue, "POST", "/v1/queue/resume")

    async def move_emoji(self, emoji_id: str, before: str | None) -> Queue:
        """Put an emoji in front of another one, or of all. Raises Conflict when nothing of it waits or runs."""
        return await self._line.one(Queue, "POST", "/v1/queue/move", Move(emoji_id=emoji_id, before=before))

    async def prioritise_emoji(self, emoji_id: str, priority: int) -> Queue:
        """Give an emoji a priority, -100..100; the higher goes first."""
        return await self._line.one(
            Queue, "POST", "/v1/queue/priority", Prioritise(emoji_id=emoji_id, priority=priority)
        )

    async def prioritise_pack(self, pack_id: str, priority: int) -> Queue:
        """Give all emojis of a pack a priority, -100..100."""
        return await self._line.one(Queue, "POST", "/v1/queue/priority", Prioritise(pack_id=pack_id, priority=priority))

    async def prune_queue(self, older_than_days: float) -> Pruned:
        """Forget jobs that ended so many days ago."""
        return await self._line.one(Pruned, "POST", "/v1/queue/prune", Prune(older_than_days=older_than_days))

    async def jobs(
        self,
        *,
        state: JobState | None = None,
        kind: Stage | None = None,
        emoji_id: str | None = None,
        after: int | None = None,
        limit: int = 100,
    ) -> tuple[JobRow, ...]:
        """Jobs behind the job `after`: ready ones in the order of the queue, else the newest first."""
        wanted = {"state": state, "kind": kind, "emoji_id": emoji_id, "after": after, "limit": limit}
        params = {name: str(value) for name, value in wanted.items() if value is not None}
        return await self._line.many(JobRow, "/v1/jobs", params)

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

    async def _frame_picture(self, emoji_id: str, kind: str, index: int, width: int | None) -> bytes:
        params = None if width is None else {"width": str(width)}
        return await self._line.content(f"/v1/emojis/{quoted(emoji_id)}/{kind}/{index}", params)

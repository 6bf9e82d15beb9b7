"""The routes of packs, and of the ZIPs that become of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from popcond import answers
from popcond.line import Line, quoted
from popcond.wire import NewEmojis, NewPack, Pack, PackChanges, Quote


@dataclass(frozen=True)
class Bundle:
    """A pack as its store takes it."""

    data: bytes  # a ZIP
    advice: tuple[str, ...]  # sentences that a person should read, such as "LINE wants 8 to 40 of them"


class PackRoutes:
    """Packs, one method a route."""

    _line: Line

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

    async def retry_pack(self, pack_id: str) -> Pack:
        """Go on with every emoji that failed or was cancelled. Raises OverBudget."""
        return await self._line.one(Pack, "POST", f"/v1/packs/{quoted(pack_id)}/retry")

    async def bundle(self, pack_id: str, target: str) -> Bundle:
        """The pack's ZIP for a target. Raises Conflict, with the failed rules, while a sticker is not valid."""
        response = await self._line.send("GET", f"/v1/packs/{quoted(pack_id)}/bundle/{quoted(target)}")
        return Bundle(response.content, answers.sentences(response.headers.get("X-Popcon-Advice", "")))

    async def contact_sheet(self, pack_id: str) -> bytes:
        """PNG: every emoji of the pack in a few of its frames."""
        return await self._line.content(f"/v1/packs/{quoted(pack_id)}/contact-sheet")

"""An order is written down when it may be sent, and not before: what waits for its turn is no purchase."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from popcond.stages.animate import animate
from popcond.store import purchases
from popcond.wire import PurchaseKind
from tests.fakes import LedgerProvider
from tests.popcond.stages.house import House


@dataclass
class OneAtATime(LedgerProvider):
    """Takes an order when the gate is open."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    def turn(self, model: str) -> AbstractAsyncContextManager[None]:
        """As a provider with limits."""
        return self._turn()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        self.waiting.set()
        await self.gate.wait()
        yield


async def test_what_waits_for_its_turn_is_not_in_the_ledger(tmp_path: Path) -> None:
    provider = OneAtATime(checks_until_ready=0)
    house = House(tmp_path, provider)
    work = await house.job_of(await house.emoji_of())
    buying = asyncio.create_task(animate(house.studio, work))
    async with asyncio.timeout(30):
        await provider.waiting.wait()
        assert await house.database.read(purchases.unattended) == []
        assert not await house.database.read(lambda connection: purchases.open_for(connection, _work(work.emoji.id)))
        provider.gate.set()
        await buying
    assert len(provider.ledger) == 1
    house.database.close()


def _work(emoji_id: str) -> str:
    return purchases.work_of(PurchaseKind.CLIP, emoji_id)

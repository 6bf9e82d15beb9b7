"""The routes of what was bought."""

from __future__ import annotations

from popcond.line import Line, quoted
from popcond.wire import Adopt, Purchase, PurchaseState, Usage


class MoneyRoutes:
    """Purchases and spend, one method a route."""

    _line: Line

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

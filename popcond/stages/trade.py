"""What is bought, from its order to its place: the same road for clips, poses and drawings.

A Trade says what is particular to one of them. What came is kept whatever it is like; when it has flaws and may be
tried again, it is ordered a second time, once, within the budget. The ledger remembers which job brought what home, so
that a restart between the two tries neither repeats the first nor forgets the second.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

from popcond.crash import point
from popcond.errors import MaybeBought, OverBudget, ProviderFailed
from popcond.stages.purchase import Bid, Shop, bought
from popcond.stages.work import Finish
from popcond.store import orderers, purchases
from popcond.store.db import Connection
from popcond.store.jobs import Job
from popcond.store.purchases import Entry
from popcond.video.provider import Maker, TaskStatus
from popcond.wire import PurchaseKind, PurchaseState

log = logging.getLogger("popcond.trade")

W = TypeVar("W")
W_contra = TypeVar("W_contra", contravariant=True)


class Goods(Protocol):
    """What was bought, as it lies in the asset folder."""

    @property
    def flaws(self) -> tuple[str, ...]:
        """What is wrong with it, a sentence each."""
        ...


G = TypeVar("G", bound=Goods)


class Trade(Protocol[W_contra, G]):
    """One kind of thing that is bought."""

    @property
    def kind(self) -> PurchaseKind:
        """How the ledger calls it."""
        ...

    def maker(self, provider: str) -> Maker[W_contra] | None:
        """Who makes it; None when this provider does not, or not any more."""
        ...

    async def fetched(self, entry: Entry, status: TaskStatus) -> G:
        """What a finished task made, as assets. Raises ProviderUnreachable, ProviderFailed and OutOfDisk."""
        ...

    def exists(self, connection: Connection, subject: str) -> bool:
        """Whether the emoji or character that it is for is still there."""
        ...

    def has_chosen(self, connection: Connection, subject: str) -> bool:
        """Whether it has one that it goes by already."""
        ...

    def keep(self, connection: Connection, entry: Entry, goods: G, *, choose: bool) -> None:
        """Give it to whom it is for, and choose it if asked to."""
        ...

    def go_on(self, connection: Connection, entry: Entry) -> None:
        """It came when nobody waited any more: say where its owner stands with it."""
        ...


@dataclass(frozen=True)
class Commission(Generic[W, G]):
    """What one job wants bought."""

    trade: Trade[W, G]
    shop: Shop[W]
    job: Job
    first: Bid[W]
    second: Callable[[], Awaitable[Bid[W]]] | None = None  # what is ordered instead when the first has flaws
    report: Callable[[float], None] = lambda _fraction: None  # progress, 0..1


async def made(commission: Commission[W, G]) -> Finish:
    """Buy what the job wants; answers what is to be written when it ends.

    Raises ProviderFailed with the provider's reason, MaybeBought and OverBudget.
    """
    work, database = commission.first.order.work, commission.shop.database
    if await database.read(partial(purchases.collected_by, job=commission.job.id, work=work)):
        return await _second(commission)
    entry, status, goods = await _bought(commission, commission.first)
    if not goods.flaws or commission.second is None:
        return partial(_finish, trade=commission.trade, entry=entry, status=status, goods=goods)
    log.info("purchase %s has flaws: %s", entry.id, " ".join(goods.flaws))
    home = partial(_bring_home, trade=commission.trade, entry=entry, status=status, goods=goods)
    await database.write(partial(home, job=commission.job))
    point("between_tries")
    return await _second(commission)


async def _second(commission: Commission[W, G]) -> Finish:
    """The other try; where it cannot be had, the first is what there is."""
    if commission.second is None:
        return _keep_the_first
    try:
        entry, status, goods = await _bought(commission, await commission.second())
    except (OverBudget, MaybeBought) as error:
        log.info("there is no second try: %s", error)
        return _keep_the_first
    except ProviderFailed as error:
        if commission.job.failures < error.retries:
            raise  # it is tried again later
        log.info("there is no second try: %s", error)
        return _keep_the_first
    return partial(_finish, trade=commission.trade, entry=entry, status=status, goods=goods)


async def _bought(commission: Commission[W, G], bid: Bid[W]) -> tuple[Entry, TaskStatus, G]:
    """What was bid for; an earlier order of the same work, that was still open, is kept on the way to it."""
    while True:
        entry, status = await bought(commission.shop, bid, commission.job, commission.report)
        goods = await commission.trade.fetched(entry, status)
        if entry.order.request == bid.order.request:
            return entry, status, goods
        await commission.shop.database.write(
            partial(collect, trade=commission.trade, entry=entry, status=status, goods=goods)
        )


def collect(
    connection: Connection, trade: Trade[W, G], entry: Entry, status: TaskStatus, goods: G, *, choose: bool = True
) -> None:
    """What was bought is here, and the ledger says so. Raises Conflict and NotFound."""
    purchases.settle(connection, entry.id, PurchaseState.COLLECTED, billed=status.billed)
    trade.keep(connection, entry, goods, choose=choose)


def _bring_home(
    connection: Connection, trade: Trade[W, G], entry: Entry, status: TaskStatus, goods: G, job: Job
) -> None:
    """The first try of this job is over, whichever job had ordered it."""
    collect(connection, trade, entry, status, goods)
    orderers.take_over(connection, entry.id, job)


def _finish(connection: Connection, trade: Trade[W, G], entry: Entry, status: TaskStatus, goods: G) -> None:
    collect(connection, trade, entry, status, goods)
    point("before_finish")


def _keep_the_first(_connection: Connection) -> None:
    """It was written down when it came."""

"""The account's own list of tasks: what was accepted in a span of time, whoever sent it.

Rows tell id, model and time, and neither prompt nor result. The list is what settles an order without an answer, so it
says of itself whether anything may be missing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from popcond.video.dashscope_answers import ListRow, Page, list_time
from popcond.video.dashscope_gateway import Gateway
from popcond.video.dashscope_reach import CLOCKS_APART
from popcond.video.provider import ListedTask, TaskList

_PAGE = 50  # rows
_MOST_PAGES = 100
_TRIES = 3  # at a list that moves while it is read
_SPAN = 12 * 3600.0  # seconds of one question; with the eight hours of the zones it stays below the 24 that are allowed
_KEPT = 23.5 * 3600.0  # seconds that the service keeps a task for sure


@dataclass(frozen=True)
class _Listing:
    """The answer for one span."""

    rows: tuple[ListRow, ...]
    is_all: bool


async def listed(gateway: Gateway, since: float, until: float) -> TaskList:
    """All tasks accepted between two instants. Raises ProviderUnreachable.

    Never complete while our clock is far from the service's: then neither instant means what it should.
    """
    now = (await gateway.ask("/tasks", page_no=1, page_size=1)).at
    listings = [await _listing(gateway, *span) for span in _spans(since, min(until, now + 60.0))]
    rows = {row.task_id: row for listing in listings for row in listing.rows}
    tasks = (ListedTask(row.task_id, row.model_name, row.gmt_create / 1000.0) for row in rows.values())
    is_known = since >= now - _KEPT and abs(now - time.time()) <= CLOCKS_APART
    return TaskList(
        tuple(task for task in tasks if since <= task.accepted_at <= until),
        is_complete=is_known and all(listing.is_all for listing in listings),
    )


async def _listing(gateway: Gateway, start: float, end: float) -> _Listing:
    """Every page of a span, read again when rows have moved from page to page meanwhile."""
    for _ in range(_TRIES):
        listing = await _pages(gateway, start, end)
        if listing.is_all:
            break
    return listing


async def _pages(gateway: Gateway, start: float, end: float) -> _Listing:
    """Every page of a span, once; it is all when nothing is missing of what was there at the first page.

    Nobody says in which zone the service reads the span's ends, so it is asked for both that may be meant; what is too
    much is left out by the rows' own times.
    """
    span = {"start_time": list_time(start, hours_east=0), "end_time": list_time(end + 1.0, hours_east=8)}
    rows: dict[str, ListRow] = {}
    total: int | None = None
    for number in range(1, _MOST_PAGES + 1):
        page = (await gateway.ask("/tasks", page_no=number, page_size=_PAGE, **span)).read(Page)
        if page is None:
            break
        rows |= {row.task_id: row for row in page.data}
        total = page.total if total is None else total  # what came since pushes others to the next page, and is new
        if not page.data or number * _PAGE >= page.total:
            return _Listing(tuple(rows.values()), len(rows) >= total)
    return _Listing(tuple(rows.values()), is_all=False)


def _spans(since: float, until: float) -> Iterator[tuple[float, float]]:
    """The span in pieces that the list allows."""
    while since < until:
        yield since, min(since + _SPAN, until)
        since += _SPAN

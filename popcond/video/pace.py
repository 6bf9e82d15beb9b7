"""How many orders may be sent, and be in progress, at one moment: within a service's limits, and no slower than they.

A Meter is pure: it is told what happened and when, and says how long the next order has to wait. A Pace waits for it in
the order of asking. A service that says "too many" is left alone for a while that doubles, and is asked for less at
once; whatever it accepts afterwards widens that again. Everything that is counted is forgotten some day, so that
nothing waits for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

_SECOND = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0  # seconds after "too many"
_UNHEARD = 180.0  # seconds after which a task that nobody asks about counts no more


@dataclass(frozen=True)
class Limits:
    """What a service allows."""

    per_second: int  # orders that it receives
    at_once: int  # tasks in progress


@dataclass(eq=False)
class Turn:
    """The right to send one order."""

    is_spent: bool = False  # the order may have been sent
    task: str | None = None  # what it became


@dataclass
class Meter:
    """Counts turns and tasks against the limits. All times are seconds of one clock that never goes back."""

    limits: Limits
    turns: list[Turn] = field(default_factory=list)  # given out and not yet back
    _cooling: list[float] = field(default_factory=list)  # until when orders that were answered count in their second
    _tasks: dict[str, float] = field(default_factory=dict)  # in progress, until when they count unheard of
    _closed_until: float = -math.inf
    _throttled: int = 0  # times in a row
    _most: int = 0  # tasks at once that the service seems to allow

    def __post_init__(self) -> None:
        self._most = self.limits.at_once

    def wait(self, now: float) -> float:
        """Seconds until it is worth looking again; 0 when an order may be sent now, infinite until something ends."""
        self._forget(now)
        waits = [
            self._closed_until - now,
            _until_room(len(self.turns), self._cooling, self.limits.per_second, now),
            _until_room(self._unplaced, list(self._tasks.values()), self._most, now),
        ]
        return max(0.0, *waits)

    def give(self) -> Turn:
        """A turn for an order that need not wait."""
        turn = Turn()
        self.turns.append(turn)
        return turn

    def spend(self) -> Turn | None:
        """The turn of an order that is sent now; None when nobody has waited for one."""
        turn = next((turn for turn in self.turns if not turn.is_spent), None)
        if turn is not None:
            turn.is_spent = True
        return turn

    def take_back(self, turn: Turn, now: float) -> None:
        """The order was answered, or never sent; harmless when it is back already.

        The service received it at some time before its answer; so it counts for a whole second from here.
        """
        if turn not in self.turns:
            return
        self.turns.remove(turn)
        if turn.is_spent:
            self._cooling.append(now + _SECOND)

    def accepted(self, turn: Turn, task: str, now: float) -> None:
        """It became a task."""
        turn.task = task
        self._throttled = 0
        self._most = min(self._most + 1, self.limits.at_once)
        self.runs(task, now)

    def doubtful(self, turn: Turn, now: float, seconds: float) -> None:
        """It may have become one: counted as such for the seconds until that is settled."""
        self._tasks[f"? {id(turn)} {now}"] = now + seconds

    def throttled(self, now: float, wish: float | None, chance: float, *, is_crowded: bool = False) -> float:
        """The service had too many, of tasks if `is_crowded`; answers the seconds for which it is left alone.

        `wish` is what it asked for itself, `chance` a random number in 0..1.
        """
        self._throttled += 1
        if is_crowded or self._throttled > 1:
            self._most = max(1, min(self._most - 1, len(self._tasks)))
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(self._throttled - 1, 10))
        seconds = wish if wish is not None else pause * (0.5 + 0.5 * chance)
        self._closed_until = max(self._closed_until, now + seconds)
        return seconds

    def runs(self, task: str, now: float) -> None:
        """It was heard of a task that it is in progress, whoever ordered it and when."""
        self._tasks[task] = now + _UNHEARD

    def ended(self, task: str) -> None:
        """It is no longer in progress."""
        self._tasks.pop(task, None)

    @property
    def _unplaced(self) -> int:
        """Turns that may yet become tasks."""
        return sum(turn.task is None for turn in self.turns)

    def _forget(self, now: float) -> None:
        self._cooling = [end for end in self._cooling if end > now]
        self._tasks = {task: end for task, end in self._tasks.items() if end > now}


def _until_room(fixed: int, ends: list[float], most: int, now: float) -> float:
    """Seconds until fewer than `most` are left, when all but `fixed` of them end at known times."""
    surplus = fixed + len(ends) - most + 1
    if surplus <= 0:
        return 0.0
    return sorted(ends)[surplus - 1] - now if surplus <= len(ends) else math.inf


class Pace:
    """Waits, first come first served, until the meter lets an order pass."""

    def __init__(self, limits: Limits, chance: Callable[[], float] = random.random) -> None:
        self._meter = Meter(limits)
        self._chance = chance
        self._line = asyncio.Lock()  # fair: whoever holds it is the next
        self._changed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Inside, one order may be sent, as `sending` it."""
        async with self._line:
            await self._open()
            turn = self._meter.give()
        try:
            yield
        finally:
            self._take_back(turn)

    @contextlib.asynccontextmanager
    async def sending(self) -> AsyncIterator[Turn]:
        """Around an order on its way: in a turn that was waited for, or else in one that is waited for here."""
        if turn := self._meter.spend():
            try:
                yield turn
            finally:
                self._take_back(turn)
            return
        async with self.turn(), self.sending() as turn:
            yield turn

    def _take_back(self, turn: Turn) -> None:
        self._meter.take_back(turn, self._now)
        self._changed.set()

    def accepted(self, turn: Turn, task: str) -> None:
        """An order became a task."""
        self._meter.accepted(turn, task, self._now)
        self._changed.set()

    def doubtful(self, turn: Turn, seconds: float) -> None:
        """An order may have become a task; known in so many seconds."""
        self._meter.doubtful(turn, self._now, seconds)

    def throttled(self, wish: float | None, *, is_crowded: bool) -> float:
        """Too many; answers the seconds until the next order."""
        return self._meter.throttled(self._now, wish, self._chance(), is_crowded=is_crowded)

    def runs(self, task: str) -> None:
        """A task is in progress."""
        self._meter.runs(task, self._now)

    def ended(self, task: str) -> None:
        """A task is in progress no longer."""
        self._meter.ended(task)
        self._changed.set()

    async def _open(self) -> None:
        while (seconds := self._meter.wait(self._now)) > 0.0:
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                    await self._changed.wait()

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

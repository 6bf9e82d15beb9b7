"""What is to be done, most urgent first, one step at a time.

Long work is a series of short steps, and after each the most urgent work goes on: a propagation waits for the frame on
the screen, embeddings in stock wait for both. Points are read by a second worker at the same time; the `Courtesy`
between the two makes the long work stop within a layer of the model until the points have been read.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import threading
from collections.abc import Iterator
from typing import Protocol

from popcond.errors import Cancelled


class Work(Protocol):
    """One request that is being worked on."""

    @property
    def id(self) -> int:
        """The request's number."""
        ...

    @property
    def urgency(self) -> int:
        """The lower, the sooner."""
        ...

    def step(self) -> bool:
        """Do a part of it; False when nothing is left."""
        ...


class Agenda:
    """The work that waits for one worker. Usable from several threads."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, Work]] = []
        self._order = itertools.count()
        self._places: dict[int, int] = {}  # of work that has begun: it stays in front of what came later
        self._cancelled: set[int] = set()
        self._bell = threading.Condition()
        self._at_work: Work | None = None

    def add(self, work: Work) -> None:
        """More to do."""
        with self._bell:
            self._places[work.id] = next(self._order)
            self._push(work)

    def take(self) -> Work:
        """The most urgent work; waits until there is some. Whoever takes it gives it back or says that it is over."""
        with self._bell:
            while True:
                while not self._waiting:
                    self._bell.wait()
                work = heapq.heappop(self._waiting)[2]
                if work.id not in self._cancelled:
                    self._at_work = work
                    return work
                self._forget(work)

    def give_back(self, work: Work) -> None:
        """There is more of it to do."""
        with self._bell:
            self._at_work = None
            self._push(work)

    def over(self, work: Work) -> None:
        """It is done, or has failed."""
        with self._bell:
            self._at_work = None
            self._forget(work)

    def cancel(self, id_: int) -> None:
        """Nobody wants this any more; harmless when it is over."""
        with self._bell:
            if id_ in self._places:
                self._cancelled.add(id_)

    @property
    def is_unwanted(self) -> bool:
        """Whether what is being done was cancelled in the meantime."""
        with self._bell:
            return self._at_work is not None and self._at_work.id in self._cancelled

    def _push(self, work: Work) -> None:
        heapq.heappush(self._waiting, (work.urgency, self._places[work.id], work))
        self._bell.notify()

    def _forget(self, work: Work) -> None:
        self._places.pop(work.id, None)
        self._cancelled.discard(work.id)


class Courtesy:
    """Lets the one who is in a hurry go first.

    Where both can compute at once (a processor), the other one stops between two layers of the model. Where they
    cannot (a graphics card), they take turns of a step.
    """

    def __init__(self, agenda: Agenda, *, side_by_side: bool) -> None:
        self._agenda = agenda  # of the one who steps back
        self._turn = threading.RLock() if not side_by_side else None
        self._bell = threading.Condition()
        self._hurried = 0
        self._in_a_hurry = threading.local()

    @contextlib.contextmanager
    def first(self) -> Iterator[None]:
        """Inside, the other one waits."""
        with self._bell:
            self._hurried += 1
        self._in_a_hurry.now = True
        try:
            with self._turn or contextlib.nullcontext():
                yield
        finally:
            self._in_a_hurry.now = False
            with self._bell:
                self._hurried -= 1
                self._bell.notify_all()

    @contextlib.contextmanager
    def patiently(self) -> Iterator[None]:
        """One step of the other one."""
        self._wait()
        with self._turn or contextlib.nullcontext():
            yield

    def between_layers(self) -> None:
        """Step back here, and give up what nobody wants any more. Raises Cancelled."""
        if getattr(self._in_a_hurry, "now", False):
            return
        if self._agenda.is_unwanted:
            raise Cancelled("Nobody wants this any more.")
        if self._turn is None:
            self._wait()

    def _wait(self) -> None:
        with self._bell:
            while self._hurried:
                self._bell.wait()

"""The queue and its jobs, and the orders that change them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from popcond.wire.base import Problem, Wire
from popcond.wire.packs import Stage

Priority = Annotated[int, Field(ge=-100, le=100)]


class JobState(StrEnum):
    """Where a job stands."""

    READY = "ready"  # waits for its turn, or for the time of its next try
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"  # failed for good: repeating would not help, or its tries are used up
    CANCELLED = "cancelled"


class JobRow(Wire):
    """One job that waits, runs or has ended: a stage of an emoji, or a character's drawing."""

    id: int
    kind: Stage
    emoji_id: str | None = None
    pack_id: str | None = None
    pack_name: str = ""
    action: str = ""
    character_id: str | None = None  # of a drawing
    character_name: str = ""
    state: JobState
    priority: int
    attempt: int  # how often it was begun, crashes and stops included
    failures: int  # how often it ended in an error
    run_at: float | None = None  # seconds since the epoch of the next try; None: as soon as its turn comes
    problem: Problem | None = None  # why it is tried again, or dead
    superseded: bool = False  # true: there is a later job of the same emoji or character, so this one is history
    created: float  # seconds since the epoch
    updated: float


class QueueLane(Wire):
    """A number of jobs that may run at once."""

    name: str
    kinds: tuple[Stage, ...]  # the first has precedence
    width: int
    running: int = 0


class Queue(Wire):
    """The queue at a glance."""

    paused: bool  # true: running work ends, nothing new begins
    ready: int  # jobs that wait for nothing but their turn
    delayed: int  # jobs that wait for the time of their next try
    running: int
    dead: int  # jobs that failed for good and have not been superseded
    lanes: tuple[QueueLane, ...]


class Move(Wire):
    """The body of POST /v1/queue/move."""

    emoji_id: str
    before: str | None = None  # another emoji, whose priority it takes over; null: before all others


class Prioritise(Wire):
    """The body of POST /v1/queue/priority: one emoji, or all of a pack."""

    emoji_id: str | None = None
    pack_id: str | None = None
    priority: Priority  # the higher goes first; new emojis have 0

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.emoji_id is None) == (self.pack_id is None):
            raise ValueError("give either an emoji_id or a pack_id")
        return self


class Prune(Wire):
    """The body of POST /v1/queue/prune."""

    older_than_days: float = Field(default=30.0, ge=0, le=36500, allow_inf_nan=False)


class Pruned(Wire):
    """How many jobs that had ended went."""

    pruned: int

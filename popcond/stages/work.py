"""The shape of a stage: it gets one piece of work and answers with what is to be written down when it is finished.

A stage never writes its own end: the runner runs the answered `Finish` in the transaction that closes the job and
queues the next stage, so that either all of it happened or nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from popcond.store.db import Connection
from popcond.store.jobs import Job
from popcond.wire import Action, Emoji, Pack

Finish = Callable[[Connection], None]


@dataclass(frozen=True)
class Work:
    """One claimed job with all that its stage needs to know."""

    job: Job
    emoji: Emoji
    action: Action  # as it was when the emoji was added
    pack: Pack
    report: Callable[[float], None]  # progress of the stage, 0..1


StageFunction = Callable[[Work], Awaitable[Finish]]

"""What happened, as it is told to every client."""

from __future__ import annotations

from typing import Literal

from popcond.wire.base import Problem, Wire
from popcond.wire.characters import Character
from popcond.wire.money import Purchase
from popcond.wire.packs import Emoji, Pack
from popcond.wire.queue import Queue
from popcond.wire.refine import Edited


class Event(Wire):
    """A past-tense fact with the whole changed thing; `seq` is the id of the SSE message."""

    seq: int
    at: float
    type: Literal[
        "character_added",
        "character_changed",
        "character_removed",
        "pack_added",
        "pack_changed",
        "pack_removed",
        "emoji_changed",
        "emoji_progressed",  # kept in memory only; has the seq of the last stored event
        "stickers_made",
        "edit_made",  # masks were changed; undoing and redoing are told like this as well
        "propagation_failed",  # or somebody's change of the emoji came first; no mask was changed
        "purchase_changed",
        "queue_changed",  # somebody paused, resumed, reordered or pruned it; what jobs do by themselves is not told
        "reset",  # the asked id is too old: read everything again
        "bye",  # the daemon stops
    ]
    character: Character | None = None
    pack: Pack | None = None
    emoji: Emoji | None = None
    purchase: Purchase | None = None
    queue: Queue | None = None
    edit: Edited | None = None
    problem: Problem | None = None  # why something in the background, which has no row of its own, has failed
    id: str | None = None  # of what was removed, or of the emoji that this is about

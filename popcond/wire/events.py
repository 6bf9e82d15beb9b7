"""What happened, as it is told to every client."""

from __future__ import annotations

from typing import Literal

from popcond.wire.base import Wire
from popcond.wire.characters import Character
from popcond.wire.money import Purchase
from popcond.wire.packs import Emoji, Pack
from popcond.wire.queue import Queue


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
    id: str | None = None  # of what was removed

"""What happened, as it is told to every client."""

from __future__ import annotations

from typing import Literal

from popcond.wire.base import Wire
from popcond.wire.money import Purchase
from popcond.wire.packs import Character, Emoji, Pack


class Event(Wire):
    """A past-tense fact with the whole changed thing; `seq` is the id of the SSE message."""

    seq: int
    at: float
    type: Literal[
        "character_added",
        "character_removed",
        "pack_added",
        "pack_changed",
        "pack_removed",
        "emoji_changed",
        "emoji_progressed",  # kept in memory only; has the seq of the last stored event
        "stickers_made",
        "purchase_changed",
        "reset",  # the asked id is too old: read everything again
        "bye",  # the daemon stops
    ]
    character: Character | None = None
    pack: Pack | None = None
    emoji: Emoji | None = None
    purchase: Purchase | None = None
    id: str | None = None  # of what was removed

"""A clip that was downloaded is looked at before it becomes a take: all of it decodes, and it is what was ordered.

What arrived damaged is fetched again, which costs nothing. The bounds are wide on purpose: an odd clip that was paid
for is worth more than none, so only what cannot be the clip is refused.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from popcond.errors import ProviderFailed, ProviderUnreachable, TookTooLong, TooLarge, UnreadableClip
from popcond.media.clip import ClipFacts, ClipLimits, probe, read_frames
from popcond.workers import Report, Workers, report_nothing

_PATIENCE = 120.0  # seconds
_LEAST, _MOST = 1 / 8, 4.0  # of the ordered seconds; of the ordered side the least
_LIMITS = ClipLimits(min_share_decoded=0.98)


@dataclass(frozen=True)
class Expected:
    """What was bought."""

    seconds: float
    side: int  # pixels of a square of the ordered size


async def verify(clip: Path, expected: Expected | None, workers: Workers | None) -> None:
    """Raises ProviderUnreachable for a damaged clip, ProviderFailed for a whole one that is not what was ordered.

    Without workers it is decoded in a thread: for tools and tests that trust their files.
    """
    try:
        facts = await _facts(clip, workers)
    except UnreadableClip as error:
        raise ProviderUnreachable(
            "The clip arrived damaged.", cure="It is fetched again by itself, which costs nothing."
        ) from error
    except (TooLarge, TookTooLong) as error:
        raise ProviderFailed(f"The clip cannot be used: {error.message}", cure=error.cure) from error
    if expected is not None and (why := _mismatch(facts, expected)):
        raise ProviderFailed(
            f"The provider's file is not the clip that was ordered: {why}.",
            cure="Retry the emoji: the clip is fetched again without buying it again.",
            code="wrong_clip",
        )


async def _facts(clip: Path, workers: Workers | None) -> ClipFacts:
    if workers is None:
        return await asyncio.to_thread(_decode, report_nothing, clip)
    return await workers.run_at_most(_PATIENCE, _decode, report_nothing, clip)


def _decode(_report: Report, clip: Path) -> ClipFacts:
    facts = probe(clip, limits=_LIMITS)
    for _frame in read_frames(clip, limits=_LIMITS):
        pass
    return facts


def _mismatch(facts: ClipFacts, expected: Expected) -> str | None:
    if not _LEAST * expected.seconds <= facts.seconds <= _MOST * expected.seconds:
        return f"it lasts {facts.seconds:.1f} s instead of {expected.seconds:g} s"
    if min(facts.width, facts.height) < _LEAST * expected.side:
        return f"it has {facts.width} × {facts.height} pixels instead of about {expected.side} × {expected.side}"
    return None

"""A result that was downloaded is looked at before it is kept: all of it decodes, and it is what was ordered.

What arrived damaged is fetched again, which costs nothing. The bounds are wide on purpose: an odd result that was paid
for is worth more than none, so only what cannot be the clip or the picture is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from popcond.errors import (
    PopconError,
    ProviderFailed,
    ProviderUnreachable,
    TookTooLong,
    TooLarge,
    UnreadableClip,
    UnreadablePicture,
)
from popcond.media import signature
from popcond.media.clip import ClipFacts, ClipLimits, probe, read_frames
from popcond.media.picture import open_picture
from popcond.media.signature import FileKind
from popcond.workers import Report, Workers, report_nothing

Facts = TypeVar("Facts")

_PATIENCE = 120.0  # seconds
_LEAST, _MOST = 1 / 8, 4.0  # of the ordered seconds; of the ordered side of a clip the least
_LEAST_SIDE = 1 / 4  # of a picture's ordered side: the shorter one, whatever shape it took from its reference
_LIMITS = ClipLimits(min_share_decoded=0.98)
_PICTURES = (FileKind.PNG, FileKind.JPEG, FileKind.WEBP, FileKind.GIF, FileKind.BMP, FileKind.TIFF)
_CLIPS = (FileKind.MOVIE, FileKind.MATROSKA, FileKind.AVI, FileKind.TRANSPORT_STREAM)
_AGAIN = "It is fetched again by itself, which costs nothing."


@dataclass(frozen=True)
class ExpectedClip:
    """What was bought."""

    seconds: float
    side: int  # pixels of a square of the ordered size


@dataclass(frozen=True)
class ExpectedPicture:
    """What was bought."""

    side: int  # pixels of a square of the ordered size


async def verify_clip(clip: Path, expected: ExpectedClip | None, workers: Workers | None) -> None:
    """Raises ProviderUnreachable for a damaged clip, ProviderFailed for a whole file that is not what was ordered.

    Without workers it is decoded in a thread: for tools and tests that trust their files.
    """
    try:
        facts = await _seen(_decode, clip, workers)
    except UnreadableClip as error:
        raise await asyncio.to_thread(_unreadable, "clip", clip, _PICTURES) from error
    except (TooLarge, TookTooLong) as error:
        raise _unusable("clip", error) from error
    if expected is not None and (why := _clip_mismatch(facts, expected)):
        raise _wrong("clip", why)


async def verify_picture(picture: Path, expected: ExpectedPicture | None, workers: Workers | None) -> None:
    """The same for a picture."""
    try:
        size = await _seen(_develop, picture, workers)
    except UnreadablePicture as error:
        raise await asyncio.to_thread(_unreadable, "picture", picture, _CLIPS) from error
    except (TooLarge, TookTooLong) as error:
        raise _unusable("picture", error) from error
    if expected is not None and min(size) < _LEAST_SIDE * expected.side:
        width, height = size
        raise _wrong("picture", f"it has {width} × {height} pixels instead of about {expected.side} × {expected.side}")


async def _seen(look: Callable[[Report, Path], Facts], file: Path, workers: Workers | None) -> Facts:
    if workers is None:
        return await asyncio.to_thread(look, report_nothing, file)
    return await workers.run_at_most(_PATIENCE, look, report_nothing, file)


def _decode(_report: Report, clip: Path) -> ClipFacts:
    facts = probe(clip, limits=_LIMITS)
    for _frame in read_frames(clip, limits=_LIMITS):
        pass
    return facts


def _develop(_report: Report, picture: Path) -> tuple[int, int]:
    """Width and height, of a larger one as it is scaled down."""
    height, width = open_picture(picture).rgba.shape[:2]
    return width, height


def _clip_mismatch(facts: ClipFacts, expected: ExpectedClip) -> str | None:
    if not _LEAST * expected.seconds <= facts.seconds <= _MOST * expected.seconds:
        return f"it lasts {facts.seconds:.1f} s instead of {expected.seconds:g} s"
    if min(facts.width, facts.height) < _LEAST * expected.side:
        return f"it has {facts.width} × {facts.height} pixels instead of about {expected.side} × {expected.side}"
    return None


def _unreadable(thing: str, file: Path, others: tuple[FileKind, ...]) -> PopconError:
    """Damaged on its way; but a whole file of another kind stays that, however often it is fetched."""
    with file.open("rb") as opened:
        kind = signature.kind_of(opened.read(signature.HEAD_BYTES))
    if kind in others:
        return _wrong(thing, f"it is {signature.a_kind(kind)}")
    return ProviderUnreachable(f"The {thing} arrived damaged.", cure=_AGAIN)


def _unusable(thing: str, error: PopconError) -> ProviderFailed:
    return ProviderFailed(f"The {thing} cannot be used: {error.message}", cure=error.cure)


def _wrong(thing: str, why: str) -> ProviderFailed:
    return ProviderFailed(
        f"The provider's file is not the {thing} that was ordered: {why}.",
        cure=f"Retry: that orders another {thing}. If it happens again, choose another model.",
        code=f"wrong_{thing}",
    )

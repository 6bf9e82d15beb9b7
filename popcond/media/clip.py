"""Clips in: the user's own or a provider's, as frames with the times at which they are shown.

MP4, MOV, M4V, WebM, Matroska, GIF, APNG and animated WebP, told apart by their first bytes. Frames stream: two of them
are held at a time, however long the clip is. What cannot be used is refused with a sentence and its cure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from popcond.errors import UnreadableClip
from popcond.media import raster, signature
from popcond.media.animation import Animation
from popcond.media.movie import Movie
from popcond.media.raster import Alpha, Rgb
from popcond.media.reel import ClipFacts, ClipFrame, ClipLimits, Reel, Still, check_whole
from popcond.media.signature import FileKind

__all__ = ["DEFAULT_LIMITS", "ClipFacts", "ClipFrame", "ClipLimits", "probe", "read_frames"]

DEFAULT_LIMITS = ClipLimits()
_WHITE = (255, 255, 255)

Report = Callable[[str], None]  # takes a note: a sentence that a person should read


def probe(path: Path, *, limits: ClipLimits = DEFAULT_LIMITS) -> ClipFacts:
    """What the clip is; decodes its first frame only. Raises UnreadableClip or TooLarge, as `read_frames` would."""
    return _open(path, limits).facts


def read_frames(
    path: Path, *, limits: ClipLimits = DEFAULT_LIMITS, report: Report | None = None
) -> Iterator[ClipFrame]:
    """The clip's frames in order, each with the seconds that it is shown; they add up to the clip's length.

    More frames than `limits` allows are thinned out evenly. Damaged frames are left out, and their neighbours last
    longer. Raises UnreadableClip (at the end too, when too many frames were damaged) or TooLarge.
    """
    tell = report or _keep_quiet
    reel = _open(path, limits)
    for note in reel.facts.notes:
        tell(note)
    pace = _pace(reel.facts, limits, tell)
    tally = _Tally(path.name, limits, promised=reel.promised)
    yield from _timed(reel, pace, tally)
    tally.close(tell)


def _keep_quiet(_note: str) -> None:
    pass


def _open(path: Path, limits: ClipLimits) -> Reel:
    head = signature.read_head(path, max_mib=limits.max_mib, error=UnreadableClip)
    kind = signature.kind_of(head)
    match kind:
        case FileKind.MOVIE | FileKind.MATROSKA:
            return Movie(path, kind, limits)
        case FileKind.GIF | FileKind.PNG | FileKind.WEBP:
            return Animation(path, kind, limits)
    raise UnreadableClip(
        f"{path.name} is {signature.a_kind(kind)}, not a clip that we read.",
        cure="Export it as MP4, MOV, WebM, GIF, APNG or animated WebP.",
    )


# ------------------------------------------------------------------ pace


def _pace(facts: ClipFacts, limits: ClipLimits, tell: Report) -> float:
    """The least seconds between two frames that are kept: every n-th frame of a steady clip."""
    step = 1
    while facts.fps / step > limits.max_fps * 1.02 or facts.frames / step > limits.max_frames:
        step += 1
    if step == 1:
        return 0.6 / limits.max_fps  # bursts of a clip with an unsteady rate
    tell(
        f"Every {_ordinal(step)} frame is used: {facts.fps / step:.3g} instead of {facts.fps:.3g} frames a second. "
        "The speed stays the same."
    )
    return (step - 0.4) / facts.fps


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")


# ------------------------------------------------------------------ time


@dataclass
class _Tally:
    """How many frames could be decoded, and whether that is enough."""

    name: str
    limits: ClipLimits
    promised: int
    intact: int = 0
    lost: int = 0

    def count(self, still: Still | None) -> None:
        if still is None:
            self.lost += 1
        else:
            self.intact += 1

    def close(self, tell: Report) -> None:
        total = max(self.intact + self.lost, self.promised)
        check_whole(self.name, self.intact, total, self.limits)
        if self.intact < 2:
            raise UnreadableClip(f"{self.name} has only one frame.", cure="Use it as a character instead.")
        if self.intact < total:
            missing = total - self.intact
            tell(f"{missing} of {total} frames {'is' if missing == 1 else 'are'} damaged or missing and left out.")


def _timed(reel: Reel, pace: float, tally: _Tally) -> Iterator[ClipFrame]:
    waiting: ClipFrame | None = None  # the first one is shown from 0 s on, even if frames before it were damaged
    shown_at = 0.0
    for still in reel.stills():
        tally.count(still)
        if still is None:
            continue
        if waiting is not None and still.at - shown_at < pace:
            continue  # too soon
        following = _frame(still, waiting, has_alpha=reel.facts.has_alpha)
        if waiting is not None:
            yield replace(waiting, seconds=still.at - shown_at)
            shown_at = still.at
        waiting = following
    if waiting is not None:
        yield replace(waiting, seconds=_last_seconds(shown_at, reel.facts))


def _last_seconds(shown_at: float, facts: ClipFacts) -> float:
    """How long the last frame is shown: to the clip's end."""
    return facts.seconds - shown_at if facts.seconds > shown_at else 1 / facts.fps


def _frame(still: Still, before: ClipFrame | None, *, has_alpha: bool) -> ClipFrame:
    rgb, alpha = _split(still, has_alpha=has_alpha)
    return ClipFrame(index=before.index + 1 if before else 0, rgb=rgb, alpha=alpha, seconds=0.0)


def _split(still: Still, *, has_alpha: bool) -> tuple[Rgb, Alpha | None]:
    pixels = still.draw()
    if pixels.shape[2] == 3:
        return pixels, None
    if not has_alpha:
        return raster.flatten(pixels, _WHITE), None
    return np.ascontiguousarray(pixels[..., :3]), np.ascontiguousarray(pixels[..., 3])

"""SEGMENT's first mask of every frame of a clip, one frame at a time.

Before a plain backdrop, which is estimated anew in each frame because it drifts, everything that is not backdrop stays:
tears, hearts and motion lines are parts of their own, and only what is tiny and alone in space and time goes. Before
any other backdrop the character is looked for by its own cut-out. A clip with its own alpha keeps it. Where nothing of
that helps the frame is kept whole and says so: a person, or a segmenter, has to cut it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Alpha, Colour, Rgb, Rgba
from popcond.vision.attention import Sight, Watch
from popcond.vision.backdrop import Backdrop, estimate
from popcond.vision.classical_clip import ClipOf, agrees
from popcond.vision.keying import key
from popcond.vision.parts import parts_of
from popcond.wire import Part

Box = tuple[slice, slice]  # rows and columns
FrameAndAlpha = tuple[Rgb, Alpha | None]  # (H, W, 3), and the clip's own alpha (H, W) if it has one

_SAMPLES = 5  # frames by which it is judged whether a clip's backdrop is plain
_UNCONFIRMED = 0.6  # doubt about keying before what is only perhaps a plain backdrop, with nothing to compare it with
_SURE_BORDER = 0.8  # share of the border that shows a plain backdrop beyond question
_SPECK = 1.2e-4  # share of the frame below which a part needs company in time
_STRAY = 0.05  # share of the frame's side that a small part may travel between two frames


@dataclass(frozen=True)
class FirstMask:
    """What a frame shows of the character and its effects."""

    alpha: Alpha  # (H, W)
    parts: tuple[Part, ...]
    attention: float  # 0..1, how much a person should look
    uncertain: bool = False  # no plain backdrop was found, so the whole frame was kept


def first_masks(frames: Iterable[FrameAndAlpha], backdrop: Colour | None) -> Iterator[FirstMask]:
    """The first mask of each frame, in order; the k-th is given once frame k + 1 was read.

    `backdrop` is the colour that was put behind the character; None when nobody knows.
    """
    yield from _finished(_drafts(frames, backdrop))


def clip_masks(frames: Sequence[FrameAndAlpha], backdrop: Colour | None, cutout: Rgba | None) -> Iterator[FirstMask]:
    """The same for a whole clip, whose frames are read more than once where the backdrop is not plain.

    `cutout` (H, W, 4) is the character's own, by which it is found there.
    """
    if cutout is None or _is_plain(frames, backdrop):
        yield from first_masks(frames, backdrop)
        return
    clip = ClipOf.known(_Pictures(frames), cutout)
    if clip is None:
        yield from _finished(_drafts(frames, backdrop, _UNCONFIRMED))
    elif _keying_agrees(frames, backdrop, clip):
        yield from first_masks(frames, backdrop)
    else:
        yield from _finished(_Draft(alpha, doubt, Sight.of(rgb, alpha)) for rgb, alpha, doubt in clip.masks())


class _Pictures(Sequence[Rgb]):
    """The frames without their alpha."""

    def __init__(self, frames: Sequence[FrameAndAlpha]) -> None:
        self._frames = frames

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: Any) -> Any:
        return self._frames[index][0]


def _sampled(frames: Sequence[FrameAndAlpha]) -> list[int]:
    return sorted({round(n) for n in np.linspace(0, len(frames) - 1, min(_SAMPLES, len(frames)))})


def _is_plain(frames: Sequence[FrameAndAlpha], hint: Colour | None) -> bool:
    """Whether keying is right beyond question, or there is nothing to key."""
    return all(_is_plainly_keyed(*frames[index], hint) for index in _sampled(frames))


def _is_plainly_keyed(rgb: Rgb, own: Alpha | None, hint: Colour | None) -> bool:
    if own is not None:
        return True
    found = estimate(rgb, hint)
    return found is not None and (found.chosen or found.border >= _SURE_BORDER)


def _keying_agrees(frames: Sequence[FrameAndAlpha], hint: Colour | None, clip: ClipOf) -> bool:
    """Whether a backdrop that is only perhaps plain, keyed, leaves what the cut-out says is there."""
    agreed = 0
    sampled = _sampled(frames)
    for index in sampled:
        rgb, _ = frames[index]
        found = estimate(rgb, hint)
        agreed += found is not None and agrees(key(rgb, found), clip.guess(index))
    return agreed > len(sampled) / 2


# ------------------------------------------------------------------ one frame


@dataclass(frozen=True)
class _Draft:
    alpha: Alpha
    doubt: float  # 0..1, about the backdrop
    sight: Sight
    uncertain: bool = False


def _drafts(frames: Iterable[FrameAndAlpha], hint: Colour | None, least_doubt: float = 0.0) -> Iterator[_Draft]:
    known: Backdrop | None = None
    for rgb, own in frames:
        if own is not None:
            snapped = _snapped(own)
            yield _Draft(snapped, 0.0, Sight.of(rgb, snapped))
            continue
        found = estimate(rgb, hint)
        draft = _draft(rgb, found, known)
        yield replace(draft, doubt=max(draft.doubt, least_doubt))
        known = _better(found, known)


def _better(found: Backdrop | None, known: Backdrop | None) -> Backdrop | None:
    """What to remember: the newest backdrop, but a chosen one rather than one that only looks plain."""
    if found is None or (known is not None and known.chosen and not found.chosen):
        return known
    return found


def _draft(rgb: Rgb, found: Backdrop | None, known: Backdrop | None) -> _Draft:
    """Keyed by the frame's own backdrop, by the last known one where the frame hides it, or kept whole."""
    hidden = found is None or (known is not None and known.chosen and not found.chosen)
    if hidden and known is not None and (borrowed := _borrowed(rgb, known)) is not None:
        return borrowed
    if found is not None:
        alpha = key(rgb, found)
        return _Draft(alpha, _doubt(found), Sight.of(rgb, alpha))
    whole = np.full(rgb.shape[:2], 255, np.uint8)
    return _Draft(whole, 1.0, Sight.of(rgb, whole), uncertain=True)


def _borrowed(rgb: Rgb, known: Backdrop) -> _Draft | None:
    alpha = key(rgb, known)
    shows = np.count_nonzero(alpha == 0) > 0.1 * alpha.size
    return _Draft(alpha, 0.7, Sight.of(rgb, alpha)) if shows else None


def _doubt(backdrop: Backdrop) -> float:
    noisy = _ramp(backdrop.noise, 2.0, 5.0)
    hidden = _ramp(0.75 - backdrop.border, 0.0, 0.5)
    return max(0.6 * noisy, 0.5 * hidden)


def _snapped(alpha: Alpha) -> Alpha:
    clean = alpha.copy()
    clean[alpha >= 250] = 255
    clean[alpha <= 5] = 0
    return clean


# ------------------------------------------------------------------ specks


def _with_neighbours(drafts: Iterator[_Draft]) -> Iterator[tuple[_Draft | None, _Draft, _Draft | None]]:
    before: _Draft | None = None
    now = next(drafts, None)
    while now is not None:
        after = next(drafts, None)
        yield before, now, after
        before, now = now, after


def _without_specks(alpha: Alpha, before: _Draft | None, after: _Draft | None) -> Alpha:
    """Tiny parts go unless a neighbouring frame has something near the same place; a tear's first drop stays."""
    neighbours = [draft.alpha for draft in (before, after) if draft is not None]
    clean = alpha.copy()
    for box, place in _tiny_parts(alpha):
        if np.count_nonzero(place) < 3 or not _has_company(box, neighbours):
            clean[box][place] = 0
    return clean


def _tiny_parts(alpha: Alpha) -> Iterator[tuple[Box, NDArray[np.bool_]]]:
    """The boxes of the parts that may be specks, and their pixels inside."""
    x, y, width, height = cv2.boundingRect(alpha)
    if not width or not height:
        return
    visible = (alpha[y : y + height, x : x + width] > 0).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(visible, connectivity=8)
    most = max(12.0, alpha.size * _SPECK)
    for number in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < most):
        if number == 0:
            continue
        left, top, wide, high = (int(value) for value in stats[number, :4])
        here = labels[top : top + high, left : left + wide] == number
        yield (slice(y + top, y + top + high), slice(x + left, x + left + wide)), np.asarray(here, np.bool_)


def _has_company(box: Box, neighbours: list[Alpha]) -> bool:
    """True when a neighbouring frame shows something near the box; a lone frame is given the benefit of the doubt."""
    if not neighbours:
        return True
    stray = round(max(neighbours[0].shape) * _STRAY)
    rows, columns = (slice(max(span.start - stray, 0), span.stop + stray) for span in box)
    return any(bool((alpha[rows, columns] >= 64).any()) for alpha in neighbours)


# ------------------------------------------------------------------ what comes out


def _finished(drafts: Iterator[_Draft]) -> Iterator[FirstMask]:
    watch = Watch()
    for before, now, after in _with_neighbours(drafts):
        clean = replace(now, alpha=_without_specks(now.alpha, before, after))
        yield _judged(watch, before, clean, after)


def _judged(watch: Watch, before: _Draft | None, now: _Draft, after: _Draft | None) -> FirstMask:
    """The mask with its parts and with how much a person should look at it."""
    parts = parts_of(now.alpha)
    if now.uncertain:
        return FirstMask(now.alpha, parts, 1.0, uncertain=True)
    beside = [None if draft is None or draft.uncertain else draft.sight for draft in (before, after)]
    body = (parts[0].area if parts else 0) / now.alpha.size
    attention = watch.attention(beside[0], now.sight, beside[1], body=body, doubt=now.doubt)
    return FirstMask(now.alpha, parts, attention)


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))

"""SEGMENT's first mask of every frame of a clip, one frame at a time.

The backdrop is estimated anew in each frame, because it drifts. Tears, hearts and motion lines are parts of their own
and stay; only what is tiny and alone in space and time goes. A clip with its own alpha keeps it. A clip without a plain
backdrop is kept whole and says so: a person, or a segmenter, has to cut it out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Alpha, Colour, Rgb
from popcond.vision.backdrop import Backdrop, estimate
from popcond.vision.keying import key
from popcond.vision.parts import parts_of
from popcond.wire import Part

Box = tuple[slice, slice]  # rows and columns

_MEMORY = 9  # frames that attention looks back
_SPECK = 1.2e-4  # share of the frame below which a part needs company in time
_STRAY = 0.05  # share of the frame's side that a small part may travel between two frames


@dataclass(frozen=True)
class FirstMask:
    """What a frame shows of the character and its effects."""

    alpha: Alpha  # (H, W)
    parts: tuple[Part, ...]
    attention: float  # 0..1, how much a person should look
    uncertain: bool = False  # no plain backdrop was found, so the whole frame was kept


def first_masks(frames: Iterable[tuple[Rgb, Alpha | None]], backdrop: Colour | None) -> Iterator[FirstMask]:
    """The first mask of each frame, in order; the k-th is given once frame k + 1 was read.

    A frame is its RGB (H, W, 3) and the clip's own alpha, if it has one. `backdrop` is the colour that was put behind
    the character; None when nobody knows.
    """
    watch = _Watch()
    for before, now, after in _with_neighbours(_drafts(frames, backdrop)):
        yield watch.judged(replace(now, alpha=_without_specks(now.alpha, before, after)))


# ------------------------------------------------------------------ one frame


@dataclass(frozen=True)
class _Draft:
    alpha: Alpha
    doubt: float  # 0..1, about the backdrop
    uncertain: bool = False


def _drafts(frames: Iterable[tuple[Rgb, Alpha | None]], hint: Colour | None) -> Iterator[_Draft]:
    known: Backdrop | None = None
    for rgb, own in frames:
        if own is not None:
            yield _Draft(_snapped(own), 0.0)
            continue
        found = estimate(rgb, hint)
        yield _draft(rgb, found, known)
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
        return _Draft(key(rgb, found), _doubt(found))
    return _Draft(np.full(rgb.shape[:2], 255, np.uint8), 1.0, uncertain=True)


def _borrowed(rgb: Rgb, known: Backdrop) -> _Draft | None:
    alpha = key(rgb, known)
    shows = np.count_nonzero(alpha == 0) > 0.1 * alpha.size
    return _Draft(alpha, 0.7) if shows else None


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


# ------------------------------------------------------------------ attention


@dataclass
class _Watch:
    """Remembers the last frames, to tell a person which ones fall out of the row."""

    coverages: deque[float] = field(default_factory=lambda: deque(maxlen=_MEMORY))
    bodies: deque[float] = field(default_factory=lambda: deque(maxlen=_MEMORY))
    contacts: deque[float] = field(default_factory=lambda: deque(maxlen=_MEMORY))

    def judged(self, draft: _Draft) -> FirstMask:
        """The mask with its parts and with how much a person should look at it."""
        parts = parts_of(draft.alpha)
        if draft.uncertain:
            return FirstMask(draft.alpha, parts, 1.0, uncertain=True)
        coverage = float(np.count_nonzero(draft.alpha >= 128)) / draft.alpha.size
        body = (parts[0].area if parts else 0) / draft.alpha.size
        contact = _contact(draft.alpha)
        alarms = (
            draft.doubt,
            _ramp(_jump(coverage, self.coverages), 0.15, 0.6),
            0.7 * _ramp(_jump(body, self.bodies), 0.2, 0.6),
            0.7 * _ramp(contact - _usual(contact, self.contacts), 0.01, 0.15),
            0.9 * float(coverage < 0.01 or coverage > 0.9),
        )
        for seen, value in ((self.coverages, coverage), (self.bodies, body), (self.contacts, contact)):
            seen.append(value)
        return FirstMask(draft.alpha, parts, float(1.0 - np.prod([1.0 - alarm for alarm in alarms])))


def _contact(alpha: Alpha) -> float:
    """Share of the frame's border that the mask touches."""
    border = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    return float(np.mean(border >= 128))


def _usual(value: float, seen: deque[float]) -> float:
    return float(np.median(seen)) if seen else value


def _jump(value: float, seen: deque[float]) -> float:
    """How far a value is from what is usual and from the frame before, whichever is nearer: a turn is no fault."""
    return min(abs(value - known) / max(known, 1e-3) for known in (_usual(value, seen), seen[-1] if seen else value))


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))

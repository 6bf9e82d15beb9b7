"""How much a person should look at a frame's mask, 0..1: what falls out of the row, and where two engines disagree.

A frame is compared with its neighbours along the flow, so that a character that moves is no alarm. Only what differs
from both sides counts: the frame after a bad one is good. Usual and unusual are told from the frames before.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Alpha, Rgb

Small = NDArray[np.uint8]

_SIDE = 128  # the longer side at which outlines are compared
_MEMORY = 9  # frames that are looked back on
_LEAST_BODY = 1e-4  # share of the frame; below that shares of the body tell nothing


@dataclass(frozen=True)
class Sight:
    """One frame and its mask, as small as comparing them takes."""

    grey: Small
    mask: Small  # 0 or 1
    coverage: float  # share of the frame
    contact: float  # share of the frame's border that the mask touches

    @classmethod
    def of(cls, rgb: Rgb, alpha: Alpha) -> Sight:
        """From a frame and its mask of any size."""
        height, width = alpha.shape
        scale = min(1.0, _SIDE / max(height, width))
        size = max(8, round(width * scale)), max(8, round(height * scale))
        grey = cv2.cvtColor(np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)), cv2.COLOR_RGB2GRAY)
        mask = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)) >= 128
        border = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
        return cls(
            np.asarray(grey, np.uint8),
            np.asarray(mask, np.uint8),
            coverage=float(np.count_nonzero(alpha >= 128)) / alpha.size,
            contact=float(np.mean(border >= 128)),
        )


def disagreement(one: Alpha, other: Alpha) -> float:
    """0..1: how much two engines' masks of one frame contradict each other; their outlines may lie a pixel apart."""
    size = min(_SIDE, one.shape[1]), min(_SIDE, one.shape[0])
    first, second = (
        np.asarray(np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_AREA)) >= 128, np.uint8)
        for mask in (one, other)
    )
    return _ramp(_different(first, second), 0.03, 0.3)


@dataclass
class Watch:
    """Remembers the last frames of one clip, to say which fall out of the row."""

    _flow: cv2.DISOpticalFlow = field(
        default_factory=lambda: cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    )
    _coverages: deque[float] = field(default_factory=lambda: deque(maxlen=_MEMORY))
    _bodies: deque[float] = field(default_factory=lambda: deque(maxlen=_MEMORY))
    _contacts: deque[float] = field(default_factory=lambda: deque(maxlen=_MEMORY))

    def attention(self, before: Sight | None, now: Sight, after: Sight | None, *, body: float, doubt: float) -> float:
        """For the next frame of the clip.

        `body` is the share of the frame that its largest part covers; `doubt` is what its engine, or another one,
        thinks of the mask, 0..1.
        """
        alarms = (
            doubt,
            _ramp(_jump(now.coverage, self._coverages), 0.15, 0.6),
            0.7 * _ramp(_jump(body, self._bodies), 0.2, 0.6),
            0.7 * _ramp(now.contact - _usual(now.contact, self._contacts), 0.01, 0.15),
            0.9 * float(now.coverage < 0.01 or now.coverage > 0.9),
            0.8 * self._out_of_row(before, now, after),
        )
        for seen, value in ((self._coverages, now.coverage), (self._bodies, body), (self._contacts, now.contact)):
            seen.append(value)
        return float(1.0 - np.prod([1.0 - alarm for alarm in alarms]))

    def _out_of_row(self, before: Sight | None, now: Sight, after: Sight | None) -> float:
        """0..1 by what the outline has lost or won against both neighbours, and by parts lost in this frame alone."""
        beside = [other for other in (before, after) if other is not None]
        if not beside:
            return 0.0
        carried = [self._carried(now, other) for other in beside]
        still = [other.mask for other in beside]  # where the flow goes astray, before stripes, it is no witness
        changed = _ramp(min(_different(now.mask, mask) for mask in (*carried, *still)), 0.06, 0.25)
        if len(carried) == 1:  # at the clip's ends nobody else can tell which of the two is wrong
            return 0.5 * changed
        lost = _thick(carried[0] & carried[1] & (1 - now.mask)) / max(1, _area(carried[0]))
        return max(changed, _ramp(lost, 0.005, 0.04))

    def _carried(self, now: Sight, other: Sight) -> Small:
        """The other frame's mask where the flow takes it by now."""
        steps = np.asarray(
            self._flow.calc(now.grey, other.grey, np.zeros((*now.grey.shape, 2), np.float32)), np.float32
        )
        height, width = now.grey.shape
        steps[..., 0] += np.arange(width, dtype=np.float32)
        steps[..., 1] += np.arange(height, dtype=np.float32)[:, None]
        there = cv2.remap(other.mask * np.uint8(255), steps[..., 0], steps[..., 1], cv2.INTER_LINEAR)
        return np.asarray(np.asarray(there) >= 128, np.uint8)


def _different(one: Small, other: Small) -> float:
    """What only one of two masks has, thin seams apart, as a share of the smaller one's area."""
    area = max(min(_area(one), _area(other)), round(_LEAST_BODY * one.size), 1)
    return min(1.0, _thick(one ^ other) / area) if one.any() or other.any() else 0.0


def _thick(mask: Small) -> int:
    return _area(np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)), np.uint8))


def _area(mask: Small) -> int:
    return int(np.count_nonzero(mask))


def _usual(value: float, seen: deque[float]) -> float:
    return float(np.median(seen)) if seen else value


def _jump(value: float, seen: deque[float]) -> float:
    """How far a value is from what is usual and from the frame before, whichever is nearer: a turn is no fault."""
    return min(abs(value - known) / max(known, 1e-3) for known in (_usual(value, seen), seen[-1] if seen else value))


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))

"""Follows a mask from frame to frame without weights: flow, colours nearby, and colours remembered from the start.

A pixel's odds add up: how far inside or outside it lies of the outline that the flow carried over, which side of the
frame before it resembles nearby, and how likely its colour was in the frames that somebody spoke about. Each cue fails
somewhere (thin limbs outrun the flow, a backdrop has the character's colours, a turn shows new ones), seldom all.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats, Rgb
from popcond.vision.classical_colours import Colours
from popcond.vision.classical_cut import Mask, depth, small
from popcond.vision.classical_nearby import Lab, lab_of, odds_nearby

_REACH = 0.055  # of the small picture's longer side: how far something may be from where the flow puts it
_FREE = 2.0  # times as far from the outline nothing new is taken
_SLOPE = 8.0  # pixels from the outline at which the flow alone is worth one step of log odds
_NEARBY, _REMEMBERED = 2.0, 1.5  # weights of the two kinds of colours, against the outline's
_CERTAIN = 4.0  # log odds of one cue at most
_DOUBT = 0.02  # of the remembered colours, so that none is ever certain


@dataclass(frozen=True)
class Seen:
    """A frame as it is followed through: small, with what every step needs of it."""

    rgb: Rgb
    lab: Lab
    grey: NDArray[np.uint8]

    @classmethod
    def of(cls, rgb: Rgb) -> Seen:
        """From a frame of any size."""
        reduced = np.ascontiguousarray(small(rgb))
        return cls(reduced, lab_of(reduced), np.asarray(cv2.cvtColor(reduced, cv2.COLOR_RGB2GRAY), np.uint8))


class Flow:
    """Dense flow between small frames (DIS, Kroeger et al. 2016). Not for several threads at once."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def back(self, now: Seen, before: Seen) -> Floats:
        """(H, W, 2): where each pixel of `now` was in `before`, as absolute x and y."""
        steps = np.asarray(self._flow.calc(now.grey, before.grey, None), np.float32)  # type: ignore[call-overload]
        height, width = now.grey.shape
        steps[..., 0] += np.arange(width, dtype=np.float32)
        steps[..., 1] += np.arange(height, dtype=np.float32)[:, None]
        return steps


def warped(raster: NDArray[np.uint8], places: Floats) -> NDArray[np.uint8]:
    """The raster's values at those places."""
    there = cv2.remap(raster, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(there, np.uint8)


def followed(now: Seen, before: Seen, inside: Mask, colours: Colours, flow: Flow) -> Floats:
    """(H, W) log odds that each pixel of `now` belongs to what was `inside` (0 or 1) in `before`."""
    reach = max(4, round(_REACH * max(now.grey.shape)))
    places = flow.back(now, before)
    carried = np.asarray(warped(inside * np.uint8(255), places) >= 128, np.uint8)
    within = depth(carried)
    box = _around(within, _FREE * reach)
    odds = np.full(inside.shape, -_CERTAIN, np.float32)
    if box is None:
        return odds
    nearby = odds_nearby(
        np.ascontiguousarray(now.lab[box]), warped(before.lab, places)[box], np.ascontiguousarray(carried[box]), reach
    )
    remembered = log_odds(colours.likeness(now.rgb[box]))
    outline = np.clip(within[box] / _SLOPE, -_CERTAIN, _CERTAIN)
    sum_of_all = outline + _NEARBY * nearby + _REMEMBERED * remembered
    odds[box] = np.where(within[box] < -_FREE * reach, -_CERTAIN, sum_of_all)
    return odds


def log_odds(likely: Floats) -> Floats:
    """(H, W) of likelihoods 0..1, smoothed a little and never certain."""
    smooth = np.asarray(cv2.GaussianBlur(likely, (0, 0), 1.0), np.float32)
    return np.asarray(np.log((smooth + _DOUBT) / (1.0 + _DOUBT - smooth)), np.float32)


def _around(within: Floats, room: float) -> tuple[slice, slice] | None:
    """The box of all that is inside or near; None when nothing is."""
    x, y, width, height = cv2.boundingRect(np.asarray(within > -room, np.uint8))
    return (slice(y, y + height), slice(x, x + width)) if width and height else None

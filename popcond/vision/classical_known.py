"""Which pixels of a frame a known character fills, from its own cut-out at the place where it was found.

The cut-out is given the frame's light and bent to the frame's pose by flow. Where frame and bent cut-out look alike the
pixel is the character's; elsewhere colours decide, and more freely the nearer the place is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats, Rgba, premultiply
from popcond.vision.classical_colours import Colours, learned
from popcond.vision.classical_cut import Mask, depth
from popcond.vision.classical_follow import Flow, Seen, log_odds, warped
from popcond.vision.classical_place import Place, in_light, lab_of

_ALIKE = 18.0  # ΔE at which a pixel hardly looks like the cut-out there
_LIMBS = 0.16  # of the character's height: how far limbs may be from where the cut-out has them
_OUTSIDE = 0.5  # how likely a pixel right outside of the bent cut-out is the character's
_BOXED = 0.93  # of its bounding box: a cut-out that fills so much is a picture whose background was kept


@dataclass(frozen=True)
class Known:
    """The character's cut-out, cropped to what is visible and at most as large as a small frame."""

    rgba: Rgba

    @classmethod
    def of(cls, cutout: Rgba) -> Known | None:
        """None when the cut-out has no outline of its own: it is empty, or a picture with its background."""
        x, y, width, height = cv2.boundingRect(np.asarray(cutout[..., 3] >= 128, np.uint8))
        if not width or not height:
            return None
        cropped = cutout[y : y + height, x : x + width]
        if float(np.mean(cropped[..., 3] >= 128)) > _BOXED:
            return None
        return cls(_reduced(cropped))

    def seen_at(self, place: Place) -> Known:
        """Turned as it is there, and in the light there."""
        turned = self.rgba[:, ::-1] if place.is_mirrored else self.rgba
        return Known(np.dstack([in_light(np.ascontiguousarray(turned[..., :3]), place.light), turned[..., 3]]))


def _reduced(cropped: Rgba) -> Rgba:
    products = premultiply(cropped)
    scale = min(1.0, 256 / max(cropped.shape[:2]))
    size = max(1, round(cropped.shape[1] * scale)), max(1, round(cropped.shape[0] * scale))
    reduced = np.asarray(cv2.resize(products, size, interpolation=cv2.INTER_AREA), np.float32)
    colours = reduced[..., :3] * 255.0 / np.maximum(reduced[..., 3:], 1.0)
    return np.asarray(np.rint(np.clip(np.dstack([colours, reduced[..., 3]]), 0, 255)), np.uint8)


@dataclass(frozen=True)
class Guess:
    """What the cut-out says about a frame."""

    odds: Floats  # (H, W) log odds, at the small frame's size
    seen: Mask  # (H, W; 0 or 1) where the frame shows the bent cut-out beyond question
    colours: Colours
    alike: float  # 0..1: the share of the bent cut-out that the frame really shows


def guessed(seen: Seen, known: Known, place: Place, flow: Flow) -> Guess:
    """Which pixels of a frame the character fills, from its cut-out at a place."""
    known = known.seen_at(place)
    laid = _laid(known, place, seen.rgb.shape)
    bent = _bent(seen, laid, flow)
    before, after = (np.asarray(raster[..., 3] >= 128, np.uint8) for raster in (laid, bent))
    alike = _alikeness(seen, bent) * after
    reach = max(4.0, _LIMBS * place.height * seen.grey.shape[0])
    away = (
        np.minimum(depth(after), 0.0) if not before.any() else np.minimum(np.maximum(depth(before), depth(after)), 0.0)
    )
    colours = _colours(seen, known, alike, away < -max(2.0, 0.03 * seen.grey.shape[0]))
    shape = np.where(after > 0, 0.5 + 0.5 * alike, _OUTSIDE * np.exp(-((away / reach * 1.2) ** 2))).astype(np.float32)
    odds = log_odds(colours.likeness(seen.rgb)) + log_odds(shape)
    odds[away < -reach] = odds.min()
    return Guess(odds, np.asarray(alike > 0.5, np.uint8), colours, float(alike.sum() / max(1, after.sum())))


def _laid(known: Known, place: Place, shape: tuple[int, ...]) -> Rgba:
    """(H, W, 4) the cut-out at its place."""
    height, width = shape[:2]
    scale = place.height * height / known.rgba.shape[0]
    matrix = np.array([[scale, 0.0, place.x * height], [0.0, scale, place.y * height]], np.float32)
    laid = np.asarray(
        cv2.warpAffine(premultiply(known.rgba), matrix, (width, height), flags=cv2.INTER_AREA), np.float32
    )
    colours = laid[..., :3] * (255.0 / np.maximum(laid[..., 3:], 1.0))
    return np.asarray(np.rint(np.clip(np.dstack([colours, laid[..., 3]]), 0, 255)), np.uint8)


def _bent(seen: Seen, laid: Rgba, flow: Flow) -> Rgba:
    """The laid cut-out, moved by the flow between the frame and the frame with the cut-out on it."""
    solid = laid[..., 3:].astype(np.float32) / 255.0
    covered = np.asarray(np.rint(laid[..., :3] * solid + seen.rgb * (1.0 - solid)), np.uint8)
    return warped(laid, flow.back(seen, Seen.of(covered)))


def _alikeness(seen: Seen, bent: Rgba) -> Floats:
    """(H, W) 0..1: how much each pixel looks like the bent cut-out."""
    gaps = np.linalg.norm(lab_of(seen.rgb) - lab_of(bent[..., :3]), axis=2)
    return np.asarray(np.exp(-((cv2.blur(gaps, (3, 3)) / _ALIKE) ** 2)), np.float32)


def _colours(seen: Seen, known: Known, alike: Floats, outside: NDArray[np.bool_]) -> Colours:
    """The character's colours, half as its cut-out has them and half as the frame shows them; and those behind it."""
    solid = known.rgba[..., 3] >= 250
    own = learned(known.rgba[..., :3], solid, ~solid)
    shown = learned(seen.rgb, alike > 0.5, outside)
    return Colours(0.5 * (own.inside + (shown.inside if (alike > 0.5).any() else own.inside)), shown.outside)

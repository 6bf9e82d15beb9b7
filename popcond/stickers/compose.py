"""Cut-outs onto a target's canvas: one crop box for all frames, one scale, one ground to stand on.

Cropping each frame by itself would make the character shake. Scaling happens in premultiplied space, and alpha is made
solid at both ends: a matte that says 253 where it means 255 costs a third of a file and shows as a grey veil.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from popcond.errors import NoCharacter
from popcond.media.raster import Floats, Rgba, premultiply, unpremultiply
from popcond.stickers.source import Box, Cutout
from popcond.wire import Target

EMPTY_BELOW = 5  # alpha at or below is empty
SOLID_FROM = 250  # alpha at or above is solid
_MARGIN = 0.012  # of the canvas, on every side: soft edges and strokes keep room


@dataclass(frozen=True)
class Layout:
    """How every frame of a sticker goes onto its canvas."""

    crop: Box  # of the source frame; may reach outside it
    width: int  # of the canvas
    height: int
    left: int  # where the scaled crop lies on the canvas
    top: int
    across: int  # the size of the scaled crop
    down: int


def common_box(cutouts: Iterable[Cutout]) -> Box:
    """The box that holds what can be seen in all frames together. Raises NoCharacter when nothing can."""
    union: Box | None = None
    for cutout in cutouts:
        if cutout.visible is not None:
            union = cutout.visible if union is None else union.union(cutout.visible)
    if union is None:
        raise NoCharacter(
            "Every frame is empty: nothing of the character is left once the background is gone.",
            cure="Refine the cut-out by hand, or retry with a backdrop that differs from the character's colours.",
        )
    return union


def layout(box: Box, target: Target) -> Layout:
    """Where `box` goes for a target: as large as the canvas allows, centred, standing on the lower margin."""
    scale = _scale(box, target)
    across, down = max(1, round(box.width * scale)), max(1, round(box.height * scale))
    if target.exact_canvas:
        margin, width, height = _margin(target.height), target.width, target.height
    else:
        margin = _margin(min(target.width, target.height) if target.min_longer_side else max(across, down))
        width, height = _canvas_side(across, margin, target.width), _canvas_side(down, margin, target.height)
    margin = max(0, min(margin, height - down))
    return Layout(box, width, height, (width - across) // 2, height - down - margin, across, down)


def _scale(box: Box, target: Target) -> float:
    margin = _margin(min(target.width, target.height))
    fit = min((target.width - 2 * margin) / box.width, (target.height - 2 * margin) / box.height)
    return min(1.0, fit) if _may_shrink(target) else fit


def _may_shrink(target: Target) -> bool:
    """A canvas without a fixed size is never larger than the cut-out itself: enlarging only costs bytes."""
    return not target.exact_canvas and target.min_longer_side is None


def _margin(side: int) -> int:
    return max(1, round(side * _MARGIN))


def _canvas_side(length: int, margin: int, most: int) -> int:
    """Even, and no more than the target's."""
    wanted = length + 2 * margin
    return min(wanted + wanted % 2, most - most % 2)


def compose(cutout: Cutout, plan: Layout) -> Rgba:
    """(height, width, 4): one frame on its canvas, alpha solid at both ends."""
    scaled = _scaled(premultiply(_cropped(cutout, plan.crop)), plan.across, plan.down)
    canvas = np.zeros((plan.height, plan.width, 4), np.uint8)
    canvas[plan.top : plan.top + plan.down, plan.left : plan.left + plan.across] = solid_ends(unpremultiply(scaled))
    return canvas


def _cropped(cutout: Cutout, crop: Box) -> Rgba:
    """The crop's area of the whole frame, from a cut-out that holds only the part that is not empty."""
    area = np.zeros((crop.height, crop.width, 4), np.uint8)
    have = cutout.extent
    left, top = max(crop.left, have.left), max(crop.top, have.top)
    right, bottom = min(crop.right, have.right), min(crop.bottom, have.bottom)
    if left < right and top < bottom:
        area[top - crop.top : bottom - crop.top, left - crop.left : right - crop.left] = cutout.pixels[
            top - have.top : bottom - have.top, left - have.left : right - have.left
        ]
    return area


def _scaled(premultiplied: Floats, width: int, height: int) -> Floats:
    if premultiplied.shape[:2] == (height, width):
        return premultiplied
    shrinks = width < premultiplied.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    scaled = np.asarray(cv2.resize(premultiplied, (width, height), interpolation=how), np.float32)
    bounded = np.clip(scaled, 0.0, 255.0)
    bounded[..., :3] = np.minimum(bounded[..., :3], bounded[..., 3:])
    return bounded


def solid_ends(rgba: Rgba) -> Rgba:
    """Alpha that is nearly empty becomes empty (and black), alpha that is nearly solid becomes solid."""
    result = rgba.copy()
    alpha = result[..., 3]
    alpha[alpha >= SOLID_FROM] = 255
    result[alpha <= EMPTY_BELOW] = 0
    return result

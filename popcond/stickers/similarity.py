"""How much one frame differs from another: small premultiplied pictures and their distances.

Premultiplied, so that neither the colour of invisible pixels nor a faint veil counts for more than a person sees.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats, Rgba
from popcond.stickers.source import Cutout

Distances = NDArray[np.float32]  # (T, T), root mean square difference of every pair, in grey levels

THUMBNAIL = 48  # pixels a side
_HELD = 0.15  # a step below this share of the usual one is a held frame, not motion
_FROZEN = 0.03  # … and below this share it is held whatever its neighbours do
_NEAR = 2  # frames on each side
_NOTHING = 1e-3  # grey levels: below this, frames are the same picture


def thumbnail(cutout: Cutout) -> Floats:
    """(THUMBNAIL² × 4,) float32: the whole frame, premultiplied and shrunk."""
    frame = np.zeros((cutout.height, cutout.width, 4), np.uint8)
    box = cutout.extent
    frame[box.top : box.bottom, box.left : box.right] = _premultiplied(cutout.pixels)
    return _shrunk(frame)


def thumbnails(frames: Sequence[Rgba]) -> Floats:
    """(T, THUMBNAIL² × 4) of whole frames, such as finished canvases."""
    return np.stack([_shrunk(_premultiplied(frame)) for frame in frames])


def _shrunk(premultiplied: Rgba) -> Floats:
    side = (THUMBNAIL, THUMBNAIL)
    if max(premultiplied.shape[:2]) > 8 * THUMBNAIL:
        half = (premultiplied.shape[1] // 2, premultiplied.shape[0] // 2)
        premultiplied = np.asarray(cv2.resize(premultiplied, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(premultiplied, side, interpolation=cv2.INTER_AREA), np.float32).ravel()


def _premultiplied(rgba: Rgba) -> Rgba:
    """What `media.raster.premultiply` gives, rounded to uint8: exact enough to compare by, in a quarter of the time."""
    alpha = rgba[..., 3]
    spread = cv2.merge((alpha, alpha, alpha, np.full_like(alpha, 255)))
    return np.asarray(cv2.multiply(rgba, spread, scale=1 / 255), np.uint8)


def distances(thumbs: Floats) -> Distances:
    """Root mean square difference of every pair of rows."""
    centred = thumbs - thumbs.mean(axis=0)
    product = centred @ centred.T
    power = np.diag(product)
    squares = power[:, None] + power[None] - 2 * product
    return np.asarray(np.sqrt(np.maximum(squares, 0) / thumbs.shape[1]), np.float32)


def cyclic_steps(thumbs: Floats) -> Floats:
    """(T,): entry i is the step from frame i − 1 to frame i; entry 0 is the one from the last frame to the first."""
    before = np.roll(thumbs, 1, axis=0)
    return np.asarray(np.sqrt(((thumbs - before) ** 2).mean(axis=1)), np.float32)


def usual_step(steps: Floats) -> float:
    """The median step of a clip, held frames aside; never zero."""
    moving = steps[steps > _HELD * np.median(steps)] if len(steps) else steps
    return max(float(np.median(moving)) if len(moving) else 0.0, _NOTHING)


def seam_of(steps: Floats, start: int = 0) -> float:
    """The step into frame `start` over the median of all other steps of the cycle."""
    others = np.delete(steps, start)
    if not len(others):
        return 0.0
    return float(steps[start] / max(float(np.median(others)), _NOTHING))


def fresh(steps: Floats) -> NDArray[np.bool_]:
    """(T,) for the T − 1 steps of a clip: False where a frame repeats the one before it.

    A motion that turns round has small steps too, but its neighbours are small as well: there nothing is repeated.
    """
    if not len(steps):
        return np.ones(1, np.bool_)
    moving = steps[steps > _NOTHING]
    usual = float(np.median(moving)) if len(moving) else 1.0
    padded = np.pad(steps, _NEAR, mode="edge")
    nearby = [padded[shift : shift + len(steps)] for shift in range(2 * _NEAR + 1)]
    slow_spot = (steps > _HELD * np.max(nearby, axis=0)) & (steps > _FROZEN * usual)
    return np.concatenate([[True], (steps > _HELD * usual) | slow_spot])

"""Choosing the flat colour that a character is flattened on before it is animated.

The farther it is from every colour of the character and of its effects, the better it can be keyed out again. Where
several colours are far enough the calm one wins: a neon backdrop tints soft edges and what a model draws anew.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from popcond.errors import NoCharacter
from popcond.media.raster import Colour, Floats, Rgba
from popcond.vision.colours import distance, exact_lab, lab_of

_SIDE = 320  # the cut-out is looked at in this size at most
_FAR_ENOUGH = 48.0  # ΔE beyond which farther is no better
_SHARP = 30.0  # a step of lightness that video keeps sharp; it stores colour at half the resolution
_CALM = 36.0  # chroma up to which a colour is calm
_SUBSTANTIAL = 0.004  # share of the character that makes a colour count
_SUBSTANTIAL_EDGE = 0.02  # share of its outline


def choose_backdrop(cutout: Rgba, avoid: Sequence[Colour] = ()) -> Colour:
    """The flat colour to put behind `cutout` (H, W, 4): far in CIELAB from its colours, its edge's, and `avoid`.

    The same input gives the same colour. Raises NoCharacter when the cut-out has no visible pixel.
    """
    everywhere, outline = _colours(cutout)
    taken = np.concatenate([everywhere, outline, lab_of(avoid)]) if avoid else np.concatenate([everywhere, outline])
    candidates = _candidates()
    best = candidates[int(np.argmax(_scores(exact_lab(candidates), taken, outline)))]
    red, green, blue = (int(v) for v in best)
    return red, green, blue


def _scores(labs: Floats, taken: Floats, outline: Floats) -> Floats:
    """(N,) how good each candidate is, in ΔE: its nearest taken colour counts most."""
    gaps = np.minimum(distance(labs[:, None], taken[None]), _FAR_ENOUGH)
    lightness = np.abs(labs[:, None, 0] - outline[None, :, 0])
    sharp = np.minimum(lightness, _SHARP).mean(axis=1) * 0.25 + np.minimum(lightness, _SHARP).min(axis=1) * 0.25
    loud = np.maximum(np.hypot(labs[:, 1], labs[:, 2]) - _CALM, 0.0) * 0.2
    extreme = np.maximum(np.abs(labs[:, 0] - 55.0) - 22.0, 0.0) * 0.4
    return np.asarray(gaps.min(axis=1) + 0.08 * gaps.mean(axis=1) + sharp - loud - extreme, np.float32)


def _candidates() -> Floats:
    """(N, 3) RGB: an even grid over the cube, its brightest and darkest corners left out."""
    levels = np.arange(32, 240, 23, dtype=np.float32)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    return np.asarray(grid.reshape(-1, 3), np.float32)


def _colours(cutout: Rgba) -> tuple[Floats, Floats]:
    """(N, 3) and (M, 3) CIELAB: the substantial colours of the cut-out, and those of its outline."""
    small = _small(cutout)
    inside = (small[..., 3] >= 128).astype(np.uint8)
    if not inside.any():
        raise NoCharacter("The cut-out is empty.", cure="Use a picture that shows a character.")
    rim = (inside > 0) & (cv2.erode(inside, np.ones((3, 3), np.uint8), borderValue=0) == 0)
    return _bins(small[inside > 0], _SUBSTANTIAL), _bins(small[rim], _SUBSTANTIAL_EDGE)


def _small(cutout: Rgba) -> Rgba:
    step = -(-max(cutout.shape[:2]) // _SIDE)
    return np.ascontiguousarray(cutout[::step, ::step]) if (cutout[::step, ::step, 3] >= 128).any() else cutout


def _bins(pixels: Rgba, share: float) -> Floats:
    """The mean colours of the CIELAB cells that hold at least `share` of the pixels; the fullest one in any case."""
    labs = exact_lab(pixels[:, :3].astype(np.float32))
    cells = np.rint(labs / 10.0).astype(np.int64) @ np.array([1, 1_000, 1_000_000])
    _, place, counts = np.unique(cells, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(place, labs[:, k], counts.size) for k in range(3)], axis=1)
    means = (sums / counts[:, None]).astype(np.float32)
    return np.asarray(means[counts >= min(share * labs.shape[0], counts.max())], np.float32)

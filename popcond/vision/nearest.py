"""The two colours that a pixel on an edge may be mixed of: the nearest inner and the nearest outer one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats, Rgb


def nearest_colours(rgb: Rgb, source: NDArray[np.bool_], places: NDArray[np.intp]) -> Floats:
    """(N, 3): for each place (an index into the flattened picture) the colour of the nearest pixel of `source` (H, W).

    Where `source` is empty each place keeps its own colour.
    """
    flat = rgb.reshape(-1, 3)
    sources = np.flatnonzero(source)
    if sources.size == 0:
        return np.asarray(flat[places], np.float32)
    away = (~source).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(away, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    numbers = np.asarray(labels).ravel()
    source_of = np.zeros(sources.size + 1, np.intp)
    source_of[numbers[sources]] = sources
    return np.asarray(flat[source_of[numbers[places]]], np.float32)


def is_mixture(pixels: Floats, inner: Floats, outer: Floats, *, loosely: bool = False) -> NDArray[np.bool_]:
    """(N,) whether each pixel lies between its outer and its inner colour. An outline of a third colour does not."""
    step, seen = inner - outer, pixels - outer
    length = np.einsum("ij,ij->i", step, step)
    aside = seen - step * share_of(seen, step)[:, None]
    room = np.maximum((0.06 if loosely else 0.01) * length, 400.0 if loosely else 60.0)
    return np.asarray((np.einsum("ij,ij->i", aside, aside) < room) & (length > 400.0), np.bool_)


def share_of(seen: Floats, step: Floats) -> Floats:
    """(N,) 0..1: how much of the way `step` from the outer to the inner colour a pixel has gone."""
    length = np.einsum("ij,ij->i", step, step)
    return np.asarray(np.clip(np.einsum("ij,ij->i", seen, step) / np.maximum(length, 1.0), 0.0, 1.0), np.float32)

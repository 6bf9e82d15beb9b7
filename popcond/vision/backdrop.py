"""The plain colour behind a character: which one to choose, and which one a picture has.

White is not white: a clip's backdrop drifts by several levels, darkens towards the corners and carries noise. So the
backdrop is estimated per picture, as a smooth field with a noise figure, from what the picture's border shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Colour, Floats, Rgb
from popcond.vision.choice import choose_backdrop
from popcond.vision.colours import distance, exact_lab, gaps_from, lab_of

__all__ = ["Backdrop", "choose_backdrop", "estimate"]

_GRID = 33  # the field is bent so little that a coarse grid, scaled up, is exact enough
_SAMPLES = 48  # a side of the grid of samples over the whole picture
_DRIFT = 26.0  # ΔE between the colour that was asked for and the one that a clip shows
_LEAST_BORDER = 0.34  # share of the border that must show the backdrop …
_LEAST_BORDER_UNASKED = 0.5  # … and when nobody said which colour to expect
_SURE_BORDER, _SURE_SPAN = 0.8, 8.0  # share of the border and ΔE across the picture that leave no question
_SETTLED = 0.001  # share of the samples whose coming or going no longer bends the field
_VISIBLE = 1.8  # ΔE between two plain areas that a person sees
_MOST_NOISE = 5.0  # a median ΔE above this is texture


@dataclass(frozen=True)
class Backdrop:
    """One picture's backdrop: a smooth colour field and how much the pixels scatter round it."""

    bends: Floats  # (6, 3): weights of 1, x, y, x², xy, y² for R, G, B (0..255); x, y in -1..1
    noise: float  # median ΔE of backdrop pixels from the field
    outliers: float  # ΔE that one in fifty of them exceeds
    border: float  # share of the picture's border that shows it, 0..1
    sides: int  # how many of the four sides show it
    span: float  # ΔE between the field's most different places
    chosen: bool  # somebody chose the colour to be far from the character's

    @property
    def tolerance(self) -> float:
        """ΔE up to which a pixel is backdrop: a just visible step and the noise, or the noise's own outliers."""
        return min(max(_VISIBLE + 3.2 * self.noise, 1.4 * self.outliers), 14.0)

    @property
    def is_colourful(self) -> bool:
        """True when it is no white, grey or black."""
        return float(np.hypot(*exact_lab(self.bends[:1])[0, 1:])) > 14.0

    @property
    def colour(self) -> Colour:
        """The colour at the middle of the picture."""
        red, green, blue = (int(v) for v in np.clip(np.rint(self.bends[0]), 0, 255))
        return red, green, blue

    @property
    def darkest(self) -> Colour:
        """The colour where it is darkest."""
        places = self._coarse.reshape(-1, 3)
        red, green, blue = (int(v) for v in places[int(places.sum(axis=1).argmin())])
        return red, green, blue

    def field(self, height: int, width: int) -> Floats:
        """(H, W, 3) float32 RGB in 0..255: the backdrop without the character."""
        return np.asarray(cv2.resize(self._coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)

    def gaps(self, rgb: Rgb) -> Floats:
        """(H, W) ΔE of each pixel of a picture from the backdrop at its place."""
        coarse = exact_lab(self._coarse.reshape(-1, 3)).reshape(_GRID, _GRID, 3)
        return gaps_from(coarse, rgb)

    @cached_property
    def _coarse(self) -> Floats:
        values = _even_basis(_GRID) @ self.bends
        return np.asarray(np.clip(values, 0.0, 255.0), np.float32).reshape(_GRID, _GRID, 3)


def _basis(x: Floats, y: Floats) -> Floats:
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def _even_basis(side: int) -> Floats:
    """(side², 6): the basis at the middles of an even grid."""
    line = ((np.arange(side) + 0.5) / side * 2.0 - 1.0).astype(np.float32)
    x, y = np.meshgrid(line, line)
    return _basis(x.ravel(), y.ravel())


# ------------------------------------------------------------------ samples


@dataclass(frozen=True)
class _Samples:
    """Pixels with their places: the border first, then a grid over the whole picture."""

    x: Floats  # (N,) in -1..1
    y: Floats
    rgb: Floats  # (N, 3)
    lab: Floats  # (N, 3)
    side: NDArray[np.int8]  # (N,) 0..3 for the border's four sides, -1 for the grid


def _samples(rgb: Rgb) -> _Samples:
    height, width = rgb.shape[:2]
    rows, columns, side = _border_places(height, width)
    grid_rows = (np.arange(_SAMPLES) * height + height // 2) // _SAMPLES
    grid_columns = (np.arange(_SAMPLES) * width + width // 2) // _SAMPLES
    inner_rows, inner_columns = (m.ravel() for m in np.meshgrid(grid_rows, grid_columns, indexing="ij"))
    rows = np.concatenate([rows, inner_rows])
    columns = np.concatenate([columns, inner_columns])
    side = np.concatenate([side, np.full(inner_rows.size, -1, np.int8)])
    picked = rgb[rows, columns].astype(np.float32)
    x = ((columns + 0.5) / width * 2.0 - 1.0).astype(np.float32)
    y = ((rows + 0.5) / height * 2.0 - 1.0).astype(np.float32)
    return _Samples(x, y, picked, exact_lab(picked), side)


def _border_places(height: int, width: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.int8]]:
    """Rows, columns and side of samples on a few lines near the border, off the very outermost, which may be faulty."""
    depth = max(2, round(min(height, width) * 0.03))
    lines = np.unique(np.linspace(min(1, depth - 1), depth, 4).astype(np.intp))
    along_x = np.linspace(0, width - 1, min(width, 120)).astype(np.intp)
    along_y = np.linspace(0, height - 1, min(height, 120)).astype(np.intp)
    pieces = []
    for line in lines:
        pieces += [
            (np.full(along_x.size, line), along_x, 0),
            (np.full(along_x.size, height - 1 - line), along_x, 1),
            (along_y, np.full(along_y.size, line), 2),
            (along_y, np.full(along_y.size, width - 1 - line), 3),
        ]
    rows = np.concatenate([p[0] for p in pieces]).clip(0, height - 1)
    columns = np.concatenate([p[1] for p in pieces]).clip(0, width - 1)
    side = np.concatenate([np.full(p[0].size, p[2], np.int8) for p in pieces])
    return rows, columns, side


# ------------------------------------------------------------------ the estimate


def estimate(rgb: Rgb, hint: Colour | None = None) -> Backdrop | None:
    """The backdrop of one picture; None when its border shows no plain or smoothly shaded colour.

    `hint` is the colour that somebody chose to put behind the character. A hint that the picture does not show is
    dropped, and the backdrop is looked for without it.
    """
    samples = _samples(rgb)
    if hint is not None and (found := _from_hint(samples, hint)) is not None:
        return found
    flat = _settled(samples, _start_from_mode(samples), chosen=False)
    if flat is not None and flat.border > _SURE_BORDER and flat.span < _SURE_SPAN:
        return flat
    shaded = _settled(samples, _start_from_line(samples), chosen=False)
    fits = [found for found in (flat, shaded) if found is not None]
    return max(fits, key=lambda fit: fit.border - 0.01 * fit.span, default=None)


def _from_hint(samples: _Samples, hint: Colour) -> Backdrop | None:
    near = (distance(samples.lab, lab_of([hint])) < _DRIFT) & (samples.side >= 0)
    if np.count_nonzero(near) < 0.1 * np.count_nonzero(samples.side >= 0):
        return None
    return _settled(samples, _flat(np.median(samples.rgb[near], axis=0)), chosen=True)


def _start_from_mode(samples: _Samples) -> Floats:
    """The border's commonest colour, as a flat field."""
    border = samples.side >= 0
    bins = np.rint(samples.lab[border] / 5.0).astype(np.int64) @ np.array([1, 1_000, 1_000_000])
    names, counts = np.unique(bins, return_counts=True)
    common = samples.rgb[border][bins == names[np.argmax(counts)]]
    return _flat(np.median(common, axis=0))


def _start_from_line(samples: _Samples) -> Floats:
    """A slope through the whole border, by least absolute differences, for shaded backdrops."""
    border = samples.side >= 0
    basis = _basis(samples.x[border], samples.y[border])[:, :3]
    rgb = samples.rgb[border]
    weights = np.ones(rgb.shape[0], np.float32)
    bends = np.zeros((6, 3), np.float32)
    for _ in range(12):
        bends[:3] = _least_squares(basis, rgb, weights)
        weights = 1.0 / np.maximum(np.abs(rgb - basis @ bends[:3]).sum(axis=1), 1.0)
    return bends


def _flat(colour: Floats) -> Floats:
    bends = np.zeros((6, 3), np.float32)
    bends[0] = colour
    return bends


def _least_squares(basis: Floats, rgb: Floats, weights: Floats) -> Floats:
    weighted = basis * weights[:, None]
    ridge = np.eye(basis.shape[1], dtype=np.float32) * 1e-3 * weights.sum()
    ridge[0, 0] = 0.0
    return np.asarray(np.linalg.solve(basis.T @ weighted + ridge, weighted.T @ rgb), np.float32)


def _settled(samples: _Samples, bends: Floats, *, chosen: bool) -> Backdrop | None:
    """Fit, keep what fits, fit again: the tolerance narrows as the field bends to the picture."""
    everywhere = _basis(samples.x, samples.y)
    border = samples.side >= 0
    kept = np.zeros(border.size, np.bool_)
    for widest in (10.0, 9.0, 8.0, 7.0, 6.0, 5.0):
        gaps = _gaps(samples, everywhere, bends)
        before, kept = kept, gaps < min(widest, 3.0 + 4.0 * _median(gaps[border & (gaps < widest)]))
        if np.count_nonzero(kept != before) < _SETTLED * border.size:
            break
        bends = _refitted(samples, everywhere, kept, bends)
    return _judged(samples, _gaps(samples, everywhere, bends), bends, chosen=chosen)


def _refitted(samples: _Samples, everywhere: Floats, inliers: NDArray[np.bool_], before: Floats) -> Floats:
    if np.count_nonzero(inliers & (samples.side >= 0)) < 24:
        return before
    terms = _terms(samples, inliers)
    bends = np.zeros((6, 3), np.float32)
    weights = np.ones(np.count_nonzero(inliers), np.float32)
    bends[:terms] = _least_squares(everywhere[inliers][:, :terms], samples.rgb[inliers], weights)
    return bends


def _terms(samples: _Samples, inliers: NDArray[np.bool_]) -> int:
    """How far the field may bend: only as far as the backdrop is seen all round."""
    sides = _sides(samples, inliers)
    return 6 if sides == 4 else 3 if sides >= 2 else 1


def _sides(samples: _Samples, inliers: NDArray[np.bool_]) -> int:
    return sum(float(np.mean(inliers[samples.side == side])) > 0.25 for side in range(4))


def _gaps(samples: _Samples, everywhere: Floats, bends: Floats) -> Floats:
    return distance(samples.lab, exact_lab(everywhere @ bends))


def _median(values: Floats) -> float:
    return float(np.median(values)) if values.size else 0.0


def _judged(samples: _Samples, gaps: Floats, bends: Floats, *, chosen: bool) -> Backdrop | None:
    border = samples.side >= 0
    noise = _median(gaps[border & (gaps < 8.0)])
    inliers = gaps < 2.0 + 4.0 * noise
    share = float(np.mean(inliers[border]))
    sides = _sides(samples, inliers)
    least = _LEAST_BORDER if chosen else _LEAST_BORDER_UNASKED
    if share < least or sides < 2 or noise > _MOST_NOISE:
        return None
    outliers = float(np.percentile(gaps[border & (gaps < 3.0 + 5.0 * noise)], 98))
    return Backdrop(bends, noise, outliers, share, sides, _span(bends), chosen)


def _span(bends: Floats) -> float:
    values = exact_lab(_even_basis(9) @ bends)
    return float(distance(values[:, None], values[None]).max())

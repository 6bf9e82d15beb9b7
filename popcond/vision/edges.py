"""How solid the pixels along an edge are: where the backdrop is known, and where only a mask is.

Before a known backdrop every pixel of an edge climbs, step by step, to where the picture differs most from it: the top
is the character's own colour there, one pixel away on a sharp edge, many on one that moved while the shutter was open.
So the pixel is taken apart: pixel = alpha · top + (1 − alpha) · backdrop. Lightness is trusted more than colour,
because video stores colour at half the resolution and smears it over the edge.

Of a mask from anybody else the outline is only about right. Within a narrow band round it a pixel is taken apart into
the nearest colours on both sides of the band; where they do not explain it the colour guided filter (He, Sun, Tang
2013) lets alpha follow the picture's edges. Outside of the band the mask keeps its word. Whoever has a matting model at
hand gives it as `Matting`. The colours are cleaned by `popcond.vision.cutout`.
"""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Alpha, Floats, Rgb
from popcond.vision.crop import Crop, Mask
from popcond.vision.nearest import nearest_colours

_LUMA = np.array(  # BT.601 luma and two colour differences of a straight RGB colour
    [[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]], np.float32
)
_TRUST = np.array([1.0, 0.6, 0.6], np.float32)  # of luma and of the colour differences
_ASIDE, _ASIDE_LEAST = 0.03, 120.0  # a mixture may be off by so much of the squared way, or by so many squared levels
_TINTED, _TINT_AHEAD = 0.75, 0.3  # alpha by tint, and by how much more than by luma, from which it is no mixture
_TINT_LEAST = 150.0  # squared levels that inner and outer must differ in tint
_RISE = 1.06  # a neighbour must differ this much more from the backdrop to be a step upwards …
_RISE_LEAST = 0.5  # … and at least by this ΔE, and the noise
_REACH = 0.022  # of the picture's smaller side: how far the widest soft edge goes in
_SHOULDER = 0.12  # of the two steps that lead up to it: where the next one is smaller than that the slope is over …
_HIGH = 0.6  # … if it has come so far towards the highest nearby
_WIDER = 1.4  # times: slopes get flatter towards their ends
_OWN = 28.0  # ΔE from the backdrop at which a colour that is no mixture is an outline of its own, and solid
_EMPTY, _SOLID = 0.14, 0.88  # alpha outside of these is snapped

_BAND, _BAND_LEAST = (
    128.0,
    3,
)  # half the width of the band round an outline: the picture's larger side in it, and pixels
_SMOOTH = 1e-4  # of the guided filter: the variance of colour (0..1) below which an area is plain
_FAINT, _FULL = 0.08, 0.92  # guided alpha outside of these is snapped
_APART = 1600.0  # squared levels between the colours on both sides, from which a mixture of them can be told
_ROOM = 12  # pixels round a mask that are looked at
_CARRIED = 0.3  # of an edge pixel's alpha that the frame before may have …
_STEADY = 64  # … if the two differ by less: a real change is no flicker


def soften(crop: Crop, inside: Mask, *, far: bool) -> Alpha:
    """(H, W) alpha from a hard mask: each pixel of a slope as solid as it is high, all else solid or empty.

    `far` says that all of the character is far from the backdrop's colour.
    """
    alpha = np.asarray(inside * 255, np.uint8)
    reach = max(3, round(crop.side * _REACH))
    depth = np.asarray(cv2.distanceTransform(inside, cv2.DIST_L2, 3), np.float32)
    heights = np.asarray(cv2.blur(crop.gaps, (3, 3)), np.float32)
    rising = _rises(heights, _RISE_LEAST + crop.backdrop.noise) & ~_is_shoulder(crop.gaps)
    widths = np.minimum(_widths(crop.gaps), reach)
    places = np.flatnonzero(rising & (depth > 0) & (depth <= widths + 1.0))
    if places.size == 0:
        return alpha
    tops = _climbed(heights, rising, places, np.ceil(widths.ravel()[places]))
    here, there = depth.ravel()[places], depth.ravel()[tops]
    upwards = (there > here + 0.3) | ((here < 1.2) & (there > here - 0.1))  # the inner side of an outline is no edge
    places, tops = places[upwards], tops[upwards]
    alpha.ravel()[places] = snapped(_explained(crop, places, tops, far=far))
    return np.where(_open_to_outside(alpha, depth, reach), alpha, inside * np.uint8(255))


def _open_to_outside(alpha: Alpha, depth: Floats, reach: int) -> NDArray[np.bool_]:
    """(H, W) whether each pixel has nothing solid between itself and the outside: behind an outline all is solid."""
    soft = np.asarray(cv2.threshold(alpha, 254, 1, cv2.THRESH_BINARY_INV)[1], np.uint8)
    layers = np.asarray(np.minimum(np.ceil(depth), 255.0), np.uint8)
    opened = np.asarray(depth == 0, np.uint8)
    for layer in range(1, reach + 1):
        beside = np.asarray(cv2.dilate(opened, np.ones((3, 3), np.uint8)), np.uint8) & soft
        beside &= (layers == layer).astype(np.uint8)
        if not beside.any():
            break
        opened |= beside
    return opened > 0


def _rises(heights: Floats, least: float) -> NDArray[np.bool_]:
    """(H, W) where a neighbour is clearly higher."""
    highest = np.asarray(cv2.dilate(heights, np.ones((3, 3), np.uint8)), np.float32)
    return np.asarray(highest > heights * _RISE + least, np.bool_)


def _is_shoulder(gaps: Floats) -> NDArray[np.bool_]:
    """(H, W) where it came up steeply and goes on flat: a pale outline before what is farther from the backdrop."""
    upwards = np.asarray(cv2.subtract(cv2.dilate(gaps, np.ones((3, 3), np.uint8)), gaps))
    downwards = np.asarray(cv2.subtract(gaps, cv2.erode(gaps, np.ones((5, 5), np.uint8))))
    high = gaps > _HIGH * np.asarray(cv2.dilate(gaps, np.ones((5, 5), np.uint8)))
    return np.asarray((upwards < _SHOULDER * downwards) & high, np.bool_)


def _widths(gaps: Floats) -> Floats:
    """(H, W): how many pixels a slope from the backdrop to the top nearby takes where it is as steep as nearby."""
    upwards = cv2.subtract(cv2.dilate(gaps, np.ones((3, 3), np.uint8)), gaps)
    steepest = np.maximum(np.asarray(cv2.dilate(upwards, np.ones((5, 5), np.uint8))), 1.0)
    return np.asarray(cv2.divide(cv2.dilate(gaps, np.ones((7, 7), np.uint8)), steepest, scale=_WIDER), np.float32)


def _climbed(heights: Floats, rising: NDArray[np.bool_], places: NDArray[np.intp], steps: Floats) -> NDArray[np.intp]:
    """Where each place arrives that goes to its highest neighbour as long as that is `rising`, in `steps` at most."""
    width = heights.shape[1] + 2
    padded = np.asarray(cv2.copyMakeBorder(heights, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=-1.0), np.float32).ravel()
    goes_on = np.pad(rising, 1).ravel()
    around = np.array([-width - 1, -width, -width + 1, -1, 1, width - 1, width, width + 1], np.intp)
    at = (places // heights.shape[1] + 1) * width + places % heights.shape[1] + 1
    climbing = np.arange(places.size)
    for step in range(1, int(steps.max()) + 1):
        near = at[climbing, None] + around
        at[climbing] = near[np.arange(climbing.size), padded[near].argmax(axis=1)]
        climbing = climbing[goes_on[at[climbing]] & (steps[climbing] > step)]
        if climbing.size == 0:
            break
    return np.asarray((at // width - 1) * heights.shape[1] + at % width - 1, np.intp)


def _explained(crop: Crop, places: NDArray[np.intp], tops: NDArray[np.intp], *, far: bool) -> Floats:
    """(N,) alpha 0..1 of each place between the backdrop and its top; a third colour is as solid as it is far off."""
    pixels, inner = (crop.rgb.reshape(-1, 3)[at].astype(np.float32) for at in (places, tops))
    found, is_mixed = unmixed(pixels, inner, crop.field.reshape(-1, 3)[places])
    third = crop.gaps.ravel()[places] / np.clip(crop.gaps.ravel()[tops], 1.0, _OWN) if far else np.float32(1.0)
    return np.where(is_mixed, found, np.maximum(found, third))


def unmixed(pixels: Floats, inner: Floats, outer: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """(N,) alpha 0..1 that best explains each pixel as a mixture of its inner and outer colour, and whether it does."""
    step = (inner - outer) @ _LUMA.T * _TRUST
    seen = (pixels - outer) @ _LUMA.T * _TRUST
    length = np.maximum(np.einsum("ij,ij->i", step, step), 1.0)
    found = np.einsum("ij,ij->i", seen, step) / length
    aside = seen - step * np.clip(found, 0.0, 1.0)[:, None]
    is_mixed = np.einsum("ij,ij->i", aside, aside) < np.maximum(_ASIDE * length, _ASIDE_LEAST)
    tint = _of_tint(seen, step)
    luma = seen[:, 0] / np.where(step[:, 0] == 0, 1.0, step[:, 0])
    own = (tint > _TINTED) & (tint > luma + _TINT_AHEAD)
    return np.where(own, np.maximum(found, tint), found).astype(np.float32), np.asarray(is_mixed & ~own, np.bool_)


def _of_tint(seen: NDArray[np.floating], step: NDArray[np.floating]) -> Floats:
    """(N,) alpha by the colour differences alone; 0 where inner and outer hardly differ in them."""
    seen, step = seen[:, 1:], step[:, 1:]
    length = np.einsum("ij,ij->i", step, step)
    found = np.einsum("ij,ij->i", seen, step) / np.maximum(length, 1.0)
    return np.where(length > _TINT_LEAST, np.minimum(found, 1.0), 0.0).astype(np.float32)


def snapped(solid: Floats) -> Alpha:
    """Alpha 0..1 as 0..255, with both ends made clean."""
    stretched = (solid - _EMPTY) / (_SOLID - _EMPTY)
    return np.asarray(np.rint(np.clip(stretched, 0.0, 1.0) * 255.0), np.uint8)


# ------------------------------------------------------------------ round anybody's mask


class Matting(Protocol):
    """A model that says how solid the doubtful pixels are; given to `refined` where its weights are there."""

    def refine(self, frame: Rgb, mask: Alpha, trimap: Alpha) -> Alpha:
        """(H, W) alpha. The trimap is 255 where it is solid, 0 where it is empty, 128 where it is asked for."""
        ...


def refined(rgb: Rgb, mask: Alpha, matting: Matting | None = None) -> Alpha:
    """(H, W) alpha from a mask whose outline is about right: soft where the picture is, solid and empty elsewhere."""
    alpha = np.zeros(mask.shape, np.uint8)
    x, y, width, height = cv2.boundingRect(mask)
    if not width or not height:
        return alpha
    half = max(_BAND_LEAST, round(max(mask.shape) / _BAND))
    room = _ROOM + 4 * half
    box = slice(max(y - room, 0), y + height + room), slice(max(x - room, 0), x + width + room)
    inner, frame = np.ascontiguousarray(mask[box]), np.ascontiguousarray(rgb[box])
    doubtful = trimap(inner, half)
    found = _taken_apart(frame, inner, doubtful, half) if matting is None else matting.refine(frame, inner, doubtful)
    alpha[box] = np.where(doubtful == 128, found, doubtful)
    return alpha


def trimap(mask: Alpha, half: int) -> Alpha:
    """(H, W) 255 well inside of a mask, 0 well outside, 128 within `half` pixels of its outline."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * half + 1, 2 * half + 1))
    hard = cv2.threshold(mask, 127, 255, cv2.THRESH_BINARY)[1]
    solid = np.asarray(cv2.erode(hard, disc, borderType=cv2.BORDER_REPLICATE), np.uint8)
    near = np.asarray(cv2.dilate(hard, disc), np.uint8)
    return np.where(solid == near, solid, np.uint8(128))


def steadied(alpha: Alpha, before: Alpha) -> Alpha:
    """Alpha with a little of what the frame before had there, warped to this one, where it is soft: less shimmer."""
    soft = (alpha > 0) & (alpha < 255) & (cv2.absdiff(alpha, before) < _STEADY)
    mixed = cv2.addWeighted(alpha, 1.0 - _CARRIED, before, _CARRIED, 0.0)
    return np.where(soft, np.asarray(mixed, np.uint8), alpha)


def _taken_apart(rgb: Rgb, mask: Alpha, doubtful: Alpha, half: int) -> Alpha:
    """(H, W) alpha: of mixtures by their two colours, of all else by the guided filter."""
    alpha = _guided(rgb, mask, half + 1)
    places = np.flatnonzero(doubtful == 128)
    if (doubtful == 255).any() and (doubtful == 0).any():
        inner, outer = (nearest_colours(rgb, doubtful == side, places) for side in (255, 0))
        found, is_mixed = unmixed(rgb.reshape(-1, 3)[places].astype(np.float32), inner, outer)
        told = is_mixed & (np.einsum("ij,ij->i", inner - outer, inner - outer) > _APART)
        alpha.ravel()[places[told]] = snapped(found[told])
    return alpha


def _guided(rgb: Rgb, mask: Alpha, radius: int) -> Alpha:
    """(H, W) alpha: the mask as a local linear function of the picture's colours, both ends made clean."""
    colours = rgb.astype(np.float32) / np.float32(255.0)
    wanted = np.asarray(mask >= 128, np.float32)
    mean, mean_wanted = _mean(colours, radius), _mean(wanted, radius)
    together = _mean(colours * wanted[..., None], radius) - mean * mean_wanted[..., None]
    weights = _solved_by_cofactors(_covariances(colours, mean, radius), together)
    offset = mean_wanted - np.einsum("ijk,ijk->ij", weights, mean)
    alpha = np.einsum("ijk,ijk->ij", _mean(weights, radius), colours) + _mean(offset, radius)
    stretched = np.clip((alpha - _FAINT) / (_FULL - _FAINT), 0.0, 1.0)
    return np.asarray(np.rint(stretched * 255.0), np.uint8)


def _mean(raster: Floats, radius: int) -> Floats:
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.boxFilter(raster, -1, size, borderType=cv2.BORDER_REFLECT), np.float32)


def _covariances(colours: Floats, mean: Floats, radius: int) -> tuple[Floats, ...]:
    """The six different entries rr, rg, rb, gg, gb, bb of each pixel's 3 × 3 matrix."""
    pairs = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    return tuple(
        _mean(colours[..., one] * colours[..., other], radius)
        - mean[..., one] * mean[..., other]
        + np.float32(_SMOOTH if one == other else 0.0)
        for one, other in pairs
    )


def _solved_by_cofactors(matrix: tuple[Floats, ...], right: Floats) -> Floats:
    """(H, W, 3): the solution of each pixel's symmetric 3 × 3 system."""
    rr, rg, rb, gg, gb, bb = matrix
    a, b, c = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    d, e, f = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = rr * a + rg * b + rb * c
    r, g, v = right[..., 0], right[..., 1], right[..., 2]
    rows = np.stack([a * r + b * g + c * v, b * r + d * g + e * v, c * r + e * g + f * v], axis=-1)
    return np.asarray(rows / determinant[..., None], np.float32)

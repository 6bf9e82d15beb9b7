"""From a cut-out to a Figure: laid out on a frame, the arms cut loose, and a second picture with a hot head."""

from __future__ import annotations

import cv2
import numpy as np

from popcond.media.raster import Alpha, Floats, Rgba, premultiply, resize
from popcond.video.anatomy import Anatomy
from popcond.video.anchors import Point
from popcond.video.figure import Figure, Layer
from popcond.video.hands import skin_of
from popcond.video.limbs import Arm

_OUTLINE_POINTS = 160
_BLUSHING = np.array([236.0, 62.0, 48.0], np.float32)  # what a head that gets hot turns towards


def make_figure(cutout: Rgba, anatomy: Anatomy, *, size: int, scale: float, at: Point) -> Figure:
    """The figure with its ground point at `at` on a frame of size × size; `scale` is frame pixels per cut-out pixel."""
    height, width = (max(1, round(side * scale)) for side in cutout.shape[:2])
    small = resize(cutout, width, height)
    left, top = round(at[0] - anatomy.middle * scale), round(at[1] - anatomy.bottom * scale)
    placed = anatomy.scaled(scale, left, top)
    body, arms = _cut_loose(_laid(small, size, left, top), placed.arms)
    return Figure(
        size=size,
        anatomy=placed,
        body=body,
        hot=_reddened(body, placed),
        arms=arms,
        skin=skin_of(small, anatomy.scaled(scale).head),
        outline=_outline(body),
    )


def _laid(small: Rgba, size: int, left: int, top: int) -> Rgba:
    """The cut-out on an empty frame, premultiplied; what lies outside is transparent margin and is dropped."""
    stage = np.zeros((size, size, 4), np.uint8)
    rows = slice(max(top, 0), min(top + small.shape[0], size))
    columns = slice(max(left, 0), min(left + small.shape[1], size))
    inner = small[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    stage[rows, columns] = np.rint(premultiply(inner))
    return stage


def _cut_loose(rest: Rgba, arms: tuple[Arm, ...]) -> tuple[Rgba, tuple[Layer, ...]]:
    """The body without its arms, and each arm with a round cap that stays over the shoulder."""
    body, layers = rest, []
    for arm in arms:
        mask = _arm_mask(arm, rest.shape[0])
        cap = np.zeros_like(mask)
        centre = round(arm.shoulder[0]), round(arm.shoulder[1])
        cv2.circle(cap, centre, max(2, round(1.05 * arm.half_thickness)), 255, -1, cv2.LINE_AA)
        loose = _masked(rest, np.maximum(mask, cap))
        layers.append(Layer(arm, loose, _outline(loose)))
        body = _masked(body, 255 - np.minimum(mask, 255 - cap))
    return body, tuple(layers)


def _arm_mask(arm: Arm, size: int) -> Alpha:
    """The arm's mask on the frame, grown over its soft rim."""
    matrix = np.array([[arm.scale, 0.0, arm.x], [0.0, arm.scale, arm.y]])
    big = cv2.warpAffine(arm.mask, matrix, (size, size), flags=cv2.INTER_LINEAR)
    reach = 2 * max(1, round(1.3 * arm.scale)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    return np.asarray(cv2.dilate((big > 127).astype(np.uint8) * 255, kernel), np.uint8)


def _masked(raster: Rgba, mask: Alpha) -> Rgba:
    share = mask.astype(np.float32)[..., None] / 255.0
    return np.asarray(np.rint(raster * share), np.uint8)


def _reddened(body: Rgba, anatomy: Anatomy) -> Rgba:
    """The head turned towards red, most at its top; shading and outlines stay."""
    share = np.clip(1.6 * (1.0 - anatomy.head.distances(body.shape[:2]) / 1.25**2), 0.0, 1.0)[..., None]
    alpha = body[..., 3:].astype(np.float32) / 255.0
    colours = body[..., :3].astype(np.float32)
    red = _BLUSHING * colours.max(axis=-1, keepdims=True) / 255.0
    hot = body.copy()
    hot[..., :3] = np.clip(np.rint(np.minimum(colours * (1.0 - share) + red * share, 255.0 * alpha)), 0, 255)
    return hot


def _outline(raster: Rgba) -> Floats:
    """(N, 2) points along the border of what is visible."""
    contours, _ = cv2.findContours((raster[..., 3] > 8).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = [contour[:: max(1, len(contour) // _OUTLINE_POINTS), 0] for contour in contours]
    every = np.concatenate(points) if points else np.zeros((1, 2))
    return np.asarray(every, np.float32)

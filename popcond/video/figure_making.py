"""From a cut-out to a Figure: laid out on a frame, the arms cut loose, and a second picture with a hot head."""

from __future__ import annotations

import cv2
import numpy as np

from popcond.media.raster import Alpha, Floats, Rgba, premultiply, resize
from popcond.video.anatomy import Anatomy
from popcond.video.anchors import Point
from popcond.video.arm_layer import Layer
from popcond.video.arms import jointed
from popcond.video.figure import Figure
from popcond.video.hands import skin_of
from popcond.video.limbs import Arm

_OUTLINE_POINTS = 160
_UNDER = 0.003  # of the frame: the strip of the body that an arm keeps at its root, or a gap would show …
_OVER = 0.011  # … and the strip of the arm that the body keeps, which is the shoulder's outline
_BLUSHING = np.array([236.0, 62.0, 48.0], np.float32)  # what a head that gets hot turns towards


def make_figure(cutout: Rgba, anatomy: Anatomy, *, size: int, scale: float, at: Point) -> Figure:
    """The figure with its ground point at `at` on a frame of size × size; `scale` is frame pixels per cut-out pixel."""
    height, width = (max(1, round(side * scale)) for side in cutout.shape[:2])
    small = resize(cutout, width, height)
    left, top = round(at[0] - anatomy.middle * scale), round(at[1] - anatomy.bottom * scale)
    placed = anatomy.scaled(scale, left, top)
    body, arms = _cut_loose(_laid(small, size, left, top), placed)
    return Figure(
        size=size,
        anatomy=placed,
        body=body,
        hot=_reddened(body, placed),
        arms=arms,
        skin=skin_of(small, anatomy.scaled(scale).head, anatomy.scaled(scale).eyes),
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


def _cut_loose(rest: Rgba, anatomy: Anatomy) -> tuple[Rgba, tuple[Layer, ...]]:
    """The body without its arms, and each arm. At the shoulder both keep a strip of the other, so that no gap shows."""
    body, layers = rest, []
    for arm in anatomy.arms:
        loose, kept = _shares(arm, rest)
        layers.append(Layer(jointed(arm, anatomy), _masked(rest, loose), _outline(_masked(rest, loose))))
        body = _masked(body, kept)
    return body, tuple(layers)


def _shares(arm: Arm, rest: Rgba) -> tuple[Alpha, Alpha]:
    """Two masks on the frame: what moves with the arm, and what stays with the body."""
    size = rest.shape[0]
    others = _placed(arm.others, arm, size)
    own = np.asarray(cv2.dilate(_placed(arm.mask, arm, size), _disc(1.3 * arm.scale)), np.uint8) & ~others
    seam = _seam(own, others, arm.shoulder)
    under, over = (np.asarray(cv2.dilate(seam, _disc(share * size)), np.uint8) for share in (_UNDER, _OVER))
    return own | (under & others), ~own | (over & own)


def _seam(own: Alpha, others: Alpha, shoulder: Point) -> Alpha:
    """Where the arm meets the body at its shoulder; a hand may touch the head or the hip elsewhere."""
    meeting = np.asarray(cv2.dilate(own, _disc(1.0)), np.uint8) & others
    count, labels, _, centres = cv2.connectedComponentsWithStats(meeting, connectivity=8)
    if count == 1:
        return meeting
    nearest = 1 + int(np.argmin(np.hypot(centres[1:, 0] - shoulder[0], centres[1:, 1] - shoulder[1])))
    return np.asarray(labels == nearest, np.uint8) * np.uint8(255)


def _placed(mask: Alpha, arm: Arm, size: int) -> Alpha:
    """A studied mask on the frame."""
    matrix = np.array([[arm.scale, 0.0, arm.x], [0.0, arm.scale, arm.y]])
    big = cv2.warpAffine(mask, matrix, (size, size), flags=cv2.INTER_LINEAR)
    return (big > 127).astype(np.uint8) * 255


def _disc(radius: float) -> Alpha:
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


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

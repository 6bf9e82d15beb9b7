"""Where a character's parts are, estimated from the picture alone.

Any picture may come: a full figure, a big-headed one, a head without a body, an animal, a thing. Nothing is recognised;
the silhouette's widths give head, neck, legs and arms, and twin blobs give the eyes. Every estimate has a fallback, so
every picture has an anatomy, and a wrong one still moves smoothly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Rgba, resize
from popcond.video.anchors import Point
from popcond.video.eyes import Box, Eyes, find_eyes, find_lone_eye, no_eyes
from popcond.video.limbs import Arm, find_arms, find_hip
from popcond.video.oval import Oval

Solid = NDArray[np.bool_]  # (H, W), the silhouette

_STUDY_SIDE = 224  # pixels; the estimate is made on a small copy
_LEAST_ROWS = 16  # of a figure in which a neck is looked for
_PINHOLE = 0.0006  # of the picture
_TALLEST_HEAD = 1.6  # height over width; what is taller has a trunk in it
_HEAD_ONLY_ASPECT = 1.22  # height over width; rounder figures are all head unless they have a neck


@dataclass(frozen=True)
class Anatomy:
    """Places at rest, in pixels of the raster that was studied, origin at its top left."""

    left: float  # the silhouette's box
    top: float
    right: float
    bottom: float
    middle: float  # x of the axis on which the figure stands
    head: Oval
    neck: float  # y; below it is body. A head without body has its neck at its foot
    has_body: bool
    eyes: Eyes
    hip: float | None  # y from which two legs part; None: no legs were seen
    parting: float  # x between the legs
    arms: tuple[Arm, ...]  # none, one or two; the better one to wave with comes first

    @property
    def height(self) -> float:
        """Of the silhouette's box."""
        return self.bottom - self.top

    @property
    def width(self) -> float:
        """Of the silhouette's box."""
        return self.right - self.left

    @property
    def head_radius(self) -> float:
        """The unit of everything around the head."""
        return self.head.radius

    @property
    def chest(self) -> Point:
        """The middle of the upper body, or of the lower face where there is no body."""
        share = 0.4 if self.has_body else -0.15
        return self.middle, self.neck + share * (self.bottom - self.neck)

    @property
    def face(self) -> Point:
        """The face's centre: between the eyes where they were seen, a little lower; else the head's."""
        if not self.eyes.found:
            return self.head.centre
        head = self.head
        x, y = (self.eyes.left[0] + self.eyes.right[0]) / 2.0, (self.eyes.left[1] + self.eyes.right[1]) / 2.0
        right, low = 0.4 * head.half_width, 0.4 * head.half_height
        return (
            min(max(x, head.x - right), head.x + right),
            min(max(y + 0.15 * head.half_height, head.y - low), head.y + low),
        )

    def arm(self, side: int) -> Arm | None:
        """The arm at that side, −1 is the viewer's left."""
        return next((arm for arm in self.arms if arm.side == side), None)

    def scaled(self, factor: float, x: float = 0.0, y: float = 0.0) -> Anatomy:
        """The same anatomy on a raster that was scaled by `factor`, then moved by x, y."""
        return replace(
            self,
            left=self.left * factor + x,
            top=self.top * factor + y,
            right=self.right * factor + x,
            bottom=self.bottom * factor + y,
            middle=self.middle * factor + x,
            head=self.head.scaled(factor, x, y),
            neck=self.neck * factor + y,
            eyes=self.eyes.scaled(factor, x, y),
            hip=None if self.hip is None else self.hip * factor + y,
            parting=self.parting * factor + x,
            arms=tuple(arm.scaled(factor, x, y) for arm in self.arms),
        )


def study(cutout: Rgba) -> Anatomy:
    """The anatomy of a cut-out (H, W, 4), in its own pixels. A cut-out without a solid pixel is taken as a full box."""
    factor = min(1.0, _STUDY_SIDE / max(cutout.shape[:2]))
    height, width = (max(1, round(side * factor)) for side in cutout.shape[:2])
    small = resize(cutout, width, height) if factor < 1.0 else cutout
    return _study_small(small).scaled(1.0 / factor)


def _study_small(small: Rgba) -> Anatomy:
    solid = _without_pinholes(_main_part(small[..., 3] >= 128))
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    left, top, right, bottom = float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)
    core = _core(solid)
    head, neck = _head(core, bottom)
    eyes = find_eyes(small, head)
    if neck is None or head.half_height > _TALLEST_HEAD * head.half_width:
        head, eyes = _looked_at_again(small, head, eyes, (left, top, right, bottom))
        neck = None if neck is None else min(neck, head.y + head.half_height)
    middle = _standing_axis(solid, (left, right, top, bottom))
    hip, parting = find_hip(solid, top + 0.55 * (bottom - top) if neck is None else neck, middle)
    return Anatomy(
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        middle=middle,
        head=head,
        neck=bottom if neck is None else neck,
        has_body=neck is not None,
        eyes=eyes,
        hip=hip,
        parting=parting,
        arms=_believed(find_arms(solid, core, neck=neck, hip=hip, middle=head.x if neck is None else middle), eyes),
    )


def _believed(arms: tuple[Arm, ...], eyes: Eyes) -> tuple[Arm, ...]:
    """Who does not look at us may show a tail or a foreleg; then only a pair of arms is one."""
    if eyes.found or not arms:
        return arms
    level = len(arms) == 2 and abs(arms[0].shoulder[1] - arms[1].shoulder[1]) < 0.5 * arms[0].length
    return arms if level else ()


def _main_part(solid: Solid) -> Solid:
    """The largest connected part; loose hairs and drops around it tell nothing."""
    if not solid.any():
        return np.ones_like(solid)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid.astype(np.uint8), connectivity=8)
    if count <= 2:
        return solid
    return np.asarray(labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))


def _without_pinholes(solid: Solid) -> Solid:
    """Tiny holes, as a cut-out has them where lines cross, would look like thin places."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~solid).astype(np.uint8), connectivity=4)
    tiny = stats[:, cv2.CC_STAT_AREA] < _PINHOLE * solid.size
    tiny[0] = False
    return np.asarray(solid | tiny[labels])


def _core(solid: Solid) -> Solid:
    """The silhouette without its thin parts: what remains are head and trunk."""
    if min(solid.shape) < _LEAST_ROWS:
        return solid
    padded = np.pad(solid.astype(np.uint8), 1)
    thickest = float(cv2.distanceTransform(padded, cv2.DIST_L2, 3).max())
    side = max(3, 2 * round(0.46 * thickest) + 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    core = np.asarray(opened[1:-1, 1:-1] > 0)
    return core if core.any() else solid


def _standing_axis(solid: Solid, box: Box) -> float:
    """x of the middle of what touches the ground, drawn towards the box's middle when it stands on one foot."""
    left, right, top, bottom = box
    foot_rows = solid[int(bottom - 0.12 * (bottom - top)) :]
    feet = np.flatnonzero(foot_rows.any(axis=0))
    stands = (feet[0] + feet[-1] + 1) / 2.0
    weight = float(np.flatnonzero(solid.any(axis=0)).mean())
    return float(np.clip(0.6 * stands + 0.4 * weight, left + 0.3 * (right - left), right - 0.3 * (right - left)))


def _head(core: Solid, bottom: float) -> tuple[Oval, float | None]:
    """The head, and the row where it ends: None for a figure that is all head."""
    rows = np.flatnonzero(core.any(axis=1))
    top, end = int(rows[0]), int(rows[-1]) + 1
    widths = _smooth(core[top:end].sum(axis=1).astype(np.float64))
    cut = _neck_row(widths, float(bottom - top))
    neck = None if cut is None else float(top + cut)
    head_rows = core[top : end if neck is None else round(neck)]
    half_width = max(1.0, float(np.percentile(head_rows.sum(axis=1), 92)) / 2.0)
    half_height = max(1.0, ((bottom if neck is None else neck) - top) / 2.0)
    if neck is None and half_height > 1.5 * half_width:  # tall, without a neck: its face is in its upper half
        half_height = half_width
    return Oval(float(np.mean(np.nonzero(head_rows)[1])), top + half_height, half_width, half_height), neck


def _around_high_eyes(eyes: Eyes, head: Oval) -> Oval:
    """A figure without a neck whose eyes sit high and close has its head up there: a penguin, a snowman, a ghost."""
    level = (eyes.left[1] + eyes.right[1]) / 2.0
    top = head.y - head.half_height
    wide_apart = eyes.right[0] - eyes.left[0] > 0.8 * head.half_width
    if not eyes.found or wide_apart or level > top + 0.62 * head.half_height:
        return head
    radius = min(1.15 * (level - top), head.half_width)
    return Oval((eyes.left[0] + eyes.right[0]) / 2.0, top + radius, radius, radius)


def _looked_at_again(small: Rgba, head: Oval, eyes: Eyes, box: Box) -> tuple[Oval, Eyes]:
    """A head whose outline says little, put where the eyes are, and eyes for it."""
    if eyes.found:
        return _around_high_eyes(eyes, head), eyes
    eye = find_lone_eye(small, box)
    if eye is None:
        return head, eyes
    head = _around_lone_eye(eye, box)
    return head, no_eyes(head, near=eye)


def _around_lone_eye(eye: Point, box: Box) -> Oval:
    """A figure seen from its side has its head round its one eye: at an end when it is wide, at its top when tall."""
    left, top, right, bottom = box
    radius = min(0.24 * (bottom - top), 0.4 * (right - left))
    inwards = 0.3 * radius * np.sign((left + right) / 2.0 - eye[0])
    x = float(np.clip(eye[0] + inwards, left + 0.8 * radius, right - 0.8 * radius))
    return Oval(x, max(eye[1] + 0.1 * radius, top + 0.9 * radius), radius, radius)


def _neck_row(widths: NDArray[np.float64], total: float) -> int | None:
    """The row, counted from the top, where a head ends; None for a figure that is all head (or all trunk)."""
    if len(widths) < _LEAST_ROWS:
        return None
    low, high = round(0.12 * total), min(round(0.78 * total), len(widths) - 2)
    best, row = 0.0, None
    for at in range(low, high):
        above, below = widths[:at].max(), widths[at:].max()
        narrowing = 1.0 - widths[at] / min(above, below)
        if narrowing > best:
            best, row = narrowing, at
    if row is not None and best > 0.06 and len(widths) - row > 0.14 * total:
        return row
    return _shoulder_row(widths, total)


def _shoulder_row(widths: NDArray[np.float64], total: float) -> int | None:
    """Where a big head gives way to a narrower body, for figures whose neck does not show."""
    if total < _HEAD_ONLY_ASPECT * widths.max():
        return None
    widest = int(np.argmax(widths[: round(0.6 * total)]))
    below = widths[widest:]
    narrow = np.flatnonzero(below < 0.74 * widths[widest])
    if narrow.size == 0 or len(below) - narrow[0] < 0.15 * total:
        return None
    return widest + int(narrow[0])


def _smooth(widths: NDArray[np.float64]) -> NDArray[np.float64]:
    size = max(3, len(widths) // 24 * 2 + 1)
    padded = np.pad(widths, size // 2, mode="edge")
    return np.convolve(padded, np.ones(size) / size, mode="valid")

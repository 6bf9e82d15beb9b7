"""Limbs, by the silhouette: arms are thin parts that leave the trunk sideways, legs are parted by a gap below it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from math import atan2, hypot

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.video.anchors import Point

Solid = NDArray[np.bool_]


@dataclass(frozen=True)
class Arm:
    """One arm at rest. `mask` lies on the raster that was studied: `scale` and `x`, `y` lead from there to pixels."""

    side: int  # −1 is the viewer's left
    shoulder: Point
    tip: Point
    half_thickness: float
    mask: NDArray[np.uint8]  # (H, W) of the studied raster, 255 where the arm is
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    @property
    def length(self) -> float:
        """From shoulder to tip."""
        return hypot(self.tip[0] - self.shoulder[0], self.tip[1] - self.shoulder[1])

    @property
    def rest(self) -> float:
        """Its direction: 0 hangs down, π/2 points outwards, π up."""
        return atan2(self.side * (self.tip[0] - self.shoulder[0]), self.tip[1] - self.shoulder[1])

    @property
    def outwards(self) -> float:
        """How far the tip lies outside the shoulder."""
        return self.side * (self.tip[0] - self.shoulder[0])

    def scaled(self, factor: float, x: float = 0.0, y: float = 0.0) -> Arm:
        """The same arm on a raster that was scaled, then moved; the mask stays as it is."""
        return replace(
            self,
            shoulder=(self.shoulder[0] * factor + x, self.shoulder[1] * factor + y),
            tip=(self.tip[0] * factor + x, self.tip[1] * factor + y),
            half_thickness=self.half_thickness * factor,
            scale=self.scale * factor,
            x=self.x * factor + x,
            y=self.y * factor + y,
        )


def find_arms(solid: Solid, core: Solid, *, neck: float | None, hip: float | None, middle: float) -> tuple[Arm, ...]:
    """At most one arm a side, the longest first. `neck` is None for a figure that is all head."""
    rows = np.flatnonzero(solid.any(axis=1))
    top, height = float(rows[0]), float(rows[-1] + 1 - rows[0])
    thin = solid & ~cv2.dilate(core.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    thin = cv2.morphologyEx(thin.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(thin, connectivity=8)
    highest = (neck - 0.1 * height) if neck is not None else top + 0.3 * height
    lowest = top + (0.78 if neck is not None else 0.72) * height
    lowest = lowest if hip is None else min(lowest, hip - 0.02 * height)
    found: dict[int, Arm] = {}
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < 0.006 * height * height:
            continue
        arm = _as_arm(labels == label, core, middle)
        if (
            arm is None
            or (neck is None and arm.outwards < 0.5 * arm.length)
            or not highest < arm.shoulder[1] < lowest
            or arm.length < 0.13 * height
        ):
            continue
        if arm.side not in found or found[arm.side].length < arm.length:
            found[arm.side] = arm
    return tuple(sorted(found.values(), key=lambda arm: -arm.length))


def _as_arm(part: Solid, core: Solid, middle: float) -> Arm | None:
    """The thin part as an arm, or None when it does not leave the trunk sideways from one place."""
    trunk = cv2.dilate(core.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    joint_rows, joint_columns = np.nonzero(part & trunk)
    part_rows, part_columns = np.nonzero(part)
    if joint_rows.size == 0:
        return None
    shoulder = float(joint_columns.mean()) + 0.5, float(joint_rows.mean()) + 0.5
    distances = np.hypot(part_columns - shoulder[0], part_rows - shoulder[1])
    farthest = int(np.argmax(distances))
    tip = float(part_columns[farthest]) + 0.5, float(part_rows[farthest]) + 0.5
    side = 1 if part_columns.mean() > middle else -1
    joint_spread = float(np.hypot(np.ptp(joint_columns), np.ptp(joint_rows)))
    outwards = side * (tip[0] - shoulder[0])
    if joint_spread > 0.85 * distances[farthest] or outwards < -0.15 * distances[farthest]:
        return None
    if side * (shoulder[0] - middle) < 0.0 or np.any(np.sign(part_columns - middle) == -side):
        return None
    thickness = float(cv2.distanceTransform(np.pad(part.astype(np.uint8), 1), cv2.DIST_L2, 3).max())
    return Arm(side, shoulder, tip, max(thickness, joint_spread / 2.0), part.astype(np.uint8) * 255)


def find_hip(solid: Solid, body_top: float, middle: float) -> tuple[float | None, float]:
    """The row from which two legs part and the column between them; (None, middle) when there is no gap."""
    rows = np.flatnonzero(solid.any(axis=1))
    top, end = int(rows[0]), int(rows[-1]) + 1
    height = end - top
    gap_top, centres = None, []
    for row in range(end - max(2, round(0.05 * height)), max(int(body_top), end - round(0.5 * height)), -1):
        gap = _gap(solid[row], middle, height)
        if gap is None:
            if gap_top is not None:
                break
            continue
        gap_top = row
        centres.append(gap)
    if gap_top is None or len(centres) < 0.045 * height:
        return None, middle
    return float(gap_top), float(np.median(centres))


def _gap(row: NDArray[np.bool_], middle: float, height: int) -> float | None:
    """The middle of the empty run between two solid ones that lie on both sides of `middle`."""
    edges = np.flatnonzero(np.diff(row.astype(np.int8), prepend=0, append=0))
    runs = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 0.03 * height]
    for (_, left_end), (right_start, _) in itertools.pairwise(runs):
        between = (left_end + right_start) / 2.0
        if abs(between - middle) < 0.14 * height:
            return between
    return None

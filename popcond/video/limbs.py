"""Limbs, by the silhouette: arms are thin parts that leave the trunk sideways, legs are parted by a gap below it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from math import atan2, hypot

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.video.anchors import Point
from popcond.video.centreline import Solid, centreline

Mask = NDArray[np.uint8]  # (H, W)

_SMALL = np.ones((3, 3), np.uint8)
_LEAST_HAND = 0.75  # of the upper arm's width: what tapers to a point is a tail, a fin or an ear


@dataclass(frozen=True)
class Arm:
    """One arm at rest. Masks lie on the raster that was studied: `scale` and `x`, `y` lead from there to pixels."""

    side: int  # −1 is the viewer's left
    path: tuple[Point, ...]  # its centreline, from the shoulder to the tip, at equal distances
    half_thickness: float  # of the limb itself; the hand may be wider
    mask: Mask  # 255 where the arm is
    others: Mask  # 255 where anything else of the figure is
    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    @property
    def shoulder(self) -> Point:
        """Where it leaves the body's core; an arm that lies on the body leaves it at its elbow."""
        return self.path[0]

    @property
    def tip(self) -> Point:
        """Its farthest place."""
        return self.path[-1]

    @property
    def length(self) -> float:
        """Along the arm."""
        return sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(self.path))

    @property
    def rest(self) -> float:
        """The direction from shoulder to tip: 0 hangs down, π/2 points outwards, π up."""
        return atan2(self.side * (self.tip[0] - self.shoulder[0]), self.tip[1] - self.shoulder[1])

    @property
    def outwards(self) -> float:
        """How far the tip lies outside the shoulder."""
        return self.side * (self.tip[0] - self.shoulder[0])

    def scaled(self, factor: float, x: float = 0.0, y: float = 0.0) -> Arm:
        """The same arm on a raster that was scaled, then moved; the masks stay as they are."""
        return replace(
            self,
            path=tuple((px * factor + x, py * factor + y) for px, py in self.path),
            half_thickness=self.half_thickness * factor,
            scale=self.scale * factor,
            x=self.x * factor + x,
            y=self.y * factor + y,
        )


def find_arms(solid: Solid, core: Solid, *, neck: float | None, hip: float | None, middle: float) -> tuple[Arm, ...]:
    """At most one arm a side, the longest first. `neck` is None for a figure that is all head."""
    rows = np.flatnonzero(solid.any(axis=1))
    top, height = float(rows[0]), float(rows[-1] + 1 - rows[0])
    highest = (neck - 0.1 * height) if neck is not None else top + 0.3 * height
    lowest = top + (0.78 if neck is not None else 0.72) * height
    lowest = lowest if hip is None else min(lowest, hip - 0.02 * height)
    found: dict[int, Arm] = {}
    for part in _thin_parts(solid, core, 0.006 * height * height):
        arm = _as_arm(part, solid, core, middle)
        if (
            arm is None
            or (neck is None and arm.outwards < 0.5 * arm.length)
            or not highest < arm.shoulder[1] < lowest
            or not 0.13 * height < arm.length < 0.6 * height
        ):
            continue
        if arm.side not in found or found[arm.side].length < arm.length:
            found[arm.side] = arm
    return tuple(sorted(found.values(), key=lambda arm: -arm.length))


def _thin_parts(solid: Solid, core: Solid, least_area: float) -> list[Solid]:
    """What sticks out of the core, each part with its own rim."""
    trunk = np.asarray(cv2.dilate(core.astype(np.uint8), _SMALL), np.uint8)
    thin = cv2.morphologyEx((solid & (trunk == 0)).astype(np.uint8), cv2.MORPH_OPEN, _SMALL)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(thin, connectivity=8)
    if count == 1:
        return []
    owners = _nearest_owner(np.where(trunk > 0, count, labels).astype(np.int32), count)
    return [
        solid & (owners == label) & (trunk == 0)
        for label in range(1, count)
        if stats[label, cv2.CC_STAT_AREA] >= least_area
    ]


def _nearest_owner(labels: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """The labels, grown by two pixels over what has none, so that rims belong to what they surround."""
    grown = labels.copy()
    for _ in range(2):
        spread = cv2.dilate(grown.astype(np.uint8), _SMALL) if count < 255 else grown
        grown = np.where(grown == 0, spread, grown).astype(np.int32)
    return grown


def _as_arm(part: Solid, solid: Solid, core: Solid, middle: float) -> Arm | None:
    """The thin part as an arm, or None when it is none: it must leave the trunk sideways, from one place, as a limb."""
    joint = part & cv2.dilate(core.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    path = centreline(part, joint) if joint.any() else None
    if path is None:
        return None
    part_columns = np.nonzero(part)[1]
    side = 1 if part_columns.mean() > middle else -1
    widths = _half_widths(part, path)
    arm = Arm(side, path, max(1.0, float(np.median(widths[1:8]))), _mask(part), _mask(solid & ~part))
    if not _hangs_on_one_place(joint, arm) or widths[7:].max() < _LEAST_HAND * widths[2:6].max():
        return None
    if arm.outwards < -0.15 * arm.length or side * (arm.shoulder[0] - middle) < 0.0:
        return None
    return None if np.any(np.sign(part_columns - middle) == -side) else arm


def _hangs_on_one_place(joint: Solid, arm: Arm) -> bool:
    """An arm that lies along the body, or is hardly longer than wide, cannot be bent without tearing it."""
    rows, columns = np.nonzero(joint)
    spread = float(np.hypot(np.ptp(columns), np.ptp(rows)))
    return spread < 0.6 * arm.length and spread < 5.0 * arm.half_thickness and arm.length > 4.5 * arm.half_thickness


def _half_widths(part: Solid, path: tuple[Point, ...]) -> NDArray[np.float32]:
    """(BONES + 1,) how far the part's border is from each point of its centreline."""
    room = cv2.distanceTransform(np.pad(part.astype(np.uint8), 1), cv2.DIST_L2, 3)
    return np.array([room[int(y) + 1, int(x) + 1] for x, y in path], np.float32)


def _mask(solid: Solid) -> Mask:
    return solid.astype(np.uint8) * 255


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

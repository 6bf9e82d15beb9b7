"""A character ready to be posed: its picture laid out on a frame, its arms cut loose, its places known.

`Figure.draw` paints one pose on a frame; `Figure.anchors` says where its parts are then.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2

import cv2
import numpy as np

from popcond.media.raster import Alpha, Colour, Floats, Rgb, Rgba, premultiply, resize
from popcond.video.anatomy import Anatomy
from popcond.video.anchors import Anchors, Point
from popcond.video.arms import Hold, held, hold, unheld
from popcond.video.brows import draw_brows
from popcond.video.eyes import close_eye
from popcond.video.hands import PlacedHand, draw_hands, skin_of
from popcond.video.limbs import Arm
from popcond.video.pose import Hand, Pose
from popcond.video.warp import Warp

_OUTLINE_POINTS = 160
_CHEST_BELOW = 0.55  # head radii
_HAND = 0.4  # head radii: half the height of a drawn hand …
_SMALLEST_HAND, _LARGEST_HAND = 0.075, 0.12  # … within these shares of the frame, so that it is seen
_SMALLEST_UNIT = 0.11  # of the frame: the least head radius by which hands are placed
_BLUSHING = np.array([236.0, 62.0, 48.0], np.float32)  # what a head that gets hot turns towards


@dataclass(frozen=True)
class _Layer:
    """An arm that turns about its shoulder in front of the body."""

    arm: Arm
    raster: Rgba  # premultiplied, the frame's size
    outline: Floats  # (N, 2) points around it


@dataclass(frozen=True)
class Figure:
    """See the module. Rasters are premultiplied uint8 (S, S, 4) at rest; the anatomy is in the same pixels."""

    size: int
    anatomy: Anatomy
    body: Rgba
    hot: Rgba  # the same with a reddened head
    arms: tuple[_Layer, ...]
    skin: Colour
    outline: Floats  # (N, 2) points around the body

    @property
    def side(self) -> int:
        """Where the better arm is: 1 is the viewer's right."""
        return self.anatomy.arms[0].side if self.anatomy.arms else 1

    def facing(self, pose: Pose) -> Pose:
        """The pose with the better arm on this figure's better side."""
        return pose if self.side > 0 else pose.mirrored()

    def draw(self, canvas: Rgb, pose: Pose) -> None:
        """Paint the posed figure over the frame (S, S, 3), in place."""
        posed = self.facing(pose)
        warp = Warp(self.anatomy, posed)
        _composite(canvas, _resampled(self._prepared(posed), *warp.maps(self.size)))
        self._draw_arms(canvas, posed, warp)
        if posed.brows and self.anatomy.eyes.found:
            draw_brows(canvas, self.anatomy, warp, posed.brows, self.skin)
        draw_hands(canvas, self._hands(posed), self.skin)

    def covered(self, pose: Pose) -> Floats:
        """(N, 2) points around everything that `draw` would paint, hands included."""
        posed = self.facing(pose)
        warp = Warp(self.anatomy, posed)
        around = [np.stack(warp.forward(*self.outline.T), axis=-1)]
        for layer in self.arms:
            x, y = held(layer.arm, self._held(layer.arm, posed), *layer.outline.T)
            around.append(np.stack(warp.forward(x, y, head=False), axis=-1))
        for hand in self._hands(posed):
            reach = 1.1 * hand.size
            around.append(np.array(hand.centre, np.float32) + np.array([[-reach, -reach], [reach, reach]], np.float32))
        return np.concatenate(around)

    def anchors(self, pose: Pose) -> Anchors:
        """Where the parts of the posed figure are, in the frame's pixels."""
        posed, body = self.facing(pose), self.anatomy
        head_x, head_y = body.head
        mouth_y = max(body.eyes.left[1], body.eyes.right[1]) + 0.42 * body.head_height
        top = min(head_y - body.head_height, body.top + 0.05 * body.height)
        chest = body.chest
        rest = (
            *((head_x, top), (head_x, head_y), body.eyes.left, body.eyes.right),
            *(((body.eyes.left[0] + body.eyes.right[0]) / 2.0, mouth_y), chest, (body.middle, body.bottom)),
            *((body.left, chest[1]), (body.right, chest[1])),
        )
        crown, head, left_eye, right_eye, mouth, chest, ground, left, right = _moved(Warp(body, posed), rest)
        if left_eye[0] > right_eye[0]:
            left_eye, right_eye, left, right = right_eye, left_eye, right, left
        return Anchors(
            crown=crown,
            head=head,
            head_radius=body.head_radius * float(np.exp(posed.swell + posed.head_size)),
            left_eye=left_eye,
            right_eye=right_eye,
            mouth=mouth,
            chest=chest,
            ground=ground,
            left=left,
            right=right,
            upright=atan2(crown[0] - head[0], head[1] - crown[1]),
        )

    def _draw_arms(self, canvas: Rgb, pose: Pose, warp: Warp) -> None:
        if not self.arms:
            return
        loose = warp.maps(self.size, head=False)
        for layer in reversed(self.arms):
            _composite(canvas, _resampled(layer.raster, *unheld(layer.arm, self._held(layer.arm, pose), *loose)))

    def _held(self, arm: Arm, pose: Pose) -> Hold:
        """How the pose holds that arm."""
        reach, aim = (pose.reach, pose.aim) if arm.side == self.side else (pose.other_reach, pose.other_aim)
        return hold(arm, self.anatomy, reach, aim)

    def _prepared(self, pose: Pose) -> Rgba:
        """The body's raster with what changes in place: eyes and colour."""
        body, eyes = self.body, self.anatomy.eyes
        if pose.flush > 0.01:
            body = np.asarray(cv2.addWeighted(self.body, 1.0 - pose.flush, self.hot, pose.flush, 0.0), np.uint8)
        if not eyes.found or max(pose.close_left, pose.close_right) < 0.02:
            return body
        body = body.copy() if body is self.body else body
        for eye, closed in ((eyes.left, pose.close_left), (eyes.right, pose.close_right)):
            close_eye(body, eye, eyes.half_width, eyes.half_height, min(max(closed, 0.0), 1.0))
        return body

    def _hands(self, pose: Pose) -> tuple[PlacedHand, ...]:
        """The hands of the pose for which the figure has no arm."""
        missing = [
            (side, hand)
            for side, hand in ((self.side, pose.hand), (-self.side, pose.other_hand))
            if hand is not None and hand.size > 0.02 and self.anatomy.arm(side) is None
        ]
        anchors = self.anchors(pose) if missing else None
        return tuple(self._placed(hand, side, anchors) for side, hand in missing if anchors is not None)

    def _placed(self, hand: Hand, side: int, anchors: Anchors) -> PlacedHand:
        lower = _CHEST_BELOW if self.anatomy.has_body and hand.y > 0.4 else 0.0  # hands of a body meet at its chest
        unit = max(anchors.head_radius, _SMALLEST_UNIT * self.size)
        centre = anchors.head[0] + side * hand.x * unit, anchors.head[1] + (hand.y + lower) * unit
        size = min(max(_HAND * anchors.head_radius, _SMALLEST_HAND * self.size), _LARGEST_HAND * self.size)
        return PlacedHand(hand.grip, side, centre, size * hand.size, side * hand.turn)


def make_figure(cutout: Rgba, anatomy: Anatomy, *, size: int, scale: float, at: Point) -> Figure:
    """The figure with its ground point at `at` on a frame of size × size; `scale` is frame pixels per cut-out pixel."""
    height, width = (max(1, round(side * scale)) for side in cutout.shape[:2])
    small = resize(cutout, width, height)
    left, top = round(at[0] - anatomy.middle * scale), round(at[1] - anatomy.bottom * scale)
    placed, head = anatomy.scaled(scale, left, top), anatomy.scaled(scale)
    body, arms = _cut_loose(_laid(small, size, left, top), placed.arms)
    return Figure(
        size=size,
        anatomy=placed,
        body=body,
        hot=_reddened(body, placed),
        arms=arms,
        skin=skin_of(small, head.head, head.head_width, head.head_height),
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


def _cut_loose(rest: Rgba, arms: tuple[Arm, ...]) -> tuple[Rgba, tuple[_Layer, ...]]:
    """The body without its arms, and each arm with a round cap that stays over the shoulder."""
    body, layers = rest, []
    for arm in arms:
        mask = _arm_mask(arm, rest.shape[0])
        cap = np.zeros_like(mask)
        centre = round(arm.shoulder[0]), round(arm.shoulder[1])
        cv2.circle(cap, centre, max(2, round(1.05 * arm.half_thickness)), 255, -1, cv2.LINE_AA)
        loose = _masked(rest, np.maximum(mask, cap))
        layers.append(_Layer(arm, loose, _outline(loose)))
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
    rows, columns = np.indices(body.shape[:2], dtype=np.float32)
    across = (columns - anatomy.head[0]) / (1.25 * anatomy.head_width)
    along = (rows - anatomy.head[1]) / (1.25 * anatomy.head_height)
    share = np.clip(1.6 * (1.0 - across * across - along * along), 0.0, 1.0)[..., None]
    alpha = body[..., 3:].astype(np.float32) / 255.0
    colours = body[..., :3].astype(np.float32)
    light = colours.max(axis=-1, keepdims=True) / 255.0
    red = _BLUSHING * light
    hot = body.copy()
    hot[..., :3] = np.clip(np.rint(np.minimum(colours * (1.0 - share) + red * share, 255.0 * alpha)), 0, 255)
    return hot


def _outline(raster: Rgba) -> Floats:
    """(N, 2) points along the border of what is visible."""
    contours, _ = cv2.findContours((raster[..., 3] > 8).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = [contour[:: max(1, len(contour) // _OUTLINE_POINTS), 0] for contour in contours]
    every = np.concatenate(points) if points else np.zeros((1, 2))
    return np.asarray(every, np.float32)


def _resampled(raster: Rgba, x: Floats, y: Floats) -> Rgba:
    return np.asarray(cv2.remap(raster, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.uint8)


def _composite(canvas: Rgb, premultiplied: Rgba) -> None:
    """Lay a premultiplied raster over an opaque one, in place."""
    left, top, width, height = cv2.boundingRect(premultiplied[..., 3])
    if width == 0:
        return
    place = slice(top, top + height), slice(left, left + width)
    over = premultiplied[place]
    through = cv2.cvtColor(255 - over[..., 3], cv2.COLOR_GRAY2RGB)
    under = cv2.multiply(np.ascontiguousarray(canvas[place]), through, scale=1.0 / 255.0)
    canvas[place] = cv2.add(under, np.ascontiguousarray(over[..., :3]))


def _moved(warp: Warp, points: tuple[Point, ...]) -> tuple[Point, ...]:
    x, y = warp.forward(*np.array(points, np.float32).T)
    return tuple((float(a), float(b)) for a, b in zip(x, y, strict=True))

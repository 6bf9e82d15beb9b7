"""A character ready to be posed: its picture laid out on a frame, its arms cut loose, its places known.

`figure_making` makes it; `Figure.draw` paints one pose on a frame; `Figure.anchors` says where its parts are then.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, exp, sqrt

import cv2
import numpy as np

from popcond.media.raster import Colour, Floats, Rgb, Rgba
from popcond.video.anatomy import Anatomy
from popcond.video.anchors import Anchors, Point
from popcond.video.arm_layer import Layer
from popcond.video.arms import passes_in_front
from popcond.video.brows import draw_brows
from popcond.video.compositing import composite, resampled, thinned
from popcond.video.eyes import close_eye
from popcond.video.hands import PlacedHand, draw_hands
from popcond.video.pose import Hand, Pose
from popcond.video.warp import Places, Warp

_CHEST_BELOW = 0.55  # head radii
_HAND = 0.5  # head radii: half the height of a drawn hand …
_SMALLEST_HAND, _LARGEST_HAND = 0.068, 0.16  # … within these shares of the frame, so that it is seen
_HEAD_ASIDE = 0.35  # of the figure's width: a head farther left than this has its body at its right
_BESIDE = 0.9  # head radii from its centre: hands meant to be farther out never cover the face
_SMALLEST_UNIT = 0.11  # of the frame: the least head radius by which hands are placed


@dataclass(frozen=True)
class Figure:
    """See the module. Rasters are premultiplied uint8 (S, S, 4) at rest; the anatomy is in the same pixels."""

    size: int
    anatomy: Anatomy
    body: Rgba
    hot: Rgba  # the same with a reddened head
    arms: tuple[Layer, ...]
    skin: Colour
    outline: Floats  # (N, 2) points around the body

    @property
    def side(self) -> int:
        """Where the better arm is, or room for a hand beside the head: 1 is the viewer's right."""
        body = self.anatomy
        if body.arms:
            return body.arms[0].side
        return -1 if body.head.x < body.left + _HEAD_ASIDE * body.width else 1

    def facing(self, pose: Pose) -> Pose:
        """The pose with the better arm on this figure's better side."""
        return pose if self.side > 0 else pose.mirrored()

    def draw(self, canvas: Rgb, pose: Pose) -> None:
        """Paint the posed figure over the frame (S, S, 3), in place."""
        posed = self.facing(pose)
        warp = Warp(self.anatomy, posed)
        self._draw_arms(canvas, posed, warp, in_front=False)
        composite(canvas, resampled(thinned(self._prepared(posed), posed.turn), *warp.maps(self.size)))
        self._draw_arms(canvas, posed, warp, in_front=True)
        if posed.brows and self.anatomy.eyes.found:
            draw_brows(canvas, self.anatomy, warp, posed.brows, self.skin)
        draw_hands(canvas, self._hands(posed), self.skin)

    def covered(self, pose: Pose) -> Floats:
        """(N, 2) points around everything that `draw` would paint, hands included."""
        posed = self.facing(pose)
        warp = Warp(self.anatomy, posed)
        around: list[Places] = [np.stack(warp.forward(*self.outline.T), axis=-1)]
        around.extend(layer.covered(layer.joints.held(*self._hold(layer, posed)), warp) for layer in self.arms)
        for hand in self._hands(posed):
            reach = 1.1 * hand.size
            around.append(np.array(hand.middle, np.float32) + np.array([[-reach, -reach], [reach, reach]], np.float32))
        return np.asarray(np.concatenate(around), np.float32)

    def anchors(self, pose: Pose) -> Anchors:
        """Where the parts of the posed figure are, in the frame's pixels."""
        return self._anchors(self.facing(pose))

    def _anchors(self, posed: Pose) -> Anchors:
        places = _moved(Warp(self.anatomy, posed), _places_at_rest(self.anatomy))
        crown, head, left_eye, right_eye, mouth, chest, ground, left, right = places
        if left_eye[0] > right_eye[0]:  # the figure shows its back
            left_eye, right_eye, left, right = right_eye, left_eye, right, left
        return Anchors(
            crown=crown,
            head=head,
            head_radius=self.anatomy.head_radius * exp(posed.swell + posed.head_size),
            left_eye=left_eye,
            right_eye=right_eye,
            mouth=mouth,
            chest=chest,
            ground=ground,
            left=left,
            right=right,
            upright=atan2(crown[0] - head[0], head[1] - crown[1]),
            lifted=posed.rise * self.anatomy.height,
            side=self.side,
        )

    def _draw_arms(self, canvas: Rgb, pose: Pose, warp: Warp, *, in_front: bool) -> None:
        for layer in reversed(self.arms):
            reach, aim, wrist = self._hold(layer, pose)
            if passes_in_front(aim) == in_front:
                layer.draw(canvas, layer.joints.held(reach, aim, wrist), warp)

    def _hold(self, layer: Layer, pose: Pose) -> tuple[float, float, float]:
        """Reach, aim and turn of the hand, of the pose for that arm."""
        better = layer.joints.arm.side == self.side
        return (pose.reach, pose.aim, pose.wrist) if better else (pose.other_reach, pose.other_aim, 0.0)

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
        anchors = self._anchors(pose) if missing else None
        return tuple(self._placed(hand, side, anchors) for side, hand in missing if anchors is not None)

    def _placed(self, hand: Hand, side: int, anchors: Anchors) -> PlacedHand:
        lower = _CHEST_BELOW if self._has_chest and hand.y > 0.4 else 0.0  # hands of a body meet at its chest
        unit = max(anchors.head_radius, _SMALLEST_UNIT * self.size)
        size = min(max(_HAND * anchors.head_radius, _SMALLEST_HAND * self.size), _LARGEST_HAND * self.size) * hand.size
        x, y = hand.x * unit, (hand.y + lower) * unit
        if hand.x > _BESIDE:
            x = max(x, self._half_width_of_head(anchors, max(0.0, abs(y) - size)) + 0.95 * size)
        centre = anchors.head[0] + side * x, anchors.head[1] + y
        return PlacedHand(hand.grip, side, centre, size, side * hand.turn)

    @property
    def _has_chest(self) -> bool:
        """Also a figure without a neck has one, if its face is far up."""
        body = self.anatomy
        return body.has_body or body.head.y + body.head.half_height < body.bottom - 0.3 * body.height

    def _half_width_of_head(self, anchors: Anchors, away: float) -> float:
        """Pixels, that far above or below the head's centre."""
        head, factor = self.anatomy.head, anchors.head_radius / self.anatomy.head_radius
        share = min(away / (factor * head.half_height), 1.0)
        return factor * head.half_width * sqrt(1.0 - share * share)


def _places_at_rest(body: Anatomy) -> tuple[Point, ...]:
    """What anchors name, in their order."""
    head, eyes, chest = body.head, body.eyes, body.chest
    crown = head.x, min(head.y - head.half_height, body.top + 0.05 * body.height)
    mouth = (eyes.left[0] + eyes.right[0]) / 2.0, max(eyes.left[1], eyes.right[1]) + 0.42 * head.half_height
    ground, left, right = (body.middle, body.bottom), (body.left, chest[1]), (body.right, chest[1])
    return crown, head.centre, eyes.left, eyes.right, mouth, chest, ground, left, right


def _moved(warp: Warp, points: tuple[Point, ...]) -> tuple[Point, ...]:
    x, y = warp.forward(*np.array(points, np.float32).T)
    return tuple((float(a), float(b)) for a, b in zip(x, y, strict=True))

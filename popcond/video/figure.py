"""A character ready to be posed: its picture laid out on a frame, its arms cut loose, its places known.

`figure_making` makes it; `Figure.draw` paints one pose on a frame; `Figure.anchors` says where its parts are then.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, exp

import cv2
import numpy as np

from popcond.media.raster import Colour, Floats, Rgb, Rgba
from popcond.video.anatomy import Anatomy
from popcond.video.anchors import Anchors, Point
from popcond.video.arms import Hold, held, hold, unheld
from popcond.video.brows import draw_brows
from popcond.video.eyes import close_eye
from popcond.video.hands import PlacedHand, draw_hands
from popcond.video.limbs import Arm
from popcond.video.pose import Hand, Pose
from popcond.video.warp import Places, Warp

_THINNEST_VIEW = 0.08  # of its width: as far as a turned figure is averaged
_CHEST_BELOW = 0.55  # head radii
_HAND = 0.4  # head radii: half the height of a drawn hand …
_SMALLEST_HAND, _LARGEST_HAND = 0.06, 0.12  # … within these shares of the frame, so that it is seen
_SMALLEST_UNIT = 0.11  # of the frame: the least head radius by which hands are placed


@dataclass(frozen=True)
class Layer:
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
    arms: tuple[Layer, ...]
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
        _composite(canvas, _resampled(_thinned(self._prepared(posed), posed.turn), *warp.maps(self.size)))
        self._draw_arms(canvas, posed, warp)
        if posed.brows and self.anatomy.eyes.found:
            draw_brows(canvas, self.anatomy, warp, posed.brows, self.skin)
        draw_hands(canvas, self._hands(posed), self.skin)

    def covered(self, pose: Pose) -> Floats:
        """(N, 2) points around everything that `draw` would paint, hands included."""
        posed = self.facing(pose)
        warp = Warp(self.anatomy, posed)
        around: list[Places] = [np.stack(warp.forward(*self.outline.T), axis=-1)]
        for layer in self.arms:
            x, y = held(layer.arm, self._held(layer.arm, posed), *layer.outline.T)
            around.append(np.stack(warp.forward(x, y, head=False), axis=-1))
        for hand in self._hands(posed):
            reach = 1.1 * hand.size
            around.append(np.array(hand.centre, np.float32) + np.array([[-reach, -reach], [reach, reach]], np.float32))
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
        )

    def _draw_arms(self, canvas: Rgb, pose: Pose, warp: Warp) -> None:
        if not self.arms:
            return
        loose = warp.maps(self.size, head=False)
        for layer in reversed(self.arms):
            x, y = unheld(layer.arm, self._held(layer.arm, pose), *loose)
            _composite(canvas, _resampled(_thinned(layer.raster, pose.turn), x, y))

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
        anchors = self._anchors(pose) if missing else None
        return tuple(self._placed(hand, side, anchors) for side, hand in missing if anchors is not None)

    def _placed(self, hand: Hand, side: int, anchors: Anchors) -> PlacedHand:
        lower = _CHEST_BELOW if self.anatomy.has_body and hand.y > 0.4 else 0.0  # hands of a body meet at its chest
        unit = max(anchors.head_radius, _SMALLEST_UNIT * self.size)
        centre = anchors.head[0] + side * hand.x * unit, anchors.head[1] + (hand.y + lower) * unit
        size = min(max(_HAND * anchors.head_radius, _SMALLEST_HAND * self.size), _LARGEST_HAND * self.size)
        return PlacedHand(hand.grip, side, centre, size * hand.size, side * hand.turn)


def _places_at_rest(body: Anatomy) -> tuple[Point, ...]:
    """What anchors name, in their order."""
    head, eyes, chest = body.head, body.eyes, body.chest
    crown = head.x, min(head.y - head.half_height, body.top + 0.05 * body.height)
    mouth = (eyes.left[0] + eyes.right[0]) / 2.0, max(eyes.left[1], eyes.right[1]) + 0.42 * head.half_height
    ground, left, right = (body.middle, body.bottom), (body.left, chest[1]), (body.right, chest[1])
    return crown, head.centre, eyes.left, eyes.right, mouth, chest, ground, left, right


def _thinned(raster: Rgba, turn: float) -> Rgba:
    """Averaged along its rows as far as the turned figure is narrower, so that the thin view does not sparkle."""
    width = 2 * round(0.5 / max(abs(cos(turn)), _THINNEST_VIEW)) - 1  # odd: OpenCV 5.0 makes ones of zeros at width 2
    return raster if width < 3 else np.asarray(cv2.blur(raster, (width, 1)), np.uint8)


def _resampled(raster: Rgba, x: Places, y: Places) -> Rgba:
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

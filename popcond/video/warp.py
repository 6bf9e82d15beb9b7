"""From a pose to pixels: where every point of a character goes, and the way back for resampling.

The forward map is a chain of smooth steps (head, limbs, chest, bow, bend, stretch, turn, lean). Resampling needs its
inverse: the last steps invert in closed form, the gentle first ones by fixed-point iteration on a coarse grid, which is
then interpolated to every pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, exp, sin
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats
from popcond.video.anatomy import Anatomy
from popcond.video.pose import Pose

Places = NDArray[np.floating[Any]]  # one coordinate of many points, in pixels

_CELL = 16  # pixels between grid points
_ROUNDS = 14  # of the fixed-point iteration; the error is then far below a pixel
_THINNEST = 0.07  # a paper figure seen from its edge still has some width
_SOFT_FACE = 0.7  # a figure that is all face is stretched less than a body, or nobody would know it
_PERSPECTIVE = 0.16  # how much taller the near edge of a turning figure is


@dataclass(frozen=True)
class Warp:
    """A pose of one anatomy. Points are pairs of equally shaped arrays, in frame pixels."""

    anatomy: Anatomy
    pose: Pose

    def forward(self, x: Places, y: Places, *, head: bool = True) -> tuple[Places, Places]:
        """Where points of the rest picture go. `head` false leaves out what only the head does: for arms."""
        x, y = self._gentle(x, y, head=head)
        return self._rigid(x, y)

    def backward(self, x: Places, y: Places, *, head: bool = True) -> tuple[Places, Places]:
        """Which points of the rest picture arrive at x, y."""
        x, y = self._unrigid(x, y)
        reach = 3.0 * (self.anatomy.width + self.anatomy.height)  # a thin view looks far out, where no bend is gentle
        x = np.clip(x, self.anatomy.middle - reach, self.anatomy.middle + reach)
        from_x, from_y = x, y
        for _ in range(_ROUNDS):
            to_x, to_y = self._gentle(from_x, from_y, head=head)
            from_x, from_y = from_x - (to_x - x), from_y - (to_y - y)
        return from_x, from_y

    def maps(self, size: int, *, head: bool = True) -> tuple[Floats, Floats]:
        """(size, size) float32 maps for resampling: for each pixel of the frame its place in the rest picture."""
        cells = -(-size // _CELL) + 2  # one more on each side, so that the border is interpolated too
        centres = (np.arange(cells, dtype=np.float32) - 1.0) * _CELL + (_CELL - 1) / 2.0
        x, y = np.meshgrid(centres, centres)
        grid = np.stack(self.backward(x, y, head=head), axis=-1).astype(np.float32)
        fine: Floats = np.asarray(
            cv2.resize(grid, (cells * _CELL, cells * _CELL), interpolation=cv2.INTER_LINEAR), np.float32
        )
        inner = fine[_CELL : _CELL + size, _CELL : _CELL + size]
        return np.ascontiguousarray(inner[..., 0]), np.ascontiguousarray(inner[..., 1])

    # -------------------------------------------------------------- rigid steps, inverted in closed form

    def _rigid(self, x: Places, y: Places) -> tuple[Places, Places]:
        body, pose = self.anatomy, self.pose
        wide, high = self._factors()
        x, y = body.middle + (x - body.middle) * wide, body.bottom + (y - body.bottom) * high
        centre_y = body.bottom - 0.5 * body.height * high
        x, y = self._turned(x, y, centre_y)
        x, y = _rotated(x, y, body.middle, centre_y, pose.roll)
        x, y = _rotated(x, y, body.middle, body.bottom, pose.lean)
        return x + pose.shift * body.height, y - pose.rise * body.height

    def _unrigid(self, x: Places, y: Places) -> tuple[Places, Places]:
        body, pose = self.anatomy, self.pose
        wide, high = self._factors()
        centre_y = body.bottom - 0.5 * body.height * high
        x, y = x - pose.shift * body.height, y + pose.rise * body.height
        x, y = _rotated(x, y, body.middle, body.bottom, -pose.lean)
        x, y = _rotated(x, y, body.middle, centre_y, -pose.roll)
        x, y = self._unturned(x, y, centre_y)
        return body.middle + (x - body.middle) / wide, body.bottom + (y - body.bottom) / high

    def _factors(self) -> tuple[float, float]:
        pose = self.pose
        stretch = pose.stretch if self.anatomy.has_body else _SOFT_FACE * pose.stretch
        return exp(pose.swell - stretch), exp(pose.swell + stretch)

    def _turned(self, x: Places, y: Places, centre_y: float) -> tuple[Places, Places]:
        """Turned about the upright axis: narrower by the cosine, and the near edge taller."""
        if self.pose.turn == 0.0:
            return x, y
        across = x - self.anatomy.middle
        return (
            self.anatomy.middle + across * _width_seen(self.pose.turn),
            centre_y + (y - centre_y) * self._nearness(across),
        )

    def _unturned(self, x: Places, y: Places, centre_y: float) -> tuple[Places, Places]:
        if self.pose.turn == 0.0:
            return x, y
        across = (x - self.anatomy.middle) / _width_seen(self.pose.turn)
        return self.anatomy.middle + across, centre_y + (y - centre_y) / self._nearness(across)

    def _nearness(self, across: Places) -> Places:
        """How much taller a turned figure looks that far from its axis; beyond the figure no more than at its edge."""
        half = 0.5 * max(self.anatomy.height, self.anatomy.width)
        return np.asarray(1.0 + _PERSPECTIVE * sin(self.pose.turn) * np.clip(across / half, -1.0, 1.0))

    # -------------------------------------------------------------- gentle steps, inverted by iteration

    def _gentle(self, x: Places, y: Places, *, head: bool) -> tuple[Places, Places]:
        if head:
            x, y = self._head(*self._face(x, y))
            x, y = self._legs(x, y)
        x, y = self._chest(x, y)
        x, y = self._bow(x, y)
        x = self._waves(x, y)
        return self._bend(x, y)

    def _up(self, y: Places) -> Places:
        """0 at the ground, 1 at the crown; held beyond both."""
        return np.asarray(np.clip((self.anatomy.bottom - y) / self.anatomy.height, -0.2, 1.25))

    def _face(self, x: Places, y: Places) -> tuple[Places, Places]:
        """The face slides over the head, its rim stays: a head that turns."""
        body, pose = self.anatomy, self.pose
        if pose.look_x == 0.0 and pose.look_y == 0.0:
            return x, y
        face_x, face_y = body.face
        half_width = body.head.half_width - abs(face_x - body.head.x)
        half_height = body.head.half_height - abs(face_y - body.head.y)
        across, along = (x - face_x) / half_width, (y - face_y) / half_height
        slide = np.maximum(0.0, 1.0 - across * across - along * along) ** 1.5
        return x + 0.46 * pose.look_x * half_width * slide, y + 0.4 * pose.look_y * half_height * slide

    def _head(self, x: Places, y: Places) -> tuple[Places, Places]:
        """Tilted about the neck, nodded, moved and sized; the body below follows less and less.

        A head on a body is harder than the body: it takes only half of what stretches the whole figure.
        """
        body, pose = self.anatomy, self.pose
        pivot_y = body.neck - (0.0 if body.has_body else 0.15 * body.height)
        reach = 0.9 * body.head.half_height if body.has_body else 0.8 * body.height
        share = _smooth_step((pivot_y + 0.55 * reach - y) / reach)
        hardness = 0.5 * pose.stretch if body.has_body else 0.0
        across = (x - body.middle) * np.exp((pose.head_size + hardness) * share)
        along = (y - pivot_y) * np.exp((pose.head_size - hardness) * share)
        tilt = share * (pose.tilt if body.has_body else _SOFT_FACE * pose.tilt)
        cosine, sine = np.cos(tilt), np.sin(tilt)
        return (
            body.middle + across * cosine - along * sine + pose.head_x * body.head_radius * share,
            pivot_y + across * sine + along * cosine + pose.head_y * body.head_radius * share,
        )

    def _legs(self, x: Places, y: Places) -> tuple[Places, Places]:
        """A lifted leg is drawn up towards the hip and swings a little; without legs the foot of the figure does."""
        body, pose = self.anatomy, self.pose
        if pose.step_left == 0.0 and pose.step_right == 0.0:
            return x, y
        hip = body.hip if body.hip is not None else body.bottom - 0.22 * body.height
        soft = 0.08 * body.height if body.hip is not None else 0.3 * body.width
        right = _smooth_step((x - body.parting) / soft + 0.5)
        step = pose.step_right * right + pose.step_left * (1.0 - right)
        length = body.bottom - hip
        down = np.clip((y - hip) / length, 0.0, 1.3)
        return x + 0.1 * length * step * down, y - 0.5 * length * np.maximum(step, -0.12) * down

    def _chest(self, x: Places, y: Places) -> tuple[Places, Places]:
        if self.pose.breathe == 0.0:
            return x, y
        body = self.anatomy
        up = (y - body.chest[1]) / (0.4 * body.height)
        share = np.exp(-up * up) * self.pose.breathe
        lift = 0.35 * self.pose.breathe * _smooth_step(self._up(y) * 1.4 - 0.2)
        return body.middle + (x - body.middle) * (1.0 + share), y - lift * body.height

    def _bow(self, x: Places, y: Places) -> tuple[Places, Places]:
        """The upper half comes down and towards us: the trunk is foreshortened, what is high up is larger."""
        bow, body = self.pose.bow, self.anatomy
        if bow == 0.0:
            return x, y
        up = self._up(y)
        if body.has_body:
            neck = (body.bottom - body.neck) / body.height
            lowered = 0.34 * bow * neck * _smooth_step(up / neck)
        else:
            lowered = 0.24 * bow * np.maximum(up, 0.0) ** 2
        return body.middle + (x - body.middle) * (1.0 + 0.13 * bow * np.maximum(up, 0.0)), y + lowered * body.height

    def _waves(self, x: Places, y: Places) -> Places:
        pose, up = self.pose, np.clip(self._up(y), 0.0, 1.0)
        moved = pose.sway * np.sin(np.pi * up)
        if pose.wobble:
            moved = moved + pose.wobble * up * np.sin(2.0 * np.pi * (1.1 * up - pose.wobble_phase))
        return np.asarray(x + moved * self.anatomy.height)

    def _bend(self, x: Places, y: Places) -> tuple[Places, Places]:
        """The figure's axis becomes a circle's arc that starts upright on the ground."""
        angle = self.pose.bend
        if abs(angle) < 1e-4:
            return x, y
        body = self.anatomy
        up = (body.bottom - y) / body.height
        held = np.clip(up, 0.0, 1.2)
        turn = angle * held
        beyond = (up - held) * body.height
        across = x - body.middle
        axis_x = body.middle + body.height * (1.0 - np.cos(turn)) / angle + beyond * np.sin(turn)
        axis_y = body.bottom - body.height * np.sin(turn) / angle - beyond * np.cos(turn)
        return axis_x + across * np.cos(turn), axis_y + across * np.sin(turn)


def _rotated(x: Places, y: Places, about_x: float, about_y: float, angle: float) -> tuple[Places, Places]:
    if angle == 0.0:
        return x, y
    across, along = x - about_x, y - about_y
    return about_x + across * cos(angle) - along * sin(angle), about_y + across * sin(angle) + along * cos(angle)


def _width_seen(turn: float) -> float:
    """The cosine, kept away from nothing."""
    seen = cos(turn)
    return max(seen, _THINNEST) if seen >= 0.0 else min(seen, -_THINNEST)


def _smooth_step(share: Places) -> Places:
    held = np.clip(share, 0.0, 1.0)
    return np.asarray(held * held * (3.0 - 2.0 * held), np.float32)

"""How an arm is held: bent from its shoulder on, clear of the head, long enough for the hand to meet the other.

The root of an arm never moves, so that the body keeps its shoulder; the upper arm bends like a hose, the hand is stiff.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from popcond.media.raster import Floats
from popcond.video.anatomy import Anatomy
from popcond.video.centreline import BONES
from popcond.video.chain import Chain
from popcond.video.limbs import Arm

ACROSS = -0.6 * pi  # the aim of an arm whose hand meets the other before the body

_HIGHEST = 0.95 * pi  # an aim of π/2 … this is fitted into what the head leaves free
_LOWEST_RAISED = 0.52 * pi  # an arm is never held lower than this to keep clear of a head
_IN_FRONT = -0.1 * pi  # arms that aim farther inwards pass before the body, others behind it
_SHORTEST, _LONGEST = 0.62, 1.25  # of an arm that is foreshortened or reaches
_LONGEST_RAISED = 1.5  # of an arm that is too short to be seen waving
_BENDING = 6  # bones in which the arm turns from the shoulder's direction to its own
_FOREARM = 4  # the last bone that a turning hand leaves alone
_HAND = 8  # the first bone of the stiff hand
_NATURAL = 0.3  # how much of its own crookedness an arm keeps
_TIGHTEST = 0.75  # of its half thickness: a bend's radius is never smaller than 1 / this


@dataclass(frozen=True)
class JointedArm:
    """An arm with bones, and how far this figure's head and width let it go."""

    arm: Arm
    chain: Chain  # at rest
    highest: float  # the aim at which the hand is still beside the head
    meeting: float  # the arm's factor with which its hand ends at the body's axis
    raising: float  # the factor with which a raised hand comes up to the head

    def held(self, reach: float, aim: float, wrist: float = 0.0) -> Chain:
        """The bones of an arm that has gone the share `reach` of the way to `aim`, its hand turned (see Pose)."""
        if aim > pi / 2:
            aim = pi / 2 + (aim - pi / 2) * (self.highest - pi / 2) / (_HIGHEST - pi / 2)
        met, raised = _share(aim, 0.0, ACROSS), _share(aim, 0.5 * pi, 0.62 * pi)
        size = 1.0 + reach * (met * (self.meeting - 1.0) + raised * (self.raising - 1.0))
        return _bent(self.arm, self.chain, reach, aim, size, wrist)


def passes_in_front(aim: float) -> bool:
    """Whether an arm with that aim is drawn over the body."""
    return aim < _IN_FRONT


def jointed(arm: Arm, body: Anatomy) -> JointedArm:
    """The arm of that body, ready to be held."""
    chain = Chain.through(arm.path)
    highest = _clear_of_head(arm, chain, body)
    return JointedArm(arm, chain, highest, _meeting_size(arm, chain, body), _raising_size(arm, chain, body, highest))


def _share(aim: float, start: float, end: float) -> float:
    """0 up to `start`, 1 from `end` on."""
    return min(1.0, max(0.0, (aim - start) / (end - start)))


def _bent(arm: Arm, chain: Chain, reach: float, aim: float, size: float, wrist: float = 0.0) -> Chain:
    angles = _outward_angles(arm, chain)
    wanted = aim + _NATURAL * (angles - float(angles.mean()))
    share = np.minimum(np.arange(BONES, dtype=np.float32) / _BENDING, 1.0)
    turns = reach * share * (wanted - angles)
    turns[_HAND:] = turns[_HAND]
    turns += wrist * np.clip((np.arange(BONES, dtype=np.float32) - _FOREARM) / (_HAND - _FOREARM), 0.0, 1.0)
    turns = _gentle(turns, angles, arm.half_thickness, float(chain.lengths.mean()))
    return chain.bent((-arm.side * turns).astype(np.float32), (1.0 + share * (size - 1.0)).astype(np.float32))


def _outward_angles(arm: Arm, chain: Chain) -> Floats:
    """(BONES,) directions as Pose counts them: 0 down, π/2 outwards, π up; they run on past π."""
    image = chain.angles
    outwards = pi / 2 - image if arm.side > 0 else image - pi / 2
    overall = float(np.mean(outwards))
    return np.asarray(outwards - 2.0 * pi * np.floor((overall + pi / 2) / (2.0 * pi)), np.float32)


def _gentle(turns: Floats, angles: Floats, half_thickness: float, length: float) -> Floats:
    """The turns with every joint bent no more than the arm's thickness allows."""
    limit = _TIGHTEST * length / half_thickness
    steps, own = np.diff(turns + angles), np.diff(angles)
    held = np.clip(steps, np.minimum(own, -limit), np.maximum(own, limit)) - own
    return np.concatenate([turns[:1], turns[0] + np.cumsum(held)]).astype(np.float32)


def _meeting_size(arm: Arm, chain: Chain, body: Anatomy) -> float:
    """The factor of the arm with which the hand's tip comes to the body's axis; it grows along the upper arm."""
    usual, longer = (_bent(arm, chain, 1.0, ACROSS, size).tip[0] for size in (1.0, 1.1))
    gain = (longer - usual) / 0.1
    if abs(gain) < 1e-3:
        return 1.0
    return float(np.clip(1.0 + (body.middle - usual) / gain, _SHORTEST, _LONGEST))


def _raising_size(arm: Arm, chain: Chain, body: Anatomy, highest: float) -> float:
    """The factor of the arm with which its raised hand is seen beside the head; forearms alone are too short for it."""
    usual, longer = (_bent(arm, chain, 1.0, highest, size).tip[1] for size in (1.0, 1.1))
    gain = (usual - longer) / 0.1
    wanted = body.neck - 0.35 * body.head_radius
    if gain < 1e-3:
        return 1.0
    return float(np.clip(1.0 + (usual - wanted) / gain, 1.0, _LONGEST_RAISED))


def _clear_of_head(arm: Arm, chain: Chain, body: Anatomy) -> float:
    """The highest aim at which hand and forearm stay beside the head."""
    for aim in np.linspace(_HIGHEST, _LOWEST_RAISED, 24):
        joints = _bent(arm, chain, 1.0, float(aim), 1.0).joints
        inner = joints[_BENDING:] - np.array([arm.side * 1.2 * arm.half_thickness, 0.0], np.float32)
        nearest = min(body.head.distance((float(x), float(y))) for x, y in inner)
        if nearest > 1.08:
            return float(aim)
    return _LOWEST_RAISED

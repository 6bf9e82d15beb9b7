"""How an arm is held: turned about its shoulder, clear of the head, long enough for the hand to meet the other."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, log, pi, sin

import numpy as np

from popcond.video.anatomy import Anatomy
from popcond.video.limbs import Arm
from popcond.video.warp import Places

_HIGHEST = 0.95 * pi  # an aim of π/2 … this is fitted into what the head leaves free
_ACROSS = -0.36 * pi  # the direction of an arm whose hand meets the other before the body
_SHORTEST, _LONGEST = log(0.62), log(1.25)  # of an arm that is foreshortened or reaches


@dataclass(frozen=True)
class Hold:
    """By how much an arm has left its rest."""

    lift: float  # radians, outwards
    size: float  # factor of the whole arm; a shorter one points towards us


def hold(arm: Arm, body: Anatomy, reach: float, aim: float) -> Hold:
    """The hold of an arm that has gone the share `reach` of the way to `aim` (see Pose)."""
    if aim < 0.0:
        met = min(1.0, -aim / -_ACROSS)
        return Hold(reach * (met * _ACROSS - arm.rest), float(np.exp(reach * met * _meeting_length(arm, body))))
    if aim > pi / 2:
        aim = pi / 2 + (aim - pi / 2) * (_clear_of_head(arm, body) - pi / 2) / (_HIGHEST - pi / 2)
    return Hold(reach * (aim - arm.rest), 1.0)


def _meeting_length(arm: Arm, body: Anatomy) -> float:
    """The log of the factor by which the hand ends at the body's axis."""
    across = max(arm.side * (arm.shoulder[0] - body.middle), 1.0)
    return float(np.clip(log(across / (arm.length * -sin(_ACROSS))), _SHORTEST, _LONGEST))


def _clear_of_head(arm: Arm, body: Anatomy) -> float:
    """The highest aim at which the hand stays beside the head."""
    for aim in np.linspace(_HIGHEST, 0.55 * pi, 24):
        hand = (
            arm.shoulder[0] + arm.side * arm.length * sin(aim),
            arm.shoulder[1] + arm.length * cos(aim),
        )
        if body.head.distance(hand) > 1.12:
            return float(aim)
    return 0.55 * pi


def held(arm: Arm, hold: Hold, x: Places, y: Places) -> tuple[Places, Places]:
    """Where points of the arm at rest go."""
    return _turned(arm, -arm.side * hold.lift, hold.size, x, y)


def unheld(arm: Arm, hold: Hold, x: Places, y: Places) -> tuple[Places, Places]:
    """Which points of the arm at rest arrive at x, y."""
    return _turned(arm, arm.side * hold.lift, 1.0 / hold.size, x, y)


def _turned(arm: Arm, angle: float, size: float, x: Places, y: Places) -> tuple[Places, Places]:
    cosine, sine = np.float32(size * cos(angle)), np.float32(size * sin(angle))
    across, along = x - np.float32(arm.shoulder[0]), y - np.float32(arm.shoulder[1])
    return (
        np.float32(arm.shoulder[0]) + across * cosine - along * sine,
        np.float32(arm.shoulder[1]) + across * sine + along * cosine,
    )

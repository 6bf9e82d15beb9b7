"""One moment of a performance: how far each part of any character is from rest.

A pose knows no picture. Lengths are shares of the character's height, or of its head's radius where a field says so;
angles are radians, clockwise as seen. All zeros is the picture as it was given.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Grip(StrEnum):
    """What a drawn hand shows; drawn only for characters that have no arm of their own to use."""

    PALM = "palm"  # open, fingers up: waving, greeting
    FIST = "fist"  # cheering, angry
    FLAT = "flat"  # seen from its edge: clapping, praying
    POINT = "point"  # one finger up: thinking


@dataclass(frozen=True)
class Hand:
    """A hand that helps out. Places are in head radii from the head's centre; +x is away from the body."""

    grip: Grip
    x: float
    y: float
    turn: float = 0.0  # radians, outwards
    size: float = 1.0  # 0 hides it


@dataclass(frozen=True)
class Pose:
    """See the module."""

    # the whole figure
    shift: float = 0.0  # to the right
    rise: float = 0.0  # off the ground
    stretch: float = 0.0  # log of the height's factor; the width shrinks so that the volume stays
    swell: float = 0.0  # log of the size's factor
    lean: float = 0.0  # rotation about the ground
    roll: float = 0.0  # rotation about the middle
    turn: float = 0.0  # rotation about the upright axis, as a paper figure

    # the body
    bend: float = 0.0  # the top leans by this, the feet stay: a reed
    sway: float = 0.0  # the hips go right, feet and head stay
    wobble: float = 0.0  # a wave runs up the body: its amplitude …
    wobble_phase: float = 0.0  # … and its place, in turns
    breathe: float = 0.0  # the chest widens by this share and lifts a little
    bow: float = 0.0  # 0..1: the upper half comes down and towards us

    # the head
    tilt: float = 0.0  # ear to shoulder
    look_x: float = 0.0  # −1..1: the face turns to the side
    look_y: float = 0.0  # −1..1: the face looks down (+) or up (−)
    head_x: float = 0.0  # head radii
    head_y: float = 0.0  # head radii, down
    head_size: float = 0.0  # log of the factor
    close_left: float = 0.0  # 0..1, the eye at the viewer's left
    close_right: float = 0.0
    brows: float = 0.0  # drawn brows: 1 angry, −1 sorry, 0 none
    flush: float = 0.0  # 0..1: the head reddens

    # the limbs
    reach: float = 0.0  # 0..1: how much the better arm leaves its rest for `aim`
    aim: float = 0.0  # 0 hangs down, π/2 points outwards, π up past the head; below 0 the hand meets the body's axis
    wrist: float = 0.0  # the better arm's hand and forearm turn by this, upwards and inwards
    other_reach: float = 0.0
    other_aim: float = 0.0
    step_left: float = 0.0  # −1..1: the leg at the viewer's left is lifted (+) and swings forward
    step_right: float = 0.0
    hand: Hand | None = None  # stands in for the better arm
    other_hand: Hand | None = None

    def mirrored(self) -> Pose:
        """The same with left and right exchanged; performances are written for a better arm at the viewer's right."""
        return replace(
            self,
            shift=-self.shift,
            lean=-self.lean,
            roll=-self.roll,
            turn=-self.turn,
            bend=-self.bend,
            sway=-self.sway,
            wobble=-self.wobble,
            tilt=-self.tilt,
            look_x=-self.look_x,
            head_x=-self.head_x,
            close_left=self.close_right,
            close_right=self.close_left,
            step_left=self.step_right,
            step_right=self.step_left,
        )

"""Performances of manners and talk: wave, greet, bow, thanks, sorry, nod, shake, wink, think.

As in performances_joy, each function maps the choreography's time (period 1, two seconds) to a Pose.
"""

from __future__ import annotations

from math import pi

from popcond.video.curves import breath, keyed, sway, swing
from popcond.video.performance import Performance
from popcond.video.performances_joy import INWARDS
from popcond.video.pose import Grip, Hand, Pose


def wave(time: float) -> Pose:
    """One arm up, the hand goes to and fro three times; the body leans into it."""
    to_and_fro = swing(time, 3)
    return Pose(
        bend=-0.06 + 0.015 * swing(time, 3, 0.03),
        tilt=0.08 + 0.035 * swing(time, 3, 0.05),
        stretch=0.02 * swing(time, 3, 0.02),
        look_x=0.12,
        breathe=0.02 * swing(time),
        reach=1.0,
        aim=0.86 * pi + 0.08 * pi * to_and_fro,
        wrist=0.55 * to_and_fro - 0.3,
        hand=Hand(Grip.PALM, 1.36, -0.42, 0.18 - 0.54 * to_and_fro, 1.15),
    )


def greet(time: float) -> Pose:
    """Ducks, pops up tall with one hand raised, nods a hello and sinks back."""
    up = keyed(time, (0.0, 0.0), (0.14, -0.5), (0.3, 1.15), (0.4, 0.95), (0.5, 1.0), (0.76, 1.0), (0.92, 0.0))
    hello = keyed(time, (0.0, 0.0), (0.42, 0.0), (0.55, 1.0), (0.68, 0.0), (0.8, 0.4))
    hand = keyed(time, (0.0, 0.0), (0.16, 0.0), (0.34, 1.1), (0.42, 1.0), (0.78, 1.0), (0.93, 0.0))
    return Pose(
        stretch=0.17 * up - 0.12 * hello,
        lean=0.07 * up,
        tilt=-0.16 * hand + 0.05 * hello,
        look_y=0.7 * hello - 0.15,
        head_y=0.16 * hello,
        breathe=0.02 * swing(time),
        reach=hand,
        aim=0.8 * pi,
        wrist=-0.2 + 0.16 * swing(time, 4),
        hand=Hand(Grip.PALM, 1.25, 0.05 - 0.4 * hand, 0.2 + 0.16 * swing(time, 4), max(hand, 0.0)),
    )


def bow(time: float) -> Pose:
    """A deep bow, held, and up again."""
    down = keyed(time, (0.0, -0.03), (0.1, -0.12), (0.36, 1.0), (0.5, 0.96), (0.6, 1.0), (0.86, -0.06))
    head = keyed(time, (0.0, -0.02), (0.14, -0.15), (0.4, 1.0), (0.52, 0.95), (0.63, 1.0), (0.9, -0.1))
    return Pose(
        bow=0.62 * max(down, 0.0),
        bend=0.42 * down,
        tilt=0.3 * head,
        stretch=-0.06 * down + 0.06 * min(down, 0.0),
        look_y=0.75 * head,
        head_y=0.16 * head,
        head_size=0.05 * head,
        breathe=0.035 * sway(time, 2),
        close_left=max(head, 0.0),
        close_right=max(head, 0.0),
    )


def thanks(time: float) -> Pose:
    """Palms together before the chest, a gentle bow, a warm tilt."""
    down = keyed(time, (0.0, 0.0), (0.08, -0.06), (0.36, 1.0), (0.56, 1.0), (0.84, 0.0))
    return Pose(
        bow=0.55 * max(down, 0.0),
        look_y=0.6 * down,
        head_y=0.14 * down,
        tilt=0.09 * swing(time),
        bend=0.04 * swing(time, 1, 0.04),
        breathe=0.03 * swing(time, 2),
        close_left=0.9 * max(down, 0.0),
        close_right=0.9 * max(down, 0.0),
        reach=1.0,
        aim=INWARDS,
        other_reach=1.0,
        other_aim=INWARDS,
        hand=Hand(Grip.FLAT, 0.14, 0.8, -0.08),
        other_hand=Hand(Grip.FLAT, 0.14, 0.8, -0.08),
    )


def sorry(time: float) -> Pose:
    """Shrinks and bows low again and again, trembling."""
    again = breath(time, 3, 0.0)
    return Pose(
        swell=-0.1,
        brows=-1.0,
        bow=0.3 + 0.55 * again,
        stretch=-0.04 - 0.04 * again,
        look_y=0.4 + 0.35 * again,
        head_y=0.1 + 0.16 * again,
        shift=0.006 * swing(time, 12),
        close_left=1.0,
        close_right=1.0,
        reach=1.0,
        aim=INWARDS,
        other_reach=1.0,
        other_aim=INWARDS,
        hand=Hand(Grip.FLAT, 0.14, 0.74 - 0.14 * again, -0.08),
        other_hand=Hand(Grip.FLAT, 0.14, 0.74 - 0.14 * again, -0.08),
    )


def nod(time: float) -> Pose:
    """Nods three times, the last one small."""
    down = keyed(
        time,
        *((0.0, 0.0), (0.06, -0.2), (0.2, 1.0), (0.33, -0.25), (0.47, 1.0), (0.61, -0.2), (0.74, 0.7), (0.88, -0.1)),
    )
    after = keyed(
        time,
        *((0.0, 0.0), (0.09, -0.2), (0.23, 1.0), (0.36, -0.25), (0.5, 1.0), (0.64, -0.2), (0.77, 0.7), (0.91, -0.1)),
    )
    return Pose(
        look_y=1.0 * down,
        head_y=0.32 * down,
        head_size=0.05 * down,
        stretch=-0.045 * after,
        bow=0.1 * max(after, 0.0),
        breathe=0.03 * sway(time, 2),
    )


def shake(time: float) -> Pose:
    """No: the face goes left and right, the head a little with it, the body against it."""
    side = keyed(time, (0.0, 0.0), (0.1, -1.0), (0.26, 1.0), (0.42, -1.0), (0.58, 1.0), (0.74, -0.9), (0.88, 0.5))
    after = keyed(time, (0.0, 0.0), (0.13, -1.0), (0.29, 1.0), (0.45, -1.0), (0.61, 1.0), (0.77, -0.9), (0.91, 0.5))
    return Pose(
        look_x=1.15 * side,
        look_y=0.15,
        head_x=0.2 * side,
        tilt=0.1 * after,
        sway=-0.018 * after,
        bend=0.03 * after,
        breathe=0.03 * sway(time, 2),
        close_left=0.5,
        close_right=0.5,
    )


def wink(time: float) -> Pose:
    """Tilts, winks with a pop, and comes back."""
    tilted = keyed(time, (0.0, 0.0), (0.12, -0.25), (0.34, 1.1), (0.44, 1.0), (0.66, 1.0), (0.86, -0.08))
    shut = keyed(time, (0.0, 0.0), (0.22, 0.0), (0.34, 1.0), (0.62, 1.0), (0.74, 0.0))
    return Pose(
        tilt=0.24 * tilted,
        bend=0.09 * tilted,
        shift=0.02 * tilted,
        stretch=keyed(time, (0.0, 0.0), (0.16, -0.07), (0.33, 0.08), (0.45, 0.02), (0.65, 0.02), (0.82, -0.04)),
        look_x=0.25 * tilted,
        breathe=0.03 * sway(time, 2),
        close_right=shut,
    )


def think(time: float) -> Pose:
    """The head leans from one side to the other and looks up; a finger keeps time."""
    side = keyed(time, (0.0, 1.0), (0.2, 0.92), (0.5, -0.75), (0.7, -0.65))
    return Pose(
        tilt=0.2 * side,
        bend=0.05 * side,
        look_x=0.35 * side,
        look_y=-0.4,
        breathe=0.04 * sway(time, 2),
        reach=0.9,
        aim=-0.85 * pi,
        hand=Hand(Grip.POINT, 0.66, 0.9 + 0.05 * swing(time, 4), -0.35),
    )


MANNERS = (
    Performance("wave", wave, (), 0.5),
    Performance("greet", greet, ("hello",), 0.42),
    Performance("bow", bow, (), 0.5),
    Performance("thanks", thanks, ("flowers",), 0.46),
    Performance("sorry", sorry, ("sweat",), 0.5),
    Performance("nod", nod, ("yes",), 0.48),
    Performance("shake", shake, ("no",), 0.42),
    Performance("wink", wink, ("wink-star",), 0.5),
    Performance("think", think, ("question",), 0.5),
)

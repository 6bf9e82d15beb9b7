"""Performances of joy: happy, laugh, jump, clap, dance, love, cheer, celebrate, spin.

Each function maps the choreography's time (period 1, two seconds) to a Pose. Anticipation, overshoot and settling are
keys of the curves; what trails behind (head, arms) uses the same curve a little later.
"""

from __future__ import annotations

from math import pi

from popcond.video.arms import ACROSS
from popcond.video.curves import breath, keyed, leap, sway, swing, wrap
from popcond.video.effect_timing import LANDING, TAKE_OFF
from popcond.video.performance import Performance
from popcond.video.pose import Grip, Hand, Pose

UP = 0.86 * pi  # an arm that points up and a little out
INWARDS = ACROSS  # an arm laid across the chest


def happy(time: float) -> Pose:
    """Two light hops, rocking from side to side."""
    beat = wrap(2.0 * time)
    squash = keyed(
        beat, (0.0, -0.02), (0.13, -0.16), (0.26, 0.11), (0.48, 0.0), (0.7, 0.1), (0.84, -0.15), (0.95, 0.02)
    )
    return Pose(
        rise=0.11 * leap(beat, 0.22, 0.76),
        stretch=squash,
        bend=0.12 * swing(time, 1, 0.24),
        tilt=0.13 * swing(time, 1, 0.29),
        look_y=-0.35 * leap(beat, 0.2, 0.85) + 0.12,
        head_y=-0.06 * leap(beat, 0.28, 0.9),
        breathe=0.02 * swing(time, 2),
        close_left=0.75 * leap(beat, 0.25, 0.8),
        close_right=0.75 * leap(beat, 0.25, 0.8),
    )


def laugh(time: float) -> Pose:
    """Leans back with shut eyes and shakes with it."""
    back = keyed(time, (0.0, 0.25), (0.2, 1.0), (0.78, 1.0))
    shaking = swing(time, 7)
    return Pose(
        lean=-0.07 * back,
        bend=-0.1 * back + 0.012 * shaking,
        stretch=-0.035 + 0.055 * shaking * (0.45 + 0.55 * back),
        tilt=-0.12 * back + 0.03 * swing(time, 7, 0.02),
        look_y=-0.4 * back + 0.12 * shaking,
        head_y=0.07 * swing(time, 7, 0.015) * (0.4 + 0.6 * back),
        breathe=0.03 * swing(time, 7, 0.03),
        close_left=0.6 + 0.4 * back,
        close_right=0.6 + 0.4 * back,
    )


def jump(time: float) -> Pose:
    """Crouches, leaps high, lands soft and settles."""
    squash = keyed(
        time,
        *((0.0, 0.0), (0.16, -0.22), (0.22, -0.22), (0.3, 0.2), (0.5, 0.0), (0.66, 0.16), (0.75, -0.2), (0.85, 0.08)),
        (0.93, -0.02),
    )
    air = leap(time, TAKE_OFF, LANDING)
    arms = keyed(time, (0.0, 0.0), (0.18, 0.0), (0.34, 1.0), (0.6, 1.0), (0.78, 0.1))
    return Pose(
        rise=0.34 * air,
        stretch=squash,
        head_y=keyed(time, (0.0, 0.0), (0.2, 0.16), (0.33, 0.1), (0.5, -0.1), (0.7, -0.08), (0.79, 0.18), (0.9, -0.03)),
        look_y=keyed(time, (0.0, 0.0), (0.19, 0.5), (0.42, -0.5), (0.6, -0.2), (0.76, 0.4)),
        reach=arms,
        aim=UP,
        other_reach=arms,
        other_aim=UP,
        breathe=0.03 * sway(time, 2),
        step_left=0.5 * air,
        step_right=0.35 * air,
    )


def clap(time: float) -> Pose:
    """Claps four times, dipping with each."""
    meet = breath(time, 4, 0.125)  # 1 when the hands meet
    apart = 0.3 + 0.85 * (1.0 - meet)
    return Pose(
        stretch=-0.05 * meet + 0.025,
        look_y=0.2 * meet - 0.15,
        head_y=0.08 * breath(time, 4, 0.155),
        tilt=0.07 * swing(time, 1),
        bend=0.03 * swing(time, 1, 0.03),
        close_left=0.85 * breath(time, 1),
        close_right=0.85 * breath(time, 1),
        reach=1.0,
        aim=INWARDS * (1.0 - 0.6 * (1.0 - meet)),
        other_reach=1.0,
        other_aim=INWARDS * (1.0 - 0.6 * (1.0 - meet)),
        hand=Hand(Grip.FLAT, 0.55 * apart - 0.02, 0.8, 0.3 * apart - 0.14),
        other_hand=Hand(Grip.FLAT, 0.55 * apart - 0.02, 0.8, 0.3 * apart - 0.14),
    )


def dance(time: float) -> Pose:
    """Hips swing left and right, the head against them, arms in turn."""
    step = swing(time, 2)
    bounce = swing(time, 4)
    return Pose(
        shift=0.035 * step,
        sway=0.085 * step,
        bend=-0.1 * step,
        tilt=0.26 * swing(time, 2, 0.05),
        stretch=0.055 * bounce - 0.02,
        head_y=0.05 * swing(time, 4, 0.03),
        look_x=0.35 * swing(time, 1, 0.02),
        reach=1.0,
        aim=0.5 * pi + 0.36 * pi * swing(time, 2, 0.04),
        other_reach=1.0,
        other_aim=0.5 * pi - 0.36 * pi * swing(time, 2, 0.04),
        step_left=max(0.0, 0.5 * step),
        step_right=max(0.0, -0.5 * step),
    )


def love(time: float) -> Pose:
    """The heart beats through the whole figure, the head melts to one side."""
    beat = wrap(2.0 * time)
    pulse = keyed(beat, (0.0, -0.1), (0.14, -0.15), (0.34, 1.0), (0.48, 0.35), (0.62, 0.9), (0.86, -0.05))
    return Pose(
        swell=0.085 * pulse,
        stretch=0.03 * pulse,
        bend=0.07 * swing(time, 1),
        tilt=0.2 * swing(time, 1, 0.06),
        head_y=-0.04 * pulse,
        breathe=0.06 * pulse,
        look_y=-0.1,
        flush=0.07 + 0.07 * pulse,
        reach=1.0,
        aim=INWARDS,
        other_reach=1.0,
        other_aim=INWARDS,
    )


def cheer(time: float) -> Pose:
    """Both fists up, three quick hops."""
    beat = wrap(3.0 * time)
    pump = keyed(beat, (0.0, 0.0), (0.15, -0.25), (0.48, 1.0), (0.8, 0.0))
    squash = keyed(beat, (0.0, 0.0), (0.13, -0.12), (0.27, 0.1), (0.48, 0.02), (0.7, 0.08), (0.86, -0.1))
    return Pose(
        rise=0.1 * leap(beat, 0.2, 0.78),
        stretch=squash,
        look_y=-0.35 * max(pump, 0.0),
        head_y=-0.05 * pump,
        tilt=0.06 * swing(time, 1),
        reach=1.0,
        aim=0.62 * pi + 0.3 * pi * pump,
        other_reach=1.0,
        other_aim=0.62 * pi + 0.3 * pi * pump,
        hand=Hand(Grip.FIST, 1.16, -0.25 - 0.55 * pump, 0.25),
        other_hand=Hand(Grip.FIST, 1.16, -0.25 - 0.55 * pump, 0.25),
        step_left=0.3 * leap(beat, 0.2, 0.78),
        step_right=0.3 * leap(beat, 0.2, 0.78),
    )


def celebrate(time: float) -> Pose:
    """Leaps with a turn in the air, arms thrown up, then rocks with delight."""
    air = leap(time, 0.2, 0.56)
    around = keyed(time, (0.0, 0.0), (0.12, -0.05), (0.2, -0.03), (0.56, 1.0), gain=1.0)
    squash = keyed(
        time,
        *((0.0, 0.0), (0.13, -0.22), (0.24, 0.17), (0.38, 0.0), (0.53, 0.14), (0.61, -0.2), (0.71, 0.1), (0.81, -0.07)),
        (0.91, 0.03),
    )
    arms = keyed(time, (0.0, 0.55), (0.14, 0.1), (0.3, 1.0), (0.75, 0.85))
    return Pose(
        rise=0.26 * air,
        turn=2.0 * pi * around,
        stretch=squash,
        bend=0.1 * keyed(time, (0.0, 0.0), (0.6, 0.0), (0.7, 1.0), (0.85, -1.0)),
        tilt=0.12 * keyed(time, (0.0, 0.0), (0.63, 0.0), (0.74, 1.0), (0.89, -1.0)),
        look_y=-0.3 * arms,
        reach=arms,
        aim=UP + 0.12 * swing(time, 4),
        other_reach=arms,
        other_aim=UP - 0.12 * swing(time, 4),
        hand=Hand(Grip.PALM, 1.15, -0.1 - 0.6 * arms, 0.35 + 0.2 * swing(time, 4), arms),
        other_hand=Hand(Grip.PALM, 1.15, -0.1 - 0.6 * arms, 0.35 - 0.2 * swing(time, 4), arms),
    )


def spin(time: float) -> Pose:
    """Winds up, whirls round twice, a little slower when it faces us, overshoots and swings back."""
    around = keyed(time, (0.0, 0.0), (0.14, -0.07), (0.39, 0.92), (0.5, 1.08), (0.79, 2.06), (0.92, 1.985), gain=2.0)
    fast = keyed(time, (0.0, 0.0), (0.15, 0.0), (0.35, 1.0), (0.62, 1.0), (0.82, 0.0))
    return Pose(
        turn=2.0 * pi * around,
        rise=0.05 * fast,
        stretch=keyed(time, (0.0, 0.0), (0.13, -0.14), (0.4, 0.08), (0.65, 0.08), (0.82, -0.1), (0.92, 0.02)),
        lean=0.06 * fast * sway(time, 2),
        reach=fast,
        aim=0.5 * pi,
        other_reach=fast,
        other_aim=0.5 * pi,
        breathe=0.02 * swing(time),
    )


JOY = (
    Performance("happy", happy, ("sparkles",), 0.245),
    Performance("laugh", laugh, ("motion-lines",), 0.5),
    Performance("jump", jump, ("leap-dust",), 0.48),
    Performance("clap", clap, ("motion-lines",), 0.5),
    Performance("dance", dance, ("notes",), 0.5),
    Performance("love", love, ("hearts", "blush"), 0.5),
    Performance("cheer", cheer, ("stars",), 0.5),
    Performance("celebrate", celebrate, ("confetti",), 0.71),
    Performance("spin", spin, ("speed-lines",), 0.445),
)

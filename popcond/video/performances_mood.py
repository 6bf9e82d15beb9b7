"""Performances of moods and of haste: cry, angry, sleepy, shock, shy, run.

As in performances_joy, each function maps the choreography's time (period 1, two seconds) to a Pose.
"""

from __future__ import annotations

from math import pi

from popcond.video.arms import ACROSS
from popcond.video.curves import breath, keyed, leap, sway, swing, wrap
from popcond.video.performance import Performance
from popcond.video.pose import Grip, Hand, Pose


def cry(time: float) -> Pose:
    """Hangs the head and sobs: four short heaves in a long one."""
    sob = keyed(wrap(4.0 * time), (0.0, 0.0), (0.3, 1.0), (0.55, 0.25), (0.75, 0.4))
    deep = breath(time, 1)
    return Pose(
        stretch=-0.09 + 0.055 * sob,
        bow=0.22 + 0.1 * deep,
        look_y=0.5 - 0.25 * sob,
        head_y=0.16 - 0.12 * sob,
        tilt=0.06 * swing(time),
        breathe=0.05 * sob,
        shift=0.006 * swing(time, 8),
        brows=-0.9,
        close_left=1.0,
        close_right=1.0,
    )


def angry(time: float) -> Pose:
    """Swells and reddens, trembling, then stamps."""
    rage = keyed(time, (0.0, 0.2), (0.42, 1.0), (0.6, 1.0), (0.72, 0.25), (0.8, 0.3))
    stamp = keyed(time, (0.0, 0.0), (0.58, 0.0), (0.66, 1.0), (0.74, -1.0), (0.84, 0.25), (0.92, 0.0))
    tremble = swing(time, 15)
    return Pose(
        swell=0.07 * rage,
        stretch=-0.06 * rage + 0.1 * stamp,
        shift=0.009 * tremble * rage,
        bend=0.014 * swing(time, 15, 0.02) * rage,
        lean=0.04 * swing(time, 1, 0.5),
        look_y=0.35 * rage,
        head_y=0.1 * rage - 0.1 * stamp,
        head_size=0.05 * rage,
        flush=0.12 + 0.48 * rage,
        breathe=0.04 * rage,
        close_left=0.3 * rage,
        close_right=0.3 * rage,
        brows=0.35 + 0.65 * rage,
        step_right=max(0.0, 0.9 * stamp),
        hand=Hand(Grip.FIST, 1.05, 0.62 - 0.16 * rage + 0.05 * tremble, 0.1),
        other_hand=Hand(Grip.FIST, 1.05, 0.62 - 0.16 * rage - 0.05 * tremble, 0.1),
    )


def sleepy(time: float) -> Pose:
    """Droops to one side, lower and lower, starts up, and droops again."""
    droop = keyed(time, (0.0, 0.42), (0.5, 1.0), (0.66, 0.98), (0.74, -0.12), (0.82, 0.1))
    after = keyed(time, (0.0, 0.36), (0.54, 1.0), (0.69, 0.97), (0.78, -0.18), (0.86, 0.05))
    lids = keyed(time, (0.0, 0.75), (0.3, 1.0), (0.68, 1.0), (0.75, 0.35), (0.82, 0.5))
    return Pose(
        bend=0.16 * droop,
        tilt=0.26 * after,
        look_y=0.55 * after,
        head_y=0.14 * after,
        stretch=-0.05 * droop + 0.02 * swing(time, 2),
        breathe=0.05 * swing(time, 2, 0.1),
        close_left=lids,
        close_right=lids,
    )


def shock(time: float) -> Pose:
    """Freezes, jerks back and up, and trembles with wide eyes before it sinks."""
    start = keyed(time, (0.0, 0.0), (0.14, -0.35), (0.24, 1.2), (0.32, 0.92), (0.4, 1.0), (0.72, 0.95), (0.9, -0.1))
    shaken = keyed(time, (0.0, 0.0), (0.22, 0.0), (0.32, 1.0), (0.45, 0.1), (0.57, 1.0), (0.7, 0.8), (0.84, 0.0))
    tremble = swing(time, 14) * shaken
    return Pose(
        stretch=0.2 * start,
        rise=0.16 * leap(time, 0.17, 0.4),
        lean=-0.1 * start,
        shift=0.009 * tremble,
        head_x=-0.08 * start + 0.02 * tremble,
        head_y=-0.14 * start,
        look_y=-0.4 * start,
        head_size=0.06 * start,
        breathe=0.02 * swing(time),
        reach=max(start, 0.0),
        aim=0.66 * pi + 0.08 * tremble,
        other_reach=max(start, 0.0),
        other_aim=0.66 * pi - 0.08 * tremble,
        hand=Hand(Grip.PALM, 1.18, 0.1 - 0.1 * start, 0.5 + 0.1 * tremble, max(start, 0.0)),
        other_hand=Hand(Grip.PALM, 1.18, 0.1 - 0.1 * start, 0.5 - 0.1 * tremble, max(start, 0.0)),
    )


def shy(time: float) -> Pose:
    """Makes itself small, squirms, taps its forefingers together and peeks up."""
    squirm = swing(time, 2)
    tapping = 0.12 * breath(time, 4)  # the two forefingers meet and part
    peek = keyed(time, (0.0, 0.0), (0.5, 1.0))
    return Pose(
        swell=-0.1,
        sway=0.06 * squirm,
        wobble=0.03 * squirm,
        tilt=0.22 * swing(time, 1) + 0.05 * squirm,
        bend=-0.06 * swing(time, 2, 0.05),
        look_x=-0.3 * swing(time, 1, 0.04),
        look_y=0.5 - 0.35 * peek,
        head_y=0.14 - 0.06 * peek,
        stretch=-0.07 + 0.03 * swing(time, 4),
        flush=0.04 + 0.06 * breath(time),
        close_left=0.7 - 0.6 * peek,
        close_right=0.7 - 0.6 * peek,
        reach=1.0,
        aim=ACROSS,
        other_reach=1.0,
        other_aim=ACROSS,
        hand=Hand(Grip.POINT, 0.74 + tapping, 0.52, -1.35, 0.85),
        other_hand=Hand(Grip.POINT, 0.74 + tapping, 0.52, -1.35, 0.85),
    )


def run(time: float) -> Pose:
    """Four strides on the spot, leaning into it, arms and legs in turn."""
    stride = swing(time, 2)
    bounce = breath(time, 4)
    return Pose(
        rise=0.055 * bounce,
        lean=0.13,
        bend=0.08,
        shift=0.012 * sway(time, 2),
        stretch=0.07 * swing(time, 4, 0.1),
        tilt=-0.08 + 0.05 * swing(time, 4, 0.06),
        head_y=0.07 * swing(time, 4, 0.05),
        look_x=0.45,
        step_left=stride,
        step_right=-stride,
        reach=1.0,
        aim=0.2 * pi + 0.28 * pi * stride,
        other_reach=1.0,
        other_aim=0.2 * pi - 0.28 * pi * stride,
        wobble=0.015,
        wobble_phase=2.0 * time,
    )


MOOD = (
    Performance("cry", cry, ("tears",), 0.5),
    Performance("angry", angry, ("anger", "puff"), 0.52),
    Performance("sleepy", sleepy, ("zzz",), 0.58),
    Performance("shock", shock, ("shock-lines", "exclaim"), 0.45),
    Performance("shy", shy, ("blush",), 0.5),
    Performance("run", run, ("speed-lines", "puff"), 0.5),
)

"""Clips of a character that hardly moves, or not at all, with what lamps, sensors and codecs add to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, pi, sin
from types import MappingProxyType

import numpy as np

from popcond.media.raster import Colour, Floats, Rgb, Rgba
from popcond.video.effects import draw_effects
from popcond.video.performance import Performance
from popcond.video.pose import Pose
from popcond.video.puppet_clip import place

FPS = 24
BACKDROP: Colour = (0, 190, 80)


def nod(phase: float) -> Pose:
    """One small nod."""
    return Pose(look_y=0.5 * _once(phase), head_y=0.08 * _once(phase))


def wink(phase: float) -> Pose:
    """One eye closes, and the head tilts a little."""
    return Pose(close_left=min(1.0, 1.3 * _once(phase)), tilt=0.09 * _once(phase))


def small_wave(phase: float) -> Pose:
    """One hand, near the body, to and fro."""
    held = _once(phase, 0.5, 0.22)
    return Pose(reach=0.35 * held, aim=0.3 * pi, wrist=0.25 * held * sin(10 * pi * phase))


def blink(phase: float) -> Pose:
    """Both eyes close and open: of five seconds, for a sixth of one."""
    closed = min(1.0, 1.3 * _once(phase, 0.45, 0.016))
    return Pose(close_left=closed, close_right=closed)


def rest(_phase: float) -> Pose:
    """Nothing moves."""
    return Pose()


def _once(phase: float, at: float = 0.45, width: float = 0.07) -> float:
    """0..1 and back: of five seconds, for two thirds of one."""
    return exp(-(((phase - at) / width) ** 2))


FROZEN = Performance("frozen", rest, (), 0.45)
BLINK = Performance("blink", blink, (), 0.45)
GESTURES = MappingProxyType(
    {
        "nod": Performance("nod", nod, (), 0.45),
        "wink": Performance("wink", wink, (), 0.45),
        "small wave": Performance("small wave", small_wave, (), 0.5),
        "sweat": Performance("sweat", rest, ("sweat",), 0.5),
        "tears": Performance("tears", rest, ("tears",), 0.5),
    }
)


def acted(character: Rgba, played: Performance, *, size: int, seconds: float, small: float = 1.0) -> Iterator[Rgb]:
    """The character in `seconds` × FPS frames of size × size, `small` as tall as it would be, without easing."""
    inner = round(size * small)
    figure = place(character, played, inner)
    before = (size - inner) // 2
    room = slice(before, before + inner)
    for index in range(round(seconds * FPS)):
        phase = index / round(seconds * FPS)
        picture = np.empty((size, size, 3), np.uint8)
        picture[:] = BACKDROP
        canvas = np.ascontiguousarray(picture[room, room])
        anchors = figure.anchors(played.pose(phase))
        draw_effects(canvas, played.effects, phase, anchors, "behind")
        figure.draw(canvas, played.pose(phase))
        draw_effects(canvas, played.effects, phase, anchors, "front")
        picture[room, room] = canvas
        yield picture


@dataclass(frozen=True)
class Weather:
    """What happens to a picture on its way into a clip."""

    grain: float = 0.0  # standard deviation of the noise, levels
    flicker: float = 0.0  # standard deviation of each frame's brightness, as a share
    hum: float = 0.0  # share that the brightness swings by, twice a second
    drift: float = 0.0  # share that the brightness rises by until the end
    seed: int = 1

    def over(self, frames: Iterator[Rgb], seconds: float) -> Iterator[Rgb]:
        """The frames as the clip has them."""
        chance = np.random.default_rng(self.seed)
        grains: list[Floats] = []
        for index, frame in enumerate(frames):
            at = index / FPS
            light = 1.0 + self.drift * at / seconds + self.hum * sin(4 * pi * at) + self.flicker * chance.normal()
            if not grains:
                shape = (4, *frame.shape)
                grains = list(self.grain * chance.standard_normal(shape, np.float32)) if self.grain else []
            lit = frame.astype(np.float32) * np.float32(light)
            if grains:
                lit = lit + np.roll(grains[index % 4], int(chance.integers(frame.size)))
            yield np.clip(np.rint(lit), 0, 255).astype(np.uint8)

"""How much a clip moves: told apart from what a codec, a sensor or a lamp does to a picture that stands still.

The clip is read once, small and a few times a second. Every picture is brought to the light of the usual one, so that
flicker and drifting exposure are no motion; what then differs by more than the clip's own grain, in more than a few
pixels that touch, is. A blink is short and small, so it alone does not make a clip move. What is not told apart is a
camera that moves from a figure that moves as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.clip import ClipLimits, probe, read_frames
from popcond.media.raster import Floats, Rgb

_SIDE = 240  # pixels of the pictures that are compared …
_COARSER = 2  # … which are at least so many times smaller than the clip's, for a codec's dirt is a few pixels wide
_FPS = 10.0  # a blink is seen two or three times
_MOST = 120  # pictures
_LEAST = 18.0  # levels that a pixel has to differ by
_GRAINS = 5.0  # … and standard deviations of the clip's grain
_SPECK = 9  # pixels that touch; fewer are codec dirt
_DIRT = 0.0003  # share of the picture; less is no event
_BLINK_SECONDS = 0.5  # a blink, from the first lid to the last
_BLINK_AREA = 0.015  # of the picture: both eyes of a big head
_FITS = 3  # rounds in which a picture's light is found
_EVERY = 7  # pixel is asked about the light
_STEADY = 8.0  # levels that a pixel may be off its place and still be asked about the light
_MOST_GAIN = 2.0  # more is no lamp: something else came into the picture
_CUT_OFF = 4.0  # levels from black or white: what is there may have been darker or brighter still
_NEIGHBOURS = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Motion:
    """What moves in a clip."""

    seconds: float  # for which the picture differs from the usual one
    widest: float  # share of the picture that differs when most does
    swept: float  # that share, summed over the seconds: 0.01 is a hundredth of the picture for one second
    length: float  # seconds of the clip


def is_still(motion: Motion) -> bool:
    """Whether nothing happens but a blink."""
    return motion.seconds <= _BLINK_SECONDS and motion.widest <= _BLINK_AREA


def motion_of(report: Callable[[float], None], clip: Path) -> Motion:
    """Decode a clip and see what moves; made to run in a child process. Raises UnreadableClip and TooLarge."""
    pictures: list[Rgb] = []
    seconds: list[float] = []
    for frame in read_frames(clip, limits=_limits(clip)):
        pictures.append(frame.rgb)
        seconds.append(frame.seconds)
    report(1.0)
    return motion_in(pictures, seconds)


def motion_in(pictures: Sequence[Rgb], seconds: Sequence[float]) -> Motion:
    """The same for pictures at hand, (H, W, 3) of one size, each shown for so many seconds."""
    stack = np.stack(pictures).astype(np.float32)
    usual = _median(stack)
    relit = np.stack([_relit(picture, usual) for picture in stack])
    usual = _median(relit)
    threshold = max(_LEAST, _GRAINS * _grain(relit))
    lowest, highest = cv2.erode(usual, _NEIGHBOURS), cv2.dilate(usual, _NEIGHBOURS)
    differences = np.maximum(relit - highest, lowest - relit).max(axis=3)
    shares = np.array([_share(difference > threshold) for difference in differences])
    shares[shares < _DIRT] = 0.0
    shares = _without_flashes(shares)
    shown = np.asarray(seconds)
    return Motion(
        seconds=float(shown[shares > 0].sum()),
        widest=float(shares.max()),
        swept=float((shares * shown).sum()),
        length=float(shown.sum()),
    )


def _limits(clip: Path) -> ClipLimits:
    facts = probe(clip)
    side = max(16, min(_SIDE, max(facts.width, facts.height) // _COARSER))
    return ClipLimits(max_fps=_FPS, max_frames=_MOST, max_side=side)


def _median(pictures: Floats) -> Floats:
    """Of each pixel, over time; to sort short rows is several times as quick as numpy's own median."""
    rising = np.sort(pictures, axis=0)
    return np.asarray((rising[(len(rising) - 1) // 2] + rising[len(rising) // 2]) / 2, np.float32)


def _relit(picture: Floats, usual: Floats) -> Floats:
    """The picture with each channel's brightness and contrast as they usually are, judged where nothing moves."""
    return np.dstack([_channel_relit(picture[..., channel], usual[..., channel]) for channel in range(3)])


def _channel_relit(channel: Floats, usual: Floats) -> Floats:
    bright, dark = channel > 255.0 - _CUT_OFF, channel < _CUT_OFF
    known = ~(bright | dark)
    gain, lift = _light_between(channel[known][::_EVERY], usual[known][::_EVERY])
    relit = np.clip(gain * channel + lift, 0.0, 255.0)
    unknown = (bright & (relit < usual)) | (dark & (relit > usual))
    return np.asarray(np.where(unknown, usual, relit), np.float32)


def _light_between(here: Floats, there: Floats) -> tuple[float, float]:
    """Gain and lift that bring most levels of one picture to those of another."""
    gain, lift, steady = 1.0, 0.0, np.ones(len(here), np.bool_)
    for _ in range(_FITS):
        x, y = here[steady], there[steady]
        if not len(x):
            return 1.0, 0.0
        spread = float(x.var())
        gain = float(((x - x.mean()) * (y - y.mean())).mean() / spread) if spread > 1.0 else 1.0
        gain = min(max(gain, 1 / _MOST_GAIN), _MOST_GAIN)
        lift = float(y.mean() - gain * x.mean())
        off = np.abs(gain * here + lift - there)
        steady = off <= 2.5 * float(np.median(off)) + _STEADY
    return gain, lift


def _grain(lit: Floats) -> float:
    """The standard deviation of what changes everywhere from one picture to the next."""
    steps = (float(np.median(np.abs(after - before))) for before, after in pairwise(lit))
    return max(steps, default=0.0) / 0.6745 / 2**0.5  # a median deviation as a standard one, of two pictures' grain


def _share(differs: NDArray[np.bool_]) -> float:
    """How much differs, specks aside, as a share of a square as wide as the picture's shorter side."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(differs.astype(np.uint8), connectivity=8)
    areas = stats[1:count, cv2.CC_STAT_AREA]
    return float(areas[areas >= _SPECK].sum() / min(differs.shape) ** 2)


def _without_flashes(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is seen in one picture and in neither of its neighbours is dirt, however much of it there is."""
    around = np.pad(shares, 1)
    return np.minimum(shares, np.maximum(around[:-2], around[2:]))

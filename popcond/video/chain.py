"""A chain of bones along a limb: bend it, and what lies around it is carried along without a tear.

The first bone never turns, so that whatever the limb grows from stays joined to it. No pixels in here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats
from popcond.video.anchors import Point

Places = NDArray[np.floating[Any]]  # one coordinate of many points, in pixels

_NEIGHBOURS = 2  # bones farther along than this never blend, or a folded arm would mix with itself
_SOFT = 0.6  # of a bone's length: how far a bone's pull fades into that of its neighbour


@dataclass(frozen=True)
class Chain:
    """K bones, each starting where the one before it ends. Angles are radians, clockwise as seen, 0 to the right."""

    start: Point
    angles: Floats  # (K,)
    lengths: Floats  # (K,) pixels

    @classmethod
    def through(cls, path: Sequence[Point]) -> Chain:
        """The chain whose joints are the path's points; angles run on without a jump."""
        points = np.asarray(path, np.float32)
        along = np.diff(points, axis=0)
        angles = np.unwrap(np.arctan2(along[:, 1], along[:, 0]))
        return cls(path[0], angles.astype(np.float32), np.maximum(np.hypot(*along.T), 1e-3).astype(np.float32))

    @property
    def joints(self) -> Floats:
        """(K + 1, 2): where bones start, and the tip."""
        along = np.stack([np.cos(self.angles), np.sin(self.angles)], axis=1) * self.lengths[:, None]
        begin = np.asarray(self.start, np.float32)
        return np.concatenate([begin[None], begin + np.cumsum(along, axis=0)]).astype(np.float32)

    @property
    def tip(self) -> Point:
        """The end of the last bone."""
        x, y = self.joints[-1]
        return float(x), float(y)

    def bent(self, turns: Floats, sizes: Floats) -> Chain:
        """Every bone turned by its angle and scaled by its factor, still joined."""
        angles = (self.angles + turns).astype(np.float32)
        return Chain(self.start, angles, (self.lengths * sizes).astype(np.float32))


def carried(here: Chain, there: Chain, x: Places, y: Places) -> tuple[Places, Places]:
    """Where points around the chain `here` go when it takes the form of `there`.

    Each bone carries what is nearest to it, as one stiff piece; between two of them the pieces blend. Swapping the
    chains gives the way back, near enough for resampling.
    """
    starts, ends = here.joints[:-1, :, None], there.joints[:-1, :, None]
    flat_x, flat_y = x.ravel().astype(np.float32), y.ravel().astype(np.float32)
    off_x, off_y = flat_x - starts[:, 0], flat_y - starts[:, 1]
    pull = _pull(here, off_x, off_y)
    turn, size = (there.angles - here.angles)[:, None], (there.lengths / here.lengths)[:, None]
    cosine, sine = size * np.cos(turn), size * np.sin(turn)
    to_x = (pull * (ends[:, 0] + off_x * cosine - off_y * sine)).sum(axis=0)
    to_y = (pull * (ends[:, 1] + off_x * sine + off_y * cosine)).sum(axis=0)
    return to_x.reshape(x.shape), to_y.reshape(y.shape)


def _pull(chain: Chain, off_x: Floats, off_y: Floats) -> Floats:
    """(K, N) how much each bone has to say at each point; points are given by their offsets from the bones' starts."""
    cosine, sine = np.cos(chain.angles)[:, None], np.sin(chain.angles)[:, None]
    along, across = off_x * cosine + off_y * sine, off_y * cosine - off_x * sine
    low, high = np.zeros_like(cosine), chain.lengths[:, None].copy()
    low[0], high[-1] = -np.inf, np.inf
    beyond = along - np.clip(along, low, high)
    far = across * across + beyond * beyond
    soft = (_SOFT * float(chain.lengths.mean())) ** 2
    bones = np.arange(len(chain.lengths))[:, None]
    near = np.abs(bones - far.argmin(axis=0)) <= _NEIGHBOURS
    pull = np.exp((far.min(axis=0) - far) / soft) * near
    return np.asarray(pull / pull.sum(axis=0), np.float32)

"""A cycle: which frames of a clip a loop shows, in which order. After the last comes the first again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

_UNEVEN = 0.02  # frames whose lengths differ by less are shown equally long
_GRAIN = 1000  # weights of uneven frames are whole milliseconds
_ENOUGH = 0.75  # an even stride is taken when it keeps this share of the frames that fit


@dataclass(frozen=True)
class Cycle:
    """Source frames in the order of a loop."""

    indices: tuple[int, ...]
    seconds: tuple[float, ...]  # how long each is shown at the clip's own speed
    join: float = 0.0  # the step where the loop was closed, in usual steps; 0 where it closes by itself
    note: str = ""  # what a person should know about how it was closed

    @property
    def length(self) -> float:
        """Seconds of one round at the clip's own speed."""
        return sum(self.seconds)

    def __len__(self) -> int:
        return len(self.indices)

    def repeated(self, times: int) -> Cycle:
        """The same, run through several times."""
        return replace(self, indices=self.indices * times, seconds=self.seconds * times)

    def weights(self) -> tuple[int, ...]:
        """How long each frame is shown, as whole numbers: ones when all are equal."""
        mean = self.length / len(self)
        if all(abs(seconds - mean) <= _UNEVEN * mean for seconds in self.seconds):
            return (1,) * len(self)
        return tuple(max(1, round(seconds * _GRAIN)) for seconds in self.seconds)


@dataclass(frozen=True)
class Thinned:
    """The frames of a cycle that a sticker shows."""

    positions: tuple[int, ...]  # in the cycle, rising
    weights: tuple[int, ...]  # how long each is shown, relative to one another


def whole_clip(seconds: Sequence[float], *, repeats: int = 0) -> Cycle:
    """Every frame of a clip that is one exact loop already, less so many last ones that only repeat the first."""
    shown = len(seconds) - repeats
    return Cycle(tuple(range(shown)), tuple(seconds[:shown]))


def there_and_back(first: int, last: int, seconds: Sequence[float]) -> Cycle:
    """From frame `first` to frame `last` and back again, without showing the two ends twice."""
    there = list(range(first, last + 1))
    order = there + there[-2:0:-1]
    return Cycle(tuple(order), tuple(seconds[index] for index in order))


def thin(weights: Sequence[int], most: int, poster: int) -> Thinned:
    """At most `most` frames of a cycle, the one at `poster` among them.

    Equal frames are thinned by an even stride when one keeps enough of them (60 → 20: every third). Otherwise the
    frames nearest to an even beat are taken, and each is shown until the next one's own time, so that the motion keeps
    its pace.
    """
    count = len(weights)
    if count <= most:
        return Thinned(tuple(range(count)), tuple(weights))
    stride = _even_stride(count, most) if len(set(weights)) == 1 else None
    if stride is not None:
        positions = tuple(range(poster % stride, count, stride))
        return Thinned(positions, (1,) * len(positions))
    return _on_the_beat(weights, most, poster)


def _even_stride(count: int, most: int) -> int | None:
    strides = (stride for stride in range(1, count + 1) if count % stride == 0 and count // stride <= most)
    stride = next(strides)
    return stride if count // stride >= _ENOUGH * most else None


def _on_the_beat(weights: Sequence[int], most: int, poster: int) -> Thinned:
    """The frame that is shown at each of `most` even instants, counted from the poster's beginning."""
    starts = [0]
    for weight in weights:
        starts.append(starts[-1] + weight)
    total = starts[-1]
    instants = sorted((starts[poster] + beat * total // most) % total for beat in range(most))
    positions: list[int] = []
    position = 0
    for instant in instants:
        while starts[position + 1] <= instant:
            position += 1
        if not positions or positions[-1] != position:
            positions.append(position)
    return Thinned(tuple(positions), _until_the_next(positions, starts))


def _until_the_next(positions: Sequence[int], starts: Sequence[int]) -> tuple[int, ...]:
    """How long each position is shown when the last one holds until the first comes round again."""
    following = [starts[position] for position in positions[1:]] + [starts[-1] + starts[positions[0]]]
    return tuple(after - starts[position] for position, after in zip(positions, following, strict=True))

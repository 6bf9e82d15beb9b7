"""A clip before a backdrop that is not plain, cut out by the character's own cut-out, without a single point.

The cut-out is found in every frame by itself, and the masks are followed from the frame where it fits best. Where the
two disagree a person should look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from popcond.media.raster import Alpha, Floats, Rgb, Rgba
from popcond.vision.attention import disagreement
from popcond.vision.classical_cut import Mask, enlarged, parts_touching
from popcond.vision.classical_effects import StillBackdrop
from popcond.vision.classical_follow import Flow, Seen, followed
from popcond.vision.classical_known import Guess, Known, guessed
from popcond.vision.classical_place import Place, located
from popcond.vision.edges import refined

_LOOKED_AT = 5  # frames in which it is looked for everywhere
_BACKDROP_FRAMES = 24  # frames by which a backdrop that stands still is put together
_WORST = 16.0  # ΔE between a frame and the cut-out in it: beyond that it is not there …
_LEAST_ALIKE = 0.65  # … or when a smaller share of it is really seen …
_LEAST_SEEN = 0.6  # … or when that is a smaller share of all that would be cut out
_ITS_WORD = 1.0  # what the cut-out's word in a frame counts for, against what was followed there
_SEEN = 0.88  # share of the cut-out that is usually seen
_FAINT, _FAINT_SHARES = 1.5, (0.1, 0.45)  # log odds that are hardly likely, and the shares of the mask that alarm
_SAME_SHARES = 0.06, 0.25  # shares of the character's colours that the backdrop has as well, that alarm


class ClipOf:
    """All frames of a clip in which a known character is seen. Holds them small: a fifth of a megabyte each."""

    def __init__(self, frames: Sequence[Rgb], known: Known, first: int, place: Place) -> None:
        self._frames = frames
        self._known = known
        self._first = first  # the frame where it fits best …
        self._place = place  # … and where it is there
        self._flow = Flow()

    @classmethod
    def known(cls, frames: Sequence[Rgb], cutout: Rgba) -> ClipOf | None:
        """None when the cut-out says nothing, or the character is not to be found in the clip."""
        known = Known.of(cutout)
        if known is None or not frames:
            return None
        found = [
            (place, n)
            for n in _spread(len(frames), _LOOKED_AT)
            if (place := located(frames[n], known.rgba)) is not None
        ]
        if not found:
            return None
        place, first = min(found, key=lambda one: one[0].rating)
        clip = cls(frames, known, first, place)
        return clip if place.error < _WORST and _is_seen(clip._guess(Seen.of(frames[first]))) else None

    def guess(self, index: int) -> Alpha:
        """(H, W; 0 or 255) what the cut-out alone says of one frame."""
        rgb = self._frames[index]
        guess = self._guess(Seen.of(rgb))
        return enlarged(_inside(guess.odds, guess), rgb.shape)

    def masks(self) -> Iterator[tuple[Rgb, Alpha, float]]:
        """Each frame in order with its alpha (H, W) and the doubt about it, 0..1."""
        backward = list(self._followed(range(self._first - 1, -1, -1)))[::-1]
        found = [*backward, *self._followed(range(self._first, len(self._frames)))]
        behind = self._backdrop([mask for mask, _ in found])
        for index, (mask, doubt) in enumerate(found):
            rgb = self._frames[index]
            shown = mask if behind is None else mask | behind.effects(Seen.of(rgb), mask)
            yield rgb, refined(rgb, enlarged(shown, rgb.shape)), doubt

    def _backdrop(self, masks: Sequence[Mask]) -> StillBackdrop | None:
        """What is behind the character, by some frames of the clip."""
        sampled = _spread(len(masks), _BACKDROP_FRAMES)
        return StillBackdrop.of([Seen.of(self._frames[n]) for n in sampled], [masks[n] for n in sampled])

    def _followed(self, steps: range) -> Iterator[tuple[Mask, float]]:
        """The small masks of the frames of `steps`, away from the frame where the cut-out fits best."""
        before = Seen.of(self._frames[self._first])
        start = self._guess(before)
        inside = _inside(start.odds, start)
        for index in steps:
            now = Seen.of(self._frames[index])
            guess = self._guess(now)
            odds = guess.odds if index == self._first else self._both(now, before, inside, start, guess)
            inside, before = _inside(odds, guess), now
            yield inside, _doubt(guess, odds, inside)

    def _both(self, now: Seen, before: Seen, inside: Mask, start: Guess, guess: Guess) -> Floats:
        followed_here = followed(now, before, inside, start.colours, self._flow)
        return np.asarray(followed_here + _ITS_WORD * guess.odds, np.float32)

    def _guess(self, seen: Seen) -> Guess:
        place = located(seen.rgb, self._known.rgba, near=self._place) or self._place
        return guessed(seen, self._known, place, self._flow)


def agrees(keyed: Alpha, guess: Alpha) -> bool:
    """Whether keying has left what the cut-out says is there, and not much else."""
    one, other = keyed >= 128, guess >= 128
    return bool(np.count_nonzero(one & other) > 0.7 * np.count_nonzero(one | other))


def _spread(count: int, most: int) -> list[int]:
    """The first frame, and others evenly over a clip."""
    return sorted({round(n) for n in np.linspace(0, count - 1, min(count, most))})


def _is_seen(guess: Guess) -> bool:
    """Whether the character is there at all, and not only something that has its colours."""
    inside = int(np.count_nonzero(_inside(guess.odds, guess)))
    return guess.alike > _LEAST_ALIKE and int(np.count_nonzero(guess.seen)) > _LEAST_SEEN * inside


def _inside(odds: Floats, guess: Guess) -> Mask:
    """What is likelier inside than not, without what hangs together with nothing of the cut-out."""
    return parts_touching(np.asarray(odds > 0.0, np.uint8), guess.seen)


def _doubt(guess: Guess, odds: Floats, inside: Mask) -> float:
    """By what of the cut-out is not seen, what was followed to somewhere else, what is unlikely, and common colours."""
    unseen = _ramp(_SEEN - guess.alike, 0.0, 0.3)
    own = _inside(guess.odds, guess)
    apart = disagreement(inside * np.uint8(255), own * np.uint8(255))
    faint = int(np.count_nonzero(np.abs(odds) < _FAINT)) / max(1, int(np.count_nonzero(inside)))
    return max(unseen, apart, _ramp(faint, *_FAINT_SHARES), _ramp(guess.colours.overlap, *_SAME_SHARES))


def _ramp(value: float, low: float, high: float) -> float:
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))

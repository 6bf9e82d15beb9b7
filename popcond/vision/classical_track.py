"""A clip's masks from what is known of some of its frames: forward, backward, and from both sides in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats
from popcond.vision.classical_colours import Colours, learned, together
from popcond.vision.classical_cut import Mask
from popcond.vision.classical_follow import Flow, Seen, followed

Look = Callable[[int], Seen]  # a frame of the clip by its number, small

_SURE = 1.5  # log odds from which a pixel is no longer in doubt


@dataclass(frozen=True)
class Track:
    """One object in one frame."""

    index: int
    mask: Mask  # (H, W), 0 or 1, small
    score: float  # 0..1: the share of the mask's surroundings that are beyond doubt


def tracks(count: int, look: Look, known: Mapping[int, Mask]) -> Iterator[Track]:
    """The masks of all `count` frames, the known ones first; nothing is computed before it is asked for.

    A frame between two known ones is reached from both, and the nearer one has more to say.
    """
    flow = Flow()
    for index in sorted(known):
        yield Track(index, known[index], 1.0)
    lessons = _lessons(look, known)
    marks = sorted(known)
    for start, end in pairwise(marks):
        yield from _between(look, known, start, end, lessons, flow)
    for start, steps in ((marks[-1], range(marks[-1] + 1, count)), (marks[0], range(marks[0] - 1, -1, -1))):
        for index, odds in _walk(look, known[start], steps, lessons[start], flow):
            yield _track(index, odds)


def _lessons(look: Look, known: Mapping[int, Mask]) -> dict[int, Colours]:
    """What to remember on the way from each known frame: mostly its own colours, and those of all of them."""
    own = {index: learned(look(index).rgb, mask > 0, mask == 0) for index, mask in known.items()}
    telling = [own[index] for index in known if known[index].any()] or list(own.values())
    common = together(telling)
    return {index: together([own[index], own[index], common]) if known[index].any() else common for index in known}


def _walk(look: Look, mask: Mask, steps: range, colours: Colours, flow: Flow) -> Iterator[tuple[int, Floats]]:
    """Frame after frame away from a mask, which is of the frame before the first step."""
    inside = mask
    if not steps:
        return
    before = look(steps[0] - steps.step)
    for index in steps:
        now = look(index)
        odds = followed(now, before, inside, colours, flow)
        inside, before = np.asarray(odds > 0, np.uint8), now
        yield index, odds


def _between(
    look: Look, known: Mapping[int, Mask], start: int, end: int, lessons: Mapping[int, Colours], flow: Flow
) -> Iterator[Track]:
    """Backward first, which is kept; then forward, which is mixed with it and given out."""
    backward = {
        index: odds.astype(np.float16)
        for index, odds in _walk(look, known[end], range(end - 1, start, -1), lessons[end], flow)
    }
    for index, odds in _walk(look, known[start], range(start + 1, end), lessons[start], flow):
        late = (index - start) / (end - start)
        yield _track(index, (1.0 - late) * odds + late * backward[index])


def _track(index: int, odds: NDArray[np.floating]) -> Track:
    inside = np.asarray(odds > 0, np.uint8)
    doubtful = int(np.count_nonzero(np.abs(odds) < _SURE))
    return Track(index, inside, 1.0 - doubtful / max(1, int(np.count_nonzero(inside)) + doubtful))

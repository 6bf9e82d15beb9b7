"""How many flaws of drawings are found, how many good drawings suspected: `python -m tests.bench.bench_full_body [-v]`.

48 figures of many builds, each whole and alone in three sizes, then cut off, doubled, shrunk or before scenery; and 200
figures of chance that no threshold was set on. On plain, slightly shaded and shadowed backdrops, as PNG and as JPEG. A
drawing is judged rightly when its own flaw is named, or none where there is none.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from popcond.vision.character import cut_out_character
from popcond.vision.full_body import Flaw, flaws
from popcond.wire import RemoveBackground
from tests.drawings import Drawing, cut_off, good, held_out, held_out_sheets, not_plain, nothing, several, too_small

GROUPS: tuple[tuple[str, Callable[[], Iterator[Drawing]]], ...] = (
    ("good", good),
    ("cut off", cut_off),
    ("several", several),
    ("too small", too_small),
    ("not plain", not_plain),
    ("nothing", nothing),
    ("held out", held_out),
    ("… sheets", held_out_sheets),
)


@dataclass(frozen=True)
class Seen:
    """A drawing, what was found, and how long finding it took after it was cut out."""

    drawing: Drawing
    found: tuple[Flaw, ...]
    seconds: float

    @property
    def is_right(self) -> bool:
        """Whether the one flaw was named, or none where there is none."""
        return self.drawing.flaw in self.found if self.drawing.flaw else not self.found


def look(drawing: Drawing) -> Seen:
    """The drawing as the daemon sees it."""
    rgb = drawing.draw()
    cut = cut_out_character(np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]), False, RemoveBackground.AUTO)
    start = time.process_time()
    found = flaws(cut.rgba, cut.background)
    return Seen(drawing, found, time.process_time() - start)


def main() -> None:
    """Print a line a group, then with -v everything that was judged wrongly."""
    print(f"{'drawings':10} {'number':>7} {'right':>7} {'share':>7} {'ms':>6}")
    for name, group in GROUPS:
        seen = [look(drawing) for drawing in group()]
        right = sum(each.is_right for each in seen)
        ms = 1000 * sum(each.seconds for each in seen) / len(seen)
        print(f"{name:10} {len(seen):7} {right:7} {right / len(seen):7.1%} {ms:6.1f}", flush=True)
        if "-v" in sys.argv:
            for each in seen:
                if not each.is_right:
                    print(f"    {each.drawing.name}: {', '.join(each.found) or 'none'}, not {each.drawing.flaw}")


if __name__ == "__main__":
    main()

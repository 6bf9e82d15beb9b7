"""How well repeats at the end of closed loops are seen: `python -m tests.bench.bench_closure [SIZE]`.

Every performance of the offline animator, eased past its seam as it is shown and not eased, at 16, 24 and 30 frames a
second and two H.264 qualities, with its first frame repeated at the end none to three times, is cut out as SEGMENT
does. A frame that is lost is a mistake. A repeat that is kept is one too, and a small one where the motion rests.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

from popcond.media.clip import read_frames
from popcond.media.raster import Floats, Rgb
from popcond.media.video_file import write_h264
from popcond.stickers.closure import closure
from popcond.stickers.similarity import thumbnails
from popcond.video.performances import PERFORMANCES, performance
from popcond.video.puppet_clip import frame_count, render
from popcond.video.sample import draw_sample
from popcond.vision.cutout import cut_out
from popcond.vision.first_mask import first_masks
from tests.gestures import BACKDROP, FPS, acted

_RATES = (16, 24, 30)
_QUALITIES = (18, 28)
_MOST = 3  # repeats
_SEAM = 8  # frames on each side that are looked at here
_SECONDS = 2.5


def main(size: int) -> None:
    """Print each lost frame, and for each quality how many repeats were seen."""
    found: Counter[tuple[int, int, int]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for (told, fps, frames), quality, repeats in product(_loops(size), _QUALITIES, range(_MOST + 1)):
            write_h264([*frames, *frames[:1] * repeats], fps=fps, to=Path(folder, "clip"), crf=quality)
            thumbs = _around_the_seam(Path(folder, "clip"))
            seen = closure(thumbs.__getitem__, len(thumbs)).repeats
            found[quality, repeats, seen] += 1
            if seen > repeats:
                print(f"{told} at {fps} fps, crf {quality}: {repeats} repeats, {seen} seen", flush=True)
    for (quality, repeats, seen), count in sorted(found.items()):
        print(f"crf {quality}: {repeats} repeats, {seen} seen: {count} clips")


def _loops(size: int) -> Iterator[tuple[str, int, list[Rgb]]]:
    character = draw_sample(512)
    for name, fps in product(PERFORMANCES, _RATES):
        eased = render(character, name, backdrop=BACKDROP, size=size, seconds=_SECONDS, fps=fps)
        yield f"{name}, eased,", fps, list(eased)
        seconds = frame_count(_SECONDS, fps) / FPS  # of `acted`, which counts in its own rate
        yield f"{name}", fps, list(acted(character, performance(name), size=size, seconds=seconds))


def _around_the_seam(clip: Path) -> Sequence[Floats]:
    """Small pictures of the first and the last frames, in their order."""
    frames = [frame.rgb for frame in read_frames(clip)]
    frames = [*frames[:_SEAM], *frames[-_SEAM:]]
    masks = first_masks(((rgb, None) for rgb in frames), BACKDROP)
    return list(thumbnails([cut_out(rgb, mask.alpha) for rgb, mask in zip(frames, masks, strict=True)]))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 384)

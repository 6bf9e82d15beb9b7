"""How well clips that hardly move are told from frozen ones: `python -m tests.bench.bench_stillness [SIZE …]`.

All performances of the offline animator and small single gestures, at several sizes and H.264 qualities, must be seen
to move; a start picture that was returned frozen, with grain, flicker, hum, drifting exposure, compression pulsing or
one blink, must not. Prints every mistake, and what is nearest to one; at the end the time for five seconds of 720p.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from popcond.media.raster import Rgb
from popcond.media.stillness import Motion, is_still, motion_of
from popcond.media.video_file import write_h264
from popcond.video.performances import PERFORMANCES
from popcond.video.puppet_clip import render
from popcond.video.sample import draw_sample
from tests.gestures import BACKDROP, BLINK, FPS, FROZEN, GESTURES, Weather, acted
from tests.popcond.video.puppet_cast import person

_SIZES = (256, 480, 720)
_QUALITIES = (18, 26, 34)
_SECONDS = 5.0
_PLAY = 2.5  # seconds of a whole performance
_CAST = {"sample": draw_sample(), "person": person()}
_WEATHERS = {
    "clean": Weather(),
    "grain 4": Weather(grain=4),
    "grain 12": Weather(grain=12),
    "flicker 2 %": Weather(flicker=0.02),
    "flicker 6 %": Weather(flicker=0.06, grain=3),
    "hum 8 %": Weather(hum=0.08, grain=3),
    "drift +25 %": Weather(drift=0.25),
    "drift −25 %": Weather(drift=-0.25, grain=5),
    "all": Weather(grain=6, flicker=0.03, hum=0.03, drift=0.1),
}


def main(sizes: list[int]) -> None:
    """Draw, write and judge every clip."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clip.mp4")
        moving = _judge("moving", _moving(sizes), path)
        frozen = _judge("frozen", _frozen(sizes), path)
        print(f"moving: {len(moving)} clips, called still {sum(map(is_still, moving))}")
        print(f"frozen: {len(frozen)} clips, called moving {sum(not is_still(motion) for motion in frozen)}")
        print(f"least swept of the moving {min(motion.swept for motion in moving):.4f}")
        print(f"most swept of the frozen  {max(motion.swept for motion in frozen):.4f}")
        write_h264(Weather(grain=4).over(_act("sample", "nod", 720), _SECONDS), fps=FPS, to=path)
        started = time.perf_counter()
        motion_of(_unheard, path)
        print(f"five seconds of 720 × 720: {time.perf_counter() - started:.2f} s")


def _judge(kind: str, clips: Iterator[tuple[str, list[Rgb]]], path: Path) -> list[Motion]:
    """Each clip in every quality."""
    motions = []
    for (name, frames), quality in product(clips, _QUALITIES):
        write_h264(frames, fps=FPS, to=path, crf=quality)
        motion = motion_of(_unheard, path)
        motions.append(motion)
        if is_still(motion) is (kind == "moving") or "-v" in sys.argv:
            print(f"{kind} {name} crf {quality}: {motion}", flush=True)
    return motions


def _moving(sizes: list[int]) -> Iterator[tuple[str, list[Rgb]]]:
    for size, name in product(sizes, PERFORMANCES):
        frames = render(_CAST["sample"], name, backdrop=BACKDROP, size=size, seconds=_PLAY, fps=FPS)
        yield f"{name} {size}", list(frames)
    for size, who, name, small in product(sizes, _CAST, GESTURES, (1.0, 0.6)):
        yield f"{who} {name} {size} × {small}", list(_act(who, name, size, small))


def _frozen(sizes: list[int]) -> Iterator[tuple[str, list[Rgb]]]:
    for size, who, (name, weather) in product(sizes, _CAST, _WEATHERS.items()):
        for played in (FROZEN, BLINK):
            frames = acted(_CAST[who], played, size=size, seconds=_SECONDS)
            yield f"{who} {played.name} {name} {size}", list(weather.over(frames, _SECONDS))


def _act(who: str, name: str, size: int, small: float = 1.0) -> Iterator[Rgb]:
    return acted(_CAST[who], GESTURES[name], size=size, seconds=_SECONDS, small=small)


def _unheard(_fraction: float) -> None:
    """Nobody waits for it."""


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:] if size != "-v"] or list(_SIZES))

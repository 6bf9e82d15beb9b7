"""How long the offline animator takes: `python -m tests.bench.bench_puppet [ACTION …]` prints one line an action.

Each clip is the sample, two seconds of 512 × 512 at 30 frames a second, H.264 included, in this one process.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from popcond.actions import load_actions
from popcond.media.raster import png
from popcond.video.puppet import draw_clip
from popcond.video.sample import draw_sample


def main(names: list[str]) -> None:
    """Draw each action once and print seconds, CPU seconds and bytes; at the end the peak of memory."""
    actions = load_actions()
    with tempfile.TemporaryDirectory() as folder:
        cutout, clip = Path(folder, "cutout.png"), Path(folder, "clip.mp4")
        cutout.write_bytes(png(draw_sample()))
        for name in names or list(actions.actions):
            wall, cpu = time.perf_counter(), time.process_time()
            draw_clip(
                lambda _: None, cutout, actions.action(name).performance, backdrop=(0, 190, 80), seconds=2.0, to=clip
            )
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            print(f"{name:10} {wall:6.2f} s  {cpu:6.2f} s CPU  {clip.stat().st_size:9,} bytes")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1:])

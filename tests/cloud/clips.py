"""Small real clips: the picture that a task starts from, hopping once."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from popcond.media.raster import from_png
from popcond.media.video_file import write_h264

SIDE, FPS = 128, 10


@lru_cache(maxsize=8)
def clip_of(picture: bytes, count: int, *, is_still: bool = False) -> bytes:
    """MP4 bytes of so many frames; the same for the same picture."""
    small = np.asarray(cv2.resize(from_png(picture), (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    jump = 0 if is_still else 12
    heights = [round(jump * np.sin(np.pi * number / count)) for number in range(count)]
    frames = (np.vstack([small[height:], np.repeat(small[-1:], height, axis=0)]) for height in heights)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_h264(frames, fps=FPS, to=path)
        return path.read_bytes()

"""What a sticker costs and how good it is: `python -m tests.bench.bench_stickers [TARGET …]`.

Prints, for drawn clips of 60 frames at 512 pixels: CPU seconds (gifsicle's included), bytes, frames, seam, and how near
the decoded pictures are to the canvases they were made from (PSNR and SSIM, on white and on black, the worse counts).
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence

import cv2
import numpy as np

from popcond.media.raster import Floats, Rgb, Rgba, flatten
from popcond.stickers.compose import common_box, compose, layout
from popcond.stickers.decode import decode
from popcond.stickers.source import CutoutList, CutoutShelf
from popcond.stickers.sticker import EncodedSticker, make_sticker
from popcond.targets import TARGETS, target
from popcond.wire import LoopKind, Target
from tests.popcond.stickers.drawings import loop, noisy

_CLIPS = {"flat": 0.0, "grain 3": 3.0, "grain 8": 8.0}
_GROUNDS = ((255, 255, 255), (0, 0, 0))


def main(names: Sequence[str]) -> None:
    """One line a clip and target."""
    drawn = loop(60, side=512)
    for label, grain in _CLIPS.items():
        clip = noisy(drawn, grain) if grain else drawn
        for name in names or list(TARGETS):
            print(_line(label, clip, target(name)))


def _line(label: str, clip: CutoutList, wanted: Target) -> str:
    before = _cpu()
    sticker = make_sticker(clip, wanted, loop=LoopKind.RETURN, exact_loop=True, poster=0.5, report=lambda _done: None)
    cpu = _cpu() - before
    psnr, ssim = _likeness(sticker, clip, wanted)
    return (
        f"{label:8} {wanted.name:16} {cpu:5.2f} s  {len(sticker.data):>9,} bytes  {sticker.frames:3} frames  "
        f"seam {sticker.seam:.2f}  PSNR {psnr:5.1f}  SSIM {ssim:.4f}  valid {sticker.verdict.valid}  | {sticker.trace}"
    )


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _likeness(sticker: EncodedSticker, clip: CutoutList, wanted: Target) -> tuple[float, float]:
    """(PSNR, SSIM) of the shown frames against the canvases that they came from; the nearest canvas counts."""
    shown = decode(sticker.data)
    canvases = _canvases(clip, wanted)
    pairs = [(frame, _nearest(frame, canvases)) for frame in shown[:: max(1, len(shown) // 10)]]
    per_ground = [
        (
            float(np.mean([cv2.PSNR(flatten(a, ground), flatten(b, ground)) for a, b in pairs])),
            float(np.mean([_ssim(flatten(a, ground), flatten(b, ground)) for a, b in pairs])),
        )
        for ground in _GROUNDS
    ]
    return min(psnr for psnr, _ in per_ground), min(ssim for _, ssim in per_ground)


def _canvases(clip: CutoutList, wanted: Target) -> list[Rgba]:
    shelf = CutoutShelf(clip)
    cutouts = [shelf[index] for index in range(len(clip))]
    plan = layout(common_box(cutouts), wanted)
    return [compose(cutout, plan) for cutout in cutouts]


def _nearest(frame: Rgba, canvases: Sequence[Rgba]) -> Rgba:
    return min(canvases, key=lambda canvas: float(np.abs(canvas.astype(np.int16) - frame).mean()))


def _ssim(first: Rgb, second: Rgb) -> float:
    """Structural similarity of the grey pictures, Gaussian window of 11 (Wang et al., 2004), empty ground left out."""
    a, b = (np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32) for picture in (first, second))
    mean_a, mean_b = _blur(a), _blur(b)
    spread_a, spread_b = _blur(a * a) - mean_a**2, _blur(b * b) - mean_b**2
    together = _blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    score = (2 * mean_a * mean_b + c1) * (2 * together + c2)
    score = score / ((mean_a**2 + mean_b**2 + c1) * (spread_a + spread_b + c2))
    drawn = (spread_a > 0.5) | (spread_b > 0.5)
    return float(score[drawn].mean())


def _blur(picture: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture, (11, 11), 1.5), np.float32)


if __name__ == "__main__":
    main(sys.argv[1:])

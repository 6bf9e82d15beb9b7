"""How good masks are, engine by engine, on generated clips with known alpha: `python -m tests.bench.bench_segment`.

Vector, shaded, soft, thin and pale figures before a flat, gradient, cloudy, textured, figured and striped backdrop,
half of which pan, through H.264. Without a point: SEGMENT's own masks, from the character's cut-out. With one and three
points on one frame (the middle of the figure; then twice the middle of the largest error): that frame, and all other
frames after propagation. Every mask is given its edges by `popcond.vision.edges`, as the product does.

Per engine: mean IoU and its worst frame; MAE of alpha within two pixels of the true edge; flicker, the share of pixels
whose alpha jumps by half or more from frame to frame though the truth's does not; milliseconds a frame.

    python -m tests.bench.bench_segment --frames 12 --size 384 --seed 100 --engines segment,classical,miniature,both

Thresholds were set on seed 0; other seeds draw other backdrops, ways and sizes of the same figures.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from popcond.media.raster import Alpha
from popcond.vision.classical import ClassicalSegmenter
from popcond.vision.edges import refined
from popcond.vision.first_mask import clip_masks
from popcond.vision.segmenter import Point, Prompt, Segmenter, Still
from tests.busy import BACKDROPS, BusyClip, busy_clip
from tests.composites import Behind, as_h264, edge_error, iou, laid_on, phases, scene

STYLES = ("flat", "shaded", "soft", "thin", "white", "dark", "line", "pale")
FLAT = "flat backdrop"
ENGINES = ("segment", "classical", "miniature", "both")


@dataclass(frozen=True)
class Figures:
    """Of one clip, by one way of masking it."""

    way: str
    backdrop: str
    ious: tuple[float, ...]
    edge: float
    flicker: float
    milliseconds: float  # a frame
    attention: float = 0.0  # the most that any frame asks for

    @property
    def is_flat(self) -> bool:
        """Before a plain backdrop."""
        return self.backdrop == FLAT


def clips(frames: int, size: int, seed: int) -> Iterator[tuple[str, BusyClip]]:
    """Every style before half of the backdrops, and before a flat one."""
    for row, style in enumerate(STYLES):
        yield FLAT, _flat_clip(style, frames, size)
        for column, backdrop in enumerate(BACKDROPS):
            if (row + column) % 2 == 0:
                pans = (row + column) % 4 == 0
                yield backdrop, busy_clip(style, backdrop, count=frames, size=size, pans=pans, seed=seed + row)


def _flat_clip(style: str, frames: int, size: int) -> BusyClip:
    drawn = [scene(style, phase, size=size).rgba for phase in phases(frames)]
    behind = Behind((78, 147, 101), drift=4.0, vignette=12.0, slope=4.0, grain=1.5)
    laid = [laid_on(rgba, behind, n / frames, seed=n) for n, rgba in enumerate(drawn)]
    return BusyClip(as_h264(laid, crf=23), [rgba[..., 3] for rgba in drawn], scene(style, 0.6, size=size).rgba)


# ------------------------------------------------------------------ ways of masking


def without_a_point(backdrop: str, clip: BusyClip) -> Figures:
    """SEGMENT's first masks; nobody says what the backdrop is."""
    start = time.process_time()
    found = list(clip_masks([(frame, None) for frame in clip.frames], None, clip.cutout))
    spent = time.process_time() - start
    figures = _figures("0 points", backdrop, [mask.alpha for mask in found], clip.alphas, spent)
    return replace(figures, attention=max(mask.attention for mask in found))


async def with_points(engine: Segmenter, name: str, backdrop: str, clip: BusyClip) -> AsyncIterator[Figures]:
    """One and three points on the first frame, and the rest of the clip after each."""
    stills = [Still.of(frame) for frame in clip.frames]
    points = [middle(clip.alphas[0])]
    for count in (1, 3):
        while len(points) < count:
            answer = await engine.mask(stills[0], Prompt(tuple(points)))
            points.append(next_point(answer.mask, clip.alphas[0]))
        prompt = Prompt(tuple(points))
        start = time.perf_counter()
        clicked = (await engine.mask(stills[0], prompt)).mask
        spent = time.perf_counter() - start
        way = f"{name}, {count} point{'s' if count > 1 else ''}"
        yield _figures(way, backdrop, [refined(clip.frames[0], clicked)], clip.alphas[:1], spent)
        start = time.perf_counter()
        masks = {step.index: step.mask async for step in engine.track(stills, {0: prompt})}
        spent = time.perf_counter() - start
        edged = [refined(frame, masks[n]) for n, frame in enumerate(clip.frames)]
        yield _figures(f"{way}, all frames", backdrop, edged, clip.alphas, spent)


def middle(alpha: Alpha) -> Point:
    """The place of a mask that is farthest from its outline."""
    depth = cv2.distanceTransform(np.asarray(alpha >= 128, np.uint8), cv2.DIST_L2, 5)
    _, _, _, (x, y) = cv2.minMaxLoc(depth)
    return Point(float(x), float(y))


def next_point(found: Alpha, truth: Alpha) -> Point:
    """Where somebody would point next: in the middle of the thickest error."""
    missing, surplus = (
        np.asarray(side * np.uint8(255), np.uint8)
        for side in ((truth >= 128) & (found < 128), (truth < 128) & (found >= 128))
    )
    depths = [float(cv2.distanceTransform(np.asarray(s, np.uint8), cv2.DIST_L2, 5).max()) for s in (missing, surplus)]
    is_missing = depths[0] >= depths[1]
    return replace(middle(missing if is_missing else surplus), is_foreground=is_missing)


def _figures(way: str, backdrop: str, found: list[Alpha], true: list[Alpha], spent: float) -> Figures:
    pairs = list(zip(found, true, strict=True))
    return Figures(
        way,
        backdrop,
        tuple(iou(*pair) for pair in pairs),
        float(np.mean([edge_error(*pair) for pair in pairs])),
        _flicker(found, true),
        spent * 1000 / len(pairs),
    )


def _flicker(found: list[Alpha], true: list[Alpha]) -> float:
    if len(found) < 2:
        return 0.0
    steps = zip(np.diff(np.asarray(found, np.int16), axis=0), np.diff(np.asarray(true, np.int16), axis=0), strict=True)
    return float(np.mean([np.mean(np.abs(one - other) > 127) for one, other in steps]))


# ------------------------------------------------------------------ engines


@asynccontextmanager
async def engine_called(name: str) -> AsyncIterator[Segmenter | None]:
    """The engine, if this machine has what it needs."""
    with tempfile.TemporaryDirectory() as folder:
        engine = ClassicalSegmenter() if name == "classical" else _with_weights(name, Path(folder))
        try:
            yield engine
        finally:
            if engine is not None:
                await engine.close()


def _with_weights(name: str, folder: Path) -> Segmenter | None:
    """Our own small model, alone, or fitted and followed by the classical engine."""
    if find_spec("torch") is None or find_spec("ultralytics") is None:
        return None
    from popcond.vision.classical_pair import Paired
    from popcond.vision.sam import Sam, SamOptions
    from popcond.vision.sam_weights import find

    weights = find(folder)  # an empty folder, so the one that ships
    model = Sam(weights, SamOptions(folder, threads=1))
    return model if name == "miniature" else Paired(model, ClassicalSegmenter())


async def measured(engines: Iterable[str], frames: int, size: int, seed: int) -> AsyncIterator[Figures]:
    """The figures of every clip by every engine that is there."""
    for name in engines:
        if name == "segment":
            for backdrop, clip in clips(frames, size, seed):
                yield without_a_point(backdrop, clip)
            continue
        async with engine_called(name) as engine:
            if engine is None:
                print(f"{name}: this machine has no torch or no weights")
                continue
            for backdrop, clip in clips(frames, size, seed):
                async for figures in with_points(engine, name, backdrop, clip):
                    yield figures


# ------------------------------------------------------------------ the table


TITLES = ("IoU", "worst clip", "worst frame", "edge", "flicker", "ms", "attention")


async def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="IoU, edges and flicker of every engine on clips with known alpha.")
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--seed", type=int, default=0, help="0: what thresholds were set on; other backdrops otherwise")
    parser.add_argument("--engines", default=",".join(ENGINES))
    options = parser.parse_args()
    rows = [row async for row in measured(options.engines.split(","), options.frames, options.size, options.seed)]
    for title, chosen in (("flat", [r for r in rows if r.is_flat]), ("busy", [r for r in rows if not r.is_flat])):
        print(f"\n{title:34}" + "".join(f"{name:>12}" for name in TITLES))
        for way in dict.fromkeys(row.way for row in chosen):
            print(_line(way, [row for row in chosen if row.way == way]))
    print("\nbusy, mean IoU by backdrop" + "".join(f"{name:>10}" for name in BACKDROPS))
    for way in dict.fromkeys(row.way for row in rows):
        here = [[np.mean(r.ious) for r in rows if r.way == way and r.backdrop == name] for name in BACKDROPS]
        print(f"{way:26}" + "".join(f"{np.mean(ious):10.3f}" for ious in here))


def _line(way: str, rows: list[Figures]) -> str:
    means = [float(np.mean(row.ious)) for row in rows]
    numbers = (
        float(np.mean(means)),
        min(means),
        min(min(row.ious) for row in rows),
        float(np.mean([row.edge for row in rows])),
    )
    others = [float(np.mean([getattr(row, name) for row in rows])) for name in ("flicker", "milliseconds", "attention")]
    return f"{way:34}" + "".join(f"{n:12.3f}" for n in numbers) + f"{others[0]:12.5f}{others[1]:12.1f}{others[2]:12.2f}"


if __name__ == "__main__":
    asyncio.run(main())

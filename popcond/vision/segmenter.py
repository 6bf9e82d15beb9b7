"""The seam to whoever says which pixels of a frame are meant: `embed`, `mask`, `track`.

Callers keep nothing. An answer depends on the frame and on what was said about it, and on nothing that was asked
before: points are taken one after the other, in their order, so an edit replays to the same mask after a restart. What
an engine knows from earlier (embeddings, the logits after each point) is cached behind the seam and only saves time.

What every engine promises, and `tests/contracts/test_segmenter.py` asks of each:

- all points of one object make one mask; the masks of several objects are united;
- a background point never adds a pixel to its object; an object that has background points only is empty;
- the mask has the size of its frame and is 0 or 255: soft edges are made later, by `popcond.vision.edges`;
- a request ends in an answer or in a PopconError, and the next one works;
- whoever cancels a call, or closes the iterator of `track`, stops the work behind it.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Protocol

import numpy as np

from popcond.errors import BadInput, NotFound
from popcond.media.raster import Alpha, Rgb, Rgba, from_png
from popcond.vision.cutout import cut_out

MOST_POINTS = 128  # of one frame; each costs a decode when nothing is cached


class Urgency(IntEnum):
    """Who comes first; the lower number. Work of one kind is done in the order in which it was asked for."""

    CLICK = 0  # somebody looks at the spot and waits
    SHOWN = 1  # the frame on the screen, before anybody clicked
    TRACKING = 2  # a propagation, frame by frame
    BACKGROUND = 3  # embeddings for later; those nearest to the frame that was last clicked or shown first


@dataclass(frozen=True)
class Still:
    """One frame as an engine gets it: its identity, and where its pixels are."""

    key: str  # SHA-256 of the frame's asset, or of its pixels: equal keys mean equal pixels
    source: Path | Rgb = field(compare=False, repr=False)  # an RGB PNG of ours, or the pixels (H, W, 3)

    @classmethod
    def of(cls, rgb: Rgb) -> Still:
        """A frame that is in memory and not among the assets."""
        digest = hashlib.sha256(repr(rgb.shape).encode())
        digest.update(np.ascontiguousarray(rgb).data)
        return cls(digest.hexdigest(), rgb)

    def pixels(self) -> Rgb:
        """(H, W, 3); reads and decodes the file when that is where they are. Raises NotFound, BadInput."""
        if not isinstance(self.source, Path):
            return _refused_unless_rgb(self.source)
        try:
            raster = from_png(self.source.read_bytes())
        except OSError as error:
            raise NotFound(f"The frame {self.source.name} cannot be read: {error.strerror}.") from error
        rgb = np.stack([raster] * 3, axis=-1) if raster.ndim == 2 else raster[..., :3]
        return np.ascontiguousarray(rgb)


def _refused_unless_rgb(rgb: Rgb) -> Rgb:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or 0 in rgb.shape:
        raise BadInput(f"This is no RGB frame: {rgb.dtype} of shape {rgb.shape}.")
    return np.ascontiguousarray(rgb)


@dataclass(frozen=True)
class Point:
    """Where somebody pointed, in pixels of the frame; (0, 0) is the corner of the top left pixel."""

    x: float
    y: float
    is_foreground: bool = True  # False: this is not part of the object
    object: int = 0  # points of one number make one mask
    candidate: int | None = None  # which candidate of an object's first point was taken; None: the best one


@dataclass(frozen=True)
class Prompt:
    """What was said about one frame."""

    points: tuple[Point, ...] = ()  # in the order in which they were set
    mask: Alpha | None = field(default=None, compare=False, repr=False)  # (H, W), what object 0 starts from

    def objects(self) -> dict[int, tuple[Point, ...]]:
        """The points of each object, by its number; object 0 is there as well when the prompt has a mask."""
        numbers = {point.object for point in self.points} | ({0} if self.mask is not None else set())
        return {number: tuple(p for p in self.points if p.object == number) for number in sorted(numbers)}


@dataclass(frozen=True)
class Candidate:
    """One reading of an object's first point: the hand, the arm, the whole figure."""

    mask: Alpha  # (H, W), 0 or 255
    score: float  # 0..1


@dataclass(frozen=True)
class Segmented:
    """An answer of `mask`."""

    mask: Alpha  # (H, W), 0 or 255
    score: float  # 0..1, the IoU that the engine expects of itself; of several objects the least
    candidates: tuple[Candidate, ...] = ()  # after one foreground point and nothing else, in the engine's fixed order
    engine: str = ""  # who made it, as `About.name` says

    @property
    def coverage(self) -> float:
        """Share of the frame that is inside."""
        return float(np.count_nonzero(self.mask)) / self.mask.size


@dataclass(frozen=True)
class Tracked:
    """One frame's mask of a propagation."""

    index: int  # into the stills that were given to `track`
    mask: Alpha  # (H, W), 0 or 255; empty where the engine thinks that nothing is to be seen
    score: float  # 0..1, how sure the engine is; of several objects the least


@dataclass(frozen=True)
class About:
    """What an engine is, for the screen and for `doctor`."""

    name: str  # such as "SAM 2.1 tiny"; our own model and the classical engine never bear that name
    device: str | None = None  # "cuda", "mps", "cpu"; None: not chosen until the first need
    input_size: int | None = None  # pixels of the longer side as the engine sees it
    precision: str | None = None  # "float32", "bfloat16", "float16"


class Segmenter(Protocol):
    """Finds the pixels that somebody points at, and follows them through a clip."""

    def about(self) -> About:
        """What it is. Costs nothing and starts nothing."""
        ...

    async def embed(self, stills: Sequence[Still], urgency: Urgency = Urgency.BACKGROUND) -> None:
        """Do in advance what `mask` and `track` would have to do first. Returns when all of them are ready.

        Without any frames it loads what has to be loaded, so that nobody has to wait for that later.
        """
        ...

    async def mask(self, still: Still, prompt: Prompt, urgency: Urgency = Urgency.CLICK) -> Segmented:
        """The pixels that are meant. Raises BadInput for a prompt that says nothing or points outside."""
        ...

    def track(self, stills: Sequence[Still], prompts: Mapping[int, Prompt]) -> AsyncGenerator[Tracked, None]:
        """The masks of all stills, which follow each other in time, from what was said about some of them.

        `prompts` is by index into the stills. Every frame comes once, as soon as it is done and in the engine's own
        order, prompted ones first. Raises BadInput, at the first step.
        """
        ...

    async def close(self) -> None:
        """Give everything back. What is under way ends with Stopping."""
        ...


def refuse_bad_prompt(prompt: Prompt, height: int, width: int) -> None:
    """Raises BadInput when a prompt says nothing, or something that no frame of this size can answer."""
    if not prompt.points and prompt.mask is None:
        raise BadInput("Nothing is pointed at.", cure="Set at least one point.")
    if len(prompt.points) > MOST_POINTS:
        raise BadInput(f"These are more than {MOST_POINTS} points on one frame.", cure="Undo some of them.")
    for point in prompt.points:
        _refuse_stray(point, height, width)
    refuse_bad_mask(prompt)
    if prompt.mask is not None and prompt.mask.shape != (height, width):
        raise BadInput("The mask to start from has another size than its frame.")


def refuse_bad_mask(prompt: Prompt) -> None:
    """Raises BadInput when the mask of a prompt is none of bytes (H, W)."""
    mask = prompt.mask
    if mask is not None and (mask.ndim != 2 or mask.dtype != np.uint8):
        raise BadInput(f"This is no mask to start from: {mask.dtype} of shape {mask.shape}.", cure="Use 0 and 255.")


def _refuse_stray(point: Point, height: int, width: int) -> None:
    if not (math.isfinite(point.x) and math.isfinite(point.y) and 0 <= point.x <= width and 0 <= point.y <= height):
        raise BadInput(
            f"The point ({point.x:g}, {point.y:g}) is outside of the frame, which is {width} × {height} pixels.",
            cure="Point at a pixel of the frame.",
        )
    if point.candidate is not None and not 0 <= point.candidate < 3:
        raise BadInput(f"There is no candidate {point.candidate}.", cure="Choose 0, 1 or 2.")


def refuse_bad_prompts(prompts: Mapping[int, Prompt], count: int) -> None:
    """Raises BadInput when no frame of `count` is prompted, or one that is not there."""
    if not prompts:
        raise BadInput("There is nothing to follow.", cure="Set a point on at least one frame.")
    strays = [index for index in prompts if not 0 <= index < count]
    if strays:
        raise BadInput(f"There is no frame {strays[0]} among {count}.", cure="Point at a frame of the clip.")


# ------------------------------------------------------------------ for scripts


class FrameSegmenter:
    """The calls that users of the earlier system know, over any engine. For scripts; the daemon uses the protocol."""

    def __init__(self, engine: Segmenter) -> None:
        self._engine = engine

    async def predict(self, rgb: Rgb, points: Sequence[tuple[float, float]], labels: Sequence[int] = ()) -> Alpha:
        """(H, W), 0 or 255: what is meant by points (x, y), which are foreground unless their label is 0."""
        return (await self._engine.mask(Still.of(rgb), _prompt(points, labels))).mask

    def apply_mask(self, rgb: Rgb, mask: Alpha) -> Rgba:
        """(H, W, 4): the frame with the mask as its alpha, and without the backdrop's colour in its edge."""
        return cut_out(rgb, mask)

    async def predict_and_apply_all(
        self, frames: Sequence[Rgb], points: Sequence[tuple[float, float]], labels: Sequence[int] = (), at: int = 0
    ) -> list[Rgba]:
        """All frames of a clip cut out, from points on the frame `at`."""
        stills = [Still.of(rgb) for rgb in frames]
        cutouts: dict[int, Rgba] = {}
        async with aclosing(self._engine.track(stills, {at: _prompt(points, labels)})) as masks:
            async for tracked in masks:
                rgb = frames[tracked.index]
                cutouts[tracked.index] = await asyncio.to_thread(self.apply_mask, rgb, tracked.mask)
        return [cutouts[index] for index in range(len(frames))]


def _prompt(points: Sequence[tuple[float, float]], labels: Sequence[int]) -> Prompt:
    if labels and len(labels) != len(points):
        raise BadInput(f"These are {len(points)} points and {len(labels)} labels.", cure="Give each point one label.")
    marks = [label != 0 for label in labels] or [True] * len(points)
    return Prompt(tuple(Point(x, y, mark) for (x, y), mark in zip(points, marks, strict=True)))

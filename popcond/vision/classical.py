"""The segmenter that needs no weights and no torch: keying, GrabCut, flow and colours behind the common seam.

It works in threads of its own: OpenCV gives the interpreter's lock back while it computes, a step takes a few
hundredths of a second, and pictures need not be sent to another process. Between two steps a thread looks whether
anybody still waits.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, Generic, ParamSpec, TypeVar

import numpy as np

from popcond.errors import Cancelled, Stopping
from popcond.media.raster import Alpha
from popcond.vision.classical_cut import Mask, enlarged, reduced_mask
from popcond.vision.classical_follow import Seen
from popcond.vision.classical_points import Reading, after
from popcond.vision.classical_track import Track, tracks
from popcond.vision.segmenter import (
    About,
    Point,
    Prompt,
    Segmented,
    Still,
    Tracked,
    Urgency,
    refuse_bad_prompt,
    refuse_bad_prompts,
)

P = ParamSpec("P")
T = TypeVar("T")
V = TypeVar("V")

NAME = "classical"

_THREADS = 2  # a click is answered while a clip is followed
_FRAMES = 160  # small frames that are kept: at most 75 MB
_READINGS = 48  # readings that are kept, so that one more point costs one more step: 36 MB of frames of 512 × 512


class ClassicalSegmenter:
    """Answers the `Segmenter` protocol on any machine. Raises Stopping once it is closed."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="popcon-classical")
        self._closed = threading.Event()
        self._frames: _Kept[Seen] = _Kept(_FRAMES)
        self._readings: _Kept[Reading] = _Kept(_READINGS)

    def about(self) -> About:
        """What it is."""
        return About(NAME, device="cpu", input_size=256)

    async def embed(self, stills: Sequence[Still], urgency: Urgency = Urgency.BACKGROUND) -> None:
        """Decode and shrink the frames that a clip is followed through."""
        for still in stills:
            await self._in_thread(threading.Event(), self._seen, still)

    async def mask(self, still: Still, prompt: Prompt, urgency: Urgency = Urgency.CLICK) -> Segmented:
        """The pixels that are meant. Raises BadInput."""
        return await self._in_thread(threading.Event(), self._masked, still, prompt)

    async def track(self, stills: Sequence[Still], prompts: Mapping[int, Prompt]) -> AsyncGenerator[Tracked, None]:
        """All frames, prompted ones first, then those between them, then onwards both ways. Raises BadInput."""
        refuse_bad_prompts(prompts, len(stills))
        unwanted = threading.Event()
        steps = self._tracked(unwanted, stills, prompts)
        try:
            while (step := await self._in_thread(unwanted, lambda _: next(steps, None))) is not None:
                yield step
        finally:
            unwanted.set()

    async def close(self) -> None:
        """What waits ends with Stopping; a step that is being computed is let finish and forgotten."""
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(
        self,
        unwanted: threading.Event,
        work: Callable[Concatenate[threading.Event, P], T],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run something in one of our threads, which stops at its next step once nobody waits here."""
        if self._closed.is_set():
            raise _stopping()
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(self._threads, lambda: work(unwanted, *args, **kwargs))
        except asyncio.CancelledError:
            unwanted.set()
            task = asyncio.current_task()
            if self._closed.is_set() and not (task and task.cancelling()):
                raise _stopping() from None
            raise
        if self._closed.is_set():
            raise _stopping()
        return answer

    # -------------------------------------------------------------- in a thread

    def _seen(self, unwanted: threading.Event, still: Still) -> Seen:
        self._go_on(unwanted)
        return self._frames.get(still.key, lambda: Seen.of(still.pixels()))

    def _masked(self, unwanted: threading.Event, still: Still, prompt: Prompt) -> Segmented:
        readings = self._read(unwanted, still, prompt)
        union = np.bitwise_or.reduce([reading.mask for reading in readings.values()])
        alone = len(prompt.points) == 1 and prompt.mask is None
        candidates = next(iter(readings.values())).candidates if alone else ()
        return Segmented(union, min(reading.score for reading in readings.values()), candidates, NAME)

    def _read(self, unwanted: threading.Event, still: Still, prompt: Prompt) -> dict[int, Reading]:
        """What each object's points mean."""
        pixels = still.pixels()
        refuse_bad_prompt(prompt, *pixels.shape[:2])
        start = None if prompt.mask is None else hashlib.sha256(prompt.mask.tobytes()).hexdigest()

        def read(points: tuple[Point, ...], *, starts: bool) -> Reading:
            self._go_on(unwanted)
            if not points:
                return Reading.of_start(prompt.mask if starts else None, pixels.shape)
            name = f"{still.key} {start if starts else None} {points}"
            return self._readings.get(
                name, lambda: after(pixels, read(points[:-1], starts=starts), points[:-1], points[-1])
            )

        return {number: read(points, starts=number == 0) for number, points in prompt.objects().items()}

    def _tracked(
        self, unwanted: threading.Event, stills: Sequence[Still], prompts: Mapping[int, Prompt]
    ) -> Iterator[Tracked]:
        """Every frame once all objects have been found in it."""
        clip = _Clip(stills, lambda index: self._seen(unwanted, stills[index]))
        read = {index: self._read(unwanted, stills[index], prompts[index]) for index in sorted(prompts)}
        numbers = sorted({number for readings in read.values() for number in readings})
        streams = []
        for number in numbers:
            points = {n: prompts[n].objects()[number] for n in read if number in read[n] and prompts[n].mask is None}
            streams.append(clip.followed({n: read[n][number] for n in read if number in read[n]}, points))
        waiting: dict[int, Tracked] = {}
        counts: Counter[int] = Counter()
        for steps in zip(*streams, strict=True):
            for step in steps:
                counts[step.index] += 1
                so_far = waiting.pop(step.index, None)
                waiting[step.index] = step if so_far is None else _united(so_far, step)
                if counts[step.index] == len(numbers):
                    yield waiting.pop(step.index)

    def _go_on(self, unwanted: threading.Event) -> None:
        """Raises Cancelled when nobody waits any more, and Stopping when all is over."""
        if self._closed.is_set():
            raise _stopping()
        if unwanted.is_set():
            raise Cancelled("Nobody waits for this mask any more.")


def _united(one: Tracked, other: Tracked) -> Tracked:
    """Two objects of one frame."""
    return Tracked(one.index, one.mask | other.mask, min(one.score, other.score))


class _Clip:
    """The frames that an object is followed through."""

    def __init__(self, stills: Sequence[Still], look: Callable[[int], Seen]) -> None:
        self._stills = stills
        self._look = look
        self._shape = stills[0].pixels().shape  # all frames of a clip have one size

    def followed(self, read: Mapping[int, Reading], points: Mapping[int, tuple[Point, ...]]) -> Iterator[Tracked]:
        """All frames of one object: those that were read as they were read, the others as they follow from them.

        Where there are background `points` only they correct what arrives from the other frames.
        """
        corrected = {n for n, said in points.items() if not any(point.is_foreground for point in said)}
        full = {n: reading.mask for n, reading in read.items() if n not in corrected or len(corrected) == len(read)}
        for index in sorted(corrected - set(full)):
            full[index] = self._corrected(index, full, points[index])
        for step in tracks(len(self._stills), self._look, self._reduced(full)):
            mask = full.get(step.index)
            yield Tracked(step.index, self._enlarged(step) if mask is None else mask, step.score)

    def _corrected(self, index: int, full: Mapping[int, Alpha], points: tuple[Point, ...]) -> Alpha:
        """What arrives at a frame, without what the points say is not the object."""
        steps = tracks(len(self._stills), self._look, self._reduced(full))
        pixels = self._stills[index].pixels()
        reading = Reading(self._enlarged(next(step for step in steps if step.index == index)), 0.0)
        for number, point in enumerate(points):
            reading = after(pixels, reading, points[:number], point)
        return reading.mask

    def _reduced(self, full: Mapping[int, Alpha]) -> dict[int, Mask]:
        return {index: reduced_mask(mask, self._look(index).grey.shape) for index, mask in full.items()}

    def _enlarged(self, step: Track) -> Alpha:
        return enlarged(step.mask, self._shape)


def _stopping() -> Stopping:
    return Stopping("The segmenter has been closed.", cure="Start the daemon again.")


class _Kept(Generic[V]):
    """The last few values that were made, by name; for several threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[str, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str, make: Callable[[], V]) -> V:
        """The value of that name, made when it is not there; two threads at once may both make it."""
        with self._lock:
            if name in self._values:
                self._values.move_to_end(name)
                return self._values[name]
        value = make()
        with self._lock:
            self._values[name] = value
            if len(self._values) > self._most:
                self._values.popitem(last=False)
        return value

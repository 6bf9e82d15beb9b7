"""SAM 2.1, and our miniature of it, as the daemon sees it: a Segmenter whose model lives in a process of its own.

The process is started at the first need and kept; after a while without work it is let go, and its memory with it. When
it dies, what was asked is asked once more of a fresh one, because asking costs nothing and changes nothing; dying twice
over the same request is told. Importing this module loads no torch.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from popcond.errors import OutOfMemory, PopconError, Stopping, WorkerDied
from popcond.vision.sam_life import Answered, Life, OnEnd
from popcond.vision.sam_messages import (
    Begin,
    Embed,
    Followed,
    Mask,
    Masked,
    PointNote,
    PromptNote,
    Raster,
    StillNote,
    Track,
    from_bits,
)
from popcond.vision.sam_weights import Weights, check
from popcond.vision.segmenter import About, Candidate, Prompt, Segmented, Still, Tracked, Urgency, refuse_bad_mask

_ENDS = (OutOfMemory, WorkerDied, Stopping)  # of the process, as one who waits for it hears of them
_MOST_THREADS = 8  # more do not help so small a model

MakeRequest = Callable[[int], Embed | Mask | Track]  # from the number that the request gets


def tell_nobody(_error: PopconError) -> None:
    """For owners who do not care about deaths."""


@dataclass(frozen=True)
class SamOptions:
    """How a model runs; the defaults suit a small machine."""

    cache: Path  # the folder for embeddings, and for whatever the libraries write
    device: str | None = None  # "cuda", "mps", "cpu"; None: the fastest there is
    input_size: int | None = None  # pixels; None: as the device and the weights suggest
    threads: int = 0  # of the processor; 0: all, up to eight
    memory: int = 512 << 20  # bytes of embeddings in memory
    disk: int = 4 << 30  # bytes of embeddings on disk
    patience: float = 180.0  # seconds that the process may be silent at work; a first frame on a slow machine takes ten
    keep_alive: float | None = 1800.0  # seconds without work after which the process is let go; None: never


class Sam:
    """A Segmenter on weights that were found (`popcond.vision.sam_weights.find`)."""

    def __init__(self, weights: Weights, options: SamOptions, on_death: OnEnd = tell_nobody) -> None:
        self._weights = weights
        self._options = options
        self._on_death = on_death
        self._ids = itertools.count(1)
        self._beginning: asyncio.Task[Life] | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    # -------------------------------------------------------------- what it is

    def about(self) -> About:
        """Device, size and precision are known once the model has been loaded."""
        life = self._life_now()
        if life is None or life.ready is None:
            return About(self._weights.name)
        ready = life.ready
        return About(ready.name, ready.device, ready.input_size, ready.precision)

    @property
    def is_loaded(self) -> bool:
        """Whether an answer needs no model to be loaded first."""
        return self._life_now() is not None

    @property
    def is_loading(self) -> bool:
        """Whether the model is being loaded."""
        return self._beginning is not None and not self._beginning.done()

    @property
    def pid(self) -> int | None:
        """The process that holds the model, while there is one."""
        life = self._life_now()
        return life.pid if life else None

    # -------------------------------------------------------------- the protocol

    async def embed(self, stills: Sequence[Still], urgency: Urgency = Urgency.BACKGROUND) -> None:
        """Make and keep the embeddings of these frames, the nearest to the one that somebody looks at first."""
        parcel = _Parcel()
        notes = tuple(parcel.still(still) for still in stills)
        await self._ask_once(lambda id_: Embed(id=id_, stills=notes, urgency=urgency), parcel)

    async def mask(self, still: Still, prompt: Prompt, urgency: Urgency = Urgency.CLICK) -> Segmented:
        """What is meant by a prompt."""
        parcel = _Parcel()
        about, said = parcel.still(still), parcel.prompt(prompt)
        answered = await self._ask_once(lambda id_: Mask(id=id_, still=about, prompt=said, urgency=urgency), parcel)
        assert answered is not None
        return _segmented(answered, self.about().name)

    async def track(self, stills: Sequence[Still], prompts: Mapping[int, Prompt]) -> AsyncGenerator[Tracked, None]:
        """All frames, the prompted ones first, then forward, then backward; over the deaths of the process too."""
        parcel = _Parcel()
        notes = tuple(parcel.still(still) for still in stills)
        said = {index: parcel.prompt(prompt) for index, prompt in prompts.items()}
        delivered: set[int] = set()
        answers = self._ask(lambda id_: Track(id=id_, stills=notes, prompts=said), parcel)
        async with aclosing(answers):
            async for answered in answers:
                tracked = _tracked(answered)
                if tracked.index not in delivered:
                    delivered.add(tracked.index)
                    yield tracked

    async def close(self) -> None:
        """Put the model away for good."""
        self._closed = True
        if self._beginning is not None and self.is_loading:
            self._beginning.cancel()
            await asyncio.wait([self._beginning])
        self._let_go()
        while self._ending:
            await asyncio.wait(self._ending)

    # -------------------------------------------------------------- asking

    async def _ask_once(self, request: MakeRequest, parcel: _Parcel) -> Answered | None:
        """The last answer to a request, if it has one."""
        last = None
        async with aclosing(self._ask(request, parcel)) as answers:
            async for answered in answers:
                last = answered
        return last

    async def _ask(self, request: MakeRequest, parcel: _Parcel) -> AsyncGenerator[Answered, None]:
        """All answers; from their beginning once more when the process dies meanwhile."""
        for is_last in (False, True):
            life = await self._life()
            try:
                async with aclosing(life.ask(request(next(self._ids)), parcel.rasters)) as answers:
                    async for answered in answers:
                        yield answered
                return
            except _ENDS:
                if is_last or self._closed or not life.has_ended:
                    raise
            finally:
                self._rest(life)

    # -------------------------------------------------------------- its life

    def _life_now(self) -> Life | None:
        beginning = self._beginning
        if beginning is None or not beginning.done() or beginning.cancelled() or beginning.exception():
            return None
        return None if beginning.result().has_ended else beginning.result()

    async def _life(self) -> Life:
        """The process, started when there is none. Who gives up waiting does not stop the start."""
        if self._closed:
            raise Stopping("The model has been put away.")
        if self._idle is not None:
            self._idle.cancel()
        if not self.is_loading and self._life_now() is None:
            self._beginning = asyncio.create_task(self._begin())
            self._beginning.add_done_callback(_heard)
        beginning = self._beginning
        assert beginning is not None
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            if beginning.cancelled():  # by `close`, and not the one who waits here
                raise Stopping("The model has been put away.") from None
            raise

    async def _begin(self) -> Life:
        options = self._options
        await asyncio.to_thread(check, self._weights.path, self._weights.architecture)
        begin = Begin(
            weights=str(self._weights.path.absolute()),
            architecture=self._weights.architecture.id if self._weights.architecture else None,
            cache=str(options.cache.absolute()),
            device=options.device,
            input_size=options.input_size,
            threads=options.threads or max(1, min(_MOST_THREADS, os.cpu_count() or 1)),
            memory=options.memory,
            disk=options.disk,
        )
        return await Life.begin(begin, options.patience, self._on_death)

    def _rest(self, life: Life) -> None:
        """Once nobody waits for it, the clock runs."""
        if life.is_idle and not life.has_ended and self._options.keep_alive is not None and not self._closed:
            if self._idle is not None:
                self._idle.cancel()
            self._idle = asyncio.get_running_loop().call_later(self._options.keep_alive, self._let_go)

    def _let_go(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        life = self._life_now()
        if life is not None and (life.is_idle or self._closed):
            life.dismiss()
            task = asyncio.create_task(life.end())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


# ------------------------------------------------------------------ what goes through the pipe, and what comes back


class _Parcel:
    """A request's notes, and the rasters that they point to."""

    def __init__(self) -> None:
        self.rasters: list[Raster] = []

    def still(self, still: Still) -> StillNote:
        """A frame by its path, or with its pixels. Raises BadInput for pixels that are no frame."""
        if isinstance(still.source, Path):
            return StillNote(key=still.key, path=str(still.source.absolute()))
        return StillNote(key=still.key, raster=self._add(still.pixels()))

    def prompt(self, prompt: Prompt) -> PromptNote:
        """What was said about a frame. Raises BadInput for a mask that is none."""
        refuse_bad_mask(prompt)
        points = tuple(
            PointNote(x=p.x, y=p.y, is_foreground=p.is_foreground, object=p.object, candidate=p.candidate)
            for p in prompt.points
        )
        return PromptNote(points=points, raster=None if prompt.mask is None else self._add(prompt.mask))

    def _add(self, raster: Raster) -> int:
        self.rasters.append(raster)
        return len(self.rasters) - 1


def _segmented(answered: Answered, engine: str) -> Segmented:
    note = answered.note
    assert isinstance(note, Masked)
    mask, *others = (from_bits(raster, note.height, note.width) for raster in answered.rasters)
    candidates = tuple(map(Candidate, others, note.candidates))
    return Segmented(mask, note.score, candidates, engine)


def _tracked(answered: Answered) -> Tracked:
    note = answered.note
    assert isinstance(note, Followed)
    return Tracked(note.index, from_bits(answered.rasters[0], note.height, note.width), note.score)


def _heard(beginning: asyncio.Task[Life]) -> None:
    """A start that failed while nobody waited for it any more is told to whoever asks next, by failing again."""
    if not beginning.cancelled():
        beginning.exception()

"""Nothing stops when the model cannot run: another engine answers in its place, and says so in its answer.

What is wrong with a request stays wrong whoever is asked; what is wrong with the model (no memory, no libraries, broken
weights) is told once in the log, and asked of the model again the next time, because it may have been mended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing

from popcond.errors import OutOfMemory, PopconError, TookTooLong, WorkerDied
from popcond.vision.segmenter import About, Prompt, Segmented, Segmenter, Still, Tracked, Urgency

log = logging.getLogger("popcond.sam")

_CODES = frozenset(
    {"weights_missing", "weights_broken", "weights_wrong", "weights_hostile", "engine_not_installed", "unexpected"}
)


class Fallback:
    """A Segmenter that asks one engine, and another one when the first is unable to work."""

    def __init__(self, first: Segmenter, second: Segmenter) -> None:
        self._first = first
        self._second = second
        self._told: str | None = None  # what was logged last, so that it is not logged at every click

    def about(self) -> About:
        """The first one, as long as it works."""
        return self._first.about() if self._told is None else self._second.about()

    async def embed(self, stills: Sequence[Still], urgency: Urgency = Urgency.BACKGROUND) -> None:
        """In the one that works."""
        try:
            await self._first.embed(stills, urgency)
            self._works()
        except PopconError as error:
            self._unless_unable(error)
            await self._second.embed(stills, urgency)

    async def mask(self, still: Still, prompt: Prompt, urgency: Urgency = Urgency.CLICK) -> Segmented:
        """What is meant by a prompt; `engine` says who was asked."""
        try:
            answer = await self._first.mask(still, prompt, urgency)
            self._works()
        except PopconError as error:
            self._unless_unable(error)
            return await self._second.mask(still, prompt, urgency)
        return answer

    async def track(self, stills: Sequence[Still], prompts: Mapping[int, Prompt]) -> AsyncGenerator[Tracked, None]:
        """All frames; those that the first one does not reach come from the second one."""
        done: set[int] = set()
        try:
            async with aclosing(self._first.track(stills, prompts)) as masks:
                async for tracked in masks:
                    done.add(tracked.index)
                    yield tracked
            self._works()
        except PopconError as error:
            self._unless_unable(error)
        else:
            return
        async with aclosing(self._second.track(stills, prompts)) as masks:
            async for tracked in masks:
                if tracked.index not in done:
                    yield tracked

    async def close(self) -> None:
        """Both."""
        await asyncio.gather(self._first.close(), self._second.close())

    def _works(self) -> None:
        self._told = None

    def _unless_unable(self, error: PopconError) -> None:
        """Raises what is wrong with the request, and tells what is wrong with the engine."""
        if not isinstance(error, OutOfMemory | WorkerDied | TookTooLong) and error.code not in _CODES:
            raise error
        if self._told != str(error):
            log.warning("%s Until then masks are made by the %s engine.", error, self._second.about().name)
        self._told = str(error)

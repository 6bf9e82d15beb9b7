"""Frames made ready for clicks before anybody clicks, in the background and in the order of asking."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from popcond.errors import PopconError
from popcond.vision.segmenter import Segmenter, Still

log = logging.getLogger("popcond.warming")


class Warming:
    """Holds what is being prepared, so that it can be ended with the daemon."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self._tasks: set[asyncio.Task[None]] = set()

    def soon(self, stills: Sequence[Still]) -> None:
        """Prepare these; nobody waits for it."""
        task = asyncio.create_task(self._warm(stills), name="warming")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what is under way, and the engine with it."""
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(PopconError):
            await self._segmenter.close()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _warm(self, stills: Sequence[Still]) -> None:
        try:
            await self._segmenter.embed(stills)
        except PopconError as error:  # a click will say so to whoever clicks
            log.info("frames were not prepared: %s", error)
        except Exception:
            log.exception("frames were not prepared")

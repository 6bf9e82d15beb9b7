"""Propagation: what was said about some frames is carried to the others, in the background, as one edit at its end.

Nothing is written before every mask is there, so a propagation that is cancelled, or that a restart ends, has changed
nothing. Whoever watches hears `edit_made`, or `propagation_failed` with the reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from popcond.assets import Assets
from popcond.errors import Conflict, PopconError
from popcond.stages import retouch
from popcond.store import edits, events, frames
from popcond.store.db import Connection, Database
from popcond.store.edits import EditMask
from popcond.store.frames import FrameFiles
from popcond.vision.segmenter import Prompt, Segmenter, Still, Tracked
from popcond.wire import Problem

log = logging.getLogger("popcond.propagation")


@dataclass(frozen=True)
class Wanted:
    """One propagation."""

    emoji_id: str
    first: int  # the index of the first of these frames in its clip
    files: tuple[FrameFiles, ...]  # the frames that get a mask, which follow each other
    prompts: Mapping[int, Prompt]  # by index into `files`
    body: Mapping[str, Any]  # what was asked, as it crossed the wire


class Propagations:
    """Those that run, one an emoji; they end with the daemon."""

    def __init__(
        self,
        database: Database,
        assets: Assets,
        segmenter: Segmenter,
        at_work: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        self._database = database
        self._assets = assets
        self._segmenter = segmenter
        self._at_work = at_work
        self._running: dict[str, asyncio.Task[None]] = {}

    def begin(self, wanted: Wanted) -> None:
        """Start one. Raises Conflict while the emoji has another."""
        self.refuse_while_running(wanted.emoji_id)
        task = asyncio.create_task(self._run(wanted), name="propagation")
        self._running[wanted.emoji_id] = task
        task.add_done_callback(lambda _: self._running.pop(wanted.emoji_id, None))

    def refuse_while_running(self, emoji_id: str) -> None:
        """Raises Conflict while the emoji's masks are about to change."""
        if emoji_id in self._running:
            raise Conflict(
                "Masks of this emoji are being propagated.",
                cure="Wait for the event `edit_made`, or POST sam/cancel.",
            )

    async def cancel(self, emoji_id: str) -> None:
        """End it; no mask has been changed by it. Raises Conflict when there is none."""
        task = self._running.get(emoji_id)
        if task is None:
            raise Conflict("Nothing is being propagated on this emoji.")
        task.cancel()
        await asyncio.wait([task])

    async def close(self) -> None:
        """End all of them."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, wanted: Wanted) -> None:
        try:
            async with self._at_work():
                masks = await self._masks(wanted)
                await self._database.write(partial(_finish, wanted=wanted, masks=masks))
        except PopconError as error:
            log.info("a propagation failed: %s", error)
            await self._tell(wanted, error.problem())
        except Exception:
            log.exception("a propagation failed")
            await self._tell(wanted, Problem(code="unexpected", message="The propagation failed unexpectedly."))

    async def _masks(self, wanted: Wanted) -> list[EditMask]:
        stills = [Still(file.raw, self._assets.path(file.raw)) for file in wanted.files]
        async with aclosing(self._segmenter.track(stills, wanted.prompts)) as steps:
            return [await asyncio.to_thread(self._kept, wanted, step) async for step in steps]

    def _kept(self, wanted: Wanted, step: Tracked) -> EditMask:
        doubt = 0.0 if step.index in wanted.prompts else min(max(1.0 - step.score, 0.0), 1.0)
        file, index = wanted.files[step.index], wanted.first + step.index
        return retouch.retouched(self._assets, file, index, step.mask, "replace", attention=doubt)

    async def _tell(self, wanted: Wanted, problem: Problem) -> None:
        told = partial(events.append, event_type="propagation_failed", id=wanted.emoji_id, problem=problem)
        try:
            await self._database.write(told)
        except PopconError as error:  # the daemon is on its way out
            log.info("nobody was told: %s", error)


def _finish(connection: Connection, wanted: Wanted, masks: list[EditMask]) -> None:
    """All masks at once, unless the emoji has gone on meanwhile. Raises Conflict, NotFound."""
    retouch.refuse_unless_editable(connection, wanted.emoji_id)
    files = frames.files(connection, wanted.emoji_id)[wanted.first : wanted.first + len(wanted.files)]
    if [file.raw for file in files] != [file.raw for file in wanted.files]:
        raise Conflict("The emoji's frames are others by now.", cure="Look at them, and propagate again.")
    edits.add(connection, wanted.emoji_id, "propagate", wanted.body, masks)
    retouch.tell(connection, wanted.emoji_id, [mask.frame for mask in masks])

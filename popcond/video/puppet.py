"""The offline animator as a VideoProvider: no network, no key, no price; the default.

It poses the character's cut-out by performance (see puppet_clip) in a child process, which dies when the task is
cancelled. Tasks live as long as this object: after a restart their ids are UNKNOWN, and asking again costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from popcond.errors import PopconError, ProviderFailed
from popcond.media.raster import Colour, Rgb, from_png
from popcond.media.video_file import write_h264
from popcond.video.performances import performance
from popcond.video.provider import ClipRequest, ListedTask, RemoteTask, TaskList, TaskState, TaskStatus
from popcond.video.puppet_clip import frame_count, render
from popcond.wire import Provider, ProviderModel
from popcond.workers import Workers

NAME = "puppet"
MODEL = "paper"
FPS = 30
SHORTEST, LONGEST = 0.5, 10.0  # seconds of one clip

_SIZE = 512  # pixels, both sides of the clip
_KEPT = 16  # delivered clips that can still be asked for again
_POLL_AFTER = 0.1  # seconds


@dataclass
class _Run:
    """One clip being made, or made."""

    clip: Path
    accepted_at: float  # seconds since the epoch
    progress: float = 0.0
    delivered: bool = False
    work: asyncio.Task[None] = field(init=False)


class Puppet:
    """Clips drawn by our own animator; they lie in a folder of its own inside `folder` until they are delivered."""

    settles_in = 0.0  # seconds; `submit` returns with the task in its list

    def __init__(self, folder: Path, workers: Workers) -> None:
        self._folder = folder / NAME
        self._workers = workers
        self._turns = asyncio.Semaphore(
            workers.count
        )  # who has a clip already goes first: few of ours wait for a place
        self._runs: dict[str, _Run] = {}

    def describe(self) -> Provider:
        """One model, free, whose loops close exactly."""
        model = ProviderModel(name=MODEL, label="Paper puppet", seconds=(1.0, 2.0, 3.0, 4.0), closes_loops=True)
        return Provider(
            name=NAME, label="Puppet (offline)", models=(model,), needs_key=False, has_key=True, needs_network=False
        )

    def turn(self, model: str) -> contextlib.AbstractAsyncContextManager[None]:
        """At any time: the workers queue by themselves."""
        return contextlib.nullcontext()

    async def submit(self, request: ClipRequest) -> RemoteTask:
        """Start drawing. Raises ProviderFailed for an action that no performance plays, and for an absurd length."""
        _refuse_impossible(request)
        task = RemoteTask(NAME, uuid.uuid4().hex)
        run = _Run(self._folder / f"{task.id}.mp4", accepted_at=time.time())
        run.work = asyncio.create_task(self._make(request, run), name=f"puppet {request.action.name}")
        self._runs[task.id] = run
        return task

    async def tasks(self, since: float, until: float) -> TaskList:
        """All that it was asked for since the daemon started."""
        listed = (ListedTask(task_id, MODEL, run.accepted_at) for task_id, run in self._runs.items())
        return TaskList(tuple(task for task in listed if since <= task.accepted_at <= until), is_complete=True)

    async def check(self, task: RemoteTask) -> TaskStatus:
        """Where the clip stands."""
        run = self._runs.get(task.id)
        if run is None:
            return TaskStatus(task, TaskState.UNKNOWN)
        if not run.work.done():
            return TaskStatus(task, TaskState.RUNNING, progress=run.progress, poll_after=_POLL_AFTER)
        if run.work.cancelled():
            return TaskStatus(task, TaskState.FAILED, message="This clip was cancelled.")
        error = run.work.exception()
        if error is not None:
            return TaskStatus(task, TaskState.FAILED, message=str(error))
        return TaskStatus(task, TaskState.SUCCEEDED, progress=1.0, result=str(run.clip))

    async def download(self, status: TaskStatus, to: Path) -> None:
        """Copy the clip to `to`, whole or not at all. Raises ProviderFailed when it is not (any more) here."""
        run = self._runs.get(status.task.id)
        if run is None or not run.clip.exists():
            raise ProviderFailed("The offline animator does not have this clip any more.", cure="Retry the emoji.")
        await asyncio.to_thread(_copy_whole, run.clip, to)
        run.delivered = True
        self._forget_old()

    async def cancel(self, task: RemoteTask) -> bool:
        """Stop drawing at once; nothing of the clip is left, and nothing ever costs."""
        run = self._runs.pop(task.id, None)
        if run is not None:
            run.work.cancel()
            await asyncio.wait([run.work])
            run.clip.unlink(missing_ok=True)
        return True

    async def _make(self, request: ClipRequest, run: _Run) -> None:
        def note(fraction: float) -> None:
            run.progress = fraction

        draft = run.clip.with_suffix(".part")
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            async with self._turns:
                await self._workers.run(
                    draw_clip,
                    note,
                    request.cutout,
                    request.action.performance,
                    backdrop=request.backdrop,
                    seconds=request.seconds,
                    to=draft,
                )
            draft.replace(run.clip)
        finally:
            draft.unlink(missing_ok=True)

    def _forget_old(self) -> None:
        """Delivered clips go, the oldest first, so that a long life does not fill the disk."""
        delivered = [task for task, run in self._runs.items() if run.delivered]
        for task in delivered[:-_KEPT]:
            self._runs.pop(task).clip.unlink(missing_ok=True)


def draw_clip(
    report: Callable[[float], None], cutout: Path, performance: str, *, backdrop: Colour, seconds: float, to: Path
) -> None:
    """Draw one clip into the file `to`; runs in a child process. Raises PopconError."""
    try:
        picture = from_png(cutout.read_bytes())
    except FileNotFoundError as error:
        raise ProviderFailed("The character's cut-out is gone.", cure="Add the character again.") from error
    if picture.ndim != 3 or picture.shape[2] != 4:
        raise ProviderFailed("The character has no cut-out with transparency.", cure="Add the character again.")
    count = frame_count(seconds, FPS)
    frames = render(picture, performance, backdrop=backdrop, size=_SIZE, seconds=seconds, fps=FPS)
    write_h264(_reported(frames, count, report), fps=FPS, to=to)


def _reported(frames: Iterator[Rgb], count: int, report: Callable[[float], None]) -> Iterator[Rgb]:
    for index, frame in enumerate(frames, start=1):
        yield frame
        if index % 4 == 0:
            report(index / count)


def _refuse_impossible(request: ClipRequest) -> None:
    try:
        performance(request.action.performance)
    except PopconError as error:
        raise ProviderFailed(error.message, cure=error.cure) from error
    if not SHORTEST <= request.seconds <= LONGEST:
        raise ProviderFailed(
            f"The offline animator cannot make a clip of {request.seconds:g} seconds.",
            cure=f"Ask for {SHORTEST:g} to {LONGEST:g} seconds.",
        )


def _copy_whole(source: Path, to: Path) -> None:
    draft = to.with_name(f"{to.name}.{uuid.uuid4().hex}.part")
    try:
        shutil.copyfile(source, draft)
        os.replace(draft, to)
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()

"""ANIMATE: a provider makes a clip of the character doing the action, and the clip becomes a take.

The provider's id is written down before anybody waits for it; a restart goes on asking for that id. The colour that the
character is laid on is chosen here, once, and travels with the take to SEGMENT.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from popcond.assets import Assets
from popcond.errors import ProviderFailed, UnknownName
from popcond.media.raster import Colour, from_png
from popcond.stages.work import Finish, Work
from popcond.store import characters, emojis, jobs
from popcond.store.db import Connection, Database
from popcond.video.effects import effect_colours
from popcond.video.performances import performance
from popcond.video.provider import ClipRequest, RemoteTask, TaskState, TaskStatus, VideoProvider
from popcond.vision.backdrop import choose_backdrop
from popcond.wire import Action, ProviderModel, Take


async def animate(
    database: Database, assets: Assets, providers: Mapping[str, VideoProvider], scratch: Path, work: Work
) -> Finish:
    """Buy or draw the clip. Raises ProviderFailed, with the provider's reason."""
    provider = _provider(providers, work.pack.provider)
    files = await database.read(lambda connection: characters.files(connection, work.pack.character_id))
    cutout = assets.path(files.cutout)
    backdrop = await asyncio.to_thread(_backdrop_for, cutout, work.action)
    request = ClipRequest(
        action=work.action,
        motion_prompt=work.emoji.motion_prompt,
        cutout=cutout,
        backdrop=backdrop,
        model=_model(provider, work.pack.model).name,
    )
    status = await _finished(database, provider, request, work)
    draft = scratch / f"{uuid.uuid4().hex}.mp4"
    try:
        await provider.download(status, draft)
        clip = await asyncio.to_thread(assets.put_file, draft)
    finally:
        draft.unlink(missing_ok=True)
    return _take(work, clip, backdrop, provider)


def _provider(providers: Mapping[str, VideoProvider], name: str) -> VideoProvider:
    if name not in providers:
        raise UnknownName(f"There is no provider {name!r}.", cure=f"Choose one of: {', '.join(providers)}.")
    return providers[name]


def _model(provider: VideoProvider, name: str | None) -> ProviderModel:
    """The pack's model; the provider's first when it names none, or one that has gone."""
    models = {model.name: model for model in provider.describe().models}
    return models.get(name or "") or next(iter(models.values()))


def _backdrop_for(cutout: Path, action: Action) -> Colour:
    """Far from the character's colours, and from those of the effects that the action brings."""
    effects = performance(action.performance).effects
    return choose_backdrop(from_png(cutout.read_bytes()), avoid=effect_colours(effects))


async def _finished(database: Database, provider: VideoProvider, request: ClipRequest, work: Work) -> TaskStatus:
    """Wait for the task of an earlier attempt, or for a new one when there is none or the provider has forgotten it."""
    task = RemoteTask(work.pack.provider, work.job.remote_task) if work.job.remote_task else None
    status = await provider.check(task) if task else None
    if status is None or status.state is TaskState.UNKNOWN:
        task = await provider.submit(request)
        written = task.id
        await database.write(lambda connection: jobs.note_remote_task(connection, work.job, written))
        status = await provider.check(task)
    try:
        return await _settled(provider, status, work)
    except asyncio.CancelledError:
        # A daemon that stops leaves the task alone and asks for it again; only what nobody wants any more is cancelled.
        if not await database.read(partial(jobs.is_ours, job=work.job)):
            await provider.cancel(status.task)
        raise


async def _settled(provider: VideoProvider, status: TaskStatus, work: Work) -> TaskStatus:
    while status.state in (TaskState.PENDING, TaskState.RUNNING):
        work.report(status.progress)
        await asyncio.sleep(status.poll_after)
        status = await provider.check(status.task)
    if status.state is not TaskState.SUCCEEDED:
        lost = f"{work.pack.provider} lost this clip. Retry the emoji; it makes a new take."
        raise ProviderFailed(status.message or lost)
    return status


def _take(work: Work, clip: str, backdrop: Colour, provider: VideoProvider) -> Finish:
    model = _model(provider, work.pack.model)
    take = Take(
        id=uuid.uuid4().hex,
        provider=work.pack.provider,
        model=model.name,
        motion_prompt=work.emoji.motion_prompt,
        created=time.time(),
    )

    def finish(connection: Connection) -> None:
        emojis.add_take(connection, work.emoji.id, take, clip=clip, backdrop=backdrop, exact_loop=model.closes_loops)

    return finish

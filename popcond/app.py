"""The composition root: the only file that names concrete classes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI

from popcond.actions import load_actions
from popcond.api import catalogue, characters, emojis, events, frames, packs, problems, stickers
from popcond.api.deps import Powers
from popcond.api.security import Gate
from popcond.api.uploads import CLIP_BODY
from popcond.assets import Assets
from popcond.bus import Bus
from popcond.media.clip import ClipLimits
from popcond.runner import Lane, Runner
from popcond.settings import Settings
from popcond.stages.animate import animate
from popcond.stages.encode import encode
from popcond.stages.segment import segment
from popcond.stages.slice import slice_clip
from popcond.stages.work import StageFunction
from popcond.store import jobs
from popcond.store.db import Database
from popcond.store.references import wanted_assets
from popcond.video.provider import VideoProvider
from popcond.video.puppet import Puppet
from popcond.wire import VERSION, Stage
from popcond.workers import Workers

log = logging.getLogger("popcond")

_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_PRELOAD = (
    "popcond.video.puppet",
    "popcond.stages.encode",
    "popcond.stages.segment",
    "popcond.stages.slice",
    "popcond.stages.characters",
)


@dataclass(frozen=True)
class Daemon:
    """Everything that lives as long as the daemon does."""

    powers: Powers
    runner: Runner


def compose(settings: Settings, token: str) -> Daemon:
    """Choose the concrete classes and hand each stage its powers."""
    bus = Bus()
    database = Database(settings.database, committed=bus.ring_from_thread)
    assets = Assets(settings.assets)
    workers = Workers(settings.workers, settings.worker_memory_mb, preload=_PRELOAD)
    providers: dict[str, VideoProvider] = {"puppet": Puppet(settings.work, workers)}
    stages: dict[Stage, StageFunction] = {
        Stage.ANIMATE: partial(animate, database, assets, providers, settings.work),
        Stage.SLICE: partial(slice_clip, database, assets, workers, ClipLimits()),
        Stage.SEGMENT: partial(segment, database, assets, workers),
        Stage.ENCODE: partial(encode, database, assets, workers),
    }
    lanes = (
        Lane("local", (Stage.ENCODE, Stage.SEGMENT, Stage.SLICE), settings.workers),
        Lane("remote", (Stage.ANIMATE,), settings.clips_in_flight),
    )
    runner = Runner(database, bus, stages, lanes)
    powers = Powers(
        settings=settings,
        token=token,
        database=database,
        assets=assets,
        bus=bus,
        workers=workers,
        providers=providers,
        catalogue=lambda: load_actions(settings.actions_file),
        stop_emoji=runner.stop,
    )
    return Daemon(powers, runner)


def web_app(daemon: Daemon) -> FastAPI:
    """The routes over a composed daemon; its life begins and ends with the application's."""
    settings = daemon.powers.settings

    @contextlib.asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        await _recover(daemon)
        warming = asyncio.create_task(daemon.powers.workers.warm())
        daemon.runner.start()
        yield
        await warming
        await daemon.runner.close()
        await asyncio.to_thread(daemon.powers.database.close)

    app = FastAPI(
        title="popcond",
        version=VERSION,
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        max_body_size=CLIP_BODY,
        responses=problems.RESPONSES,
    )
    app.state.powers = daemon.powers
    problems.install(app)
    for noun in (catalogue, characters, packs, emojis, frames, stickers, events):
        app.include_router(noun.router)
    app.add_middleware(Gate, token=daemon.powers.token, hosts=(*_LOCAL_NAMES, settings.host))
    return app


async def _recover(daemon: Daemon) -> None:
    """What a dead daemon left: its running jobs wait again, its drafts and unwanted files go."""
    powers = daemon.powers
    powers.bus.attach()
    again = await powers.database.write(jobs.recover)
    wanted = await powers.database.read(wanted_assets)
    swept = await asyncio.to_thread(powers.assets.sweep, wanted)
    log.info("recovered: %d jobs wait again, %d unwanted files went", again, swept)

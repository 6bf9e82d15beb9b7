"""The composition root: the only file that names concrete classes, and the daemon's life from lock to last goodbye.

Order of a start: lock → migrate → bind → recover → runtime file → ready. Order of a stop: goodbye to every stream →
stop claiming → give running work back → close the database. A second signal does not wait for anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from functools import partial

import uvicorn
from fastapi import FastAPI

from popcond import home
from popcond.actions import load_actions
from popcond.api import catalogue, characters, emojis, events, frames, packs, problems, stickers
from popcond.api.deps import Powers
from popcond.api.listen import listen, url_of
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
from popcond.store.migrations import migrate
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
_DRAIN = 5  # seconds that open answers get at a stop
_LOOK_AROUND = 0.25  # seconds between two looks for idleness


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


def serve(settings: Settings, linger: float | None = None) -> None:
    """Run the daemon in the foreground until it is told to stop. Raises HomeUnusable.

    With `linger` it also stops by itself, that many seconds after the last event stream closed, once no work is live.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with home.only_daemon(settings):
        shutil.rmtree(settings.work, ignore_errors=True)
        home.prepare(settings)
        migrate(settings.database)
        token = home.read_or_make_token(settings)
        with listen(settings.host, settings.port) as listener:
            asyncio.run(_serve(settings, token, listener, linger))


async def _serve(settings: Settings, token: str, listener: socket.socket, linger: float | None) -> None:
    server = _Server(compose(settings, token), linger)
    try:
        await server.serve([listener])
    finally:
        home.forget_runtime(settings)
        log.info("stopped")


class _Server(uvicorn.Server):
    """uvicorn with our own signals: streams end first, and a clean stop has exit status 0."""

    def __init__(self, daemon: Daemon, linger: float | None) -> None:
        super().__init__(
            uvicorn.Config(
                web_app(daemon), log_config=None, access_log=False, timeout_graceful_shutdown=_DRAIN, lifespan="on"
            )
        )
        self._daemon = daemon
        self._linger = linger
        self._watch: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ours instead of uvicorn's, which would end by raising the signal again."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say where: the runtime file is there when the daemon is ready, and not before."""
        await super().startup(sockets)
        if self.should_exit or not sockets:
            return
        settings = self._daemon.powers.settings
        url = url_of(sockets[0])
        home.write_runtime(
            settings,
            home.RuntimeInfo(url=url, pid=os.getpid(), version=VERSION, started=time.time(), home=str(settings.home)),
        )
        log.info("popcond %s is ready on %s, home %s", VERSION, url, settings.home)
        if self._linger is not None:
            self._watch = asyncio.create_task(self._stop_when_idle(self._linger))

    def _stop(self) -> None:
        """Say goodbye to every stream, then stop; asked again, do not wait for anybody."""
        self.force_exit = self.should_exit
        self.should_exit = True
        self._daemon.powers.bus.close()

    async def _stop_when_idle(self, linger: float) -> None:
        await self._until_idle(linger)
        self._stop()

    async def _until_idle(self, linger: float) -> None:
        """Returns once nobody has listened and nothing has been live for this many seconds."""
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < linger:
            await asyncio.sleep(_LOOK_AROUND)
            powers = self._daemon.powers
            if powers.bus.watchers or await powers.database.read(jobs.any_live):
                idle_since = time.monotonic()

"""The daemon's life, from lock to last goodbye.

Order of a start: lock → back up and migrate → bind → recover → runtime file → ready. Order of a stop: goodbye to every
stream → stop claiming → give running work back → close the database. A second signal does not wait for anybody.
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
from collections.abc import Iterator

import uvicorn

from popcond import home
from popcond.api.listen import listen, url_of
from popcond.app import Daemon, compose, web_app
from popcond.settings import Settings
from popcond.store import jobs
from popcond.store.migrations import migrate
from popcond.wire import VERSION

log = logging.getLogger("popcond")

_DRAIN = 5  # seconds that open answers get at a stop
_LOOK_AROUND = 0.25  # seconds between two looks for idleness


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

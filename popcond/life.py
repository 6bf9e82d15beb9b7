"""The daemon's life, from lock to last goodbye.

Order of a start: lock → back up and migrate → recover → bind → runtime file → ready. Order of a stop: goodbye to every
stream → stop claiming → give running work back → fold the database's log → exit with 0, all within 5 seconds. A second
signal does not wait for anybody: what a crash cannot harm, an exit cannot either.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from popcond import home, keys
from popcond import log as logs
from popcond.api.listen import is_public, listening, url_of
from popcond.app import Daemon, compose, recover, release, web_app
from popcond.errors import PopconError
from popcond.home import RuntimeInfo, TokenInForce
from popcond.settings import Settings
from popcond.store import jobs
from popcond.store.migrations import migrate, schema_known
from popcond.wire import VERSION

log = logging.getLogger("popcond")

_GOODBYE = 1.0  # seconds that a stream has to take our goodbye
_DRAIN = 3  # seconds that open answers get at a stop
_LONGEST_STOP = 4.8  # seconds; then it leaves as it is
_LOOK_AROUND = 0.25  # seconds between two looks for idleness
_FILES = 1 << 16  # open files and connections, when the system allows so many


def serve(settings: Settings, linger: float | None = None) -> None:
    """Run the daemon in the foreground until it is told to stop. Raises HomeUnusable.

    With `linger` it also stops by itself, that many seconds after the last event stream closed, once no work is live.
    """
    os.umask(0o077)  # rows and files are nobody else's business, even in a home that others can enter
    keys.withdraw(os.environ)
    with home.only_daemon(settings):
        redactor = logs.start(settings)
        _say_where_the_log_is(settings)
        _allow_many_files()
        shutil.rmtree(settings.work, ignore_errors=True)
        home.prepare(settings)
        migrate(settings.database)
        log.info("the database is at %s", schema_known()[-1])
        token = TokenInForce(home.read_or_make_token(settings), redactor.hide)
        _complain_about_keys(settings)
        asyncio.run(_serve(settings, token, linger))


async def _serve(settings: Settings, token: TokenInForce, linger: float | None) -> None:
    daemon = compose(settings, token)
    server = _Server(daemon, linger)
    server.own_the_signals()
    try:
        await recover(daemon)
        if not server.should_exit:
            with listening(settings) as listeners:
                await server.serve(listeners)
    finally:
        home.forget_runtime(settings)
        await release(daemon)
        log.info("stopped")


class _Line(H11Protocol):
    """A connection that never piles up answers: the next part waits until the system has taken the last one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)

    def hang_up_unread(self) -> None:
        """Whoever has not read so far will not read our goodbye either."""
        if self.flow.write_paused:
            self.transport.abort()


class _Server(uvicorn.Server):
    """uvicorn with our own signals: streams end first, and a clean stop has exit status 0."""

    def __init__(self, daemon: Daemon, linger: float | None) -> None:
        super().__init__(
            uvicorn.Config(
                web_app(daemon),
                http=_Line,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=_DRAIN,
                lifespan="on",
                ws="none",
                proxy_headers=False,  # nobody stands between us and a client, whatever its headers say
                server_header=False,
            )
        )
        self._daemon = daemon
        self._linger = linger
        self._watch: asyncio.Task[None] | None = None
        self._giving_back: asyncio.Task[None] | None = None

    def own_the_signals(self) -> None:
        """From here on a signal is a clean stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: uvicorn's would end by raising the signal again."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say where: the runtime file is there when the daemon is ready, and not before."""
        await super().startup(sockets)
        if not self.started or self.should_exit:
            return
        self._tell_where(sockets or [])
        if self._linger is not None:
            self._watch = asyncio.create_task(self._stop_when_idle(self._linger))

    def _tell_where(self, listeners: list[socket.socket]) -> None:
        settings = self._daemon.powers.settings
        urls = [url_of(listener) for listener in listeners]
        home.write_runtime(
            settings,
            RuntimeInfo(
                url=urls[0],
                socket=str(settings.socket_file) if settings.socket_file else None,
                pid=os.getpid(),
                version=VERSION,
                started=time.time(),
                home=str(settings.home),
            ),
        )
        log.info("popcond %s is ready on %s, home %s", VERSION, " and ".join(urls), settings.home)
        for url in (url_of(listener) for listener in listeners if is_public(listener)):
            log.warning(
                "Other computers can connect to %s, and what is sent there is not encrypted, the token included."
                " Over a network that is not yours alone, listen on 127.0.0.1 and use `ssh -L`.",
                url,
            )

    def _stop(self) -> None:
        """Say goodbye to every stream, claim nothing more, then stop; asked again, do not wait for anybody."""
        if self.should_exit:
            self._leave("told twice")
        self.should_exit = True
        log.info("stopping")
        self._daemon.powers.bus.close()
        self._giving_back = asyncio.create_task(self._daemon.runner.close())
        asyncio.get_running_loop().call_later(_GOODBYE, self._hang_up)
        clock = threading.Timer(_LONGEST_STOP, self._leave, args=("it took too long",))
        clock.daemon = True
        clock.start()

    def _hang_up(self) -> None:
        for connection in list(self.server_state.connections):
            if isinstance(connection, _Line):
                connection.hang_up_unread()

    def _leave(self, why: str) -> None:
        """As it is: rows are on disk, children end with their parent, the lock goes with the process."""
        log.warning("leaving at once: %s", why)
        home.forget_runtime(self._daemon.powers.settings)
        logging.shutdown()
        os._exit(1)

    async def _stop_when_idle(self, linger: float) -> None:
        await self._until_idle(linger)
        if not self.should_exit:
            self._stop()

    async def _until_idle(self, linger: float) -> None:
        """Returns once nobody has listened and nothing has been live for this many seconds."""
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < linger:
            await asyncio.sleep(_LOOK_AROUND)
            powers = self._daemon.powers
            if powers.bus.watchers or await powers.database.read(jobs.any_live):
                idle_since = time.monotonic()


def _say_where_the_log_is(settings: Settings) -> None:
    """Whoever redirected standard error looks there first; whoever asked for the file knows."""
    if settings.log_to is None and logs.goes_to_file(settings):
        sys.stderr.write(f"popcond: what the daemon says goes to {settings.log_file}\n")


def _allow_many_files() -> None:
    """A thousand event streams are a thousand files; the system's first offer is often 256 or 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # macOS allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _complain_about_keys(settings: Settings) -> None:
    """A key that is no good is told now, and not after a picture was uploaded; whatever needs no key goes on."""
    for provider in keys.PROVIDERS:
        try:
            keys.read(settings, provider)
        except PopconError as error:
            log.warning("%s", error)

"""Clients that open the event stream and never read it: what they cost a real daemon while a lot happens.

`python -m tests.attack.silence --clients 1000 --events 20000` prints the figures beside those of ten such clients.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import resource
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
from httpx_sse import EventSource

from popcond.store import events
from popcond.store.db import connect
from popcond.wire import Emoji
from tests.attack.outside import connected, request, resident
from tests.daemons import RunningDaemon, running_daemon

_BATCH = 200  # events between two rings of the bell
_PATIENCE = 60.0  # seconds
_FEW_FILES = 256
MIB = 1 << 20


@dataclass(frozen=True)
class Cost:
    """What silent clients cost."""

    clients: int
    events: int
    resident_before: int  # bytes of the daemon, all clients connected
    resident_after: int  # once the last event was written and told to the one who reads
    slowest: float  # seconds from a change's answer to its event, at the one client that reads
    usual: float
    stop_seconds: float  # from SIGTERM to the end of the process

    @property
    def growth(self) -> int:
        """Bytes by which the daemon grew while the events were written."""
        return self.resident_after - self.resident_before


def measure(home: Path, clients: int, count: int) -> Cost:
    """Start a daemon, let clients fall silent (every other one far behind), write events, stop it."""
    with contextlib.ExitStack() as stack:
        with files_at_once(_FEW_FILES):  # what a shell gives on many systems; the daemon has to ask for more itself
            daemon = stack.enter_context(running_daemon(home))
        stack.enter_context(files_at_once(clients + 200))
        pack, emoji = _a_calm_pack(daemon)
        asyncio.run(_write(daemon, pack, emoji, 2 * _BATCH))  # whatever is allocated once, is by now
        for number in range(clients):
            stack.enter_context(silent(daemon, *(["Last-Event-ID: 1"] if number % 2 else [])))
        asyncio.run(_write(daemon, pack, emoji, _BATCH))
        before = resident(daemon.process.pid)
        delays = asyncio.run(_write(daemon, pack, emoji, count))
        after = resident(daemon.process.pid)
        asked_at = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.wait(timeout=_PATIENCE)
        stopped = time.monotonic() - asked_at
    return Cost(clients, count, before, after, max(delays), statistics.median(delays), stopped)


@contextlib.contextmanager
def files_at_once(count: int) -> Iterator[None]:
    """The soft limit of open files, for this process and for those that it starts meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise OSError(f"{count} open files are more than this system allows ({hard})")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextlib.contextmanager
def silent(daemon: RunningDaemon, *headers: str) -> Iterator[socket.socket]:
    """An open stream that nobody reads."""
    with connected(daemon) as line:
        line.sendall(request(daemon, "GET /v1/events HTTP/1.1", *headers))
        assert line.recv(15).startswith(b"HTTP/1.1 200")
        yield line


def _a_calm_pack(daemon: RunningDaemon) -> tuple[str, Emoji]:
    with httpx.Client(base_url=daemon.url, headers=daemon.headers, timeout=60) as http:
        character = http.post("/v1/characters/sample").json()["id"]
        order = {"name": "Calm", "character_id": character, "actions": ["wave"], "awaits_clips": True}
        pack = http.post("/v1/packs", json=order).json()
    return pack["id"], Emoji.model_validate(pack["emojis"][0])


async def _write(daemon: RunningDaemon, pack: str, emoji: Emoji, count: int) -> list[float]:
    """Write batches of events, each ending with a change through the API; answers the seconds to its event."""
    delays = []
    async with (
        httpx.AsyncClient(base_url=daemon.url, headers=daemon.headers, timeout=_PATIENCE) as http,
        contextlib.aclosing(names_told(http)) as names,
    ):
        assert await anext(names) == ""
        for number in range(0, count, _BATCH):
            await asyncio.to_thread(append_events, daemon.home, emoji, _BATCH - 1)
            answer = await http.patch(f"/v1/packs/{pack}", json={"name": f"Change {number}"})
            assert answer.status_code == 200, answer.text
            answered_at = time.monotonic()
            async for name in names:
                if name == f"Change {number}":
                    break
            delays.append(time.monotonic() - answered_at)
    return delays


def append_events(home: Path, emoji: Emoji, count: int) -> None:
    """Write event rows past the daemon, as fast as the disk goes; the next change through the API rings the bell."""
    with closing(connect(home / "popcon.db")) as connection:
        connection.execute("BEGIN IMMEDIATE")
        for _ in range(count):
            events.append(connection, "emoji_changed", emoji=emoji)
        connection.execute("COMMIT")


async def names_told(http: httpx.AsyncClient) -> AsyncGenerator[str, None]:
    """The names of packs that change, as the stream tells them; an empty one as soon as it is open."""
    async with http.stream("GET", "/v1/events") as response:
        yield ""
        async for message in EventSource(response).aiter_sse():
            if message.event == "pack_changed":
                yield str(json.loads(message.data)["pack"]["name"])


ROWS: tuple[tuple[str, Callable[[Cost], str]], ...] = (
    ("silent clients", lambda cost: f"{cost.clients}"),
    ("events written", lambda cost: f"{cost.events}"),
    ("daemon before, MiB", lambda cost: f"{cost.resident_before / MIB:.1f}"),
    ("daemon after, MiB", lambda cost: f"{cost.resident_after / MIB:.1f}"),
    ("growth, MiB", lambda cost: f"{cost.growth / MIB:.1f}"),
    ("change to event, median, ms", lambda cost: f"{cost.usual * 1000:.1f}"),
    ("change to event, slowest, ms", lambda cost: f"{cost.slowest * 1000:.0f}"),
    ("SIGTERM to end, s", lambda cost: f"{cost.stop_seconds:.2f}"),
)


def table(*costs: Cost) -> str:
    """The figures side by side."""
    return "\n".join(f"{name:<30}" + "".join(f"{told(cost):>12}" for cost in costs) for name, told in ROWS)


def main() -> None:
    """Measure ten clients and many, and print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--events", type=int, default=20_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        costs = [measure(Path(folder, str(clients)), clients, asked.events) for clients in (10, asked.clients)]
    sys.stdout.write(table(*costs) + "\n")


if __name__ == "__main__":
    main()

"""One home in which daemons live and die, beside the stand-in that they buy from."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from popcond.client import Client
from popcond.errors import PopconError
from popcond.wire import Emoji, NewPack
from tests.cloud.running import KEY, Cloud
from tests.daemons import PATIENCE, environment

SETTLES_IN = 2.0  # seconds
ACTIONS = ("wave", "nod", "jump", "cry", "love", "clap")


@dataclass
class Life:
    """One daemon from its start to its death."""

    home: Path
    process: subprocess.Popen[bytes]

    @property
    def is_alive(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    async def client(self) -> Client | None:
        """A way to talk to it, once it is ready; None when it died before."""
        url = await self.url()
        return Client(url, (self.home / "token").read_text().strip()) if url else None

    async def url(self) -> str | None:
        """Where it listens, once it is ready; None when it died before."""
        async with asyncio.timeout(PATIENCE):
            while self.is_alive:
                with contextlib.suppress(OSError, ValueError):
                    note = json.loads((self.home / "runtime.json").read_text())
                    if note["pid"] == self.process.pid:
                        return str(note["url"])
                await asyncio.sleep(0.02)
        return None

    async def end(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Kill it, unless it is dead; answers its exit status."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        return await asyncio.to_thread(self.process.wait, PATIENCE)

    async def death(self) -> int:
        """Wait until it dies of itself; answers its exit status."""
        return await asyncio.to_thread(self.process.wait, PATIENCE)


@dataclass
class Trial:
    """Everything that one judgement is about."""

    home: Path
    cloud: Cloud
    ordered: list[str] = field(default_factory=list)  # the key of every pack that was ordered for sure
    character: str | None = None

    @contextlib.asynccontextmanager
    async def life(self, **extra: str) -> AsyncIterator[Life]:
        """A daemon, dead afterwards at the latest; `extra` is its environment."""
        life = await asyncio.to_thread(self._start, extra)
        try:
            yield life
        finally:
            await life.end()

    def _start(self, extra: Mapping[str, str]) -> Life:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "serve.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "popcond", "serve", "--port", "0", "--home", str(self.home)],
                stdout=log,
                stderr=log,
                env={**environment(self.home), **self._settings(), **extra},
            )
        return Life(self.home, process)

    def _settings(self) -> Mapping[str, str]:
        return {
            "DASHSCOPE_API_KEY": KEY,
            "POPCON_DASHSCOPE_BASE_URL": self.cloud.base_url,
            "POPCON_DASHSCOPE_SETTLE_SECONDS": str(SETTLES_IN),
            "POPCON_DASHSCOPE_POLL_SECONDS": "0.1",
            "POPCON_MAX_SPEND_PER_DAY": "1000000",
        }

    async def order(self, life: Life, *actions: str, key: str | None = None) -> str | None:
        """Order a pack; answers its id, or None when the daemon died before it had said so.

        The order bears a key, so that asking again after a death does not order again.
        """
        key = key or uuid.uuid4().hex
        client = await life.client()
        if client is None:
            return None
        with contextlib.suppress(PopconError):
            async with client:
                if self.character is None:
                    self.character = (await client.add_sample_character()).id
                pack = await client.add_pack(
                    NewPack(
                        name=key,
                        character_id=self.character,
                        actions=actions,
                        provider="dashscope",
                        targets=("gif",),
                        auto_accept=True,
                    ),
                    key=key,
                )
                self.ordered.append(key)
                return pack.id
        return None

    async def finish(self, within: float = 120.0) -> list[Emoji]:
        """A last life without trouble, until nothing changes any more by itself; answers all emojis."""
        async with self.life() as life:
            client = await life.client()
            if client is None:
                raise AssertionError((self.home / "serve.log").read_text()[-4000:])
            async with client:
                emojis = await _final(client, within)
            assert await life.end(signal.SIGTERM) == 0
        await _all_gone(self.home)
        return emojis


async def _final(client: Client, within: float) -> list[Emoji]:
    emojis: list[Emoji] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            while True:
                emojis = [emoji for pack in await client.packs() for emoji in pack.emojis]
                if all(emoji.status.is_final for emoji in emojis):
                    break
                await asyncio.sleep(0.1)
    return emojis


async def _all_gone(home: Path) -> None:
    """Children notice the death of their daemon a moment later; the judge names those that do not."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while processes_of(home):
                await asyncio.sleep(0.05)


def processes_of(home: Path) -> list[int]:
    """Processes that still live for this home, where the system tells."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (
                f"POPCON_HOME={home}\0".encode() in (folder / "environ").read_bytes()
                and int(folder.name) != os.getpid()
            ):
                found.append(int(folder.name))
    return found

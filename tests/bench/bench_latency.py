"""How long `GET /v1/emojis/ID` takes, idle and at work: `python -m tests.bench.bench_latency`.

A real daemon in a process of its own. Three loads, in turns, so that a busy machine slows all alike: nothing; its own
children segmenting and encoding a pack; the same with a stand-in for SAM beside them (matrix work in a niced process,
with torch where it is installed, with numpy otherwise). The requests are one after the other on one open connection.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx

from popcond.client import Client
from popcond.wire import NewPack, Pack, Retry, Stage
from tests.daemons import RunningDaemon, running_daemon

ACTIONS = ("wave", "jump", "happy")
PAUSE = 0.005  # seconds between two requests
MATRICES = {
    "torch": "import os, torch\nos.nice(10)\na = torch.rand(1536, 1536)\nwhile True: a = torch.tanh(a @ a)",
    "numpy": "import os, numpy\nos.nice(10)\na = numpy.random.rand(1536, 1536)\nwhile True: a = numpy.tanh(a @ a)",
}


@contextlib.contextmanager
def stand_in_for_sam() -> Iterator[str]:
    """A process that multiplies matrices on all cores until it is ended; answers with what it does so."""
    library = "torch" if find_spec("torch") else "numpy"
    process = subprocess.Popen([sys.executable, "-c", MATRICES[library]])
    try:
        yield library
    finally:
        process.kill()
        process.wait()


@contextlib.asynccontextmanager
async def busy(client: Client, pack: Pack) -> AsyncIterator[None]:
    """Segmenting and encoding, over and over, until the end; the emoji that is asked for is not among those."""
    at_it = asyncio.create_task(again_and_again(client, pack))
    await until(client, pack, any_running=True)
    try:
        yield
    finally:
        at_it.cancel()
        await asyncio.gather(at_it, return_exceptions=True)
        await until(client, pack, any_running=False)


async def again_and_again(client: Client, pack: Pack) -> None:
    """Each emoji but the first starts anew from SEGMENT as soon as it is done."""
    while True:
        for emoji in (await client.pack(pack.id)).emojis[1:]:
            if emoji.status.is_final:
                await client.retry(emoji.id, Retry(from_stage=Stage.SEGMENT))
        await asyncio.sleep(0.05)


async def until(client: Client, pack: Pack, *, any_running: bool) -> None:
    """Wait for work to begin, or for all of it to end."""
    while any(not emoji.status.is_final for emoji in (await client.pack(pack.id)).emojis) is not any_running:
        await asyncio.sleep(0.05)


async def ask(daemon: RunningDaemon, emoji: str, count: int) -> list[float]:
    """Seconds of each request."""
    seconds = []
    async with httpx.AsyncClient(base_url=daemon.url, headers=daemon.headers, trust_env=False) as http:
        for _ in range(count):
            began = time.perf_counter()
            (await http.get(f"/v1/emojis/{emoji}")).raise_for_status()
            seconds.append(time.perf_counter() - began)
            await asyncio.sleep(PAUSE)
    return seconds


async def measure(daemon: RunningDaemon, count: int, rounds: int) -> None:
    """Make the pack, then ask under each load in turn."""
    told: dict[str, list[float]] = {"idle": [], "segmenting and encoding": [], "… and matrices beside": []}
    async with Client(daemon.url, daemon.token) as client:
        character = await client.add_sample_character()
        new = NewPack(character_id=character.id, actions=ACTIONS, targets=("line-emoji", "gif"), auto_accept=True)
        pack = await client.add_pack(new)
        await until(client, pack, any_running=False)
        emoji, library = pack.emojis[0].id, ""
        await ask(daemon, emoji, 50)
        for _ in range(rounds):
            told["idle"] += await ask(daemon, emoji, count)
            async with busy(client, pack):
                told["segmenting and encoding"] += await ask(daemon, emoji, count)
                with stand_in_for_sam() as library:
                    told["… and matrices beside"] += await ask(daemon, emoji, count)
    print(f"{os.cpu_count()} cores, {count * rounds} requests each, matrices by {library}")
    idle = sorted(told["idle"])[int(0.99 * len(told["idle"]))]
    for load, seconds in told.items():
        ordered = sorted(seconds)
        half, most = ordered[len(ordered) // 2], ordered[int(0.99 * len(ordered))]
        print(
            f"  {load:26} p50 {half * 1e3:6.1f} ms   p99 {most * 1e3:6.1f} ms   x{most / idle:5.1f}"
            f"   worst {ordered[-1] * 1e3:6.1f} ms"
        )


def main() -> None:
    """Run it once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running_daemon(Path(folder) / "home") as daemon:
        asyncio.run(measure(daemon, options.count, options.rounds))


if __name__ == "__main__":
    main()

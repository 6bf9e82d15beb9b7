"""What the model costs: clicks, embeddings in stock, memory, deaths. Real architectures with random weights.

    python -m tests.bench.bench_sam clicks --model tiny --size 512
    python -m tests.bench.bench_sam packaged --model tiny --size 512
    python -m tests.bench.bench_sam stock --model tiny --size 512 --frames 60
    python -m tests.bench.bench_sam memory --model tiny --size 512 --emojis 20 --frames 12
    python -m tests.bench.bench_sam deaths --kills 50

Times are wall-clock as the daemon sees them, pipes included; "CPU" is what the model's process computed meanwhile,
which other programs on the machine disturb less. Random weights take as long as trained ones.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from popcond.errors import PopconError
from popcond.media.raster import Rgb, png
from popcond.vision.sam import Sam, SamOptions
from popcond.vision.sam_life import environment
from popcond.vision.sam_weights import ARCHITECTURES, Architecture, Weights
from popcond.vision.segmenter import Point, Prompt, Still
from tests.random_weights import write_random_weights

SIDE = 720  # pixels of a frame, as the providers send them
_THINKING = 0.1  # seconds between two clicks of somebody in a hurry


def a_frame(number: int) -> Rgb:
    """A frame like no other."""
    rng = np.random.default_rng(number)
    small = rng.integers(0, 255, (SIDE // 16, SIDE // 16, 3)).astype(np.uint8)
    return np.repeat(np.repeat(small, 16, axis=0), 16, axis=1)


def a_prompt(count: int = 1) -> Prompt:
    """Some points of one object, where nobody pointed before."""
    return Prompt(tuple(Point(random.uniform(0, SIDE), random.uniform(0, SIDE)) for _ in range(count)))


class Bench:
    """One model in its process, and the clocks."""

    def __init__(self, folder: Path, model: str, size: int | None, memory: int = 512) -> None:
        self.architecture: Architecture = next(one for one in ARCHITECTURES if one.id == model)
        self.folder = folder
        self.path = folder / self.architecture.file_names[0]
        write_random_weights(model, self.path)
        options = SamOptions(folder / "cache", input_size=size, memory=memory << 20)
        self.sam = Sam(Weights(self.path, self.architecture), options)

    def still(self, number: int) -> Still:
        """A frame like no other, in a file, as the daemon has it."""
        path = self.folder / f"{number}.png"
        if not path.exists():
            path.write_bytes(png(a_frame(number)))
        return Still(hashlib.sha256(str(number).encode()).hexdigest(), path)

    def cpu(self) -> float:
        """Seconds that the process has computed."""
        fields = Path(f"/proc/{self.sam.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> int:
        """MiB that it has in memory."""
        lines = Path(f"/proc/{self.sam.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) >> 10

    async def timed(self, work: Awaitable[object]) -> float:
        """Milliseconds that somebody waits."""
        start = time.perf_counter()
        await work
        return (time.perf_counter() - start) * 1000

    async def clicks(self, still: Still, count: int, points: int = 1, pause: float = 0.0) -> tuple[list[float], float]:
        """How long each took, and the CPU milliseconds of one."""
        took, cpu = [], self.cpu()
        for _ in range(count):
            took.append(await self.timed(self.sam.mask(still, a_prompt(points))))
            await asyncio.sleep(pause)
        return took, (self.cpu() - cpu) * 1000 / count


def told(name: str, took: Sequence[float], cpu: float | None = None) -> None:
    """One line."""
    p50, p95, most = np.percentile(took, 50), np.percentile(took, 95), max(took)
    note = "" if cpu is None else f", CPU {cpu:6.1f} ms each"
    print(f"{name:34} p50 {p50:7.1f}  p95 {p95:7.1f}  max {most:7.1f} ms  n={len(took)}{note}", flush=True)


async def clicks(bench: Bench, count: int) -> None:
    """With a warm embedding."""
    still = bench.still(0)
    loading = await bench.timed(bench.sam.embed([bench.still(1)]))
    print(f"{bench.sam.about()}; loaded, with a first frame, in {loading / 1000:.1f} s; load {os.getloadavg()[0]:.1f}")
    took = [await bench.timed(bench.sam.embed([bench.still(number)])) for number in range(2, 6)]
    told("embed a frame", took)
    await bench.sam.embed([still])
    await bench.clicks(still, 3)
    told("first point, three candidates", *await bench.clicks(still, count))
    told("three new points at once", *await bench.clicks(still, count // 3, points=3))
    told("follow into a frame", (await _followed(bench, [bench.still(number) for number in range(6)]))[1:])


async def stock(bench: Bench, frames: int) -> None:
    """Clicks while an emoji is embedded in the background."""
    still = bench.still(0)
    await bench.sam.embed([still])
    await bench.clicks(still, 3)
    print(f"{bench.sam.about()}; load {os.getloadavg()[0]:.1f}")
    told("click, nothing else going on", *await bench.clicks(still, 30, pause=_THINKING))
    start = time.perf_counter()
    stock = asyncio.create_task(bench.sam.embed([bench.still(100 + number) for number in range(frames)]))
    took: list[float] = []
    while not stock.done():
        took += (await bench.clicks(still, 1, pause=_THINKING))[0]
    told(f"click while {frames} are embedded", took)
    print(f"{frames} frames in {time.perf_counter() - start:.1f} s, clicks included", flush=True)
    following = asyncio.create_task(_followed(bench, [bench.still(100 + number) for number in range(8)]))
    took = []
    while not following.done():
        took += (await bench.clicks(still, 1, pause=_THINKING))[0]
    told("click while a clip is followed", took)


async def _followed(bench: Bench, stills: Sequence[Still]) -> list[float]:
    """Milliseconds between two frames of a propagation."""
    times = [time.perf_counter()]
    times += [time.perf_counter() async for _ in bench.sam.track(stills, {0: a_prompt()})]
    return [1000 * float(step) for step in np.diff(times)]


async def memory(bench: Bench, emojis: int, frames: int) -> None:
    """Emoji after emoji: embedded, clicked, followed for two frames."""
    for emoji in range(emojis):
        stills = [bench.still(1000 * emoji + number) for number in range(frames)]
        await bench.sam.embed(stills)
        for still in stills[:4]:
            await bench.sam.mask(still, a_prompt(2))
        await _followed(bench, stills[:3])
        kept = sum(path.stat().st_size for path in bench.path.parent.rglob("*.emb")) >> 20
        print(f"emoji {emoji + 1:2}: {bench.resident():5} MiB in memory, {kept:5} MiB on disk", flush=True)


async def _one(bench: Bench, kind: str, stills: Sequence[Still]) -> None:
    if kind == "mask":
        await bench.sam.mask(stills[1], a_prompt(4))
    elif kind == "embed":
        await bench.sam.embed(stills)
    else:
        await _followed(bench, stills)


async def deaths(bench: Bench, kills: int) -> None:
    """SIGKILL at random instants of a click, an embedding and a propagation."""
    kinds = ("mask", "embed", "track")
    ended: Counter[str] = Counter()
    again = 0
    for kill in range(kills):
        stills = [bench.still(10_000 + 20 * kill + number) for number in range(12)]
        kind = kinds[kill % len(kinds)]
        await bench.sam.embed(stills[:1])
        asking = asyncio.create_task(_one(bench, kind, stills))
        await asyncio.sleep(random.uniform(0.0, 0.15))
        with suppress(ProcessLookupError):
            if bench.sam.pid is not None:
                os.kill(bench.sam.pid, signal.SIGKILL)
        try:
            await asking
            ended[f"{kind}: answered"] += 1
        except PopconError as error:
            ended[f"{kind}: {error.code}"] += 1
        again += (await bench.sam.mask(stills[0], a_prompt())).mask.shape == (SIDE, SIDE)
    sizes = {path.stat().st_size for path in bench.path.parent.rglob("*.emb")}
    print(f"{kills} kills: {dict(sorted(ended.items()))}; the next request worked {again} times;")
    print(f"embeddings on disk have {len(sizes)} size(s): {'none is half-written' if len(sizes) == 1 else sizes}")


_PACKAGED = """
import json, sys, time
import numpy as np
from ultralytics import SAM
from popcond.vision import sam_model
path, side, size, threads = sys.argv[1], *map(int, sys.argv[2:])
sam, frame = SAM(path), np.random.default_rng(0).integers(0, 255, (side, side, 3)).astype(np.uint8)
took = []
for number in range(4):
    start = time.perf_counter()
    sam(frame, points=[[100 + 40 * number, 200]], labels=[1], imgsz=size, conf=0.0, verbose=False, save=False)
    took.append((time.perf_counter() - start) * 1000)
print(json.dumps(took[1:]))
"""


async def packaged(bench: Bench, size: int | None) -> None:
    """The predictor that ultralytics ships: it encodes at every click."""
    if size is None:
        raise SystemExit("say at which --size")
    still = bench.still(0)
    await bench.sam.embed([still])
    await bench.clicks(still, 3)
    words = [sys.executable, "-c", _PACKAGED, str(bench.path), str(SIDE), str(size), str(os.cpu_count())]
    before, _ = await bench.clicks(still, 30)
    done = await asyncio.to_thread(
        subprocess.run, words, env=environment(bench.path.parent, os.cpu_count() or 1), capture_output=True, check=True
    )
    after, _ = await bench.clicks(still, 30)
    theirs = json.loads(done.stdout.splitlines()[-1])
    told("click, the packaged predictor", theirs)
    told("click, ours, before and after", before + after)
    print(f"{np.median(theirs) / np.median(before + after):.0f} times faster")


async def run(arguments: argparse.Namespace) -> None:
    """One of them."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), arguments.model, arguments.size, arguments.memory)
        works: dict[str, Callable[[], Awaitable[None]]] = {
            "clicks": lambda: clicks(bench, arguments.count),
            "packaged": lambda: packaged(bench, arguments.size),
            "stock": lambda: stock(bench, arguments.frames),
            "memory": lambda: memory(bench, arguments.emojis, arguments.frames),
            "deaths": lambda: deaths(bench, arguments.kills),
        }
        try:
            await works[arguments.what]()
        finally:
            await bench.sam.close()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("clicks", "packaged", "stock", "memory", "deaths"))
    parser.add_argument("--model", default="mini", choices=[architecture.id for architecture in ARCHITECTURES])
    parser.add_argument("--size", type=int, help="pixels that the model sees")
    parser.add_argument("--count", type=int, default=60, help="clicks")
    parser.add_argument("--frames", type=int, default=60, help="of an emoji")
    parser.add_argument("--emojis", type=int, default=20)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--memory", type=int, default=512, help="MiB of embeddings in memory")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()

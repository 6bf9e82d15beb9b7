"""Propagations in the background: one an emoji, one edit at the end, and nothing at all when they do not get there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from popcond.assets import Assets
from popcond.errors import BadInput, Conflict
from popcond.media.raster import from_png, png
from popcond.stages.propagation import Propagations, Wanted
from popcond.store import characters, edits, emojis, events, frames, packs
from popcond.store.db import Connection, Database
from popcond.store.frames import MaskRow, RawFrame
from popcond.store.migrations import migrate
from popcond.vision.classical import ClassicalSegmenter
from popcond.vision.segmenter import Point, Prompt, Still, Tracked
from popcond.wire import Event, Stage, Status
from tests.data import a_character, a_new_pack, an_action, its_files

WIDTH, HEIGHT = 64, 48


class GatedSegmenter(ClassicalSegmenter):
    """The classical engine, which gives its first mask when the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.was_closed = asyncio.Event()

    async def track(self, stills: Sequence[Still], prompts: Mapping[int, Prompt]) -> AsyncGenerator[Tracked, None]:
        """The same, later."""
        try:
            await self.gate.wait()
            async for step in super().track(stills, prompts):
                yield step
        finally:
            self.was_closed.set()


class Bench:
    """An emoji of three frames, a square that moves, and what propagates along it."""

    def __init__(self, home: Path) -> None:
        migrate(home / "popcon.db")
        self.database = Database(home / "popcon.db")
        self.assets = Assets(home / "assets")
        self.segmenter = GatedSegmenter()
        self.propagations = Propagations(self.database, self.assets, self.segmenter, nullcontext)
        self.emoji_id = ""

    async def set_up(self) -> None:
        """The rows and the files."""
        empty = self.assets.put(png(np.zeros((HEIGHT, WIDTH), np.uint8)))
        stills = [RawFrame(self.assets.put(png(square(10 + 4 * n))), None, WIDTH, HEIGHT, 0.1) for n in range(3)]

        def fill(connection: Connection) -> None:
            character = characters.add(connection, a_character(), its_files())
            pack = packs.add(connection, a_new_pack(character, "wave"), [an_action()])
            self.emoji_id = pack.emojis[0].id
            frames.replace(connection, self.emoji_id, stills)
            frames.mask(connection, self.emoji_id, [MaskRow(empty, (), 0.0)] * 3)

        await self.database.write(fill)
        await self.place(Status.AWAITING_REFINEMENT)

    async def place(self, status: Status) -> None:
        """The emoji has this status."""
        stage = Stage.REFINE if status is Status.AWAITING_REFINEMENT else Stage.ENCODE
        place = partial(emojis.place, emoji_id=self.emoji_id, stage=stage, status=status, progress=1.0)
        await self.database.write(place)

    async def wanted(self) -> Wanted:
        """All frames, from a point on the first."""
        files = await self.database.read(partial(frames.files, emoji_id=self.emoji_id))
        return Wanted(self.emoji_id, 0, tuple(files), {0: Prompt((Point(16.5, 20.5),))}, {"frames": {}})

    async def told(self) -> Event:
        """The event of its end, once it is there."""
        async with asyncio.timeout(60):
            while True:
                for event in await self.database.read(partial(events.after, seq=0)):
                    if event.type in ("edit_made", "propagation_failed"):
                        return event
                await asyncio.sleep(0.01)

    async def masks(self) -> list[int]:
        """How many solid pixels each frame's mask has."""
        files = await self.database.read(partial(frames.files, emoji_id=self.emoji_id))
        return [int((from_png(self.assets.read(str(file.mask))) >= 128).sum()) for file in files]


def square(left: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A red square of 16 × 16 pixels before a green backdrop."""
    rgb = np.full((HEIGHT, WIDTH, 3), (0, 170, 80), np.uint8)
    rgb[14:30, left : left + 16] = (200, 30, 30)
    return rgb


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """It ends what it has begun."""
    bench = Bench(tmp_path)
    await bench.set_up()
    yield bench
    await bench.propagations.close()
    await bench.segmenter.close()
    bench.database.close()


async def test_every_frame_gets_the_mask_of_what_moves(bench: Bench) -> None:
    bench.segmenter.gate.set()
    bench.propagations.begin(await bench.wanted())
    event = await bench.told()
    assert event.type == "edit_made", event
    assert event.edit is not None
    assert [(frame.index, frame.edited) for frame in event.edit.frames] == [(0, True), (1, True), (2, True)]
    assert await bench.masks() == pytest.approx([256] * 3, rel=0.1)


async def test_an_emoji_has_one_at_a_time(bench: Bench) -> None:
    bench.propagations.begin(await bench.wanted())
    with pytest.raises(Conflict, match="being propagated"):
        bench.propagations.begin(await bench.wanted())
    bench.segmenter.gate.set()
    assert (await bench.told()).type == "edit_made"


async def test_a_cancelled_one_stops_the_engine_and_changes_nothing(bench: Bench) -> None:
    bench.propagations.begin(await bench.wanted())
    await asyncio.sleep(0)
    await bench.propagations.cancel(bench.emoji_id)
    assert bench.segmenter.was_closed.is_set()
    assert await bench.masks() == [0, 0, 0]
    bench.propagations.refuse_while_running(bench.emoji_id)
    with pytest.raises(Conflict, match="Nothing is being propagated"):
        await bench.propagations.cancel(bench.emoji_id)
    with pytest.raises(Conflict, match="no edit to undo"):
        await bench.database.write(partial(edits.undo, emoji_id=bench.emoji_id))


async def test_they_end_with_the_daemon(bench: Bench) -> None:
    bench.propagations.begin(await bench.wanted())
    await asyncio.sleep(0)
    await bench.propagations.close()
    assert bench.segmenter.was_closed.is_set()
    assert await bench.masks() == [0, 0, 0]


async def test_an_emoji_that_has_gone_on_meanwhile_keeps_its_masks_and_says_why(bench: Bench) -> None:
    bench.propagations.begin(await bench.wanted())
    await bench.place(Status.ENCODING)
    bench.segmenter.gate.set()
    event = await bench.told()
    assert (event.type, event.id) == ("propagation_failed", bench.emoji_id)
    assert event.problem is not None
    assert event.problem.cure
    assert await bench.masks() == [0, 0, 0]


async def test_what_the_engine_refuses_is_told(bench: Bench) -> None:
    bench.segmenter.gate.set()
    wanted = await bench.wanted()
    bench.propagations.begin(Wanted(wanted.emoji_id, 0, wanted.files, {0: Prompt((Point(900, 900),))}, {}))
    event = await bench.told()
    assert event.type == "propagation_failed"
    assert event.problem is not None
    assert event.problem.code == BadInput.code

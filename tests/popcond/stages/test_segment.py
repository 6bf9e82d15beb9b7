"""SEGMENT in a real child process: frames and the character's cut-out come from the assets, masks go to the rows."""

from __future__ import annotations

import time
import uuid
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from popcond.assets import Assets
from popcond.media.raster import Rgba, from_png, png
from popcond.stages import transitions
from popcond.stages.segment import UNCERTAIN, segment
from popcond.stages.work import Work
from popcond.store import characters, emojis, frames, jobs, packs
from popcond.store.db import Connection, Database
from popcond.store.frames import RawFrame
from popcond.store.migrations import migrate
from popcond.wire import Emoji, Frame, Stage, Take
from popcond.workers import Workers
from tests.busy import BusyClip, busy_clip
from tests.composites import iou
from tests.data import DIGEST, a_character, a_new_pack, an_action, its_files

SIZE = 192


class Home:
    """A home with one emoji that has its frames and waits for its masks."""

    def __init__(self, folder: Path) -> None:
        migrate(folder / "popcon.db")
        self.database = Database(folder / "popcon.db")
        self.assets = Assets(folder / "assets")

    async def sliced(self, clip: BusyClip, cutout: str) -> Emoji:
        """An emoji whose clip has been cut into frames; `cutout` is its character's asset."""
        rows = [RawFrame(self.assets.put(png(rgb)), None, SIZE, SIZE, 0.1) for rgb in clip.frames]

        def write(connection: Connection) -> Emoji:
            character = characters.add(connection, a_character(), its_files(cutout=cutout))
            emoji = packs.add(connection, a_new_pack(character), [an_action()]).emojis[0]
            take = Take(id=uuid.uuid4().hex, provider="clip-file", created=time.time())
            emojis.add_take(connection, emoji.id, take, clip=DIGEST, backdrop=None, exact_loop=False)
            frames.replace(connection, emoji.id, rows)
            return emojis.get(connection, emoji.id)

        return await self.database.write(write)

    async def segmented(self, emoji: Emoji) -> list[Frame]:
        """Its frames once SEGMENT has run to its end."""

        def claim(connection: Connection) -> Work:
            transitions.enqueue(connection, emoji.id, Stage.SEGMENT)
            job = jobs.claim(connection, [Stage.SEGMENT], now=time.time())
            assert job is not None
            pack = packs.get(connection, emoji.pack_id)
            action = emojis.action_of(connection, emoji.id)
            return Work(job, emojis.get(connection, emoji.id), action, pack, report=lambda _fraction: None)

        work = await self.database.write(claim)
        finish = await segment(self.database, self.assets, Workers(1, memory_mb=2048), work)
        await self.database.write(finish)
        return await self.database.read(partial(frames.every, emoji_id=emoji.id))

    async def masks(self, emoji: Emoji) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
        """The first masks in their order."""
        files = await self.database.read(partial(frames.files, emoji_id=emoji.id))
        return [from_png(self.assets.read(frames.masked(file))) for file in files]

    async def notes(self, emoji: Emoji) -> tuple[str, ...]:
        """What a person should know of the emoji."""
        return (await self.database.read(partial(emojis.get, emoji_id=emoji.id))).notes


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture(scope="module")
def clip() -> BusyClip:
    return busy_clip("shaded", "stripes", count=3, size=SIZE, seed=6)


def _asset(home: Home, picture: Rgba) -> str:
    return home.assets.put(png(picture))


async def test_an_import_before_a_busy_backdrop_is_cut_out_by_the_characters_own_picture(
    home: Home, clip: BusyClip
) -> None:
    emoji = await home.sliced(clip, _asset(home, clip.cutout))
    rows = await home.segmented(emoji)
    assert all(row.mask and row.attention < 0.9 for row in rows)
    for mask, truth in zip(await home.masks(emoji), clip.alphas, strict=True):
        assert iou(mask, truth) > 0.88
    assert UNCERTAIN not in await home.notes(emoji)


async def test_without_the_characters_cutout_the_frames_stay_whole_and_the_emoji_says_so(
    home: Home, clip: BusyClip
) -> None:
    emoji = await home.sliced(clip, cutout=DIGEST)  # a name that no file has
    assert all(row.attention == 1.0 for row in await home.segmented(emoji))
    assert all((mask == 255).all() for mask in await home.masks(emoji))
    assert UNCERTAIN in await home.notes(emoji)

"""A file of the asset folder goes bad under a daemon that runs: it is told, with the cure, and the cure works."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from popcond.client import Client
from popcond.errors import NotFound
from popcond.store.db import connect
from popcond.wire import Emoji, NewPack, Retry, Stage, Status
from tests.clips import moving_disc, write_clip
from tests.daemons import RunningDaemon


def asset(daemon: RunningDaemon, column: str, table: str, emoji: str) -> Path:
    """Where a file of this emoji lies."""
    with closing(connect(daemon.home / "popcon.db", read_only=True)) as connection:
        row = connection.execute(f"SELECT {column} FROM {table} WHERE emoji_id = ? LIMIT 1", (emoji,)).fetchone()
    return daemon.home / "assets" / str(row[0])[:2] / str(row[0])


def spoil(path: Path) -> None:
    """One bit of it flips, and its size stays."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


async def settled(client: Client, emoji: str) -> Emoji:
    """The emoji, once nothing more happens to it."""
    async with asyncio.timeout(60):
        while not (found := await client.emoji(emoji)).status.is_final:
            await asyncio.sleep(0.05)
    return found


@pytest.fixture
async def emoji(client: Client, tmp_path: Path) -> str:
    """One that is done, of a clip of the user's own."""
    character = await client.add_sample_character()
    new = NewPack(character_id=character.id, actions=("wave",), targets=("gif",), auto_accept=True, awaits_clips=True)
    emoji = (await client.add_pack(new)).emojis[0].id
    write_clip("mov", moving_disc(6), 10, tmp_path / "clip.mov")
    await client.upload_clip(emoji, tmp_path / "clip.mov")
    assert (await settled(client, emoji)).status is Status.DONE
    return emoji


async def test_broken_files_are_told_with_their_cure_which_works(
    daemon: RunningDaemon, client: Client, emoji: str
) -> None:
    sticker = (await client.stickers(emoji))[0].id
    before = await client.sticker_file(sticker)

    spoil(asset(daemon, "file", "sticker", emoji))
    with pytest.raises(NotFound, match="damaged") as caught:
        await client.sticker_file(sticker)
    assert caught.value.code == "asset_damaged"
    assert '"encode"' in str(caught.value.cure)

    raw = asset(daemon, "raw", "frame", emoji)
    raw.unlink()
    with pytest.raises(NotFound, match="missing") as caught:
        await client.raw_frame(emoji, 0)
    assert '"slice"' in str(caught.value.cure)
    assert emoji in str(caught.value.cure)

    spoil(asset(daemon, "mask", "frame", emoji))
    await client.retry(emoji, Retry(from_stage=Stage.SLICE))
    assert (await settled(client, emoji)).status is Status.DONE
    assert raw.exists()
    again = (await client.stickers(emoji))[0].id
    assert await client.sticker_file(again) == before


async def test_a_broken_clip_is_told_and_never_cut_into_frames(
    daemon: RunningDaemon, client: Client, emoji: str
) -> None:
    spoil(asset(daemon, "clip", "take", emoji))
    await client.retry(emoji, Retry(from_stage=Stage.SLICE))
    failed = await settled(client, emoji)
    assert failed.status is Status.FAILED
    assert failed.problem is not None
    assert failed.problem.code == "asset_damaged"
    assert "Upload the clip again" in str(failed.problem.cure)

"""Edits on top of the first masks: what each frame looks like after steps, steps back and steps forward."""

from __future__ import annotations

from functools import partial

import pytest

from popcond.errors import Conflict, NotFound
from popcond.store import edits, frames, packs, references
from popcond.store.db import Connection, Database
from popcond.store.edits import EditMask
from popcond.store.frames import MaskRow, RawFrame
from popcond.wire import Pack, Part, Stage

RAW, FIRST, ONE, TWO, THREE = (letter * 64 for letter in "abcde")
A_PART = Part(kind="character", x=1, y=2, width=3, height=4, area=12)
STILLS = [RawFrame(RAW, None, 8, 8, 0.1)] * 3


@pytest.fixture
async def emoji_id(database: Database, pack: Pack) -> str:
    """An emoji of three frames with their first masks."""
    emoji_id = pack.emojis[0].id

    def fill(connection: Connection) -> None:
        frames.replace(connection, emoji_id, STILLS)
        frames.mask(connection, emoji_id, [MaskRow(FIRST, (), 0.7)] * 3)

    await database.write(fill)
    return emoji_id


async def edit(database: Database, emoji_id: str, masks: dict[int, str]) -> None:
    """A step that gives these frames these masks."""
    rows = [EditMask(frame, mask, (A_PART,), 0.0) for frame, mask in masks.items()]
    await database.write(partial(edits.add, emoji_id=emoji_id, kind="apply", body={"mode": "add"}, masks=rows))


async def undo(database: Database, emoji_id: str) -> list[int]:
    """One step back."""
    return await database.write(partial(edits.undo, emoji_id=emoji_id))


async def redo(database: Database, emoji_id: str) -> list[int]:
    """One step forward."""
    return await database.write(partial(edits.redo, emoji_id=emoji_id))


async def masks_of(database: Database, emoji_id: str) -> list[str | None]:
    """The current mask of each frame."""
    return [file.mask for file in await database.read(partial(frames.files, emoji_id=emoji_id))]


async def test_a_frame_has_the_mask_of_its_newest_edit(database: Database, emoji_id: str) -> None:
    await edit(database, emoji_id, {0: ONE, 1: ONE})
    await edit(database, emoji_id, {1: TWO})
    assert await masks_of(database, emoji_id) == [ONE, TWO, FIRST]
    file = await database.read(partial(frames.file, emoji_id=emoji_id, index=1))
    assert (file.mask, file.first_mask) == (TWO, FIRST)


async def test_an_edited_frame_says_so_and_has_the_parts_of_its_new_mask(database: Database, emoji_id: str) -> None:
    await edit(database, emoji_id, {2: ONE})
    rows = await database.read(partial(frames.every, emoji_id=emoji_id))
    assert [row.edited for row in rows] == [False, False, True]
    assert [row.parts for row in rows] == [(), (), (A_PART,)]
    assert [row.attention for row in rows] == [0.7, 0.7, 0.0]
    assert await database.read(partial(frames.some, emoji_id=emoji_id, indices=[2])) == rows[2:]


async def test_undo_walks_back_to_the_first_masks_and_redo_forward_again(database: Database, emoji_id: str) -> None:
    await edit(database, emoji_id, {0: ONE, 1: ONE})
    await edit(database, emoji_id, {1: TWO})
    assert await undo(database, emoji_id) == [1]
    assert await masks_of(database, emoji_id) == [ONE, ONE, FIRST]
    assert await undo(database, emoji_id) == [0, 1]
    assert await masks_of(database, emoji_id) == [FIRST, FIRST, FIRST]
    assert await redo(database, emoji_id) == [0, 1]
    assert await redo(database, emoji_id) == [1]
    assert await masks_of(database, emoji_id) == [ONE, TWO, FIRST]


async def test_there_is_an_end_in_both_directions(database: Database, emoji_id: str) -> None:
    with pytest.raises(Conflict, match="no edit to undo"):
        await undo(database, emoji_id)
    await edit(database, emoji_id, {0: ONE})
    with pytest.raises(Conflict, match="no edit to redo"):
        await redo(database, emoji_id)


async def test_a_new_edit_forgets_what_was_undone(database: Database, emoji_id: str) -> None:
    await edit(database, emoji_id, {0: ONE})
    await edit(database, emoji_id, {0: TWO})
    await undo(database, emoji_id)
    await edit(database, emoji_id, {1: THREE})
    with pytest.raises(Conflict):
        await redo(database, emoji_id)
    assert await masks_of(database, emoji_id) == [ONE, THREE, FIRST]
    wanted = await database.read(references.wanted_assets)
    assert [wanted.has(name) for name in (ONE, TWO, THREE)] == [True, False, True]


async def test_what_was_undone_may_still_be_redone_so_its_files_stay(database: Database, emoji_id: str) -> None:
    await edit(database, emoji_id, {0: ONE})
    await undo(database, emoji_id)
    assert (await database.read(references.wanted_assets)).has(ONE)


async def test_other_frames_take_their_edits_with_them(database: Database, emoji_id: str) -> None:
    await edit(database, emoji_id, {0: ONE})
    other = [RawFrame(THREE, None, 8, 8, 0.1)] * 3
    await database.write(partial(frames.replace, emoji_id=emoji_id, frames=other))
    assert await masks_of(database, emoji_id) == [None, None, None]
    with pytest.raises(Conflict):
        await undo(database, emoji_id)


async def test_frames_that_are_made_again_keep_their_edits(database: Database, emoji_id: str) -> None:
    await edit(database, emoji_id, {0: ONE})
    await database.write(partial(frames.replace, emoji_id=emoji_id, frames=STILLS))
    await database.write(partial(frames.mask, emoji_id=emoji_id, masks=[MaskRow(FIRST, (), 0.0)] * 3))
    assert await masks_of(database, emoji_id) == [ONE, FIRST, FIRST]


async def test_edits_of_one_emoji_are_nothing_to_another(database: Database, pack: Pack, emoji_id: str) -> None:
    other = pack.emojis[1].id
    await database.write(partial(frames.replace, emoji_id=other, frames=STILLS))
    await edit(database, emoji_id, {0: ONE})
    assert await masks_of(database, other) == [None, None, None]
    with pytest.raises(Conflict):
        await undo(database, other)


async def test_edits_go_with_their_pack(database: Database, pack: Pack, emoji_id: str) -> None:
    await edit(database, emoji_id, {0: ONE})
    await database.write(partial(packs.remove, pack_id=pack.id))
    assert not (await database.read(references.wanted_assets)).has(ONE)


async def test_a_broken_mask_of_an_edit_is_undone_by_a_person_and_by_no_stage(
    database: Database, emoji_id: str
) -> None:
    await edit(database, emoji_id, {0: ONE, 1: FIRST})
    assert await database.read(partial(references.maker_of, emoji_id=emoji_id, asset=ONE)) is None
    assert await database.read(partial(references.maker_of, emoji_id=emoji_id, asset=FIRST)) is Stage.SEGMENT
    error = NotFound("A file is damaged.", code="asset_damaged", details={"asset": ONE})
    told = await database.read(partial(references.with_cure, error=error))
    assert f"/v1/emojis/{emoji_id}/edits/undo" in str(told.cure)

"""Which rows name an asset, which stage makes it again, and what a person is told to do."""

from __future__ import annotations

import time
from functools import partial

import pytest

from popcond.errors import NotFound
from popcond.store import characters, emojis, frames, references
from popcond.store.db import Connection, Database
from popcond.store.frames import MaskRow, RawFrame
from popcond.wire import Pack, Stage, Take
from tests.data import DIGEST, a_character, its_files

CLIP, OWN, RAW, ALPHA, MASK, FILE = (letter * 64 for letter in "abcdef")


@pytest.fixture
async def filled(database: Database, pack: Pack) -> Pack:
    """Both emojis have frames of the same files; the first has a bought take and one of its user's own."""

    def fill(connection: Connection) -> None:
        first, second = pack.emojis
        for emoji, provider, clip in ((first, "puppet", CLIP), (first, "clip-file", OWN), (second, "clip-file", OWN)):
            take = Take(id=f"{emoji.id}-{provider}", provider=provider, created=time.time())
            emojis.add_take(connection, emoji.id, take, clip=clip, backdrop=None, exact_loop=False)
        for emoji in (first, second):
            frames.replace(connection, emoji.id, [RawFrame(RAW, ALPHA, 8, 8, 0.1)])
            frames.mask(connection, emoji.id, [MaskRow(MASK, (), 0.0)])
        connection.execute("INSERT INTO sticker VALUES ('s', ?, 'gif', ?, '{}', 0)", (first.id, FILE))

    await database.write(fill)
    return pack


@pytest.mark.parametrize(
    ("asset", "maker"),
    [
        (CLIP, Stage.ANIMATE),
        (OWN, None),
        (RAW, Stage.SLICE),
        (ALPHA, Stage.SLICE),
        (MASK, Stage.SEGMENT),
        (FILE, Stage.ENCODE),
        (DIGEST, None),  # the character's picture
        ("9" * 64, None),
    ],
)
async def test_every_file_has_its_maker(database: Database, filled: Pack, asset: str, maker: Stage | None) -> None:
    asked = partial(references.maker_of, emoji_id=filled.emojis[0].id, asset=asset)
    assert await database.read(asked) is maker


async def test_only_the_emojis_own_files_count(database: Database, filled: Pack) -> None:
    other = filled.emojis[1].id
    assert await database.read(partial(references.maker_of, emoji_id=other, asset=CLIP)) is None
    assert await database.read(partial(references.maker_of, emoji_id=other, asset=RAW)) is Stage.SLICE


async def test_everything_that_a_row_names_is_wanted(database: Database, filled: Pack) -> None:
    wanted = await database.read(references.wanted_assets)
    assert all(wanted.has(name) for name in (CLIP, OWN, RAW, ALPHA, MASK, FILE, DIGEST))
    assert not wanted.has("a" * 63 + "b")
    assert wanted.beginning_with("aa") == {CLIP}
    assert wanted.beginning_with("99") == frozenset()


async def test_names_of_one_folder_are_told_apart(database: Database) -> None:
    names = [f"ab{number:062x}" for number in range(300)]
    for first, second in zip(names[::2], names[1::2], strict=True):
        row = partial(characters.add, character=a_character(), files=its_files(first, second))
        await database.write(row)
    assert (await database.read(references.wanted_assets)).beginning_with("ab") == set(names)


@pytest.mark.parametrize(
    ("asset", "cure"),
    [(RAW, '"slice"'), (MASK, '"segment"'), (FILE, '"encode"'), (CLIP, "new order"), (OWN, "Upload"), (DIGEST, "Add")],
)
async def test_the_cure_fits_what_is_broken(database: Database, filled: Pack, asset: str, cure: str) -> None:
    emoji = filled.emojis[0].id
    error = NotFound("A file is damaged.", cure="Ask.", code="asset_damaged", details={"asset": asset})
    told = await database.read(partial(references.with_cure, error=error, emoji_id=emoji))
    assert (type(told), told.code, told.message) == (NotFound, "asset_damaged", "A file is damaged.")
    assert cure in str(told.cure)
    assert asset == DIGEST or emoji in str(told.cure)


async def test_other_errors_and_files_of_nobody_stay_as_they_are(database: Database, filled: Pack) -> None:
    for error in (NotFound("No such emoji."), NotFound("Gone.", code="asset_missing", details={"asset": "9" * 64})):
        assert await database.read(partial(references.with_cure, error=error)) is error

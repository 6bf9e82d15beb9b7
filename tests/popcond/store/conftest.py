"""A real database in a temporary folder, and a pack in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from popcond.store import characters, packs
from popcond.store.db import Database
from popcond.store.migrations import migrate
from popcond.wire import Pack
from tests.data import a_character, a_new_pack, an_action, its_files


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database of this program's schema."""
    path = tmp_path / "popcon.db"
    migrate(path)
    database = Database(path)
    yield database
    database.close()


@pytest.fixture
async def pack(database: Database) -> Pack:
    """A pack of two emojis, nothing of it queued."""
    character = await database.write(partial(characters.add, character=a_character(), files=its_files()))
    new = a_new_pack(character, "wave", "jump")
    return await database.write(partial(packs.add, new=new, actions=[an_action("wave"), an_action("jump")]))

"""A home for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes import LedgerProvider
from tests.popcond.stages.house import House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A new home beside a provider that wants half a dollar for a clip."""
    house = House(tmp_path, LedgerProvider(price=0.5))
    yield house
    house.database.close()

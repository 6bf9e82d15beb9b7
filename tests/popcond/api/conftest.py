"""A daemon with a paid provider for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.cloud.running import Cloud, running_cloud
from tests.popcond.api.atelier import Atelier, atelier_at


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One stand-in for all tests of a file."""
    with running_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture
def cloud(running: Cloud) -> Cloud:
    """It remembers nothing of other tests."""
    running.reset()
    return running


@pytest.fixture
async def atelier(tmp_path: Path, cloud: Cloud) -> AsyncIterator[Atelier]:
    """A daemon in a home of its own."""
    async with atelier_at(tmp_path, cloud) as atelier:
        yield atelier

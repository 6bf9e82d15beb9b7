"""What many tests share."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator

import pytest
from PIL import Image

from popcond.client import Client
from tests.daemons import RunningDaemon, running_daemon


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """One real daemon for all tests of this process; each makes rows of its own."""
    with running_daemon(tmp_path_factory.mktemp("home")) as daemon:
        yield daemon


@pytest.fixture
async def client(daemon: RunningDaemon) -> AsyncIterator[Client]:
    """A client of the shared daemon."""
    async with Client(daemon.url, daemon.token) as client:
        yield client


@pytest.fixture(autouse=True)
def pillow_is_its_own() -> None:
    """Tests of the model import ultralytics into this process, and that puts an `open` of its own into Pillow.

    The daemon has it in a process of its own, where `sam_model.tame_libraries` undoes it.
    """
    if patches := sys.modules.get("ultralytics.utils.patches"):
        Image.open = patches._image_open

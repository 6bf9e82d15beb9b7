"""One stand-in of the paid service for the tests of a file, and a customer of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from popcond.media.raster import png
from popcond.video.dashscope import DashScope
from popcond.video.dashscope_pictures import DashScopePictures
from tests.cloud.customer import customer
from tests.cloud.customer import painter as painter_of
from tests.cloud.running import Cloud, running_cloud


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One stand-in for all tests of this file."""
    with running_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture
def cloud(running: Cloud) -> Cloud:
    """It remembers nothing of other tests."""
    running.reset()
    return running


@pytest.fixture
def provider(cloud: Cloud) -> DashScope:
    """Its customer."""
    return customer(cloud.base_url)


@pytest.fixture
def painter(cloud: Cloud) -> DashScopePictures:
    """Its customer for pictures."""
    return painter_of(cloud.base_url)


@pytest.fixture(scope="module")
def cutout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tall blue somebody."""
    somebody = np.zeros((90, 60, 4), np.uint8)
    somebody[10:80, 20:40] = (30, 60, 200, 255)
    path = tmp_path_factory.mktemp("cutout") / "cutout.png"
    path.write_bytes(png(somebody))
    return path

"""Clips and stickers that several tests look at; made once."""

from __future__ import annotations

import pytest

from popcond.media.raster import Rgba
from popcond.stickers.decode import decode
from popcond.stickers.source import CutoutList
from popcond.stickers.sticker import EncodedSticker, make_sticker
from popcond.targets import target
from popcond.wire import LoopKind
from tests.popcond.stickers.drawings import loop, noisy


@pytest.fixture(scope="session")
def jump() -> CutoutList:
    """A two-second exact loop of 60 frames, as the offline animator makes it."""
    return loop(60)


@pytest.fixture(scope="session")
def grainy() -> CutoutList:
    """The same with grain: more colours than a file can keep."""
    return noisy(loop(60), 6.0)


@pytest.fixture(scope="session")
def line_sticker(jump: CutoutList) -> EncodedSticker:
    """A good LINE emoji."""
    return make_sticker(
        jump, target("line-emoji"), loop=LoopKind.RETURN, exact_loop=True, poster=0.5, report=lambda _: None
    )


@pytest.fixture(scope="session")
def line(line_sticker: EncodedSticker) -> bytes:
    """Its bytes."""
    return line_sticker.data


@pytest.fixture(scope="session")
def line_frames(line: bytes) -> list[Rgba]:
    """Its pictures."""
    return decode(line)

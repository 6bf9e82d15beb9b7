"""A model that cannot run stops nobody; a request that is wrong is wrong for everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from popcond.errors import BadInput
from popcond.media.raster import Rgb
from popcond.vision.classical import ClassicalSegmenter
from popcond.vision.sam import Sam, SamOptions
from popcond.vision.sam_fallback import Fallback
from popcond.vision.sam_weights import TINY, Weights
from popcond.vision.segmenter import Point, Prompt, Still


@pytest.fixture
async def segmenter(tmp_path: Path) -> AsyncIterator[Fallback]:
    """SAM 2.1 without its weights, and somebody who needs none."""
    missing = Sam(Weights(tmp_path / "sam2.1_t.pt", TINY), SamOptions(tmp_path / "cache"))
    segmenter = Fallback(missing, ClassicalSegmenter())
    yield segmenter
    await segmenter.close()


def a_frame(number: int = 0) -> Rgb:
    """A red disc on white."""
    rgb = np.full((96, 96, 3), 255, np.uint8)
    return np.asarray(cv2.circle(rgb, (40 + number, 48), 24, (200, 40, 40), -1), np.uint8)


ON_THE_DISC = Prompt((Point(40, 48),))


async def test_somebody_else_answers_and_says_who(segmenter: Fallback) -> None:
    assert segmenter.about().name == TINY.name
    answer = await segmenter.mask(Still.of(a_frame()), ON_THE_DISC)
    assert answer.mask[48, 40] == 255
    assert answer.mask[2, 2] == 0
    assert answer.engine == segmenter.about().name == "classical"


async def test_a_clip_is_followed_all_the_same(segmenter: Fallback) -> None:
    stills = [Still.of(a_frame(number)) for number in range(4)]
    await segmenter.embed(stills)
    masks = [tracked async for tracked in segmenter.track(stills, {0: ON_THE_DISC})]
    assert sorted(tracked.index for tracked in masks) == [0, 1, 2, 3]


async def test_the_reason_is_told_once_with_its_cure(segmenter: Fallback, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        await segmenter.mask(Still.of(a_frame()), ON_THE_DISC)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "popcond models fetch tiny" in caplog.text


async def test_a_request_that_is_wrong_is_refused(segmenter: Fallback) -> None:
    with pytest.raises(BadInput):
        await segmenter.mask(Still.of(a_frame()), Prompt())
    with pytest.raises(BadInput):
        await anext(segmenter.track([], {}))

"""What every maker of clips, and every drawer of pictures, says of itself; what they do is in test_maker."""

from __future__ import annotations

from pathlib import Path

import pytest

from popcond.video.dashscope import DashScope
from popcond.video.dashscope_pictures import DashScopePictures
from popcond.video.provider import PictureProvider, VideoProvider
from popcond.video.puppet import Puppet
from popcond.workers import Workers
from tests.cloud.customer import account
from tests.fakes import LedgerProvider


@pytest.fixture(params=["puppet", "ledger", "dashscope"])
async def provider(request: pytest.FixtureRequest, tmp_path: Path) -> VideoProvider:
    """Each of them in turn."""
    if request.param == "puppet":
        return Puppet(tmp_path, Workers(count=1, memory_mb=3072))
    return LedgerProvider() if request.param == "ledger" else DashScope(account(None))


async def test_it_says_what_it_is(provider: VideoProvider) -> None:
    described = provider.describe()
    assert described.name
    assert described.models
    assert all(model.seconds and model.price_per_second >= 0.0 for model in described.models)


async def test_what_draws_names_models_that_draw_from_words_and_after_a_picture() -> None:
    painter: PictureProvider = DashScopePictures(account(None))
    first, *_ = models = painter.picture_models()
    assert len({model.name for model in models}) == len(models)
    assert first.most_references >= 1
    assert all(model.price > 0.0 and model.most_references >= 0 for model in models)

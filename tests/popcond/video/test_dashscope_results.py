"""What DashScope made is stopped while that is possible, and fetched whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from popcond.errors import ProviderFailed, ProviderUnreachable
from popcond.media.clip import probe
from popcond.video.dashscope import DashScope
from popcond.video.provider import TaskState
from popcond.workers import Workers
from tests.cloud.customer import a_request, account, customer, settled
from tests.cloud.running import Cloud


async def test_only_what_has_not_begun_can_be_cancelled(cloud: Cloud, provider: DashScope, cutout: Path) -> None:
    cloud.turn(pending_seconds=60.0)
    waiting = await provider.submit(a_request(cutout))
    assert await provider.cancel(waiting)
    assert (await provider.check(waiting)).state is TaskState.FAILED
    cloud.turn(pending_seconds=0.0, run_seconds=60.0)
    begun = await provider.submit(a_request(cutout))
    assert not await provider.cancel(begun)
    assert (await provider.check(begun)).state is TaskState.RUNNING


async def test_a_cancellation_without_an_answer_may_have_failed(
    cloud: Cloud, provider: DashScope, cutout: Path
) -> None:
    cloud.turn(pending_seconds=60.0)
    cloud.fault("cancel", "drop_after")
    assert not await provider.cancel(await provider.submit(a_request(cutout)))


async def test_a_clip_that_is_not_there_yet_comes_later(
    cloud: Cloud, provider: DashScope, cutout: Path, tmp_path: Path
) -> None:
    cloud.turn(absent_results=1)
    status = await settled(provider, await provider.submit(a_request(cutout)))
    with pytest.raises(ProviderUnreachable) as caught:
        await provider.download(status, tmp_path / "clip.mp4")
    assert "s3cret" not in str(caught.value)
    await provider.download(status, tmp_path / "clip.mp4")
    assert probe(tmp_path / "clip.mp4").frames == 10


async def test_a_clip_that_arrives_damaged_is_fetched_again(
    cloud: Cloud, provider: DashScope, cutout: Path, tmp_path: Path
) -> None:
    status = await settled(provider, await provider.submit(a_request(cutout)))
    for fault in ("cut_after", "garbled", "truncated"):
        cloud.fault("result", fault)
        with pytest.raises(ProviderUnreachable) as caught:
            await provider.download(status, tmp_path / "clip.mp4")
        assert caught.value.retries > 0
        assert os.listdir(tmp_path) == []
    await provider.download(status, tmp_path / "clip.mp4")
    assert probe(tmp_path / "clip.mp4").frames == 10
    assert len(cloud.ledger) == 1


async def test_a_whole_clip_that_is_not_the_ordered_one_is_refused_with_a_sentence(
    cloud: Cloud, provider: DashScope, cutout: Path, tmp_path: Path
) -> None:
    cloud.turn(clip_frames=3)
    status = await settled(provider, await provider.submit(a_request(cutout)))
    for customer_of_it in (provider, customer(cloud.base_url)):
        status = await customer_of_it.check(status.task)
        with pytest.raises(ProviderFailed, match=r"lasts 0.3 s instead of 5 s") as caught:
            await customer_of_it.download(status, tmp_path / "clip.mp4")
        assert caught.value.code == "wrong_clip"
    assert os.listdir(tmp_path) == []


async def test_a_clip_is_decoded_in_a_process_of_its_own(cloud: Cloud, cutout: Path, tmp_path: Path) -> None:
    provider = DashScope(account(cloud.base_url, workers=Workers(count=1, memory_mb=3072)))
    status = await settled(provider, await provider.submit(a_request(cutout)))
    cloud.fault("result", "cut_after")
    with pytest.raises(ProviderUnreachable, match="damaged"):
        await provider.download(status, tmp_path / "clip.mp4")
    await provider.download(status, tmp_path / "clip.mp4")
    assert probe(tmp_path / "clip.mp4").frames == 10


async def test_a_provider_that_points_elsewhere_is_not_followed(
    cloud: Cloud, provider: DashScope, cutout: Path, tmp_path: Path
) -> None:
    cloud.turn(result_url="http://169.254.169.254/latest/meta-data")
    status = await settled(provider, await provider.submit(a_request(cutout)))
    with pytest.raises(ProviderFailed) as caught:
        await provider.download(status, tmp_path / "clip.mp4")
    assert caught.value.code == "download_refused"

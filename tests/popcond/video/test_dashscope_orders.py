"""What is ordered of DashScope: every model in its own shape, at its own price, and nothing that it cannot do."""

from __future__ import annotations

from pathlib import Path

import pytest

from popcond.actions import load_actions
from popcond.errors import ProviderFailed, SubmitUnanswered, UnknownName
from popcond.media.clip import probe
from popcond.stages.prices import clip_price, model_of, row_name
from popcond.video.dashscope import DashScope
from popcond.video.dashscope_models import MODELS, Model, Region, Shape, on_sale, side_of
from popcond.video.dashscope_order import choice
from popcond.video.provider import price_of
from tests.cloud.customer import MODEL, a_request, customer, settled
from tests.cloud.running import KEY, Cloud


@pytest.mark.parametrize("model", [model.name for model in on_sale(Region.CHINA)])
async def test_every_model_is_ordered_as_its_price_list_says_and_billed_so(
    cloud: Cloud, provider: DashScope, cutout: Path, model: str
) -> None:
    row = next(row for row in provider.describe().models if row.name == model)
    task = await provider.submit(a_request(cutout, model=model, seconds=row.seconds[0]))
    (line,) = cloud.ledger
    assert (line["model"], line["id"], line["key"]) == (model, task.id, KEY[-4:])
    assert line["cost"] == pytest.approx(price_of(row, row.seconds[0]))
    assert f"{line['tier']}P" == row.resolution
    assert line["parameters"]["watermark"] is False
    assert (
        line["parameters"].get("prompt_extend", True) is not next(row for row in MODELS if row.name == model).rewrites
    )
    status = await settled(provider, task)
    assert status.billed == pytest.approx(line["cost"])
    assert status.prompt == line["prompt"]
    assert str(status.prompt).startswith("Waves a hand.")


async def test_the_sound_that_nobody_hears_is_not_paid_for(cloud: Cloud, provider: DashScope, cutout: Path) -> None:
    await provider.submit(a_request(cutout, model="wan2.6-i2v-flash", seconds=2.5))
    assert cloud.ledger[0]["parameters"] == {
        "resolution": "720P",
        "duration": 3,
        "audio": False,
        "prompt_extend": False,
        "watermark": False,
    }


@pytest.mark.parametrize("model", [model for model in on_sale(Region.CHINA) if model.takes_last_frame])
async def test_where_a_last_frame_is_taken_the_loop_is_closed_with_the_first(
    cloud: Cloud, provider: DashScope, cutout: Path, model: Model
) -> None:
    described = {row.name: row for row in provider.describe().models}
    assert described[model.name].closes_loops
    await provider.submit(a_request(cutout, model=model.name, seconds=2.0))
    (line,) = cloud.ledger
    assert (line["frames"], line["is_closed"]) == (2, True)


def test_loops_are_closed_by_those_models_and_no_others(provider: DashScope) -> None:
    assert {row.name for row in provider.describe().models if row.closes_loops} == {
        "wan2.2-kf2v-flash",
        "wan2.7-i2v",
        "wan3.0-video",
    }


async def test_a_model_without_a_negative_prompt_is_told_what_must_stay(
    cloud: Cloud, provider: DashScope, cutout: Path
) -> None:
    await provider.submit(a_request(cutout, model="wan3.0-video"))
    await provider.submit(a_request(cutout, model="wan2.7-i2v"))
    newest, before = cloud.ledger
    assert newest["negative"] is None
    assert "flicker" in before["negative"]
    assert all("keeps its face" in line["prompt"] and "No dialogue" in line["prompt"] for line in (newest, before))
    assert newest["parameters"]["audio"] is False
    assert "audio" not in before["parameters"]


async def test_a_size_can_be_chosen_behind_the_models_name(cloud: Cloud, provider: DashScope, cutout: Path) -> None:
    task = await provider.submit(a_request(cutout, model="wan2.6-i2v-flash@1080P"))
    (line,) = cloud.ledger
    assert (line["model"], line["tier"], line["cost"]) == ("wan2.6-i2v-flash", 1080, pytest.approx(0.5))
    model = model_of({"dashscope": provider}, "dashscope", "wan2.6-i2v-flash@1080p")
    assert (model.name, model.resolution, clip_price(model)) == ("wan2.6-i2v-flash@1080P", "1080P", 0.5)
    assert row_name(model) == line["model"]
    assert (await settled(provider, task)).billed == pytest.approx(0.5)


@pytest.mark.parametrize("name", ["wan2.6-i2v-flash@480P", "wan2.6-i2v-flash@", "wan2.6-i2v-flash@huge", "wan1@480P"])
async def test_a_size_that_is_not_sold_is_refused_before_anything_is_sent(
    cloud: Cloud, provider: DashScope, cutout: Path, name: str
) -> None:
    with pytest.raises(UnknownName) as caught:
        model_of({"dashscope": provider}, "dashscope", name)
    assert caught.value.cure
    with pytest.raises(ProviderFailed) as refused:
        await provider.submit(a_request(cutout, model=name))
    assert refused.value.cure
    assert "create" not in cloud.calls


def test_a_model_that_a_region_does_not_sell_is_refused_with_those_that_it_does(cutout: Path) -> None:
    with pytest.raises(ProviderFailed) as caught:
        choice(a_request(cutout, model="wan2.2-kf2v-flash"), Region.INTERNATIONAL)
    assert (caught.value.details, "wan2.7-i2v" in str(caught.value)) == ({"stops": "model"}, True)


def test_every_row_is_whole() -> None:
    assert len({model.name for model in MODELS}) == len(MODELS)
    for model in MODELS:
        assert model.prices
        assert model.takes_last_frame <= (model.shape is not Shape.IMAGE)
        assert model.has_duration == (len(model.seconds) > 1)
        for region in model.prices:
            row = model.on_the_wire(region)
            assert row.price_per_second == min(row.sizes.values()) > 0
            assert all(360 <= side_of(tier) <= 2000 for tier in model.prices[region])


async def test_the_clip_shows_the_character_on_the_backdrop(provider: DashScope, cutout: Path, tmp_path: Path) -> None:
    status = await settled(provider, await provider.submit(a_request(cutout)))
    await provider.download(status, tmp_path / "clip.mp4")
    assert probe(tmp_path / "clip.mp4").frames == 10


def test_prompts_of_all_actions_fit_into_all_models(tmp_path: Path) -> None:
    longest = max(
        len(f"{action.motion_prompt} {action.effect_prompt}")
        for action in load_actions(tmp_path / "none").actions.values()
    )
    assert longest + 250 <= min(model.longest_prompt for model in MODELS)


@pytest.mark.parametrize(
    "wrong", [{"model": "wan1"}, {"model": "wan2.2-i2v-flash", "seconds": 6.0}, {"prompt": "wave " * 300}]
)
async def test_what_no_model_can_do_is_not_sent(
    cloud: Cloud, provider: DashScope, cutout: Path, wrong: dict[str, object]
) -> None:
    with pytest.raises(ProviderFailed) as caught:
        await provider.submit(a_request(cutout, **wrong))  # type: ignore[arg-type]
    assert caught.value.cure
    assert not isinstance(caught.value, SubmitUnanswered)
    assert "create" not in cloud.calls


@pytest.mark.parametrize(
    ("base_url", "region"),
    [
        (None, Region.CHINA),
        ("https://dashscope.aliyuncs.com/api/v1", Region.CHINA),
        ("https://dashscope-intl.aliyuncs.com/api/v1", Region.INTERNATIONAL),
        ("https://ws-1.eu-central-1.maas.aliyuncs.com/api/v1", Region.INTERNATIONAL),
    ],
)
def test_prices_are_those_of_the_region(base_url: str | None, region: Region) -> None:
    described = customer(base_url).describe()
    assert {model.currency for model in described.models} == {region.currency}
    assert {model.currency for model in described.picture_models} == {region.currency}
    first = described.models[0]
    assert (first.name, first.price_per_second) == (MODEL, MODELS[0].prices[region][480])
    assert all(model.price_per_second > 0 for model in described.models)


@pytest.mark.parametrize("host", ["dashscope-us.aliyuncs.com", "ws-1.us-east-1.maas.aliyuncs.com"])
def test_virginia_sells_what_is_called_so_there(cutout: Path, host: str) -> None:
    described = customer(f"https://{host}/api/v1").describe()
    assert [(model.name, model.currency) for model in described.models] == [("wan2.6-i2v-us", "USD")]
    assert described.models[0].note
    assert described.picture_models == ()
    with pytest.raises(ProviderFailed, match="in this region"):
        choice(a_request(cutout), Region.VIRGINIA)


async def test_a_model_with_one_frame_gets_one(cloud: Cloud, provider: DashScope, cutout: Path) -> None:
    await provider.submit(a_request(cutout, model="happyhorse-1.1-i2v"))
    (line,) = cloud.ledger
    assert (line["frames"], line["negative"], line["cost"]) == (1, None, pytest.approx(3 * 0.9))
    assert line["parameters"] == {"resolution": "720P", "duration": 3, "watermark": False}

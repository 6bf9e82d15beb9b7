"""What is ordered when DashScope draws: one picture and never four, in every model's own shape."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from popcond.errors import ProviderFailed, SubmitUnanswered
from popcond.media.raster import from_png, png
from popcond.video.dashscope import DashScope
from popcond.video.dashscope_models import MODELS, Region
from popcond.video.dashscope_picture_models import PICTURE_MODELS, PictureRow, PictureShape, pictures_on_sale
from popcond.video.dashscope_picture_order import picture_choice, picture_order
from popcond.video.dashscope_pictures import DashScopePictures
from tests.cloud.customer import a_wish, settled
from tests.cloud.orders import decoded
from tests.cloud.running import KEY, Cloud


def enough(row: PictureRow, cutout: Path) -> tuple[Path, ...]:
    """As few pictures as it has to be shown."""
    return (cutout,) * row.references.start


@pytest.mark.parametrize("row", PICTURE_MODELS, ids=lambda row: row.name)
async def test_every_model_draws_one_picture_and_is_billed_for_one(
    cloud: Cloud, painter: DashScopePictures, cutout: Path, tmp_path: Path, row: PictureRow
) -> None:
    described = next(model for model in painter.picture_models() if model.name == row.name)
    task = await painter.submit(a_wish(*enough(row, cutout), model=row.name))
    (line,) = cloud.ledger
    assert (line["model"], line["id"], line["key"], line["drawn"]) == (row.name, task.id, KEY[-4:], 1)
    assert line["cost"] == pytest.approx(described.price)
    assert line["parameters"] | {"n": 1, "watermark": False, "size": row.size} == line["parameters"]
    assert line["parameters"].get("prompt_extend") is (False if row.rewrites else None)
    status = await settled(painter, task)
    assert status.billed == pytest.approx(line["cost"])
    assert status.prompt == (None if row.shape is PictureShape.MESSAGES else line["prompt"])
    await painter.download(status, tmp_path / "picture")
    assert from_png((tmp_path / "picture").read_bytes()).shape == (row.side, row.side, 3)


@pytest.mark.parametrize("row", [row for row in PICTURE_MODELS if row.references.stop > 2], ids=lambda row: row.name)
async def test_as_many_pictures_are_shown_as_a_model_takes(
    cloud: Cloud, painter: DashScopePictures, cutout: Path, row: PictureRow
) -> None:
    told = next(model for model in painter.picture_models() if model.name == row.name)
    most = row.references.stop - 1
    assert (told.least_references, told.most_references) == (row.references.start, most)
    await painter.submit(a_wish(*(cutout,) * most, model=row.name))
    assert cloud.ledger[0]["frames"] == most
    with pytest.raises(ProviderFailed, match=f"{most} pictures, and is shown {most + 1}"):
        await painter.submit(a_wish(*(cutout,) * (most + 1), model=row.name))
    assert cloud.calls["create"] == 1


@pytest.mark.parametrize(
    ("model", "count", "able"),
    [
        ("wan2.6-image", 0, "wan2.7-image"),
        ("wan2.5-i2i-preview", 0, "wan2.6-t2i"),
        ("wan2.2-t2i-flash", 1, "wan2.6-image"),
    ],
)
async def test_a_model_that_cannot_be_shown_so_many_names_those_that_can(
    cloud: Cloud, painter: DashScopePictures, cutout: Path, model: str, count: int, able: str
) -> None:
    with pytest.raises(ProviderFailed) as caught:
        await painter.submit(a_wish(*(cutout,) * count, model=model))
    assert able in str(caught.value.cure)
    assert "create" not in cloud.calls


@pytest.mark.parametrize(
    ("model", "prompt"), [("wan1", "A robot."), ("wan2.2-t2i-flash", "a robot " * 101), ("wan2.7-image", " ")]
)
async def test_what_no_model_can_do_is_not_sent(
    cloud: Cloud, painter: DashScopePictures, model: str, prompt: str
) -> None:
    with pytest.raises(ProviderFailed) as caught:
        await painter.submit(a_wish(model=model, prompt=prompt))
    assert caught.value.cure
    assert not isinstance(caught.value, SubmitUnanswered)
    assert "create" not in cloud.calls


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
async def test_a_reference_that_is_gone_or_damaged_is_a_sentence(
    cloud: Cloud, painter: DashScopePictures, tmp_path: Path, content: bytes | None
) -> None:
    reference = tmp_path / "reference.png"
    if content is not None:
        reference.write_bytes(content)
    with pytest.raises(ProviderFailed, match="to draw after is") as caught:
        await painter.submit(a_wish(reference))
    assert caught.value.cure
    assert "create" not in cloud.calls


def test_no_region_without_picture_models_names_one() -> None:
    with pytest.raises(ProviderFailed) as caught:
        picture_choice(a_wish(), Region.VIRGINIA)
    assert caught.value.details == {"stops": "model"}


def test_a_character_is_shown_on_the_flat_colour_of_the_order(cutout: Path) -> None:
    row = PICTURE_MODELS[0]
    body = picture_order(row, a_wish(cutout, model=row.name))
    text, shown = body["input"]["messages"][0]["content"]
    assert text == {"text": "A blue robot on #00aa50."}
    picture = from_png(decoded(shown["image"]))
    assert picture.shape == (1024, 1024, 3)
    assert picture[0, 0].tolist() == [0, 170, 80]
    assert picture[600, 512].tolist() == [30, 60, 200]


@pytest.mark.parametrize(
    ("height", "width"),
    [(360, 360), (100, 100), (16, 16), (3000, 2000), (500, 4000), (40, 4000), (1024, 768), (2000, 9)],
)
def test_an_opaque_picture_is_shown_whole_with_sides_that_every_model_takes(
    tmp_path: Path, height: int, width: int
) -> None:
    picture = np.full((height, width, 3), (200, 40, 40), np.uint8)
    path = tmp_path / "opaque.png"
    path.write_bytes(png(picture))
    body = picture_order(PICTURE_MODELS[0], a_wish(path))
    shown = from_png(decoded(body["input"]["messages"][0]["content"][1]["image"]))
    assert shown.shape[2] == 3
    assert 384 <= min(shown.shape[:2]) <= max(shown.shape[:2]) <= 1280
    rows, columns = np.nonzero(cv2.absdiff(shown, np.array((200, 40, 40, 0), np.float64)).max(axis=2) < 3)
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert tall / wide == pytest.approx(height / width, rel=0.15)
    assert max(tall, wide) == max(shown.shape[:2])


def test_every_row_is_whole() -> None:
    assert len({row.name for row in (*PICTURE_MODELS, *MODELS)}) == len(PICTURE_MODELS) + len(MODELS)
    for row in PICTURE_MODELS:
        assert {Region.CHINA, Region.INTERNATIONAL} <= set(row.prices)
        assert min(row.prices.values()) > 0
        assert row.longest_prompt >= 800
        assert (row.shape is PictureShape.WORDS) <= (row.references.stop == 1)
        assert row.side in (1024, 1280)
    assert pictures_on_sale(Region.CHINA)[0].name == "wan2.7-image"
    assert 0 in PICTURE_MODELS[0].references
    assert 1 in PICTURE_MODELS[0].references


def test_the_provider_of_clips_tells_of_the_pictures_too(provider: DashScope, painter: DashScopePictures) -> None:
    assert provider.describe().picture_models == painter.picture_models()

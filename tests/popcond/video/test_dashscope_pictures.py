"""DashScope draws, against its stand-in: what every answer and silence means; no picture is paid for twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

import httpx
import pytest

from popcond.errors import ProviderBusy, ProviderFailed, ProviderUnreachable, SubmitUnanswered
from popcond.media.picture import open_picture
from popcond.media.raster import from_png
from popcond.video.dashscope import DashScope
from popcond.video.dashscope_answers import TaskAnswer
from popcond.video.dashscope_pictures import DashScopePictures
from popcond.video.provider import RemoteTask, TaskState, TaskStatus
from popcond.workers import Workers
from tests.cloud.customer import a_request, a_wish, account, settled
from tests.cloud.customer import painter as painter_of
from tests.cloud.running import KEY, Cloud

OLD = "wan2.2-t2i-flash"  # answers with a list of results, each of which may fail


async def drawn(painter: DashScopePictures, to: Path, *references: Path, prompt: str = "A robot on #00aa50.") -> Path:
    """A picture, ordered and fetched."""
    await painter.download(await settled(painter, await painter.submit(a_wish(*references, prompt=prompt))), to)
    return to


# ------------------------------------------------------------------ what is drawn


async def test_words_become_a_figure_on_the_colour_that_they_name(painter: DashScopePictures, tmp_path: Path) -> None:
    first, second = [
        from_png((await drawn(painter, tmp_path / name, prompt=f"{name} on #00aa50.")).read_bytes())
        for name in ("A robot", "A rabbit")
    ]
    for picture in (first, second):
        assert picture[0, 0].tolist() == [0, 170, 80]
        assert (picture != (0, 170, 80)).any(axis=2).mean() > 0.1
    assert (first != second).any(axis=2).mean() > 0.1


async def test_what_is_shown_comes_back_a_little_changed(
    painter: DashScopePictures, cutout: Path, tmp_path: Path
) -> None:
    picture = open_picture(await drawn(painter, tmp_path / "pose", cutout)).rgba
    figure = (picture[..., 2] > 150) & (picture[..., 1] < 100)
    assert picture[0, 0, :3].tolist() == [0, 170, 80]
    assert 0.05 < figure.mean() < 0.3
    assert figure[100:900, 500:520].any()


async def test_the_stand_in_draws_badly_when_it_is_told_to(
    cloud: Cloud, painter: DashScopePictures, tmp_path: Path
) -> None:
    cloud.turn(flawed=1)
    bad, good = [from_png((await drawn(painter, tmp_path / name)).read_bytes()) for name in ("bad", "good")]
    assert (bad[-1] != (0, 170, 80)).any()  # the figure goes on below the border
    assert (good[-1] == (0, 170, 80)).all()


# ------------------------------------------------------------------ orders


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (429, "Throttling.RateQuota", ProviderBusy, "no more orders for the moment"),
        (401, "InvalidApiKey", ProviderFailed, "does not accept the API key"),
        (404, "ModelNotFound", ProviderFailed, "such as wan2.7-image"),
        (400, "Arrearage", ProviderFailed, "no credit left"),
        (400, "DataInspectionFailed", ProviderFailed, "Change the words"),
        (400, "SomethingNew", ProviderFailed, "does not take this order"),
    ],
)
async def test_a_refusal_speaks_of_pictures_and_buys_nothing(
    cloud: Cloud, painter: DashScopePictures, status: int, code: str, kind: type[ProviderFailed], words: str
) -> None:
    cloud.fault("create", "error_before", status=status, code=code, message=f"because of {KEY}", retry_after="0")
    with pytest.raises(ProviderFailed, match=words) as caught:
        await painter.submit(a_wish())
    assert type(caught.value) is kind
    assert not any(word in str(caught.value) for word in (KEY, "clip", "emoji", "motion"))
    assert (cloud.ledger, cloud.calls["create"]) == ([], 1)


@pytest.mark.parametrize(
    ("said", "refused", "words"),
    [
        ("Input text data may contain inappropriate content.", "prompt", "refuses the prompt"),
        ("Input image data may contain inappropriate content.", "picture", "refuses the picture that was shown"),
        ("Output data may contain inappropriate content.", "drawing", "refuses the picture that was made"),
    ],
)
async def test_a_content_check_names_what_it_refuses(
    cloud: Cloud, painter: DashScopePictures, said: str, refused: str, words: str
) -> None:
    cloud.fault("create", "error_before", status=400, code="DataInspectionFailed", message=said)
    with pytest.raises(ProviderFailed, match=words) as caught:
        await painter.submit(a_wish())
    assert caught.value.details == {"provider_code": "DataInspectionFailed", "refused": refused}
    cloud.fail("robot", "DataInspectionFailed", said)
    assert words in (await settled(painter, await painter.submit(a_wish()))).message


@pytest.mark.parametrize(
    ("fault", "more", "is_bought"),
    [
        ("drop_before", {}, False),
        ("drop_after", {}, True),
        ("error_after", {"status": 500}, True),
        ("html", {"status": 502}, False),
        ("garbled", {}, False),
    ],
)
async def test_an_order_without_an_answer_is_not_sent_again_and_the_list_tells(
    cloud: Cloud, painter: DashScopePictures, fault: str, more: dict[str, object], is_bought: bool
) -> None:
    cloud.fault("create", fault, **more)
    since = time.time()
    with pytest.raises(SubmitUnanswered):
        await painter.submit(a_wish())
    listed = await painter.tasks(since - 1.0, time.time() + 1.0)
    assert listed.is_complete
    assert [(task.id, task.model) for task in listed.tasks] == [(line["id"], line["model"]) for line in cloud.ledger]
    assert (len(cloud.ledger), cloud.calls["create"]) == (is_bought, 1)


# ------------------------------------------------------------------ answers


async def test_a_picture_that_failed_within_a_task_that_did_not_is_a_failure_without_a_bill(
    cloud: Cloud, painter: DashScopePictures
) -> None:
    cloud.turn(refused_pictures=1)
    status = await settled(painter, await painter.submit(a_wish(model=OLD)))
    assert (status.state, status.billed, status.result) == (TaskState.FAILED, 0.0, None)
    assert status.message == "DashScope failed while it made this picture; it bills nothing for that. Draw again."


async def test_of_several_pictures_the_first_that_there_is_is_taken(
    cloud: Cloud, painter: DashScopePictures, tmp_path: Path
) -> None:
    cloud.turn(refused_pictures=1)
    order = {"model": OLD, "input": {"prompt": "A robot."}, "parameters": {"size": "1024*1024"}}
    headers = {"Authorization": f"Bearer {KEY}", "X-DashScope-Async": "enable"}
    create = f"{cloud.base_url}/services/aigc/text2image/image-synthesis"
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = (await http.post(create, json=order, headers=headers)).json()
    status = await settled(painter, RemoteTask("dashscope", answer["output"]["task_id"]))
    assert cloud.ledger[0]["drawn"] == 4  # which is what who says nothing orders
    assert status.billed == pytest.approx(3 * 0.14)
    await painter.download(status, tmp_path / "picture")
    assert open_picture(tmp_path / "picture").format == "PNG"


@pytest.mark.parametrize("odd", [{"results": {"url": "x"}}, {"choices": "none"}, {"choices": [{"message": 3}]}, {}])
def test_an_answer_of_another_shape_names_no_picture(odd: dict[str, object]) -> None:
    answer = TaskAnswer.model_validate({"output": {"task_id": "t", "task_status": "SUCCEEDED", **odd}})
    assert answer.output.drawn() == ()


@pytest.mark.parametrize("model", [OLD, "wan2.7-image"])
async def test_a_picture_that_is_nowhere_is_a_failure_that_says_so(
    cloud: Cloud, painter: DashScopePictures, tmp_path: Path, model: str
) -> None:
    cloud.turn(tells_places=False)
    status = await settled(painter, await painter.submit(a_wish(model=model)))
    assert status.state is TaskState.FAILED
    assert "picture is ready, but not where. Draw again." in status.message
    with pytest.raises(ProviderFailed, match="no place of this picture"):
        await painter.download(status, tmp_path / "picture")


async def test_a_task_that_fails_says_why_and_costs_nothing(cloud: Cloud, painter: DashScopePictures) -> None:
    cloud.fail("robot", "IPInfringementSuspect", "looks like a mouse\x07")
    status = await settled(painter, await painter.submit(a_wish()))
    assert (status.state, status.billed) == (TaskState.FAILED, 0.0)
    assert "somebody else's: looks like a mouse" in status.message


@pytest.mark.parametrize("model", [OLD, "wan2.7-image-pro"])
async def test_after_a_restart_the_list_tells_the_model_and_so_the_price(
    cloud: Cloud, painter: DashScopePictures, tmp_path: Path, model: str
) -> None:
    task = await painter.submit(a_wish(model=model))
    await settled(painter, task)
    cloud.turn(picture_share=0.1)
    next_one = painter_of(cloud.base_url)
    status = await next_one.check(task)
    assert status.billed == pytest.approx(cloud.ledger[0]["cost"])
    with pytest.raises(ProviderFailed, match="instead of about 1024 × 1024"):
        await next_one.download(status, tmp_path / "picture")


async def test_a_picture_can_be_cancelled_before_it_is_begun(cloud: Cloud, painter: DashScopePictures) -> None:
    cloud.turn(pending_seconds=60.0)
    task = await painter.submit(a_wish())
    assert await painter.cancel(task)
    status = await painter.check(task)
    assert (status.state, status.message) == (
        TaskState.FAILED,
        "This picture was cancelled at the provider. Draw again to get a new one.",
    )


# ------------------------------------------------------------------ fetching


async def test_a_picture_that_arrives_damaged_is_fetched_again(
    cloud: Cloud, painter: DashScopePictures, tmp_path: Path
) -> None:
    status = await settled(painter, await painter.submit(a_wish()))
    for fault in ("cut_after", "garbled", "truncated", "html"):
        cloud.fault("result", fault, status=200)
        with pytest.raises(ProviderUnreachable) as caught:
            await painter.download(status, tmp_path / "picture")
        assert caught.value.retries > 0
        assert os.listdir(tmp_path) == []
    await painter.download(status, tmp_path / "picture")
    assert open_picture(tmp_path / "picture").format == "PNG"
    assert len(cloud.ledger) == 1


async def test_a_clip_in_the_place_of_a_picture_is_refused(
    cloud: Cloud, painter: DashScopePictures, tmp_path: Path
) -> None:
    cloud.turn(swaps_results=True)
    status = await settled(painter, await painter.submit(a_wish()))
    with pytest.raises(ProviderFailed, match="not the picture that was ordered: it is an MP4") as caught:
        await painter.download(status, tmp_path / "picture")
    assert (caught.value.code, caught.value.retries) == ("wrong_picture", 0)
    assert os.listdir(tmp_path) == []


async def test_a_picture_in_the_place_of_a_clip_is_refused(
    cloud: Cloud, provider: DashScope, cutout: Path, tmp_path: Path
) -> None:
    cloud.turn(swaps_results=True)
    status = await settled(provider, await provider.submit(a_request(cutout)))
    with pytest.raises(ProviderFailed) as caught:
        await provider.download(status, tmp_path / "clip.mp4")
    assert caught.value.code == "wrong_clip"


async def test_a_picture_that_is_far_too_small_is_refused(
    cloud: Cloud, painter: DashScopePictures, tmp_path: Path
) -> None:
    cloud.turn(picture_share=0.2)
    status = await settled(painter, await painter.submit(a_wish()))
    with pytest.raises(ProviderFailed, match="it has 205 × 205 pixels instead of about 1024 × 1024"):
        await painter.download(status, tmp_path / "picture")


async def test_a_picture_is_decoded_in_a_process_of_its_own(cloud: Cloud, tmp_path: Path) -> None:
    painter = DashScopePictures(account(cloud.base_url, workers=Workers(count=1, memory_mb=3072)))
    status = await settled(painter, await painter.submit(a_wish()))
    cloud.fault("result", "cut_after")
    with pytest.raises(ProviderUnreachable, match="damaged"):
        await painter.download(status, tmp_path / "picture")
    await painter.download(status, tmp_path / "picture")
    assert open_picture(tmp_path / "picture").rgba.shape == (1024, 1024, 4)


async def test_a_provider_that_points_elsewhere_is_not_followed(
    cloud: Cloud, painter: DashScopePictures, tmp_path: Path
) -> None:
    cloud.turn(result_url="https://elsewhere.example/picture.png")
    status = await settled(painter, await painter.submit(a_wish()))
    with pytest.raises(ProviderFailed) as caught:
        await painter.download(status, tmp_path / "picture")
    assert caught.value.code == "download_refused"


# ------------------------------------------------------------------ one account


async def made(painter: DashScopePictures, prompt: str) -> TaskStatus:
    """A picture as the queue buys it: whoever was refused for now comes again."""
    while True:
        with contextlib.suppress(ProviderBusy):
            async with painter.turn("wan2.7-image"):
                task = await painter.submit(a_wish(prompt=prompt))
            return await settled(painter, task)


async def test_twelve_poses_are_never_throttled(cloud: Cloud, painter: DashScopePictures) -> None:
    cloud.turn(per_second=5, at_once=5, run_seconds=0.3)
    async with asyncio.timeout(30):
        poses = await asyncio.gather(*(made(painter, f"Pose {number}.") for number in range(12)))
    assert all(status.state is TaskState.SUCCEEDED for status in poses)
    assert len(cloud.ledger) == cloud.calls["create"] == 12


async def test_clips_and_pictures_share_the_questions_of_their_account(cloud: Cloud, cutout: Path) -> None:
    one = account(cloud.base_url)
    clips, pictures = DashScope(one), DashScopePictures(one)
    clip, picture = await clips.submit(a_request(cutout)), await pictures.submit(a_wish())
    async with asyncio.timeout(30):
        await asyncio.gather(*(maker.check(task) for maker, task in ((clips, clip), (pictures, picture)) * 20))
    asked = sorted(cloud.times["query"])
    assert len(asked) == 40
    assert max(sum(at <= other < at + 1.0 for other in asked) for at in asked) < 20


async def test_the_list_names_clips_and_pictures_alike(cloud: Cloud, cutout: Path) -> None:
    one = account(cloud.base_url)
    clips, pictures = DashScope(one), DashScopePictures(one)
    ordered = {(await clips.submit(a_request(cutout))).id, (await pictures.submit(a_wish())).id}
    for maker in (clips, pictures):
        assert {task.id for task in (await maker.tasks(time.time() - 60.0, time.time() + 1.0)).tasks} == ordered

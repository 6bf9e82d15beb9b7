"""Refinement over HTTP: what points mean on a frame, asked of a real daemon and its real engines."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from popcond.client import Client
from popcond.vision import miniature
from popcond.wire import NewPack, Status
from tests.busy import busy_clip
from tests.composites import STYLES
from tests.daemons import RunningDaemon, running_daemon
from tests.popcond.api.test_packs import until

FRAME = 7


@pytest.fixture(scope="module")
def classical(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """A daemon with the engine that needs no weights."""
    with running_daemon(tmp_path_factory.mktemp("home"), variables={"POPCON_SEGMENTER": "classical"}) as daemon:
        yield daemon


@pytest.fixture(scope="module")
async def waiting(classical: RunningDaemon) -> str:
    """An emoji of it whose cut-out waits for a person."""
    return await an_emoji_that_waits(classical)


async def an_emoji_that_waits(daemon: RunningDaemon) -> str:
    """The id of a new emoji once its frames have their first masks."""
    async with Client(daemon.url, daemon.token) as client:
        character = await client.add_sample_character()
        pack = await client.add_pack(
            NewPack(name="Ours", character_id=character.id, actions=("nod",), targets=("gif",), max_spend=None)
        )
        emoji = await until(client, pack.emojis[0].id, Status.AWAITING_REFINEMENT)
        return emoji.id


def post(daemon: RunningDaemon, emoji_id: str, path: str, body: object = None) -> httpx.Response:
    """The answer to a route of one emoji."""
    url = f"{daemon.url}/v1/emojis/{emoji_id}/{path}"
    return httpx.post(url, json=body, headers=daemon.headers, timeout=120)


def got(daemon: RunningDaemon, path: str) -> httpx.Response:
    """The answer to a question that has one."""
    answer = httpx.get(f"{daemon.url}/v1/{path}", headers=daemon.headers, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer


def raster(data: bytes) -> NDArray[np.uint8]:
    """A picture as bytes."""
    return np.asarray(Image.open(io.BytesIO(data)), np.uint8)


def mask_of(daemon: RunningDaemon, emoji_id: str, frame: int = FRAME) -> NDArray[np.uint8]:
    """(H, W): the mask that the frame has."""
    return raster(got(daemon, f"emojis/{emoji_id}/mask/{frame}").content)


def inside(daemon: RunningDaemon, emoji_id: str, frame: int = FRAME) -> tuple[float, float]:
    """A pixel of the character, about its middle: the one nearest to where its pixels are on average."""
    ys, xs = np.nonzero(mask_of(daemon, emoji_id, frame) > 200)
    nearest = int(np.argmin((xs - xs.mean()) ** 2 + (ys - ys.mean()) ** 2))
    return float(xs[nearest]) + 0.5, float(ys[nearest]) + 0.5


def point(x: float, y: float, **more: int) -> dict[str, Any]:
    """A point as it is sent."""
    return {"x": x, "y": y, **more}


def predicted(daemon: RunningDaemon, emoji_id: str, *points: dict[str, Any]) -> tuple[NDArray[np.uint8], httpx.Headers]:
    """(H, W, 4) of the answer, and its headers."""
    answer = post(daemon, emoji_id, "sam/predict", {"frame": FRAME, "points": points})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    return raster(answer.content), answer.headers


def test_a_point_is_answered_with_a_mask_of_the_frames_size(classical: RunningDaemon, waiting: str) -> None:
    emoji = got(classical, f"emojis/{waiting}").json()
    mask, headers = predicted(classical, waiting, point(*inside(classical, waiting)))
    assert mask.shape == (emoji["height"], emoji["width"], 4)
    assert set(np.unique(mask[..., 3])) == {0, 255}
    assert float(headers["x-popcon-coverage"]) == pytest.approx((mask[..., 3] > 0).mean(), abs=1e-4)
    assert 0 <= float(headers["x-popcon-score"]) <= 1
    assert headers["x-popcon-engine"]


def test_several_points_are_one_mask_and_hold_what_they_point_at(classical: RunningDaemon, waiting: str) -> None:
    x, y = inside(classical, waiting)
    more = [point(x, y), point(x + 8, y), point(x, y - 8)]
    mask, _ = predicted(classical, waiting, *more)
    assert mask.ndim == 3
    for each in more:
        assert mask[int(each["y"]), int(each["x"]), 3] == 255


def test_a_point_that_says_no_only_takes_away(classical: RunningDaemon, waiting: str) -> None:
    x, y = inside(classical, waiting)
    before, _ = predicted(classical, waiting, point(x, y))
    ys, xs = np.nonzero(before[..., 3])
    far = int(np.argmax((xs - x) ** 2 + (ys - y) ** 2))
    after, _ = predicted(classical, waiting, point(x, y), point(float(xs[far]), float(ys[far]), label=0))
    assert not ((after[..., 3] > 0) & (before[..., 3] == 0)).any()
    assert (after[..., 3] > 0).sum() < (before[..., 3] > 0).sum()
    assert after[ys[far], xs[far], 3] == 0


def test_a_point_outside_of_the_frame_is_refused_with_a_sentence(classical: RunningDaemon, waiting: str) -> None:
    answer = post(classical, waiting, "sam/predict", {"frame": FRAME, "points": [point(9000, 3)]})
    assert answer.status_code == 422
    assert "outside of the frame" in answer.json()["message"]
    assert answer.json()["cure"]


@pytest.mark.parametrize(
    "body",
    [
        {"frame": FRAME, "points": []},
        {"frame": FRAME, "points": [{"x": -1, "y": 3}]},
        {"frame": FRAME, "points": [{"x": 1, "y": 3, "label": 2}]},
        {"frame": -1, "points": [{"x": 1, "y": 3}]},
        {"points": [{"x": 1, "y": 3}]},
    ],
)
def test_a_prompt_that_makes_no_sense_is_refused(classical: RunningDaemon, waiting: str, body: object) -> None:
    answer = post(classical, waiting, "sam/predict", body)
    assert answer.status_code == 422
    assert answer.json()["message"].endswith(".")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sam/predict", {"frame": 600, "points": [{"x": 1, "y": 3}]}),
        ("sam/embed", {"frames": [0, 600]}),
    ],
)
def test_a_frame_that_is_not_there_is_not_found(
    classical: RunningDaemon, waiting: str, path: str, body: object
) -> None:
    assert post(classical, waiting, path, body).status_code == 404
    assert post(classical, "nobody", path, body).status_code == 404


def test_asking_changes_nothing(classical: RunningDaemon, waiting: str) -> None:
    emoji, frames = (got(classical, f"emojis/{waiting}{more}").json() for more in ("", "/frames"))
    mask = mask_of(classical, waiting)
    predicted(classical, waiting, point(*inside(classical, waiting)))
    assert got(classical, f"emojis/{waiting}").json() == emoji
    assert got(classical, f"emojis/{waiting}/frames").json() == frames
    assert np.array_equal(mask_of(classical, waiting), mask)


def test_frames_are_prepared_without_anybody_waiting(classical: RunningDaemon, waiting: str) -> None:
    some = post(classical, waiting, "sam/embed", {"frames": [0, 3]})
    every = post(classical, waiting, "sam/embed")
    assert (some.status_code, every.status_code) == (202, 202)
    assert some.json()["frames"] == 2
    assert every.json()["frames"] == got(classical, f"emojis/{waiting}").json()["frame_count"]
    assert every.json()["engine"]


async def test_before_a_busy_backdrop_the_model_that_is_shipped_answers_by_its_name(tmp_path: Path) -> None:
    pytest.importorskip("ultralytics")
    with running_daemon(tmp_path / "home") as daemon:
        emoji_id, (x, y) = await a_busy_emoji_that_waits(daemon)
        engine = post(daemon, emoji_id, "sam/embed").json()["engine"]
        answer = post(daemon, emoji_id, "sam/predict", {"frame": 0, "points": [point(x, y)]})
    assert answer.status_code == 200, answer.text
    assert raster(answer.content)[int(y), int(x), 3] == 255
    assert answer.headers["x-popcon-engine"] == engine
    assert engine == miniature.DISPLAY_NAME


async def a_busy_emoji_that_waits(daemon: RunningDaemon) -> tuple[str, tuple[float, float]]:
    """The id of a new emoji whose user's own clip has a busy backdrop, and a point of its figure on frame 0."""
    clip = busy_clip(STYLES[0], "photo", count=3, size=192)
    data = io.BytesIO()
    first, *others = [Image.fromarray(rgb) for rgb in clip.frames]
    first.save(data, "PNG", save_all=True, append_images=others, duration=100)
    async with Client(daemon.url, daemon.token) as client:
        character = await client.add_sample_character()
        order = NewPack(name="Own", character_id=character.id, actions=("nod",), targets=("gif",), awaits_clips=True)
        (emoji,) = (await client.add_pack(order)).emojis
        files = {"file": ("clip.png", data.getvalue())}
        url = f"{daemon.url}/v1/emojis/{emoji.id}/clip"
        sent = await asyncio.to_thread(httpx.post, url, files=files, headers=daemon.headers, timeout=60)
        assert sent.status_code == 200, sent.text
        await until(client, emoji.id, Status.AWAITING_REFINEMENT)
    ys, xs = np.nonzero(clip.alphas[0] > 200)
    nearest = int(np.argmin((xs - xs.mean()) ** 2 + (ys - ys.mean()) ** 2))
    return emoji.id, (float(xs[nearest]) + 0.5, float(ys[nearest]) + 0.5)

"""A rehearsal's account and the service that it leads to: nothing can be spent, and all that is sold can be ordered."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from popcond import keys
from popcond.actions import load_actions
from popcond.errors import BadSetting, HomeUnusable, ProviderFailed
from popcond.media.clip import probe
from popcond.media.raster import from_png, png
from popcond.rehearsal.place import is_rehearsal, rehearsal_home, rehearsal_settings
from popcond.rehearsal.provider import LABEL, Rehearsed
from popcond.rehearsal.running import rehearsing
from popcond.settings import Settings
from popcond.video.dashscope import DashScope
from popcond.video.dashscope_models import SINGAPORE_URL
from popcond.video.dashscope_picture_models import picture_row
from popcond.video.dashscope_pictures import DashScopePictures
from popcond.video.provider import ClipRequest, Maker, PictureRequest, RemoteTask, TaskState, TaskStatus
from popcond.video.sample import draw_sample
from tests.daemons import environment

THEIRS = "sk-canary-of-the-user-0123456789"  # the user's own key
ACTIONS = tuple(load_actions().actions.values())
PATIENCE = 60.0  # seconds


@pytest.fixture(autouse=True)
def only_a_users_key_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment of somebody who could spend money."""
    for name in [name for name in os.environ if name.startswith(("POPCON_", "DASHSCOPE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("POPCON_CONFIG_FOLDER", str(tmp_path / "config"))
    monkeypatch.setenv("DASHSCOPE_API_KEY", THEIRS)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of the user's real daemon."""
    return Settings.load(home=tmp_path / "home", dashscope_base_url=SINGAPORE_URL, dashscope_hosts=("mirror.example",))


@pytest.fixture
def rehearsed(settings: Settings) -> Iterator[Settings]:
    """Those of a rehearsal, whose clips take no longer than it takes to draw them."""
    with rehearsing(settings, clip_seconds=0.0) as rehearsed:
        yield rehearsed


@pytest.fixture
def cutout(tmp_path: Path) -> Path:
    """Our own sample character."""
    path = tmp_path / "cutout.png"
    path.write_bytes(png(draw_sample()))
    return path


def account_of(settings: Settings) -> Rehearsed:
    """As the composition root makes it."""

    def key() -> SecretStr | None:
        found = keys.read(settings, "dashscope")
        return found.secret if found else None

    return Rehearsed(key, settings)


def provider_of(settings: Settings) -> DashScope:
    return DashScope(account_of(settings))


def painter_of(settings: Settings) -> DashScopePictures:
    return DashScopePictures(account_of(settings))


def wave_of(cutout: Path) -> ClipRequest:
    action = next(action for action in ACTIONS if action.name == "wave")
    return ClipRequest(action, action.motion_prompt, cutout, (0, 160, 90), "wan2.2-i2v-flash", 5.0)


async def settled(provider: Maker[Any], task: RemoteTask) -> TaskStatus:
    async with asyncio.timeout(PATIENCE):
        while (status := await provider.check(task)).state in (TaskState.PENDING, TaskState.RUNNING):
            await asyncio.sleep(0.05)
    return status


# ------------------------------------------------------------------ nothing can be spent


def test_a_rehearsal_holds_nothing_that_could_spend_money(settings: Settings) -> None:
    with rehearsing(settings) as rehearsed:
        found = keys.read(rehearsed, "dashscope")
        assert found is not None
        assert found.secret.get_secret_value().startswith("sk-rehearsal-")
        assert THEIRS not in os.environ.values()
        assert rehearsed.dashscope_api_key is None
        assert str(rehearsed.dashscope_base_url).startswith("http://127.0.0.1:")
        assert (rehearsed.dashscope_hosts, rehearsed.port, rehearsed.home) == ((), 0, settings.home / "rehearsal")


def test_without_its_own_key_it_takes_no_other(settings: Settings) -> None:
    rehearsed = rehearsal_settings(settings, rehearsal_home(settings), "http://127.0.0.1:1/api/v1")
    with pytest.raises(ProviderFailed, match="no key file"):
        keys.read(rehearsed.model_copy(update={"dashscope_api_key": SecretStr(THEIRS)}), "dashscope")


@pytest.mark.parametrize(
    "base_url", [None, SINGAPORE_URL, "https://127.0.0.1/api/v1", "http://127.0.0.1.example/api/v1", "http://me@x/"]
)
def test_its_provider_is_not_even_made_for_an_address_elsewhere(settings: Settings, base_url: str | None) -> None:
    with pytest.raises(BadSetting):
        Rehearsed(lambda: SecretStr(THEIRS), settings.model_copy(update={"dashscope_base_url": base_url}))


@pytest.mark.parametrize(
    "place", ["https://dashscope-result-bj.oss-cn-beijing.aliyuncs.com/a.mp4", "https://x.y/a.mp4"]
)
async def test_nothing_is_fetched_from_elsewhere_not_even_by_a_redirect(
    settings: Settings, tmp_path: Path, place: str
) -> None:
    home = rehearsal_home(settings)
    provider = DashScope(Rehearsed(lambda: None, rehearsal_settings(settings, home, "http://127.0.0.1:1/api/v1")))
    task = RemoteTask("dashscope", "some")
    with _leading_to(place) as here:
        for result in (place, here):
            with pytest.raises(ProviderFailed) as refused:
                await provider.download(TaskStatus(task, TaskState.SUCCEEDED, result=result), tmp_path / "clip.mp4")
            assert refused.value.code == "download_refused"


@contextlib.contextmanager
def _leading_to(place: str) -> Iterator[str]:
    """An address on this computer that is redirected."""

    class Redirect(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", place)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Redirect) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/a.mp4"
        finally:
            server.shutdown()
            serving.join()


def test_a_folder_with_real_packs_does_not_become_a_rehearsal(settings: Settings) -> None:
    in_the_way = settings.home / "rehearsal"
    in_the_way.mkdir(parents=True)
    (in_the_way / "popcon.db").write_bytes(b"")
    with pytest.raises(HomeUnusable, match="no rehearsal"):
        rehearsal_home(settings)
    assert not is_rehearsal(Settings.load(home=in_the_way))


def test_its_time_is_remembered_and_a_damaged_mark_is_still_one(settings: Settings) -> None:
    rehearsal_home(settings, clip_seconds=7.0)
    home = rehearsal_home(settings)
    assert json.loads((home / "rehearsal.json").read_text()) == {"clip_seconds": 7.0, "region": "USD"}
    (home / "rehearsal.json").write_text("{")
    again = Settings.load(home=home)
    assert is_rehearsal(again)
    assert rehearsal_home(again) == home


# ------------------------------------------------------------------ the stand-in


async def test_the_clip_shows_the_users_own_character_move(rehearsed: Settings, cutout: Path, tmp_path: Path) -> None:
    provider = provider_of(rehearsed)
    task = await provider.submit(wave_of(cutout))
    listed = await provider.tasks(time.time() - 60, time.time() + 60)
    status = await settled(provider, task)
    await provider.download(status, tmp_path / "clip.mp4")
    clip = probe(tmp_path / "clip.mp4")
    assert (clip.width, clip.height) == (640, 640)
    assert clip.seconds == pytest.approx(5.0, abs=0.1)
    assert status.billed == pytest.approx(0.075)
    assert [row.id for row in listed.tasks] == [task.id]
    assert listed.is_complete


async def test_every_model_that_is_sold_can_be_ordered(rehearsed: Settings, cutout: Path) -> None:
    provider = provider_of(rehearsed)
    models = provider.describe().models
    for model in models:
        await provider.submit(replace(wave_of(cutout), model=model.name, seconds=model.seconds[0]))
    listed = await provider.tasks(time.time() - 60, time.time() + 60)
    assert sorted(task.model for task in listed.tasks) == sorted(model.name for model in models)


async def test_words_become_a_character_and_the_character_a_pose(rehearsed: Settings, tmp_path: Path) -> None:
    painter, told = painter_of(rehearsed), "Plain background, #40a060. A purple bear with orange hair."
    status = await settled(painter, await painter.submit(PictureRequest(told, "wan2.7-image")))
    await painter.download(status, tmp_path / "character.png")
    ordered = PictureRequest("Waves. Background #40a060.", "wan2.7-image", (tmp_path / "character.png",))
    status = await settled(painter, await painter.submit(ordered))
    await painter.download(status, tmp_path / "pose.png")
    assert status.billed == pytest.approx(0.03)  # dollars of Singapore
    character, pose = (from_png((tmp_path / f"{name}.png").read_bytes()) for name in ("character", "pose"))
    for picture in (character, pose):
        assert picture.shape == (1024, 1024, 3)
        rows = np.flatnonzero((picture != (64, 160, 96)).any(axis=2).any(axis=1))
        assert np.ptp(rows) == pytest.approx(0.8 * 1024, rel=0.05)
    assert 0.02 < (character != pose).any(axis=2).mean() < 0.6


async def test_every_picture_model_that_is_sold_can_be_ordered(rehearsed: Settings, cutout: Path) -> None:
    painter = painter_of(rehearsed)
    models = [model.name for model in painter.picture_models()]
    for name in models:
        row = picture_row(name)
        assert row is not None
        await painter.submit(PictureRequest("A cat.", name, (cutout,) * row.references.start))
    listed = await painter.tasks(time.time() - 60, time.time() + 60)
    assert sorted(task.model for task in listed.tasks) == sorted(models)


def test_its_provider_says_what_it_is_and_names_the_real_prices(rehearsed: Settings) -> None:
    told = provider_of(rehearsed).describe()
    assert (told.label, told.needs_network, told.has_key) == (LABEL, False, True)
    assert told.picture_models == painter_of(rehearsed).picture_models()
    assert {(model.name, model.price) for model in told.picture_models} >= {("wan2.7-image-pro", 0.075)}


async def test_only_the_rehearsals_key_opens_it(rehearsed: Settings, cutout: Path) -> None:
    stranger = DashScope(Rehearsed(lambda: SecretStr(THEIRS), rehearsed))
    with pytest.raises(ProviderFailed, match="does not accept the API key"):
        await stranger.submit(wave_of(cutout))


async def test_what_was_ordered_outlives_the_stand_in(settings: Settings, cutout: Path) -> None:
    with rehearsing(settings, clip_seconds=3600.0) as rehearsed:
        task = await provider_of(rehearsed).submit(wave_of(cutout))
    with rehearsing(settings, clip_seconds=0.0) as rehearsed:
        status = await settled(provider_of(rehearsed), task)
    assert status.state is TaskState.SUCCEEDED


async def test_nonsense_is_refused_as_the_service_refuses_it(rehearsed: Settings) -> None:
    found = keys.read(rehearsed, "dashscope")
    assert found is not None
    headers = {"Authorization": f"Bearer {found.secret.get_secret_value()}"}
    enable = {"X-DashScope-Async": "enable"}
    picture = {"prompt": "x", "img_url": "data:image/png;base64,AAAA"}
    four = {"model": "wan2.7-image", "input": {"messages": []}, "parameters": {"size": "1K"}}
    elsewhere = {**four, "model": "wan2.2-t2i-flash", "parameters": {"size": "1K", "n": 1}}
    async with httpx.AsyncClient(base_url=str(rehearsed.dashscope_base_url), headers=headers, trust_env=False) as http:
        create, draw = "/services/aigc/video-generation/video-synthesis", "/services/aigc/image-generation/generation"
        said = [
            await http.post(create, json={"model": "wan2.2-i2v-flash", "input": picture}),
            await http.post(create, json={"model": "wan9", "input": picture}, headers=enable),
            await http.post(create, json={"model": "wan2.2-i2v-flash", "input": {}}, headers=enable),
            await http.post(create, content=b"{", headers=enable),
            await http.post(draw, json=four, headers=enable),
            await http.post(draw, json=elsewhere, headers=enable),
            await http.get("/tasks", params={"page_size": "all"}),
            await http.post("/tasks/nobody/cancel"),
        ]
        unknown = (await http.get("/tasks/../../token")).status_code, (await http.get("/tasks/nobody")).json()
    assert [(each.status_code, each.json()["code"]) for each in said] == [
        (403, "AccessDenied"),
        (404, "ModelNotFound"),
        (400, "InvalidParameter"),
        (400, "InvalidParameter"),
        (400, "InvalidParameter"),
        (404, "ModelNotFound"),
        (400, "InvalidParameter"),
        (400, "UnsupportedOperation"),
    ]
    assert unknown[0] == 404
    assert unknown[1]["output"]["task_status"] == "UNKNOWN"


def test_it_ends_with_a_daemon_that_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom popcond.settings import Settings\nfrom popcond.rehearsal.running import rehearsing\n"
        "with rehearsing(Settings.load()) as rehearsed:\n"
        "    print(rehearsed.dashscope_base_url, flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(tmp_path / "home"),
    ) as daemon:
        assert daemon.stdout is not None
        base_url = daemon.stdout.readline().decode().strip()
        assert httpx.get(f"{base_url}/tasks", trust_env=False, timeout=PATIENCE).status_code == 401
        daemon.send_signal(signal.SIGKILL)
        give_up_at = time.monotonic() + PATIENCE
        while _is_there(base_url):
            assert time.monotonic() < give_up_at


def _is_there(base_url: str) -> bool:
    try:
        return httpx.get(f"{base_url}/tasks", trust_env=False).status_code == 401
    except httpx.TransportError:
        return False

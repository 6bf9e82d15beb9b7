"""A rehearsal: the whole paid road with a stand-in, where nothing can be spent and everything says so."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
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
import pytest
from pydantic import SecretStr

from popcond import keys
from popcond.actions import load_actions
from popcond.app import compose
from popcond.cli import main
from popcond.errors import BadSetting, HomeUnusable, ProviderFailed
from popcond.home import TokenInForce
from popcond.media.clip import probe
from popcond.media.raster import png
from popcond.rehearsal.place import is_rehearsal, rehearsal_home, rehearsal_settings
from popcond.rehearsal.provider import LABEL, Rehearsed
from popcond.rehearsal.running import rehearsing
from popcond.settings import Settings
from popcond.video.dashscope_models import SINGAPORE_URL
from popcond.video.provider import ClipRequest, RemoteTask, TaskState, TaskStatus
from popcond.video.sample import draw_sample
from tests.daemons import environment, running_daemon

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


def provider_of(settings: Settings) -> Rehearsed:
    """As the composition root makes it."""

    def key() -> SecretStr | None:
        found = keys.read(settings, "dashscope")
        return found.secret if found else None

    return Rehearsed(key, settings)


def wave_of(cutout: Path) -> ClipRequest:
    action = next(action for action in ACTIONS if action.name == "wave")
    return ClipRequest(action, action.motion_prompt, cutout, (0, 160, 90), "wan2.2-i2v-flash", 5.0)


async def settled(provider: Rehearsed, task: RemoteTask) -> TaskStatus:
    async with asyncio.timeout(PATIENCE):
        while (status := await provider.check(task)).state in (TaskState.PENDING, TaskState.RUNNING):
            await asyncio.sleep(0.05)
    return status


# ------------------------------------------------------------------ as a user sees it


def test_a_pack_is_bought_without_money_and_everything_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real, home = tmp_path / "home", tmp_path / "home" / "rehearsal"
    options = ("--home", str(real), "--rehearsal", "--clip-seconds", "0")
    monkeypatch.chdir(tmp_path)
    with way_out() as variables, running_daemon(home, *options, variables=variables) as daemon:
        words = ["--sample", "--actions", "wave", "--provider", "dashscope", "--refine", "wait"]
        code = main(["make", *words, "--model", "wan3.0-video", "--json", "--home", str(home)])
        told = capfd.readouterr()
        for command in ("status", "usage", "purchases"):
            assert main([command, "--home", str(home)]) == 0
            said = capfd.readouterr()
            assert "This is a rehearsal" in said.out + said.err, command
        version, providers, purchases = (
            httpx.get(f"{daemon.url}/v1/{noun}", headers=daemon.headers).json()
            for noun in ("version", "providers", "purchases")
        )
    assert code == 0, told.err
    assert told.err.count("This is a rehearsal") == 1
    assert "USD" in told.err  # the prices of Singapore
    assert [emoji["status"] for emoji in json.loads(told.out)["emojis"]] == ["awaiting_refinement"]
    assert "rehearsal" in version["features"]
    assert LABEL in {provider["label"] for provider in providers}
    assert [(row["amount"], row["is_estimate"]) for row in purchases] == [(0.1, False)]
    assert [path.name for path in real.iterdir()] == ["rehearsal"]
    assert f"--home {home}" in (home / "serve.log").read_text()
    for path in (path for path in home.rglob("*") if path.is_file()):
        assert THEIRS.encode() not in path.read_bytes(), path


@contextlib.contextmanager
def way_out() -> Iterator[dict[str, str]]:
    """The environment of a user whose only way to other computers is a proxy, which nobody may have called."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        address = "http://{}:{}".format(*proxy.getsockname())
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), address)
        yield {**proxies, "DASHSCOPE_API_KEY": THEIRS, "POPCON_DASHSCOPE_BASE_URL": SINGAPORE_URL}
        proxy.setblocking(False)
        with pytest.raises(BlockingIOError):
            proxy.accept()


def test_a_home_that_was_a_rehearsal_is_never_served_for_real(settings: Settings) -> None:
    home = rehearsal_home(settings, clip_seconds=0.0)
    with running_daemon(home, variables={"DASHSCOPE_API_KEY": THEIRS}) as daemon:
        version = httpx.get(f"{daemon.url}/v1/version", headers=daemon.headers).json()
    assert "rehearsal" in version["features"]
    with pytest.raises(BadSetting, match="asks no service outside"):
        compose(Settings.load(home=home), TokenInForce("a-token-of-nobody-at-all"))


def test_a_real_daemon_does_not_call_itself_a_rehearsal(tmp_path: Path) -> None:
    with running_daemon(tmp_path / "home") as daemon:
        version, providers = (
            httpx.get(f"{daemon.url}/v1/{noun}", headers=daemon.headers).json() for noun in ("version", "providers")
        )
    assert "rehearsal" not in version["features"]
    assert LABEL not in {provider["label"] for provider in providers}


def test_its_time_cannot_be_set_without_a_rehearsal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--home", str(tmp_path / "home"), "--clip-seconds", "1"]) == 2
    assert "--rehearsal" in capfd.readouterr().err
    assert not (tmp_path / "home").exists()


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
    provider = Rehearsed(lambda: None, rehearsal_settings(settings, home, "http://127.0.0.1:1/api/v1"))
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


async def test_only_the_rehearsals_key_opens_it(rehearsed: Settings, cutout: Path) -> None:
    stranger = Rehearsed(lambda: SecretStr(THEIRS), rehearsed)
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
    async with httpx.AsyncClient(base_url=str(rehearsed.dashscope_base_url), headers=headers, trust_env=False) as http:
        create = "/services/aigc/video-generation/video-synthesis"
        said = [
            await http.post(create, json={"model": "wan2.2-i2v-flash", "input": picture}),
            await http.post(create, json={"model": "wan9", "input": picture}, headers=enable),
            await http.post(create, json={"model": "wan2.2-i2v-flash", "input": {}}, headers=enable),
            await http.post(create, content=b"{", headers=enable),
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

"""The road to the paid provider, looked at without buying: each thing that may be wrong is told by itself."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from email.utils import formatdate
from pathlib import Path

import pytest
from pydantic import SecretStr

from popcond.doctor.checkup import check_up
from popcond.doctor.finding import Finding
from popcond.errors import BadSetting
from popcond.rehearsal.place import rehearsal_home
from popcond.settings import Settings
from popcond.video.dashscope_reach import Place, Reached, other_regions, place_of, reach
from tests.cloud.running import KEY, running_cloud
from tests.popcond.script_server import answer, scripted
from tests.test_borders import HEAVY, loaded_by

NOBODY = {"code": "InvalidApiKey", "message": "Invalid API-key provided."}
NO_TASKS = {"total": 0, "data": []}


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever runs the tests has no key and no settings."""
    for name in [name for name in os.environ if name.startswith(("POPCON_", "DASHSCOPE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("POPCON_CONFIG_FOLDER", str(tmp_path / "config"))


def road(settings: Settings, *, online: bool) -> dict[str, Finding]:
    """What was found of it."""
    findings = check_up(settings, online=online)
    return {finding.name: finding for finding in findings if finding.name.startswith("dashscope-")}


def settings_with(tmp_path: Path, **more: object) -> Settings:
    return Settings.load(home=tmp_path / "home", **more)


async def asked(*answers: bytes, key: str = KEY, others: tuple[Place, ...] = ()) -> Reached:
    """What is said of a place that answers so."""
    async with scripted(*answers) as server:
        return await reach(stand_in(server.url), SecretStr(key), others)


def stand_in(url: str, name: str = "Beijing") -> Place:
    return Place(f"{url}/api/v1", name, is_known=True)


# ------------------------------------------------------------------ the check-up


def test_without_a_key_only_the_address_is_looked_at(tmp_path: Path) -> None:
    found = road(settings_with(tmp_path), online=True)
    assert list(found) == ["dashscope-url"]
    assert "Beijing" in found["dashscope-url"].message


def test_nobody_is_asked_unless_the_user_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    with running_cloud(tmp_path / "cloud") as cloud:
        settings = settings_with(tmp_path, dashscope_base_url=cloud.base_url)
        offline = road(settings, online=False)
        assert cloud.calls == {}
        online = road(settings, online=True)
        assert (cloud.calls, cloud.ledger) == ({"list": 1}, [])
    assert "--online" in str(offline["dashscope-reach"].cure)
    assert {name: finding.ok for name, finding in online.items()} == dict.fromkeys(
        ("dashscope-url", "dashscope-reach", "dashscope-clock"), True
    )


def test_a_key_that_is_not_taken_is_broken_and_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-wrong-canary-0123456789")
    with running_cloud(tmp_path / "cloud") as cloud:
        found = road(settings_with(tmp_path, dashscope_base_url=cloud.base_url), online=True)
    reached = found["dashscope-reach"]
    assert (reached.ok, "does not accept the API key" in reached.message) == (False, True)
    assert "canary" not in str(found)


def test_an_address_that_cannot_be_one_is_told_and_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    found = road(
        settings_with(tmp_path, dashscope_base_url="https://dashscope.aliyuncs.com/compatible-mode/v1"), online=True
    )
    assert list(found) == ["dashscope-url"]
    assert not found["dashscope-url"].ok
    assert "/api/v1" in str(found["dashscope-url"].cure)


def test_a_home_of_rehearsals_has_no_paid_road(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    home = rehearsal_home(settings_with(tmp_path))
    found = road(Settings.load(home=home), online=True)
    assert [(finding.ok, "rehearsals" in finding.message) for finding in found.values()] == [(True, True)]


def test_it_can_be_looked_at_where_only_the_client_is_installed() -> None:
    assert not loaded_by("import popcond.doctor.paid_road") & HEAVY


# ------------------------------------------------------------------ the address


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://dashscope.aliyuncs.com/api/v1", "Beijing"),
        ("https://dashscope-intl.aliyuncs.com/api/v1/", "Singapore"),
        ("https://ws-1.eu-central-1.maas.aliyuncs.com/api/v1", "the workspace at ws-1.eu-central-1.maas.aliyuncs.com"),
        ("http://127.0.0.1:8080/api/v1", "a stand-in on this computer"),
    ],
)
def test_places_have_names(base_url: str, name: str) -> None:
    place = place_of(base_url)
    assert (place.name, place.is_known) == (name, True)


def test_a_place_that_is_not_known_is_allowed_and_doubted(tmp_path: Path) -> None:
    found = road(settings_with(tmp_path, dashscope_base_url="https://gateway.example/api/v1"), online=False)
    assert found["dashscope-url"].ok
    assert "trust" in str(found["dashscope-url"].cure)


@pytest.mark.parametrize(
    "base_url",
    [
        "dashscope.aliyuncs.com/api/v1",
        "http://dashscope.aliyuncs.com/api/v1",
        "https://dashscope.aliyuncs.com",
        "https://dashscope.aliyuncs.com/api/v1/tasks",
        "https://me:secret@dashscope.aliyuncs.com/api/v1",
        "https://dashscope.aliyuncs.com/api/v1?key=sk-secret",
        "https://[/api/v1",
        "ftp://127.0.0.1/api/v1",
    ],
)
def test_what_is_no_address_is_told_with_a_cure_and_without_what_may_be_secret(base_url: str) -> None:
    with pytest.raises(BadSetting) as refused:
        place_of(base_url)
    assert refused.value.cure
    assert "secret" not in str(refused.value)


def test_a_key_is_shown_to_other_regions_only_when_it_was_meant_for_the_service() -> None:
    assert {place.name for place in other_regions(place_of("https://dashscope.aliyuncs.com/api/v1"))} == {
        "Singapore",
        "Virginia",
        "Hong Kong",
    }
    for private in ("http://127.0.0.1:8080/api/v1", "https://gateway.example/api/v1"):
        assert other_regions(place_of(private)) == ()


# ------------------------------------------------------------------ the answer


async def test_a_key_of_another_region_is_told_apart_from_a_wrong_one() -> None:
    async with scripted(answer(401, NOBODY)) as virginia, scripted(answer(200, NO_TASKS)) as singapore:
        others = (stand_in(virginia.url, "Virginia"), stand_in(singapore.url, "Singapore"))
        reached = await asked(answer(401, NOBODY), others=others)
        assert (reached.is_usable, "Singapore" in reached.message) == (False, True)
        assert f"POPCON_DASHSCOPE_BASE_URL={singapore.url}/api/v1" in str(reached.cure)


async def test_a_key_that_no_region_takes_is_wrong() -> None:
    async with scripted(answer(401, NOBODY)) as singapore:
        reached = await asked(answer(401, NOBODY), others=(stand_in(singapore.url, "Singapore"),))
    assert "does not accept the API key" in reached.message
    assert "none of Beijing, Singapore" in str(reached.cure)


@pytest.mark.parametrize(
    ("status", "body", "is_usable", "words"),
    [
        (400, {"code": "Arrearage", "message": "Access denied"}, False, "no credit"),
        (429, {"code": "Throttling.RateQuota", "message": "too fast"}, True, "no more orders for the moment"),
        (403, {"code": "AccessDenied.Unpurchased", "message": "not yours"}, False, "may not use"),
        (503, b"<html>busy</html>", False, "trouble of its own"),
        (404, b"<html>nothing here</html>", False, "is not DashScope"),
        (200, b"<html>Please log in</html>", False, "is not DashScope"),
        (302, b"", False, "is not DashScope"),
    ],
)
async def test_every_answer_is_a_sentence_with_a_cure(status: int, body: object, is_usable: bool, words: str) -> None:
    reached = await asked(answer(status, body))
    assert (reached.is_usable, words in reached.message) == (is_usable, True)
    assert reached.cure


async def test_a_line_that_breaks_and_a_port_where_nobody_is_are_told() -> None:
    assert "cannot be connected to" in (await asked()).message
    with socket.create_server(("127.0.0.1", 0)) as gone:
        url = "http://{}:{}".format(*gone.getsockname())
    assert "cannot be connected to" in (await reach(stand_in(url), SecretStr(KEY))).message


async def test_silence_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = "http://{}:{}".format(*silent.getsockname())
        reached = await reach(stand_in(url), SecretStr(KEY), patience=0.1)
    assert "does not answer within 0.1 s" in reached.message


async def test_a_name_that_nobody_has_is_told() -> None:
    reached = await reach(place_of("https://nobody.invalid/api/v1"), SecretStr(KEY))
    assert not reached.is_usable
    assert reached.cure


@pytest.mark.parametrize(
    ("minutes", "ok", "words"),
    [(0, True, "agrees"), (30, False, "30 minutes behind"), (-30, False, "30 minutes ahead of")],
)
async def test_a_clock_far_from_the_services_is_told(
    minutes: int, ok: bool, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", KEY)
    date = formatdate(time.time() + 60 * minutes, usegmt=True)
    async with scripted(answer(200, NO_TASKS, headers=f"Date: {date}\r\n")) as server:
        settings = settings_with(tmp_path, dashscope_base_url=f"{server.url}/api/v1")
        found = (await asyncio.to_thread(road, settings, online=True))["dashscope-clock"]
    assert (found.ok, words in found.message) == (ok, True)


async def test_a_clock_that_cannot_be_read_is_no_clock() -> None:
    assert (await asked(answer(200, NO_TASKS, headers="Date: yesterday\r\n"))).clock_ahead is None

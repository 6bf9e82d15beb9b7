"""A daemon that is killed while a character or a pose is drawn: no picture is bought twice, and none is lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from popcond.wire import Character, Emoji, Status
from tests.cloud.running import running_cloud
from tests.crash.trial import Life, Trial

POINTS = ("after_intent", "after_submit", "after_id_write", "before_download", "after_download", "before_finish")


@pytest.fixture
async def trial(tmp_path: Path) -> AsyncIterator[Trial]:
    """A home that nobody has lived in."""
    with running_cloud(tmp_path / "cloud") as cloud:
        yield Trial(tmp_path / "home", cloud)


async def talk(trial: Trial, life: Life) -> httpx.AsyncClient:
    """To a daemon that has to be alive."""
    url = await life.url()
    assert url is not None
    token = (trial.home / "token").read_text().strip()
    return httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False)


async def reached(http: httpx.AsyncClient, path: str, is_so: Callable[[Any], bool]) -> Any:
    """What is there, once it is so."""
    async with asyncio.timeout(60):
        while not is_so(now := (await http.get(path)).raise_for_status().json()):
            await asyncio.sleep(0.05)
    return now


@pytest.mark.parametrize("at", [*POINTS, "between_tries"])
async def test_a_character_is_drawn_once(trial: Trial, at: str) -> None:
    tries = 2 if at == "between_tries" else 1
    trial.cloud.turn(flawed=tries - 1)
    async with trial.life(POPCON_CRASH_AT=at) as life, await talk(trial, life) as http:
        order = await http.post("/v1/characters/generate", json={"prompt": "A robot."})
        assert order.status_code == 202
        assert await life.death() == -signal.SIGKILL
    async with trial.life() as life, await talk(trial, life) as http:
        path = f"/v1/characters/{order.json()['id']}"
        drawn = Character.model_validate(await reached(http, path, lambda now: now["status"] != "drawing"))
    assert (drawn.status, drawn.problem, len(drawn.drawings)) == ("ready", None, tries)
    assert len(trial.cloud.ledger) == tries


@pytest.mark.parametrize("at", ["after_submit", "before_download"])
async def test_a_pose_is_drawn_once_and_its_clip_made_once(trial: Trial, at: str) -> None:
    async with trial.life(POPCON_CRASH_AT=at) as life, await talk(trial, life) as http:
        character = (await http.post("/v1/characters/sample")).json()
        order = {"character_id": character["id"], "actions": ["wave"], "provider": "dashscope", "targets": ["gif"]}
        pack = await http.post("/v1/packs", json=order | {"auto_accept": True, "draw_poses": True})
        assert pack.status_code == 201, pack.text
        assert await life.death() == -signal.SIGKILL
    async with trial.life() as life, await talk(trial, life) as http:
        path = f"/v1/emojis/{pack.json()['emojis'][0]['id']}"
        done = Emoji.model_validate(await reached(http, path, lambda now: Status(now["status"]).is_final))
    assert (done.status, len(done.poses), len(done.takes)) == (Status.DONE, 1, 1)
    assert [line["model"] for line in trial.cloud.ledger] == ["wan2.7-image", "wan2.2-i2v-flash"]

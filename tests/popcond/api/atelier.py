"""A whole daemon without a socket beside the stand-in of the paid service, and what tests ask of it."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
from PIL import Image

from popcond import home
from popcond.app import Daemon, compose, recover, release, web_app
from popcond.settings import Settings
from popcond.store.migrations import migrate
from popcond.wire import Character, Emoji, Pack, Problem, Purchase, Status
from tests.cloud.running import KEY, Cloud

TOKEN = "a-token-of-the-tests-and-nobody-elses"
WORDS = "A small blue robot."


class Atelier:
    """A daemon that buys from the stand-in, and a client of it."""

    def __init__(self, daemon: Daemon, http: httpx.AsyncClient, cloud: Cloud) -> None:
        self.daemon, self.http, self.cloud = daemon, http, cloud

    async def post(self, path: str, body: dict[str, Any] | None = None, *, expect: int = 200) -> Any:
        """What a route answers, when it answers as expected."""
        answer = await self.http.post(f"/v1/{path}", json=body)
        assert answer.status_code == expect, answer.text
        return answer.json()

    async def get(self, path: str) -> Any:
        """What is there."""
        answer = await self.http.get(f"/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def brought(self) -> Character:
        """A character whose picture somebody brought."""
        answer = await self.http.post("/v1/characters", files={"file": ("pip.png", a_figure(), "image/png")})
        assert answer.status_code == 201, answer.text
        return Character.model_validate(answer.json())

    async def ordered(self, **fields: Any) -> Character:
        """A character that is to be drawn."""
        body = {"prompt": WORDS, **fields}
        return Character.model_validate(await self.post("characters/generate", body, expect=202))

    async def drawn(self, **fields: Any) -> Character:
        """A character that was drawn."""
        return await self.settled(await self.ordered(**fields))

    async def settled(self, character: Character) -> Character:
        """The character once nobody draws it."""
        return await self.character(character, lambda now: now.status != "drawing")

    async def character(self, character: Character, reached: Callable[[Character], bool]) -> Character:
        """The character once it is so."""
        async with asyncio.timeout(60):
            while not reached(now := Character.model_validate(await self.get(f"characters/{character.id}"))):
                await asyncio.sleep(0.01)
        return now

    async def pack(self, character: Character, *actions: str, **fields: Any) -> Pack:
        """A pack of the paid provider that was taken."""
        return Pack.model_validate(await self.post("packs", an_order(character, *actions, **fields), expect=201))

    async def emoji(self, emoji: Emoji, *statuses: Status) -> Emoji:
        """The emoji once it is there."""
        async with asyncio.timeout(60):
            while (now := Emoji.model_validate(await self.get(f"emojis/{emoji.id}"))).status not in statuses:
                assert now.status is not Status.FAILED, now.problem
                await asyncio.sleep(0.01)
        return now

    async def emojis(self, pack: Pack, *statuses: Status) -> list[Emoji]:
        """All emojis of a pack once they are there."""
        return [await self.emoji(each, *statuses) for each in pack.emojis]

    async def failed(self, emoji: Emoji) -> Problem:
        """Why the emoji failed, once it has."""
        async with asyncio.timeout(60):
            while (now := Emoji.model_validate(await self.get(f"emojis/{emoji.id}"))).status is not Status.FAILED:
                await asyncio.sleep(0.01)
        assert now.problem is not None
        return now.problem

    async def purchases(self) -> list[Purchase]:
        """The ledger, the oldest line first."""
        lines = [Purchase.model_validate(each) for each in await self.get("purchases")]
        return sorted(lines, key=lambda line: line.intent_at)


def an_order(character: Character, *actions: str, **fields: Any) -> dict[str, Any]:
    """The body of a pack."""
    usual = {"character_id": character.id, "provider": "dashscope", "targets": ["gif"], "auto_accept": True}
    return usual | {"actions": actions or ("wave",)} | fields


def a_figure(colour: tuple[int, int, int] = (200, 40, 40)) -> bytes:
    """Somebody with a head and a body, on nothing: PNG."""
    picture = np.zeros((600, 420, 4), np.uint8)
    cv2.ellipse(picture, (210, 360), (90, 190), 0, 0, 360, (*colour, 255), -1)
    cv2.circle(picture, (210, 130), 80, (240, 200, 170, 255), -1)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


@contextlib.asynccontextmanager
async def atelier_at(folder: Path, cloud: Cloud, **settings: Any) -> AsyncIterator[Atelier]:
    """A daemon with a key, gone afterwards."""
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_text(KEY)
    chosen: dict[str, Any] = {
        "workers": 2,
        "dashscope_base_url": cloud.base_url,
        "dashscope_api_key_file": key,
        "dashscope_settle_seconds": 0.5,
        "dashscope_poll_seconds": 0.02,
    }
    loaded = Settings.load(home=folder / "home", **chosen | settings)
    home.prepare(loaded)
    migrate(loaded.database)
    daemon = compose(loaded, home.TokenInForce(TOKEN))
    await recover(daemon)
    app = web_app(daemon)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    base_url = "http://127.0.0.1:8765"
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url, headers=headers) as http,
    ):
        yield Atelier(daemon, http, cloud)
    await release(daemon)

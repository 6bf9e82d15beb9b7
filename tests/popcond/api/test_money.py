"""Quotes, budgets, orders that count once, and the choices where nobody knows whether something was bought."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import httpx
import numpy as np
import pytest

from popcond import home
from popcond.app import Daemon, compose, recover, release, web_app
from popcond.media.raster import png
from popcond.settings import Settings
from popcond.store import characters
from popcond.store.migrations import migrate
from popcond.video.provider import VideoProvider
from popcond.wire import Emoji, Pack, Purchase, PurchaseState, Status, Usage
from tests.data import a_character, its_files
from tests.fakes import LedgerProvider

TOKEN = "a-token-of-the-tests-and-nobody-elses"


class Shop:
    """A composed daemon without a socket, a client of it, and a provider that wants half a dollar for a clip."""

    def __init__(self, daemon: Daemon, http: httpx.AsyncClient, provider: LedgerProvider, character: str) -> None:
        self.daemon, self.http, self.provider, self.character = daemon, http, provider, character

    def order(self, *actions: str, **fields: Any) -> dict[str, Any]:
        """The body of a pack."""
        wanted = {"character_id": self.character, "actions": actions, "provider": "ledger", "targets": ["gif"]}
        return wanted | fields

    async def pack(self, *actions: str, **fields: Any) -> Pack:
        """A pack that was taken."""
        answer = await self.http.post("/v1/packs", json=self.order(*actions, **fields))
        assert answer.status_code == 201, answer.text
        return Pack.model_validate(answer.json())

    async def usage(self) -> Usage:
        """What was bought."""
        return Usage.model_validate((await self.http.get("/v1/usage")).json())

    async def until(self, emoji: Emoji, *statuses: Status) -> Emoji:
        """The emoji once it is there."""
        async with asyncio.timeout(60):
            while emoji.status not in statuses:
                await asyncio.sleep(0.01)
                emoji = Emoji.model_validate((await self.http.get(f"/v1/emojis/{emoji.id}")).json())
        return emoji


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """Three dollars a day."""
    settings = Settings.load(home=tmp_path, workers=1, max_spend_per_day=3.0)
    home.prepare(settings)
    migrate(settings.database)
    daemon = compose(settings, home.TokenInForce(TOKEN))
    provider = LedgerProvider(price=0.5)
    cast(dict[str, VideoProvider], daemon.powers.providers)["ledger"] = provider
    app = web_app(daemon)
    cutout = np.zeros((32, 32, 4), np.uint8)
    cutout[8:24, 8:24] = (200, 40, 40, 255)
    files = its_files(cutout=daemon.powers.assets.put(png(cutout)))
    headers = {"Authorization": f"Bearer {TOKEN}"}
    transport = httpx.ASGITransport(app)
    character = await daemon.powers.database.write(partial(characters.add, character=a_character(), files=files))
    await recover(daemon)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765", headers=headers) as http,
    ):
        yield Shop(daemon, http, provider, character.id)
    await release(daemon)


async def test_a_quote_has_the_providers_prices_and_buys_nothing(shop: Shop) -> None:
    answer = (await shop.http.post("/v1/quotes", json=shop.order("wave", "jump", max_spend=2.0))).json()
    assert (answer["amount"], answer["currency"], answer["per_emoji"]) == (1.0, "USD", [0.5, 0.5])
    assert answer["ceiling"] == 2.0
    assert (shop.provider.ledger, (await shop.usage()).purchases) == ([], ())


async def test_what_was_bought_is_told_by_pack_and_by_day(shop: Shop) -> None:
    pack = await shop.pack("wave")
    await shop.until(pack.emojis[0], Status.AWAITING_REFINEMENT)
    usage = await shop.usage()
    assert [(each.pack_name, each.amount) for each in usage.by_pack] == [("Pack", 0.5)]
    assert [each.amount for each in usage.by_day] == [each.amount for each in usage.totals] == [0.5]
    assert [each.state for each in usage.purchases] == [PurchaseState.COLLECTED]
    assert (usage.max_spend_per_pack, usage.max_spend_per_day) == (None, 3.0)


@pytest.mark.parametrize("fields", [{"max_spend": 0.9}, {}], ids=["pack", "day"])
async def test_an_order_over_the_budget_is_refused_with_the_sum_and_the_cure(
    shop: Shop, fields: dict[str, Any]
) -> None:
    actions = ("wave", "jump") if fields else ("wave", "jump", "cry", "bow", "nod", "run", "spin")
    answer = await shop.http.post("/v1/packs", json=shop.order(*actions, **fields))
    told = answer.json()
    assert (answer.status_code, told["code"]) == (402, "over_budget")
    assert f"{len(actions) * 0.5:.2f} USD" in told["message"]
    assert told["cure"]
    assert told["details"]["amount"] == len(actions) * 0.5
    assert (await shop.http.get("/v1/packs")).json() == []
    assert shop.provider.ledger == []


async def test_a_retry_and_an_extension_are_held_against_the_budget_too(shop: Shop) -> None:
    pack = await shop.pack("wave", max_spend=0.5)
    emoji = await shop.until(pack.emojis[0], Status.AWAITING_REFINEMENT)
    again = await shop.http.post(f"/v1/emojis/{emoji.id}/retry", json={"from_stage": "animate"})
    more = await shop.http.post(f"/v1/packs/{pack.id}/emojis", json={"actions": ["jump"]})
    assert (again.status_code, more.status_code) == (402, 402)
    assert len((await shop.http.get(f"/v1/packs/{pack.id}")).json()["emojis"]) == 1
    await shop.http.patch(f"/v1/packs/{pack.id}", json={"max_spend": 1.0})
    again = await shop.http.post(f"/v1/emojis/{emoji.id}/retry", json={"from_stage": "animate"})
    assert again.status_code == 200, again.text
    await shop.until(Emoji.model_validate(again.json()), Status.AWAITING_REFINEMENT)
    assert shop.provider.ledger == ["wave", "wave"]


async def test_an_order_that_is_sent_twice_with_its_key_counts_once(shop: Shop) -> None:
    key = {"Idempotency-Key": "evening-1"}
    body = shop.order("wave")
    first, second = await asyncio.gather(*(shop.http.post("/v1/packs", json=body, headers=key) for _ in range(2)))
    assert first.json()["id"] == second.json()["id"]
    other = await shop.http.post("/v1/packs", json=shop.order("jump"), headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
    await shop.until(Emoji.model_validate(first.json()["emojis"][0]), Status.AWAITING_REFINEMENT)
    assert shop.provider.ledger == ["wave"]
    pack_id = first.json()["id"]
    for _ in range(2):
        longer = await shop.http.post(
            f"/v1/packs/{pack_id}/emojis", json={"actions": ["bow"]}, headers={**key, "Idempotency-Key": "evening-2"}
        )
    assert len(longer.json()["emojis"]) == 2


async def in_doubt(shop: Shop) -> tuple[Emoji, Purchase]:
    """An emoji whose order got no answer, at a provider that does not tell."""
    shop.provider.deaf.add("wave")
    shop.provider.tells_prompts = False
    pack = await shop.pack("wave")
    emoji = await shop.until(pack.emojis[0], Status.FAILED)
    (purchase,) = (await shop.http.get("/v1/purchases", params={"state": "unknown"})).json()
    return emoji, Purchase.model_validate(purchase)


async def test_maybe_bought_is_shown_with_its_choices(shop: Shop) -> None:
    emoji, purchase = await in_doubt(shop)
    assert emoji.problem is not None
    assert emoji.problem.code == "maybe_bought"
    assert emoji.problem.details is not None
    assert emoji.problem.details["purchase"] == purchase.id
    assert [each["remote_task"] for each in emoji.problem.details["candidates"]] == ["wave-1"]
    assert emoji.spend == 0.5  # it may have been
    await shop.http.post(f"/v1/emojis/{emoji.id}/retry", json={})
    await shop.until(emoji.model_copy(update={"status": Status.QUEUED}), Status.FAILED)
    assert shop.provider.ledger == ["wave"]


async def test_adopting_a_task_takes_what_was_bought(shop: Shop) -> None:
    emoji, purchase = await in_doubt(shop)
    taken = await shop.http.post(f"/v1/purchases/{purchase.id}/adopt", json={"remote_task": "wave-1"})
    assert (taken.status_code, taken.json()["state"]) == (200, "submitted")
    shop.provider.checks_until_ready = 0
    shop.daemon.powers.collect_soon()
    await shop.until(emoji, Status.AWAITING_REFINEMENT)
    assert shop.provider.ledger == ["wave"]
    again = await shop.http.post(f"/v1/purchases/{purchase.id}/adopt", json={"remote_task": "wave-2"})
    assert again.status_code == 409


async def test_releasing_says_that_nothing_was_bought_and_a_retry_buys(shop: Shop) -> None:
    emoji, purchase = await in_doubt(shop)
    shop.provider.deaf.clear()
    released = await shop.http.post(f"/v1/purchases/{purchase.id}/release")
    assert (released.json()["state"], released.json()["amount"]) == ("released", 0.0)
    told = Emoji.model_validate((await shop.http.get(f"/v1/emojis/{emoji.id}")).json())
    assert told.problem is not None
    assert told.problem.code == "not_bought"
    await shop.http.post(f"/v1/emojis/{emoji.id}/retry", json={})
    await shop.until(told.model_copy(update={"status": Status.QUEUED}), Status.AWAITING_REFINEMENT)
    assert shop.provider.ledger == ["wave", "wave"]


async def test_what_is_not_in_doubt_is_not_for_anybody_to_decide(shop: Shop) -> None:
    pack = await shop.pack("wave")
    await shop.until(pack.emojis[0], Status.AWAITING_REFINEMENT)
    (purchase,) = (await shop.usage()).purchases
    for verb, body in (("adopt", {"remote_task": "x"}), ("release", None), ("look", None)):
        answer = await shop.http.post(f"/v1/purchases/{purchase.id}/{verb}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict"), verb
    assert (await shop.http.get("/v1/purchases/nobody")).status_code == 404

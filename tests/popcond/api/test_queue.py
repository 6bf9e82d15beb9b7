"""The queue over HTTP, in a daemon of its own, for a pause concerns everybody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest

from popcond.client import Client
from popcond.errors import Conflict, NotFound
from popcond.wire import Character, Emoji, JobState, NewPack, Pack, Queue, Stage, Status
from tests.daemons import RunningDaemon, running_daemon


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """A daemon for the tests of this file."""
    with running_daemon(tmp_path_factory.mktemp("queue")) as daemon:
        yield daemon


@pytest.fixture
async def client(daemon: RunningDaemon) -> AsyncIterator[Client]:
    """A client, and a paused queue with nothing in it."""
    async with Client(daemon.url, daemon.token) as client:
        await client.pause_queue()
        yield client
        for pack in await client.packs():
            await client.delete_pack(pack.id)


@pytest.fixture
async def character(client: Client) -> Character:
    """The sample."""
    return await client.add_sample_character()


async def ordered(client: Client, character: Character, *actions: str) -> Pack:
    """A pack for no store at all, which is quickly made."""
    return await client.add_pack(NewPack(name="Ours", character_id=character.id, actions=actions, auto_accept=True))


async def until(client: Client, emoji: Emoji, *wanted: Status) -> Emoji:
    """The emoji, once it has one of these statuses."""
    async with asyncio.timeout(60):
        while (now := await client.emoji(emoji.id)).status not in wanted:
            await asyncio.sleep(0.05)
        return now


async def order_of(client: Client) -> list[str]:
    """The actions in the order in which they wait."""
    return [row.action for row in await client.jobs(state=JobState.READY)]


async def test_a_paused_queue_is_reordered_and_then_worked_off(client: Client, character: Character) -> None:
    pack = await ordered(client, character, "wave", "jump", "cry", "nod")
    _wave, jump, cry, nod = pack.emojis
    queue = await client.queue()
    assert (queue.paused, queue.ready, queue.delayed, queue.running, queue.dead) == (True, 4, 0, 0, 0)
    assert {kind for lane in queue.lanes for kind in lane.kinds} == set(Stage) - {Stage.REFINE}
    assert await order_of(client) == ["wave", "jump", "cry", "nod"]
    await client.move_emoji(nod.id, before=jump.id)
    await client.move_emoji(cry.id, before=None)
    await client.prioritise_emoji(jump.id, 10)
    assert await order_of(client) == ["jump", "cry", "wave", "nod"]
    assert (await client.emoji(jump.id)).priority == 10
    await client.prioritise_pack(pack.id, -3)
    assert await order_of(client) == ["cry", "wave", "nod", "jump"]
    resumed = await client.resume_queue()
    assert not resumed.paused
    assert (await until(client, cry, Status.DONE, Status.FAILED)).status is Status.DONE
    assert {row.priority for row in await client.jobs()} == {-3}
    assert {row.kind for row in await client.jobs(emoji_id=cry.id, state=JobState.DONE)} == {
        Stage.ANIMATE,
        Stage.SLICE,
        Stage.SEGMENT,
        Stage.ENCODE,
    }


async def test_what_a_person_changes_is_told_to_everybody(client: Client, character: Character) -> None:
    pack = await ordered(client, character, "wave", "jump")
    told: list[Queue] = []
    async with asyncio.timeout(30), aclosing(client.events()) as events:
        assert (await anext(events)).type == "reset"
        await client.move_emoji(pack.emojis[1].id, before=None)
        await client.prioritise_emoji(pack.emojis[0].id, 1)
        await client.prune_queue(36500)
        await client.resume_queue()
        async for event in events:
            if event.type == "queue_changed" and event.queue is not None:
                told.append(event.queue)
            if told and not told[-1].paused:
                break
    assert [queue.paused for queue in told] == [True, True, True, False]


async def test_a_pause_outlives_the_daemon(tmp_path: Path) -> None:
    for is_second in (False, True):
        with running_daemon(tmp_path) as daemon:
            async with Client(daemon.url, daemon.token) as client:
                assert (await client.queue()).paused is is_second
                if is_second:
                    assert await order_of(client) == ["wave", "jump"]
                else:
                    await client.pause_queue()
                    await ordered(client, await client.add_sample_character(), "wave", "jump")


async def test_ended_jobs_are_forgotten_when_asked_to(client: Client, character: Character) -> None:
    pack = await ordered(client, character, "wave", "jump")
    await client.cancel(pack.emojis[0].id)
    assert [row.state for row in await client.jobs(emoji_id=pack.emojis[0].id)] == [JobState.CANCELLED]
    await client.prune_queue(1)
    assert len(await client.jobs(emoji_id=pack.emojis[0].id)) == 1
    assert (await client.prune_queue(0)).pruned >= 1
    assert [row.action for row in await client.jobs()] == ["jump"]


async def test_what_cannot_be_moved_says_why(client: Client, character: Character) -> None:
    pack = await ordered(client, character, "wave", "jump")
    await client.cancel(pack.emojis[0].id)
    with pytest.raises(Conflict, match="cancelled") as caught:
        await client.move_emoji(pack.emojis[0].id, before=None)
    assert caught.value.cure
    for step in (
        client.move_emoji("nobody", None),
        client.move_emoji(pack.emojis[1].id, "nobody"),
        client.prioritise_emoji("nobody", 1),
        client.prioritise_pack("nothing", 1),
        client.jobs(state=JobState.READY, after=10**9),
    ):
        with pytest.raises(NotFound) as gone:
            await step
        assert gone.value.cure


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("priority", {"emoji_id": "x", "priority": 101}),
    ("priority", {"emoji_id": "x", "priority": 1.5}),
    ("priority", {"emoji_id": "x", "pack_id": "y", "priority": 1}),
    ("priority", {"priority": 1}),
    ("move", {"before": None}),
    ("prune", {"older_than_days": -1}),
    ("prune", {"older_than_days": "soon"}),
]


@pytest.mark.parametrize(("order", "body"), WRONG)
def test_an_order_that_makes_no_sense_is_refused_in_a_sentence(
    daemon: RunningDaemon, order: str, body: dict[str, Any]
) -> None:
    answer = httpx.post(f"{daemon.url}/v1/queue/{order}", json=body, headers=daemon.headers)
    assert answer.status_code == 422
    assert {"code", "message", "cure"} <= set(answer.json())


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "after=-1", f"after={2**63}", "state=lost", "kind=dance"])
def test_a_list_of_nonsense_is_refused(daemon: RunningDaemon, query: str) -> None:
    assert httpx.get(f"{daemon.url}/v1/jobs?{query}", headers=daemon.headers).status_code == 422

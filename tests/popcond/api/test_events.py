"""The event stream: every change in order, resumable, and a goodbye at the end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from httpx_sse import EventSource, ServerSentEvent

from popcond.client import Client
from popcond.wire import NewPack
from tests.daemons import RunningDaemon, running_daemon


async def told(daemon: RunningDaemon, **headers: str) -> AsyncIterator[ServerSentEvent]:
    """Messages of the stream, for at most a minute."""
    async with (
        asyncio.timeout(60),
        httpx.AsyncClient(timeout=60) as http,
        http.stream("GET", f"{daemon.url}/v1/events", headers={**daemon.headers, **headers}) as response,
    ):
        async for message in EventSource(response).aiter_sse():
            if message.data:  # the first block only says how soon to come back
                yield message


async def make_something(client: Client) -> str:
    """One emoji, started; answers its pack's id."""
    sample = await client.add_sample_character()
    new = NewPack(character_id=sample.id, actions=("wave",), targets=("gif",), auto_accept=True, max_spend=None)
    return (await client.add_pack(new)).id


async def test_an_emoji_is_followed_from_queue_to_done(client: Client, daemon: RunningDaemon) -> None:
    start = asyncio.create_task(make_something(client))
    statuses, numbers, progressed = [], [], 0
    async for message in told(daemon, **{"Last-Event-ID": "0"}):
        event = json.loads(message.data)
        if message.event == "reset" or not start.done():
            continue
        if event.get("emoji", {}).get("pack_id") != start.result():
            continue
        if message.event == "emoji_progressed":
            progressed += 1
            continue
        numbers.append(int(message.id))
        statuses.append(event["emoji"]["status"])
        if statuses[-1] == "done":
            break
    assert numbers == sorted(set(numbers))
    assert (
        list(dict.fromkeys(statuses))
        == [
            "queued",
            "generating_video",
            "extracting_frames",
            "segmenting",
            "encoding",
            "done",
        ][-len(dict.fromkeys(statuses)) :]
    )
    assert progressed > 0


async def test_a_lost_line_is_taken_up_without_a_gap(client: Client, daemon: RunningDaemon) -> None:
    await make_something(client)
    first = []
    async for message in told(daemon, **{"Last-Event-ID": "0"}):
        if message.event != "emoji_progressed":
            first.append(int(message.id))
        if len(first) == 2:
            break
    async for message in told(daemon, **{"Last-Event-ID": str(first[0])}):
        assert int(message.id) == first[1]
        break


async def test_an_id_from_nowhere_asks_the_reader_to_begin_again(daemon: RunningDaemon) -> None:
    async for message in told(daemon, **{"Last-Event-ID": "987654321"}):
        assert message.event == "reset"
        break


async def test_a_stop_ends_open_streams_with_goodbye(tmp_path: Path) -> None:
    with running_daemon(tmp_path / "home") as daemon:
        stream = told(daemon, **{"Last-Event-ID": "7"})
        assert (await anext(stream)).event == "reset"
        daemon.process.terminate()
        assert (await anext(stream)).event == "bye"
        assert await asyncio.to_thread(daemon.process.wait, 30) == 0
        assert not (daemon.home / "runtime.json").exists()

"""The event stream under attack: clients that never read, lines that break anywhere, a daemon that dies in between.

The figures at full length: `python -m tests.attack.silence`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from httpx_sse import EventSource, ServerSentEvent

from popcond.store import events
from popcond.store.db import connect
from popcond.wire import Emoji
from tests.attack.outside import HAS_PROC
from tests.attack.silence import MIB, append_events, measure, silent
from tests.daemons import PATIENCE, RunningDaemon, running_daemon

RESUME = "Last-Event-ID"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """A daemon in which nothing happens by itself."""
    with running_daemon(tmp_path_factory.mktemp("streams")) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def calm(target: RunningDaemon) -> Emoji:
    """An emoji of that daemon, which waits for a clip."""
    return a_calm_emoji(target)


def a_calm_emoji(daemon: RunningDaemon) -> Emoji:
    """An emoji that nobody works on."""
    with httpx.Client(base_url=daemon.url, headers=daemon.headers, timeout=60) as http:
        character = http.post("/v1/characters/sample").json()["id"]
        order = {"name": "Calm", "character_id": character, "actions": ["wave"], "awaits_clips": True}
        return Emoji.model_validate(http.post("/v1/packs", json=order).json()["emojis"][0])


def change(daemon: RunningDaemon, emoji: Emoji, name: str) -> None:
    """Something happens, and the bell is rung."""
    answer = httpx.patch(f"{daemon.url}/v1/packs/{emoji.pack_id}", json={"name": name}, headers=daemon.headers)
    assert answer.status_code == 200


async def told(daemon: RunningDaemon, **headers: str) -> AsyncGenerator[ServerSentEvent, None]:
    """What a line says until it breaks."""
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as http,
        http.stream("GET", f"{daemon.url}/v1/events", headers={**daemon.headers, **headers}) as response,
    ):
        assert response.status_code == 200
        async for message in EventSource(response).aiter_sse():
            if message.data:
                yield message


async def first(daemon: RunningDaemon, **headers: str) -> ServerSentEvent:
    """The first message."""
    async with asyncio.timeout(PATIENCE), contextlib.aclosing(told(daemon, **headers)) as messages:
        return await anext(messages)


def newest(home: Path) -> int:
    """The number of the last event."""
    with closing(connect(home / "popcon.db", read_only=True)) as connection:
        return events.newest(connection)


@pytest.mark.skipif(not HAS_PROC, reason="memory is read from /proc")
def test_a_thousand_silent_clients_cost_no_memory_and_keep_nobody_waiting(tmp_path: Path) -> None:
    cost = measure(tmp_path / "home", clients=1000, count=4000)
    assert cost.growth < 40 * MIB  # what a line may hold up, a thousand times, however much happens
    assert cost.usual < 1
    assert cost.stop_seconds < 5


async def test_no_event_is_missed_or_told_twice_across_broken_lines_and_a_killed_daemon(tmp_path: Path) -> None:
    dice, seen, lines = random.Random(3), list[int](), 0

    async def follow(daemon: RunningDaemon, until: int) -> None:
        """Read on behind the last number, through lines that break after a few messages, up to that number."""
        nonlocal lines
        while not seen or seen[-1] < until:
            lines, left = lines + 1, dice.randrange(1, 120)
            with contextlib.suppress(httpx.TransportError):
                async with contextlib.aclosing(told(daemon, **{RESUME: str(seen[-1] if seen else 0)})) as messages:
                    async for message in messages:
                        assert message.event != "reset"
                        if message.event != "bye":
                            seen.append(int(message.id))
                        left -= 1
                        if not left or seen[-1] >= until:
                            break

    home, emoji = tmp_path / "home", None
    for turn in range(3):
        with running_daemon(home) as daemon:
            emoji = emoji or a_calm_emoji(daemon)
            begun = newest(home)

            async def write(daemon: RunningDaemon = daemon, emoji: Emoji = emoji, turn: int = turn) -> None:
                for number in range(8):
                    await asyncio.to_thread(append_events, daemon.home, emoji, dice.randrange(1, 40))
                    await asyncio.to_thread(change, daemon, emoji, f"Change {turn}.{number}")

            async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as both:
                both.create_task(write())
                both.create_task(follow(daemon, begun + 30))
            daemon.process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(daemon.process.wait, PATIENCE)
    with running_daemon(home) as daemon:
        async with asyncio.timeout(PATIENCE):
            await follow(daemon, newest(home))
    assert seen == list(range(1, newest(home) + 1))
    assert lines > 10


async def test_a_goodbye_has_the_number_of_the_last_event(tmp_path: Path) -> None:
    with running_daemon(tmp_path / "home") as daemon:
        emoji = a_calm_emoji(daemon)
        now = {RESUME: str(newest(daemon.home))}
        async with asyncio.timeout(PATIENCE), contextlib.aclosing(told(daemon, **now)) as messages:
            await asyncio.to_thread(change, daemon, emoji, "Before")
            last = await anext(messages)
            daemon.process.send_signal(signal.SIGTERM)
            bye = await anext(messages)
    assert (last.event, bye.event) == ("pack_changed", "bye")
    assert bye.id == last.id  # who resumes there hears nothing twice


@pytest.mark.parametrize("number", ["x", "-1", "1e3", "9" * 19, "9" * 5000, "0x1", "1 2", "%31"], ids=lambda n: n[:20])
async def test_a_number_that_we_never_gave_asks_the_reader_to_begin_again(
    target: RunningDaemon, calm: Emoji, number: str
) -> None:
    message = await first(target, **{RESUME: number})
    assert message.event == "reset"
    assert int(message.id) == newest(target.home)


@pytest.mark.parametrize("after", ["-1", "x", "1e3", "9" * 5000], ids=lambda after: after[:20])
def test_a_bad_cursor_is_refused_with_a_sentence(target: RunningDaemon, after: str) -> None:
    answer = httpx.get(f"{target.url}/v1/events", params={"after": after}, headers=target.headers)
    assert answer.status_code == 422
    assert answer.json()["message"].startswith("query.after: ")


async def test_a_reader_from_before_the_oldest_event_begins_again(tmp_path: Path) -> None:
    with running_daemon(tmp_path / "home") as daemon:
        emoji = a_calm_emoji(daemon)
        append_events(daemon.home, emoji, 10_050)
        with closing(connect(daemon.home / "popcon.db")) as connection:
            events.prune(connection)
            oldest = events.oldest(connection)
        assert oldest > 10
        assert (await first(daemon, **{RESUME: str(oldest - 2)})).event == "reset"
        kept = await first(daemon, **{RESUME: str(oldest - 1)})
    assert (kept.event, int(kept.id)) == ("emoji_changed", oldest)


async def test_progress_is_gathered_and_ends_at_its_last_value(target: RunningDaemon, calm: Emoji) -> None:
    async with httpx.AsyncClient(base_url=target.url, headers=target.headers, timeout=PATIENCE) as http:
        character = (await http.get(f"/v1/packs/{calm.pack_id}")).json()["character_id"]
        order = {
            "name": "Busy",
            "character_id": character,
            "actions": ["jump"],
            "targets": ["gif"],
            "auto_accept": True,
        }
        now = {RESUME: str(newest(target.home))}
        async with asyncio.timeout(PATIENCE), contextlib.aclosing(told(target, **now)) as messages:
            pack = (await http.post("/v1/packs", json=order)).json()
            begun, moments = time.monotonic(), list[float]()
            async for message in messages:
                emoji = json.loads(message.data).get("emoji", {})
                if emoji.get("pack_id") == pack["id"]:
                    moments.append(emoji["progress"])
                    if emoji["status"] == "done":
                        break
    assert moments == sorted(moments)
    assert len(moments) < 20 + 11 * (time.monotonic() - begun)


def test_a_quiet_line_says_that_it_lives(target: RunningDaemon) -> None:
    with silent(target) as line:
        line.settimeout(PATIENCE)
        heard = b""
        while b": still here" not in heard:
            chunk = line.recv(4096)
            assert chunk, "the line was closed"
            heard += chunk
    assert b"data:" not in heard

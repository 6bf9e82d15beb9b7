"""`popcond queue`, as a person types it at a daemon that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import pytest

from popcond.client import Client
from popcond.wire import NewPack, Pack
from tests.popcond.cli.commands import Command

TRICKY = "Pip \u202egnp.exe"  # turns what follows it around on a terminal


@pytest.fixture
def paused(popcond: Command) -> Iterator[Callable[..., Pack]]:
    """A paused queue, and a way to put emojis into it; afterwards it is open and empty."""
    url, token = popcond("status", "--json").json()["url"], popcond("token").out.strip()

    def with_client(work: Callable[[Client], Coroutine[None, None, Pack | None]]) -> Pack | None:
        async def run() -> Pack | None:
            async with Client(url, token) as client:
                return await work(client)

        return asyncio.run(run())

    def order(*actions: str) -> Pack:
        async def work(client: Client) -> Pack:
            character = await client.add_sample_character()
            return await client.add_pack(NewPack(name=TRICKY, character_id=character.id, actions=actions))

        pack = with_client(work)
        assert pack is not None
        return pack

    async def clear(client: Client) -> None:
        for pack in await client.packs():
            await client.delete_pack(pack.id)

    assert popcond("queue", "pause").code == 0
    yield order
    with_client(clear)
    assert popcond("queue", "resume").code == 0


def listed(out: str) -> list[str]:
    """The actions of the waiting emojis in the order in which they are shown."""
    return [line.partition("· ")[2].partition(":")[0] for line in out.splitlines() if line.endswith(" next")]


def test_an_empty_queue_says_so(popcond: Command) -> None:
    told = popcond("queue")
    assert told.code == 0
    assert "The queue is open." in told.out
    assert "0 waiting" in told.out


def test_a_queue_is_read_and_reordered(popcond: Command, paused: Callable[..., Pack]) -> None:
    pack = paused("wave", "jump", "cry")
    ids = {emoji.action: emoji.id for emoji in pack.emojis}
    told = popcond("queue")
    assert "popcond queue resume" in told.out
    assert listed(told.out) == ["wave", "jump", "cry"]
    assert listed(popcond("queue", "first", "cry").out) == ["cry", "wave", "jump"]
    assert listed(popcond("queue", "move", ids["jump"], "--before", ids["wave"][:8]).out) == ["cry", "jump", "wave"]
    rows = popcond("queue", "--json").json()
    assert rows["queue"]["paused"] is True
    assert [row["action"] for row in rows["waiting"]] == ["cry", "jump", "wave"]


def test_a_name_never_reaches_the_terminal_raw(popcond: Command, paused: Callable[..., Pack]) -> None:
    paused("wave")
    told = popcond("queue")
    assert "\u202e" not in told.out
    assert "Pip \\u202egnp.exe · wave" in told.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("first",), "needs an emoji"),
        (("first", "wav"), "Did you mean wave?"),
        (("first", "jump"), "may be any of 2"),
        (("move", "wave"), "needs an emoji"),
        (("sort",), "sort"),
    ],
)
def test_a_wrong_wish_is_told_with_its_cure(
    popcond: Command, paused: Callable[..., Pack], words: tuple[str, ...], says: str
) -> None:
    paused("wave", "jump", "jump")
    told = popcond("queue", *words)
    assert told.code == 2
    assert says in told.err


def test_ended_jobs_are_forgotten(popcond: Command) -> None:
    assert "that had ended went" in popcond("queue", "prune").out
    assert set(popcond("queue", "prune", "--older-than", "0", "--json").json()) == {"pruned"}


def test_without_a_daemon_none_is_started(popcond: Command, tmp_path: Path) -> None:
    told = popcond("queue", "--home", tmp_path / "empty")
    assert told.code == 1
    assert "popcond serve" in told.err
    assert not (tmp_path / "empty").exists()

"""Following a pack: nothing is missed, nothing old replaces something new, and a flood costs nothing."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from popcond.cli.narrate import Silence
from popcond.cli.watch import Feed, Held, changed_character, settled
from popcond.client import Client
from popcond.errors import DaemonUnreachable
from popcond.wire import Character, Emoji, Event, RemoveBackground, Status
from tests.popcond.cli.things import emoji, pack
from tests.popcond.script_server import answer, scripted, stream


def _changed(seq: int, changed: Emoji) -> Event:
    return Event(seq=seq, at=1.0, type="emoji_changed", emoji=changed)


def test_an_emoji_is_replaced_and_the_others_stay() -> None:
    held = Held(pack(emoji("wave"), emoji("cry")))
    wave, fresh = held.pack.emojis[0], emoji("cry", Status.DONE, updated=2.0)
    held.renew({"cry": _changed(1, fresh), "of another pack": _changed(2, fresh)})
    assert held.pack.emojis == (wave, fresh)


def test_what_is_older_than_what_was_read_stays_out() -> None:
    held = Held(pack(emoji("wave", Status.DONE, updated=5.0)))
    held.renew({"wave": _changed(1, emoji("wave", Status.SEGMENTING, updated=4.0))})
    assert held.pack.emojis[0].status is Status.DONE


def test_a_clock_that_was_set_back_does_not_make_a_later_event_old() -> None:
    held = Held(pack(emoji("wave")))
    held.renew({"wave": _changed(1, emoji("wave", Status.SEGMENTING, updated=9000.0))})
    held.renew({"wave": _changed(2, emoji("wave", Status.DONE, updated=5400.0))})
    assert held.pack.emojis[0].status is Status.DONE
    held.renew({"wave": _changed(1, emoji("wave", Status.SEGMENTING, updated=9999.0))})
    assert held.pack.emojis[0].status is Status.DONE


async def test_a_pack_is_followed_until_it_is_settled_even_over_a_lost_line() -> None:
    first = pack(emoji("wave"), emoji("cry"))
    events = (
        stream(_changed(1, emoji("wave", Status.GENERATING_VIDEO, updated=2.0))),
        answer(200, first.model_dump(mode="json")),
        stream(
            _changed(2, emoji("wave", Status.DONE, updated=3.0)), _changed(3, emoji("cry", Status.DONE, updated=3.0))
        ),
    )
    async with scripted(*events) as server, Client(server.url, "token") as client, Feed(client) as feed:
        done = await settled(client, feed, first, Silence(io.StringIO()))
    assert [each.status for each in done.emojis] == [Status.DONE, Status.DONE]
    assert "last-event-id: 1" in server.asked[2].lower()


async def test_a_daemon_that_is_gone_for_good_ends_the_watch() -> None:
    first = pack(emoji("wave"))
    async with (
        scripted(stream(_changed(1, emoji("wave", updated=2.0))), answer(200, first.model_dump(mode="json"))) as server,
        Client(server.url, "token") as client,
        Feed(client, patience=0.0) as feed,
    ):
        with pytest.raises(DaemonUnreachable):
            await settled(client, feed, first, Silence(io.StringIO()))


async def test_an_emoji_whose_clip_was_refused_is_not_waited_for() -> None:
    first = pack(emoji("wave", Status.DONE), emoji("cry"))
    async with (
        scripted(stream(), answer(200, first.model_dump(mode="json"))) as server,
        Client(server.url, "token") as client,
        Feed(client) as feed,
    ):
        assert await settled(client, feed, first, Silence(io.StringIO()), idle={"cry"}) == first


async def test_a_flood_of_one_emoji_is_read_as_its_newest_state() -> None:
    flood = [_changed(n, emoji("wave", Status.GENERATING_VIDEO, progress=n / 1000, updated=n)) for n in range(1, 501)]
    async with (
        scripted(stream(*flood)) as server,
        Client(server.url, "token") as client,
        Feed(client, patience=0.0) as feed,
    ):
        batches = [_progress(changed["wave"]) async for changed in _until_lost(feed)]
    assert batches[-1] == 0.5
    assert len(batches) < 50


async def test_a_character_that_changes_wakes_who_waits_for_it_and_others_do_not() -> None:
    others = [_drawn(1, "another"), _changed(2, emoji("wave")), _drawn(3, "hero")]
    async with (
        scripted(stream(), stream(*others)) as server,
        Client(server.url, "token") as client,
        Feed(client, patience=0.0) as feed,
    ):
        await changed_character(feed, "hero")
        with pytest.raises(DaemonUnreachable):
            await changed_character(feed, "somebody that nothing happens to")


def _drawn(seq: int, character_id: str) -> Event:
    character = Character(id=character_id, name="Hero", remove_background=RemoveBackground.AUTO, created=1.0)
    return Event(seq=seq, at=1.0, type="character_changed", character=character)


def _progress(event: Event) -> float:
    return event.emoji.progress if event.emoji else -1.0


async def _until_lost(feed: Feed) -> AsyncIterator[dict[str, Event]]:
    with suppress(DaemonUnreachable):
        while True:
            yield (await feed.news()).changed

"""Packs and emojis over HTTP, from the order to the bundle."""

from __future__ import annotations

import asyncio
import io
import zipfile

import httpx
import pytest
from PIL import Image

from popcond.client import Client
from popcond.errors import BadInput, Conflict, NotFound, UnknownName
from popcond.wire import Character, Emoji, NewPack, Pack, PackChanges, Retry, Stage, Status
from tests.daemons import RunningDaemon


@pytest.fixture
async def character(client: Client) -> Character:
    """The sample."""
    return await client.add_sample_character()


def order(character: Character, *actions: str, auto_accept: bool = True) -> NewPack:
    """A pack for one plain target."""
    return NewPack(
        name="Ours",
        character_id=character.id,
        actions=actions,
        targets=("gif",),
        auto_accept=auto_accept,
        max_spend=None,
    )


async def until(client: Client, emoji_id: str, *wanted: Status) -> Emoji:
    """The emoji, once it has one of these statuses (or has ended otherwise, which fails)."""
    async with asyncio.timeout(60):
        while True:
            emoji = await client.emoji(emoji_id)
            if emoji.status in wanted:
                return emoji
            assert not emoji.status.is_final, emoji
            await asyncio.sleep(0.05)


async def test_a_pack_comes_out_whole(client: Client, character: Character) -> None:
    pack = await client.add_pack(order(character, "wave", "cry"))
    assert [emoji.action for emoji in pack.emojis] == ["wave", "cry"]
    for emoji in pack.emojis:
        done = await until(client, emoji.id, Status.DONE)
        assert done.progress == 1.0
        assert done.problem is None
        assert len(done.takes) == 1
        (sticker,) = await client.stickers(emoji.id)
        assert sticker.verdict.valid, sticker.verdict
        assert sticker.file_name.startswith(emoji.action)
        data = await client.sticker_file(sticker.id)
        assert len(data) == sticker.bytes
        assert Image.open(io.BytesIO(data)).n_frames == sticker.frames  # type: ignore[attr-defined]
    bundle = await client.bundle(pack.id, "gif")
    with zipfile.ZipFile(io.BytesIO(bundle.data)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 2
    sheet = Image.open(io.BytesIO(await client.contact_sheet(pack.id)))
    assert sheet.width > 300


async def test_an_emoji_waits_for_a_person_and_goes_on_when_accepted(client: Client, character: Character) -> None:
    pack = await client.add_pack(order(character, "nod", auto_accept=False))
    waiting = await until(client, pack.emojis[0].id, Status.AWAITING_REFINEMENT)
    assert waiting.progress == 1.0
    frames = await client.frames(waiting.id)
    assert len(frames) == waiting.frame_count == 60
    assert all(frame.mask for frame in frames)
    assert waiting.fps == pytest.approx(30, abs=0.1)
    for read, mode in ((client.raw_frame, "RGB"), (client.cutout, "RGBA"), (client.mask, "L")):
        picture = Image.open(io.BytesIO(await read(waiting.id, 7)))
        assert (picture.mode, picture.size) == (mode, (waiting.width, waiting.height))
        small = Image.open(io.BytesIO(await read(waiting.id, 7, width=64)))
        assert (small.mode, small.width) == (mode, 64)
    with pytest.raises(NotFound):
        await client.raw_frame(waiting.id, 600)
    with pytest.raises(Conflict):
        await client.bundle(pack.id, "gif")
    first, second = await asyncio.gather(client.accept(waiting.id), client.accept(waiting.id))
    assert {first.status, second.status} <= {Status.ENCODING, Status.DONE}
    await until(client, waiting.id, Status.DONE)


async def test_new_targets_of_a_finished_pack_are_made(client: Client, character: Character) -> None:
    pack = await client.add_pack(order(character, "wave"))
    await until(client, pack.emojis[0].id, Status.DONE)
    changed = await client.change_pack(pack.id, PackChanges(targets=("gif", "line-emoji"), name="Renamed"))
    assert changed.name == "Renamed"
    await until(client, pack.emojis[0].id, Status.DONE)
    stickers = await client.stickers(pack.emojis[0].id)
    assert [sticker.target for sticker in stickers] == ["gif", "line-emoji"]


async def test_a_cancelled_emoji_stops_and_can_be_tried_again(client: Client, character: Character) -> None:
    pack = await client.add_pack(order(character, "run"))
    emoji_id = pack.emojis[0].id
    assert (await client.cancel(emoji_id)).status is Status.CANCELLED
    assert (await client.cancel(emoji_id)).status is Status.CANCELLED
    assert (await client.retry(emoji_id)).status is Status.QUEUED
    done = await until(client, emoji_id, Status.DONE)
    with pytest.raises(Conflict):
        await client.cancel(done.id)


async def test_a_new_prompt_is_a_new_take_and_the_old_one_can_be_chosen_again(
    client: Client, character: Character
) -> None:
    pack = await client.add_pack(order(character, "wink"))
    first = await until(client, pack.emojis[0].id, Status.DONE)
    await client.retry(first.id, Retry(motion_prompt="The character winks slowly."))
    second = await until(client, first.id, Status.DONE)
    assert [take.motion_prompt for take in second.takes][1:] == ["The character winks slowly."]
    assert second.chosen_take == second.takes[1].id
    await client.choose_take(first.id, first.takes[0].id)
    again = await until(client, first.id, Status.DONE)
    assert again.chosen_take == first.chosen_take
    with pytest.raises(NotFound):
        await client.choose_take(first.id, "nonsense")


async def test_a_retry_from_a_stage_keeps_what_was_before_it(client: Client, character: Character) -> None:
    pack = await client.add_pack(order(character, "shy"))
    first = await until(client, pack.emojis[0].id, Status.DONE)
    retried = await client.retry(first.id, Retry(from_stage=Stage.ENCODE, motion_prompt=None))
    assert retried.stage is Stage.ENCODE
    again = await until(client, first.id, Status.DONE)
    assert again.takes == first.takes
    with pytest.raises(BadInput):
        await client.retry(first.id, Retry(from_stage=Stage.REFINE, motion_prompt=None))


async def test_a_pack_is_extended_at_its_end(client: Client, character: Character) -> None:
    pack = await client.add_pack(order(character, "nod"))
    longer = await client.add_emojis(pack.id, ("bow",))
    assert [(emoji.number, emoji.action) for emoji in longer.emojis] == [(1, "nod"), (2, "bow")]
    await until(client, longer.emojis[1].id, Status.DONE)


async def test_a_deleted_pack_is_gone_while_it_runs(client: Client, character: Character) -> None:
    pack = await client.add_pack(order(character, "dance", "spin"))
    await client.delete_pack(pack.id)
    with pytest.raises(NotFound):
        await client.pack(pack.id)
    with pytest.raises(NotFound):
        await client.emoji(pack.emojis[0].id)


async def test_unknown_names_are_refused_with_what_was_meant(client: Client, character: Character) -> None:
    with pytest.raises(UnknownName, match="wave"):
        await client.add_pack(order(character, "wavee"))
    with pytest.raises(UnknownName):
        await client.add_pack(order(character, "wave").model_copy(update={"targets": ("fax",)}))
    with pytest.raises(UnknownName, match="puppet"):
        await client.add_pack(order(character, "wave").model_copy(update={"provider": "hollywood"}))
    with pytest.raises(NotFound):
        await client.add_pack(order(character, "wave").model_copy(update={"character_id": "nobody"}))
    with pytest.raises(BadInput):
        await client.add_pack(order(character))


async def test_a_quote_buys_nothing(client: Client, character: Character) -> None:
    packs = await client.packs()
    quote = await client.quote(order(character, "wave", "jump"))
    assert (quote.amount, quote.per_emoji) == (0.0, (0.0, 0.0))
    assert await client.packs() == packs


NONSENSE: list[dict[str, object]] = [
    {"max_spend": -1},
    {"max_spend": "NaN"},
    {"name": "a\x1b[2J"},
    {"actions": ["wave"] * 201},
]


@pytest.mark.parametrize("fields", NONSENSE)
def test_an_order_that_makes_no_sense_is_refused(daemon: RunningDaemon, fields: dict[str, object]) -> None:
    body = {"character_id": "x", "actions": ["wave"], **fields}
    answer = httpx.post(f"{daemon.url}/v1/packs", json=body, headers=daemon.headers)
    assert answer.status_code == 422
    assert next(iter(fields)) in answer.json()["message"]


def test_a_short_text_is_enough_for_everything_but_files(daemon: RunningDaemon) -> None:
    answer = httpx.post(f"{daemon.url}/v1/packs", content=b" " * (2 << 20), headers=daemon.headers)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


@pytest.mark.parametrize("index", ["-1", "9" * 30, "one"])
def test_a_frame_that_cannot_be_is_refused(daemon: RunningDaemon, index: str) -> None:
    answer = httpx.get(f"{daemon.url}/v1/emojis/x/raw-frame/{index}", headers=daemon.headers)
    assert answer.status_code == 422


def test_a_wrong_body_is_a_sentence(daemon: RunningDaemon) -> None:
    for body in ("{", "[]", '{"actions": 3}', '{"character_id": "x", "actions": ["wave"], "name": ""}'):
        answer = httpx.post(
            f"{daemon.url}/v1/packs",
            content=body,
            headers={**daemon.headers, "Content-Type": "application/json"},
        )
        assert answer.status_code == 422
        assert {"code", "message", "cure"} <= set(answer.json())


async def test_the_catalogue_has_all_that_scripts_rely_on(client: Client) -> None:
    actions = {action.name for action in await client.actions()}
    pinned = (
        "happy laugh cry wave nod shake angry wink jump bow clap dance love greet thanks sorry sleepy shock"
        " think cheer shy run spin celebrate"
    )
    assert actions == set(pinned.split())
    assert {"line-emoji", "apng", "gif"} <= {target.name for target in await client.targets()}
    (puppet,) = [provider for provider in await client.providers() if provider.name == "puppet"]
    assert not puppet.needs_key
    assert not puppet.needs_network


async def test_a_pack_made_elsewhere_is_seen_by_all(client: Client, character: Character) -> None:
    pack: Pack = await client.add_pack(order(character, "wave").model_copy(update={"awaits_clips": True}))
    assert pack in await client.packs()
    assert pack.emojis[0].status is Status.QUEUED

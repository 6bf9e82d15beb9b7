"""Packs: ordered, extended, changed, priced and let go."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Response

from popcond import pipeline, targets
from popcond.api import retrying
from popcond.api.deps import Powers, Uses
from popcond.api.security import MOST_TEXT
from popcond.errors import BadInput
from popcond.stages import prices, transitions
from popcond.stages.prices import EmojiPrice
from popcond.store import answered, budget, packs
from popcond.store.budget import Ceilings
from popcond.store.db import Connection
from popcond.store.writer import Transaction
from popcond.wire import Action, NewEmojis, NewPack, Pack, PackChanges, Quote, Stage, Status

router = APIRouter(prefix="/v1", tags=["packs"], max_body_size=MOST_TEXT)

_OVERHEAD = 4.0  # seconds of our own work for each emoji, measured on two cores


OrderKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        description="an order that is sent again with the same key is answered with the pack that it made",
    ),
]


@router.post("/quotes")
async def quote(powers: Uses, new: NewPack) -> Quote:
    """What the pack would cost; nothing is bought."""
    new = _with_poses(new)
    price = prices.emoji_price(powers.providers, powers.painters, new)
    count = len(_actions(powers, new.actions))
    ceilings = [limit for limit in (new.max_spend, powers.ceilings.per_pack) if limit is not None]
    return Quote(
        currency=price.currency,
        amount=price.whole * count,
        per_emoji=(price.whole,) * count,
        per_pose=price.pose,
        amount_at_most=price.at_most * count,
        seconds_estimate=_OVERHEAD * count / powers.workers.count,
        ceiling=min(ceilings, default=None),
    )


@router.post("/packs", status_code=201)
async def add(powers: Uses, new: NewPack, key: OrderKey = None) -> Pack:
    """A pack with one emoji an action; work begins at once, unless it awaits the user's own clips.

    Refused with 402 when all its clips together would be over the budget.
    """
    actions = _actions(powers, new.actions)
    new = _with_poses(new).model_copy(update={"targets": _targets(new.targets)})
    price = prices.emoji_price(powers.providers, powers.painters, new)

    def write(connection: Connection) -> Pack:
        pack = packs.add(connection, new, actions)
        return pack if new.awaits_clips else _begin(connection, powers.ceilings, pack, 0, price)

    return await powers.database.write(_once(key, answered.digest("packs", new.model_dump_json()), write))


@router.get("/packs")
async def every(powers: Uses) -> list[Pack]:
    """All packs, the newest first."""
    return await powers.database.read(packs.every)


@router.get("/packs/{pack_id}")
async def one(powers: Uses, pack_id: str) -> Pack:
    """One pack with its emojis."""
    return await powers.database.read(partial(packs.get, pack_id=pack_id))


@router.patch("/packs/{pack_id}")
async def change(powers: Uses, pack_id: str, changes: PackChanges) -> Pack:
    """Rename it, or change what becomes of it; finished emojis are encoded anew for new targets."""
    if changes.targets is not None:
        changes = changes.model_copy(update={"targets": _targets(changes.targets)})

    def write(connection: Connection) -> Pack:
        before = packs.get(connection, pack_id)
        after = packs.change(connection, pack_id, changes)
        if after.targets != before.targets:
            for emoji in after.emojis:
                if emoji.status is Status.DONE:
                    transitions.enqueue(connection, emoji.id, Stage.ENCODE)
        return packs.get(connection, pack_id)

    return await powers.database.write(write)


@router.delete("/packs/{pack_id}", status_code=204)
async def remove(powers: Uses, pack_id: str) -> Response:
    """Let a pack go with all its emojis; what runs is stopped."""
    pack = await powers.database.read(partial(packs.get, pack_id=pack_id))
    await powers.database.write(partial(packs.remove, pack_id=pack_id))
    for emoji in pack.emojis:
        powers.stop_work(emoji.id)
    powers.collect_soon()
    powers.housekeeping.soon()
    return Response(status_code=204)


@router.post("/packs/{pack_id}/retry")
async def retry(powers: Uses, pack_id: str) -> Pack:
    """Go on with every emoji that failed or was cancelled, each from where it stopped."""

    def write(connection: Connection) -> Pack:
        pack = packs.get(connection, pack_id)
        for emoji in pack.emojis:
            if retrying.can_go_on(pack, emoji):
                retrying.retry(connection, powers, emoji.id, retrying.AGAIN)
        return packs.get(connection, pack_id)

    return await powers.database.write(write)


@router.post("/packs/{pack_id}/emojis", status_code=201)
async def extend(powers: Uses, pack_id: str, new: NewEmojis, key: OrderKey = None) -> Pack:
    """More actions at the pack's end. Refused with 402 when their clips would be over the budget."""
    actions = _actions(powers, new.actions)

    def write(connection: Connection) -> Pack:
        before = packs.get(connection, pack_id)
        price = prices.emoji_price(powers.providers, powers.painters, before)
        pack = packs.extend(connection, pack_id, actions)
        there = len(before.emojis)
        return pack if pack.awaits_clips else _begin(connection, powers.ceilings, pack, there, price)

    return await powers.database.write(_once(key, answered.digest(pack_id, new.model_dump_json()), write))


def _once(key: str | None, asked: str, write: Transaction[Pack]) -> Transaction[Pack]:
    """The same order, sent again with its key, is answered with the pack that it made."""

    def write_once(connection: Connection) -> Pack:
        if key is None:
            return write(connection)
        made = answered.pack_for(connection, key, asked)
        if made is not None:
            return packs.get(connection, made)
        pack = write(connection)
        answered.remember(connection, key, asked, pack.id)
        return pack

    return write_once


def _begin(connection: Connection, ceilings: Ceilings, pack: Pack, there: int, price: EmojiPrice) -> Pack:
    """Queue the first job of every emoji behind those that were there. Raises OverBudget."""
    fresh = pack.emojis[there:]
    amount = price.whole * len(fresh)
    budget.refuse_over(connection, ceilings, pack_id=pack.id, amount=amount, currency=price.currency)
    for emoji in fresh:
        transitions.enqueue(connection, emoji.id, pipeline.first(draw_poses=pack.draw_poses))
    return packs.get(connection, pack.id)


def _with_poses(new: NewPack) -> NewPack:
    """Poses that are to be approved are drawn; who waits for the user's own clips needs none."""
    draws = (new.draw_poses or new.approve_poses) and not new.awaits_clips
    return new.model_copy(update={"draw_poses": draws, "approve_poses": new.approve_poses and draws})


def _actions(powers: Powers, names: Sequence[str]) -> list[Action]:
    if not names:
        raise BadInput("A pack needs at least one action.", cure="`GET /v1/actions` lists them.", code="no_actions")
    catalogue = powers.catalogue()
    return [catalogue.action(name) for name in names]


def _targets(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        targets.target(name)
    return tuple(dict.fromkeys(names))

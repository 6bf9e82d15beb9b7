"""Packs: ordered, extended, changed, priced and let go."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fastapi import APIRouter, Response

from popcond import targets
from popcond.api.deps import Powers, Uses
from popcond.api.security import MOST_TEXT
from popcond.errors import BadInput, UnknownName
from popcond.stages import transitions
from popcond.store import packs
from popcond.store.db import Connection
from popcond.wire import Action, NewEmojis, NewPack, Pack, PackChanges, ProviderModel, Quote, Stage, Status

router = APIRouter(prefix="/v1", tags=["packs"], max_body_size=MOST_TEXT)

_OVERHEAD = 4.0  # seconds of our own work for each emoji, measured on two cores


@router.post("/quotes")
async def quote(powers: Uses, new: NewPack) -> Quote:
    """What the pack would cost; nothing is bought."""
    model = _model(powers, new)
    seconds = model.seconds[0]
    price = 0.0 if new.awaits_clips else seconds * model.price_per_second
    count = len(_actions(powers, new.actions))
    return Quote(
        currency=model.currency,
        amount=price * count,
        per_emoji=(price,) * count,
        seconds_estimate=_OVERHEAD * count / powers.workers.count,
        ceiling=new.max_spend,
    )


@router.post("/packs", status_code=201)
async def add(powers: Uses, new: NewPack) -> Pack:
    """A pack with one emoji an action; work begins at once, unless it awaits the user's own clips."""
    actions = _actions(powers, new.actions)
    _model(powers, new)
    new = new.model_copy(update={"targets": _targets(new.targets)})

    def write(connection: Connection) -> Pack:
        pack = packs.add(connection, new, actions)
        return _begin(connection, pack, 0) if not new.awaits_clips else pack

    return await powers.database.write(write)


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
        powers.stop_emoji(emoji.id)
    return Response(status_code=204)


@router.post("/packs/{pack_id}/emojis", status_code=201)
async def extend(powers: Uses, pack_id: str, new: NewEmojis) -> Pack:
    """More actions at the pack's end."""
    actions = _actions(powers, new.actions)

    def write(connection: Connection) -> Pack:
        there = len(packs.get(connection, pack_id).emojis)
        return _begin(connection, packs.extend(connection, pack_id, actions), there)

    return await powers.database.write(write)


def _begin(connection: Connection, pack: Pack, there: int) -> Pack:
    """Queue the first job of every emoji behind those that were there."""
    for emoji in pack.emojis[there:]:
        transitions.enqueue(connection, emoji.id, Stage.ANIMATE)
    return packs.get(connection, pack.id)


def _actions(powers: Powers, names: Sequence[str]) -> list[Action]:
    if not names:
        raise BadInput("A pack needs at least one action.", cure="`GET /v1/actions` lists them.", code="no_actions")
    catalogue = powers.catalogue()
    return [catalogue.action(name) for name in names]


def _targets(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        targets.target(name)
    return tuple(dict.fromkeys(names))


def _model(powers: Powers, new: NewPack) -> ProviderModel:
    provider = powers.providers.get(new.provider)
    if provider is None:
        raise UnknownName(f"There is no provider {new.provider!r}.", cure=f"Choose: {', '.join(powers.providers)}.")
    models = {model.name: model for model in provider.describe().models}
    name = new.model or next(iter(models))
    if name not in models:
        raise UnknownName(f"{new.provider} has no model {name!r}.", cure=f"Choose: {', '.join(models)}.")
    return models[name]

"""ANIMATE: a provider makes a clip of the character doing the action, and the clip becomes a take.

The colour that the character is laid on is chosen here, once, and travels with the take to SEGMENT. What may cost money
is `stages.purchase`'s to do.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from popcond.assets import Assets
from popcond.crash import point
from popcond.media.raster import Colour, from_png
from popcond.stages.prices import clip_price, clip_seconds, model_of, provider_of, row_name
from popcond.stages.purchase import Shop, bought, collect
from popcond.stages.work import Finish, Work
from popcond.store import characters, purchases
from popcond.store.budget import Ceilings
from popcond.store.db import Connection, Database
from popcond.store.purchases import Order, TakeFacts
from popcond.video.effects import effect_colours
from popcond.video.performances import performance
from popcond.video.provider import ClipRequest, TaskStatus, VideoProvider
from popcond.vision.backdrop import choose_backdrop
from popcond.wire import Action, ProviderModel


@dataclass(frozen=True)
class Studio:
    """All that ANIMATE works with."""

    database: Database
    assets: Assets
    providers: Mapping[str, VideoProvider]
    ceilings: Ceilings
    scratch: Path  # folder for drafts


async def animate(studio: Studio, work: Work) -> Finish:
    """Buy or draw the clip. Raises ProviderFailed with the provider's reason, MaybeBought and OverBudget."""
    provider = provider_of(studio.providers, work.pack.provider)
    request, order = await what_to_order(studio, work)
    shop = Shop(studio.database, provider, studio.ceilings)
    while True:
        entry, status = await bought(shop, request, order, work)
        clip = await fetched(studio.assets, provider, status, studio.scratch)
        if entry.order.request == order.request:
            return partial(_finish, entry=entry, status=status, clip=clip)
        # An earlier order, with another prompt, was still open: it is paid for and is kept, but this one is wanted.
        await studio.database.write(partial(collect, entry=entry, status=status, clip=clip))


async def what_to_order(studio: Studio, work: Work) -> tuple[ClipRequest, Order]:
    """What the provider is asked for, and how it is written into the ledger. Raises UnknownName."""
    model = model_of(studio.providers, work.pack.provider, work.pack.model)
    request = await _request(studio, work, model)
    return request, _order(work, model, request)


async def fetched(assets: Assets, provider: VideoProvider, status: TaskStatus, scratch: Path) -> str:
    """The clip of a finished task as an asset. Raises ProviderUnreachable and OutOfDisk."""
    draft = scratch / f"{uuid.uuid4().hex}.mp4"
    try:
        point("before_download")
        await provider.download(status, draft)
        point("after_download")
        return await asyncio.to_thread(assets.put_file, draft)
    finally:
        draft.unlink(missing_ok=True)


def _finish(connection: Connection, entry: purchases.Entry, status: TaskStatus, clip: str) -> None:
    collect(connection, entry, status, clip)
    point("before_finish")


async def _request(studio: Studio, work: Work, model: ProviderModel) -> ClipRequest:
    files = await studio.database.read(partial(characters.files, character_id=work.pack.character_id))
    cutout = studio.assets.path(files.cutout)
    return ClipRequest(
        action=work.action,
        motion_prompt=work.emoji.motion_prompt,
        cutout=cutout,
        backdrop=await asyncio.to_thread(_backdrop_for, cutout, work.action),
        model=model.name,
        seconds=clip_seconds(model),
    )


def _backdrop_for(cutout: Path, action: Action) -> Colour:
    """Far from the character's colours, and from those of the effects that the action brings."""
    effects = performance(action.performance).effects
    return choose_backdrop(from_png(cutout.read_bytes()), avoid=effect_colours(effects))


def _order(work: Work, model: ProviderModel, request: ClipRequest) -> Order:
    return Order(
        work=purchases.clip_of(work.emoji.id),
        request=_digest(work, request),
        provider=work.pack.provider,
        model=row_name(model),  # as the provider's list says it
        pack_id=work.pack.id,
        pack_name=work.pack.name,
        emoji_id=work.emoji.id,
        action=work.action.name,
        price=clip_price(model),
        currency=model.currency,
        facts=TakeFacts(request.motion_prompt, request.backdrop, model.closes_loops),
    )


def _digest(work: Work, request: ClipRequest) -> str:
    """What is asked for, to the pixel: the cut-out's file is named by its bytes."""
    said = [work.pack.provider, request.model, request.motion_prompt, request.action.effect_prompt]
    shown = [request.cutout.name, request.backdrop, request.seconds, request.action.performance]
    return hashlib.sha256(json.dumps([*said, *shown]).encode()).hexdigest()

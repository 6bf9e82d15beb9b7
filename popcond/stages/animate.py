"""ANIMATE: a provider makes a clip of the character doing the action, and the clip becomes a take.

The colour that the character is laid on is chosen here, once, and travels with the take to SEGMENT. The clip starts
from the chosen pose, or from the character itself. One that came back without motion is bought once more with stronger
words. What may cost money is `stages.purchase`'s to do.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
import uuid
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from popcond import pipeline
from popcond.crash import point
from popcond.errors import MaybeBought, PopconError
from popcond.media.raster import Colour, from_png
from popcond.media.stillness import is_still, motion_of
from popcond.stages import transitions
from popcond.stages.prices import clip_price, clip_seconds, model_of, provider_of, region_of, row_name
from popcond.stages.purchase import Bid, Shop
from popcond.stages.studio import Studio
from popcond.stages.trade import Commission, made
from popcond.stages.work import Finish, Work
from popcond.store import characters, emojis
from popcond.store.db import Connection
from popcond.store.purchases import Entry, Order, OrderFacts
from popcond.video.effects import effect_colours
from popcond.video.performances import performance
from popcond.video.provider import ClipRequest, Maker, TaskStatus
from popcond.video.wording import stronger_motion
from popcond.vision.backdrop import choose_backdrop
from popcond.wire import Action, ProviderModel, PurchaseKind, Stage, Status, Take
from popcond.workers import report_nothing

log = logging.getLogger("popcond.animate")

STILL = "Hardly anything moves in this clip."

_LOOK_AT_MOTION = 60.0  # seconds


@dataclass(frozen=True)
class Clip:
    """A clip in the asset folder."""

    asset: str
    flaws: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clips:
    """Clips of emojis, as a Trade."""

    studio: Studio
    kind = PurchaseKind.CLIP

    def maker(self, provider: str) -> Maker[ClipRequest] | None:
        """The provider of that name."""
        return self.studio.providers.get(provider)

    async def fetched(self, entry: Entry, status: TaskStatus) -> Clip:
        """Downloaded and, when it cost something, looked at. Raises ProviderUnreachable and OutOfDisk."""
        studio = self.studio
        draft = studio.scratch / f"{uuid.uuid4().hex}.mp4"
        try:
            point("before_download")
            await studio.providers[entry.order.provider].download(status, draft)
            point("after_download")
            is_lively = entry.order.price <= 0 or await self._moves(draft)
            asset = await asyncio.to_thread(studio.assets.put_file, draft)
        finally:
            draft.unlink(missing_ok=True)
        return Clip(asset, () if is_lively else (STILL,))

    async def _moves(self, clip: Path) -> bool:
        """Where that cannot be told, for whatever reason, nothing is bought because of it."""
        try:
            motion = await self.studio.workers.run_at_most(_LOOK_AT_MOTION, motion_of, report_nothing, clip)
        except PopconError as error:
            log.warning("whether a clip moves cannot be told: %s", error)
            return True
        return not is_still(motion)

    def exists(self, connection: Connection, subject: str) -> bool:
        """Whether the emoji's pack still has it."""
        return emojis.exists(connection, subject)

    def has_chosen(self, connection: Connection, subject: str) -> bool:
        """Whether there is one already."""
        return emojis.get(connection, subject).chosen_take is not None

    def keep(self, connection: Connection, entry: Entry, goods: Clip, *, choose: bool) -> None:
        """It becomes a take of its emoji."""
        order, facts = entry.order, entry.order.facts
        take = Take(
            id=uuid.uuid4().hex,
            provider=order.provider,
            model=order.model,
            motion_prompt=facts.prompt,
            flaws=goods.flaws,
            created=time.time(),
        )
        emojis.add_take(
            connection,
            order.subject,
            take,
            clip=goods.asset,
            backdrop=facts.backdrop,
            exact_loop=facts.exact_loop,
            choose=choose,
        )

    def go_on(self, connection: Connection, entry: Entry) -> None:
        """An emoji that stopped for want of a clip goes on behind it when it is retried, or at once."""
        emoji = emojis.get(connection, entry.order.subject)
        if emoji.problem is not None and emoji.problem.code == MaybeBought.code:
            transitions.enqueue(connection, emoji.id, Stage.SLICE)
        elif emoji.stage is Stage.ANIMATE and emoji.status in (Status.CANCELLED, Status.FAILED):
            place = pipeline.stopped(Stage.SLICE, emoji.status)
            emojis.place(connection, emoji.id, place.stage, place.status, place.progress, emoji.problem)
        else:
            emojis.tell(connection, emoji.id)


async def animate(studio: Studio, work: Work) -> Finish:
    """Buy or draw the clip. Raises ProviderFailed with the provider's reason, MaybeBought and OverBudget."""
    shop = Shop(studio.database, provider_of(studio.providers, work.pack.provider), studio.ceilings)
    first = await bid_for(studio, work)

    async def second() -> Bid[ClipRequest]:
        return _stronger(work, first)

    is_paid = first.order.price > 0
    return await made(Commission(Clips(studio), shop, work.job, first, second if is_paid else None, work.report))


async def bid_for(studio: Studio, work: Work) -> Bid[ClipRequest]:
    """What the provider is asked for, and how it is written into the ledger. Raises UnknownName."""
    model = model_of(studio.providers, work.pack.provider, work.pack.model)
    cutout = studio.assets.path(await studio.database.read(partial(_start, work=work)))
    request = ClipRequest(
        action=work.action,
        motion_prompt=work.emoji.motion_prompt,
        cutout=cutout,
        backdrop=await asyncio.to_thread(backdrop_for, cutout, work.action),
        model=model.name,
        seconds=clip_seconds(model),
    )
    order = replace(_order(work, model, request), region=region_of(studio.providers, work.pack.provider))
    return Bid(request, model.name, order)


def _start(connection: Connection, work: Work) -> str:
    """The cut-out that the clip starts from: of the chosen pose, or of the character."""
    if work.emoji.chosen_pose is not None:
        return emojis.pose_files(connection, work.emoji.id, work.emoji.chosen_pose).cutout
    return characters.files(connection, work.pack.character_id).cutout


def backdrop_for(cutout: Path, action: Action) -> Colour:
    """Far from the character's colours, and from those of the effects that the action brings."""
    effects = performance(action.performance).effects
    return choose_backdrop(from_png(cutout.read_bytes()), avoid=effect_colours(effects))


def _stronger(work: Work, bid: Bid[ClipRequest]) -> Bid[ClipRequest]:
    """The same with stronger words."""
    request = replace(bid.request, motion_prompt=stronger_motion(bid.request.motion_prompt))
    facts = replace(bid.order.facts, prompt=request.motion_prompt)
    return replace(bid, request=request, order=replace(bid.order, request=_digest(work, request), facts=facts))


def _order(work: Work, model: ProviderModel, request: ClipRequest) -> Order:
    return Order(
        kind=PurchaseKind.CLIP,
        subject=work.emoji.id,
        request=_digest(work, request),
        provider=work.pack.provider,
        model=row_name(model),  # as the provider's list says it
        pack_id=work.pack.id,
        pack_name=work.pack.name,
        action=work.action.name,
        price=clip_price(model),
        currency=model.currency,
        facts=OrderFacts(request.motion_prompt, request.backdrop, model.closes_loops),
        job=work.job.id,
        resolution=model.resolution,
        seconds=request.seconds,
        unit_price=model.price_per_second,
    )


def _digest(work: Work, request: ClipRequest) -> str:
    """What is asked for, to the pixel: the cut-out's file is named by its bytes."""
    said = [work.pack.provider, request.model, request.motion_prompt, request.action.effect_prompt]
    shown = [request.cutout.name, request.backdrop, request.seconds, request.action.performance]
    return hashlib.sha256(json.dumps([*said, *shown]).encode()).hexdigest()

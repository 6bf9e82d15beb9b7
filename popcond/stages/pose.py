"""POSE: a provider draws the character as it stands when the action begins; clips start from the chosen pose."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import uuid
from dataclasses import dataclass, replace
from functools import partial

from popcond import pipeline
from popcond.errors import MaybeBought
from popcond.stages import paint, transitions
from popcond.stages.animate import backdrop_for
from popcond.stages.prices import painter_of, picture_model_of, region_of
from popcond.stages.purchase import Bid, Shop
from popcond.stages.studio import Studio
from popcond.stages.trade import Commission, made
from popcond.stages.work import Finish, Work
from popcond.store import characters, emojis, packs
from popcond.store.characters import Sketch
from popcond.store.db import Connection
from popcond.store.purchases import Entry, Order, OrderFacts
from popcond.video.provider import Maker, PictureRequest, TaskStatus
from popcond.video.wording import pose_prompt
from popcond.wire import PictureModel, Pose, PurchaseKind, Stage, Status


@dataclass(frozen=True)
class Poses:
    """Poses of emojis, as a Trade."""

    studio: Studio
    kind = PurchaseKind.POSE

    def maker(self, provider: str) -> Maker[PictureRequest] | None:
        """Who draws for the provider of that name."""
        return self.studio.painters.get(provider)

    async def fetched(self, entry: Entry, status: TaskStatus) -> Sketch:
        """Downloaded and cut out. Raises ProviderUnreachable, ProviderFailed and OutOfDisk."""
        return await paint.fetched(self.studio, entry, status)

    def exists(self, connection: Connection, subject: str) -> bool:
        """Whether the emoji's pack still has it."""
        return emojis.exists(connection, subject)

    def has_chosen(self, connection: Connection, subject: str) -> bool:
        """Whether there is one already."""
        return emojis.get(connection, subject).chosen_pose is not None

    def keep(self, connection: Connection, entry: Entry, goods: Sketch, *, choose: bool) -> None:
        """It becomes a pose of its emoji."""
        order = entry.order
        pose = Pose(
            id=uuid.uuid4().hex,
            provider=order.provider,
            model=order.model,
            prompt=order.facts.words,
            flaws=goods.flaws,
            created=time.time(),
        )
        emojis.add_pose(connection, order.subject, pose, goods.files, choose=choose)

    def go_on(self, connection: Connection, entry: Entry) -> None:
        """An emoji that stopped for want of a pose goes on behind it when it is retried, or at once."""
        emoji = emojis.get(connection, entry.order.subject)
        is_stopped = emoji.stage is Stage.POSE and emoji.status in (Status.CANCELLED, Status.FAILED)
        if not is_stopped:
            emojis.tell(connection, emoji.id)
        elif packs.get(connection, emoji.pack_id).approve_poses:
            place = pipeline.awaiting_approval()
            emojis.place(connection, emoji.id, place.stage, place.status, place.progress)
        elif emoji.problem is not None and emoji.problem.code == MaybeBought.code:
            transitions.enqueue(connection, emoji.id, Stage.ANIMATE)
        else:
            place = pipeline.stopped(Stage.ANIMATE, emoji.status)
            emojis.place(connection, emoji.id, place.stage, place.status, place.progress, emoji.problem)


async def pose(studio: Studio, work: Work) -> Finish:
    """Buy the pose. Raises ProviderFailed with the provider's reason, MaybeBought and OverBudget."""
    shop = Shop(studio.database, painter_of(studio.painters, work.pack.provider), studio.ceilings)
    return await made(Commission(Poses(studio), shop, work.job, await _bid(studio, work), report=work.report))


async def _bid(studio: Studio, work: Work) -> Bid[PictureRequest]:
    model = picture_model_of(studio.painters, work.pack.provider, work.pack.pose_model, references=1)
    files = await studio.database.read(partial(characters.files, character_id=work.pack.character_id))
    cutout = studio.assets.path(files.cutout)
    backdrop = await asyncio.to_thread(backdrop_for, cutout, work.action)
    words = work.emoji.pose_prompt
    prompt = pose_prompt(words, work.emoji.motion_prompt, backdrop=backdrop)
    request = PictureRequest(prompt=prompt, model=model.name, references=(cutout,), backdrop=backdrop)
    order = _order(work, model, request, words or work.emoji.motion_prompt)
    return Bid(request, model.name, replace(order, region=region_of(studio.providers, order.provider)))


def _order(work: Work, model: PictureModel, request: PictureRequest, words: str) -> Order:
    return Order(
        kind=PurchaseKind.POSE,
        subject=work.emoji.id,
        request=digest(work.pack.provider, request),
        provider=work.pack.provider,
        model=model.name,
        pack_id=work.pack.id,
        pack_name=work.pack.name,
        action=work.action.name,
        price=model.price,
        currency=model.currency,
        facts=OrderFacts(request.prompt, request.backdrop, words=words),
        job=work.job.id,
        resolution=model.size,
        unit_price=model.price,
    )


def digest(provider: str, request: PictureRequest) -> str:
    """What is asked for, to the pixel: the references' files are named by their bytes."""
    shown = [reference.name for reference in request.references]
    asked = [provider, request.model, request.prompt, request.backdrop, *shown]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()

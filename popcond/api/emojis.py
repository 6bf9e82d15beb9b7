"""Emojis: watched, retried, cancelled, accepted, and given the user's own clips."""

from __future__ import annotations

import time
import uuid
from functools import partial

from fastapi import APIRouter, UploadFile

from popcond import pipeline
from popcond.api.deps import Powers, Uses
from popcond.api.security import MOST_TEXT
from popcond.api.uploads import CLIP_BODY, ONE_FILE, received
from popcond.errors import BadInput, Conflict
from popcond.stages import prices, transitions
from popcond.stages.clips import check_clip
from popcond.store import budget, emojis, jobs, packs, purchases
from popcond.store.db import Connection
from popcond.wire import ChooseTake, Emoji, Retry, Stage, Status, Take

router = APIRouter(prefix="/v1/emojis", tags=["emojis"], max_body_size=MOST_TEXT)

CLIP_FILE = "clip-file"  # the provider's name on takes that the user brought


@router.get("/{emoji_id}")
async def one(powers: Uses, emoji_id: str) -> Emoji:
    """One emoji, with the newest progress."""
    emoji = await powers.database.read(partial(emojis.get, emoji_id=emoji_id))
    progress = powers.bus.progress_of(emoji_id)
    return emoji if progress is None else emoji.model_copy(update={"progress": progress})


@router.post("/{emoji_id}/retry")
async def retry(powers: Uses, emoji_id: str, asked: Retry) -> Emoji:
    """Do a stage, and those behind it, again. Pressing twice is harmless: a live job only stops waiting."""

    def write(connection: Connection) -> Emoji:
        emoji = emojis.get(connection, emoji_id)
        if jobs.is_live(connection, emoji_id):
            jobs.hasten(connection, emoji_id)
            return emojis.get(connection, emoji_id)
        if asked.motion_prompt is not None:
            emojis.set_motion_prompt(connection, emoji_id, asked.motion_prompt)
        stage = _stage_to_retry(emoji, asked)
        if stage is Stage.ANIMATE:
            _refuse_unbuyable(connection, powers, emoji)
        transitions.enqueue(connection, emoji_id, stage)
        return emojis.get(connection, emoji_id)

    return await powers.database.write(write)


def _refuse_unbuyable(connection: Connection, powers: Powers, emoji: Emoji) -> None:
    """A clip that is ordered already is not ordered again, so it needs no room in the budget. Raises OverBudget."""
    pack = packs.get(connection, emoji.pack_id)
    if pack.awaits_clips:
        raise Conflict("This emoji waits for a clip of yours.", cure="Upload one to its route `clip`.")
    if purchases.open_for(connection, purchases.clip_of(emoji.id)) is None:
        model = prices.model_of(powers.providers, pack.provider, pack.model)
        price = prices.clip_price(model)
        budget.refuse_over(connection, powers.ceilings, pack_id=pack.id, amount=price, currency=model.currency)


def _stage_to_retry(emoji: Emoji, asked: Retry) -> Stage:
    """The asked one; else where it failed; else, for a new prompt or a finished emoji, a new take."""
    failed = emoji.status in (Status.FAILED, Status.CANCELLED) and asked.motion_prompt is None
    stage = asked.from_stage or (emoji.stage if failed else Stage.ANIMATE)
    if not pipeline.may_restart_from(stage):
        raise BadInput(f"Nothing can be retried from {stage.value!r}.", cure="Use animate, slice, segment or encode.")
    order = pipeline.ORDER.index
    if order(stage) > order(emoji.stage):
        raise Conflict(f"This emoji has not got as far as {stage.value!r}.", cure=f"Retry from {emoji.stage.value!r}.")
    return stage


@router.post("/{emoji_id}/cancel")
async def cancel(powers: Uses, emoji_id: str) -> Emoji:
    """Stop what waits or runs; takes, frames and stickers that are there stay."""

    def write(connection: Connection) -> Emoji:
        emoji = emojis.get(connection, emoji_id)
        if not transitions.cancel(connection, emoji_id) and emoji.status is not Status.CANCELLED:
            raise Conflict(f"Nothing of this emoji runs; it is {emoji.status.value}.")
        return emojis.get(connection, emoji_id)

    emoji = await powers.database.write(write)
    powers.stop_emoji(emoji_id)
    powers.collect_soon()
    return emoji


@router.post("/{emoji_id}/accept")
async def accept(powers: Uses, emoji_id: str) -> Emoji:
    """The cut-out is good: make the stickers. Pressing twice is harmless."""

    def write(connection: Connection) -> Emoji:
        emoji = emojis.get(connection, emoji_id)
        if emoji.status in (Status.ENCODING, Status.DONE):
            return emoji
        if emoji.status is not Status.AWAITING_REFINEMENT:
            raise Conflict(f"There is nothing to accept yet; the emoji is {emoji.status.value}.")
        jobs.add(connection, emoji_id, Stage.ENCODE)
        return _placed(connection, emoji_id, Stage.ENCODE)

    return await powers.database.write(write)


@router.post("/{emoji_id}/choose-take")
async def choose_take(powers: Uses, emoji_id: str, choice: ChooseTake) -> Emoji:
    """Go on with an earlier take; its frames are cut anew."""

    def write(connection: Connection) -> Emoji:
        _refuse_while_live(connection, emoji_id)
        emojis.choose_take(connection, emoji_id, choice.take_id)
        transitions.enqueue(connection, emoji_id, Stage.SLICE)
        return emojis.get(connection, emoji_id)

    return await powers.database.write(write)


@router.post("/{emoji_id}/clip", max_body_size=CLIP_BODY, form_limits=ONE_FILE)
async def upload_clip(powers: Uses, emoji_id: str, file: UploadFile) -> Emoji:
    """The user's own clip becomes a take, and the rest follows from it."""
    await powers.database.read(partial(_refuse_while_live, emoji_id=emoji_id))
    async with powers.housekeeping.at_work():
        try:
            async with received(file, powers.settings, powers.settings.max_clip_mb) as path:
                clip = await check_clip(powers.workers, powers.assets, path)
        except BadInput as error:
            await powers.database.write(partial(transitions.refuse_clip, emoji_id=emoji_id, problem=error.problem()))
            raise
        return await powers.database.write(partial(_add_clip, emoji_id=emoji_id, clip=clip))


def _add_clip(connection: Connection, emoji_id: str, clip: str) -> Emoji:
    _refuse_while_live(connection, emoji_id)
    take = Take(id=uuid.uuid4().hex, provider=CLIP_FILE, created=time.time())
    emojis.add_take(connection, emoji_id, take, clip=clip, backdrop=None, exact_loop=False)
    transitions.enqueue(connection, emoji_id, Stage.SLICE)
    return emojis.get(connection, emoji_id)


def _refuse_while_live(connection: Connection, emoji_id: str) -> None:
    emoji = emojis.get(connection, emoji_id)
    if jobs.is_live(connection, emoji_id):
        raise Conflict(f"This emoji is being worked on ({emoji.status.value}).", cure="Cancel it first, or wait.")


def _placed(connection: Connection, emoji_id: str, stage: Stage) -> Emoji:
    place = pipeline.working(stage)
    return emojis.place(connection, emoji_id, place.stage, place.status, place.progress)

"""Emojis: watched, retried, cancelled, approved, accepted, and given the user's own clips."""

from __future__ import annotations

import asyncio
import time
import uuid
from functools import partial

from fastapi import APIRouter, UploadFile
from fastapi.responses import Response

from popcond import pipeline
from popcond.api import retrying
from popcond.api.deps import Uses
from popcond.api.security import MOST_TEXT
from popcond.api.uploads import CLIP_BODY, ONE_FILE, received
from popcond.errors import BadInput, Conflict
from popcond.stages import transitions
from popcond.stages.clips import check_clip
from popcond.store import edits, emojis, jobs, packs
from popcond.store.db import Connection
from popcond.wire import Approve, ChoosePose, ChooseTake, Emoji, Retry, Stage, Status, Take

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
    return await powers.database.write(partial(retrying.retry, powers=powers, emoji_id=emoji_id, asked=asked))


@router.post("/{emoji_id}/approve")
async def approve(powers: Uses, emoji_id: str, approval: Approve | None = None) -> Emoji:
    """The pose is good: go on to the clip, which is bought now. Pressing twice is harmless."""

    def write(connection: Connection) -> Emoji:
        emoji = emojis.get(connection, emoji_id)
        if emoji.poses and emoji.stage is Stage.ANIMATE and jobs.is_live(connection, emoji_id):
            return emoji
        if emoji.status is not Status.AWAITING_APPROVAL:
            raise Conflict(f"There is no pose to approve; the emoji is {emoji.status.value}.")
        if approval is not None:
            emojis.set_prompts(connection, emoji_id, approval.motion_prompt, None)
        pack = packs.get(connection, emoji.pack_id)
        retrying.refuse_unbuyable(connection, powers, pack, emoji, Stage.ANIMATE)
        transitions.enqueue(connection, emoji_id, Stage.ANIMATE)
        return emojis.get(connection, emoji_id)

    return await powers.database.write(write)


@router.post("/{emoji_id}/choose-pose")
async def choose_pose(powers: Uses, emoji_id: str, choice: ChoosePose) -> Emoji:
    """Start clips to come from another pose, or with null from the character itself; nothing is made anew by this."""

    def write(connection: Connection) -> Emoji:
        _refuse_while_live(connection, emoji_id)
        emojis.choose_pose(connection, emoji_id, choice.pose_id)
        return emojis.tell(connection, emoji_id)

    return await powers.database.write(write)


@router.get("/{emoji_id}/poses/{pose_id}", response_class=Response)
async def pose(powers: Uses, emoji_id: str, pose_id: str) -> Response:
    """One pose, as the provider drew it."""
    files = await powers.database.read(partial(emojis.pose_files, emoji_id=emoji_id, pose_id=pose_id))
    data = await asyncio.to_thread(powers.assets.read, files.picture)
    return Response(data, media_type=files.media_type)


@router.post("/{emoji_id}/cancel")
async def cancel(powers: Uses, emoji_id: str) -> Emoji:
    """Stop what waits or runs; takes, frames and stickers that are there stay."""

    def write(connection: Connection) -> Emoji:
        emoji = emojis.get(connection, emoji_id)
        if not transitions.cancel(connection, emoji_id) and emoji.status is not Status.CANCELLED:
            raise Conflict(f"Nothing of this emoji runs; it is {emoji.status.value}.")
        return emojis.get(connection, emoji_id)

    emoji = await powers.database.write(write)
    powers.stop_work(emoji_id)
    powers.collect_soon()
    return emoji


@router.post("/{emoji_id}/accept")
async def accept(powers: Uses, emoji_id: str) -> Emoji:
    """The cut-out is good: make the stickers, or make them again after edits. Pressing twice is harmless."""
    powers.propagations.refuse_while_running(emoji_id)

    def write(connection: Connection) -> Emoji:
        emoji = emojis.get(connection, emoji_id)
        is_stale = emoji.status is Status.DONE and edits.are_newer_than_stickers(connection, emoji_id)
        if emoji.status in (Status.ENCODING, Status.DONE) and not is_stale:
            return emoji
        if emoji.status is not Status.AWAITING_REFINEMENT and not is_stale:
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

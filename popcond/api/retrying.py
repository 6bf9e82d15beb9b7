"""Doing an emoji's stages again: which one, and whether it may be bought."""

from __future__ import annotations

from popcond import pipeline
from popcond.api.deps import Powers
from popcond.errors import BadInput, Conflict
from popcond.stages import prices, transitions
from popcond.store import budget, emojis, jobs, packs, purchases
from popcond.store.db import Connection
from popcond.wire import Emoji, Pack, PurchaseKind, Retry, Stage, Status

AGAIN = Retry(motion_prompt=None)  # from where it stopped


def retry(connection: Connection, powers: Powers, emoji_id: str, asked: Retry) -> Emoji:
    """Queue a stage and those behind it; a live job only stops waiting. Raises BadInput, Conflict and OverBudget."""
    emoji = emojis.get(connection, emoji_id)
    if jobs.is_live(connection, emoji_id):
        jobs.hasten(connection, emoji_id)
        return emojis.get(connection, emoji_id)
    pack = packs.get(connection, emoji.pack_id)
    if asked == AGAIN and _waited_for_approval(pack, emoji):
        place = pipeline.awaiting_approval()
        return emojis.place(connection, emoji_id, place.stage, place.status, place.progress)
    emojis.set_prompts(connection, emoji_id, asked.motion_prompt, asked.pose_prompt)
    stage = _stage(emoji, asked)
    refuse_unbuyable(connection, powers, pack, emoji, stage)
    transitions.enqueue(connection, emoji_id, stage)
    return emojis.get(connection, emoji_id)


def can_go_on(pack: Pack, emoji: Emoji) -> bool:
    """Whether it has stopped, and not for want of a clip that only the user can bring."""
    awaits_clip = pack.awaits_clips and emoji.stage is Stage.ANIMATE
    return emoji.status in (Status.FAILED, Status.CANCELLED) and not awaits_clip


def refuse_unbuyable(connection: Connection, powers: Powers, pack: Pack, emoji: Emoji, stage: Stage) -> None:
    """What is ordered already is not ordered again, so it needs no room in the budget. Raises OverBudget."""
    if stage not in (Stage.POSE, Stage.ANIMATE):
        return
    if pack.awaits_clips:
        raise Conflict("This emoji waits for a clip of yours.", cure="Upload one to its route `clip`.")
    drawing = pack.model_copy(update={"draw_poses": stage is Stage.POSE})
    price = prices.emoji_price(powers.providers, powers.painters, drawing)
    kind = PurchaseKind.POSE if stage is Stage.POSE else PurchaseKind.CLIP
    amount = price.pose if stage is Stage.POSE and pack.approve_poses else price.whole  # else the clip follows unasked
    if purchases.open_for(connection, purchases.work_of(kind, emoji.id)) is None:
        budget.refuse_over(connection, powers.ceilings, pack_id=pack.id, amount=amount, currency=price.currency)


def _waited_for_approval(pack: Pack, emoji: Emoji) -> bool:
    """Whether it was cancelled with a pose that a person was to look at: going on, it needs no other."""
    has_pose = emoji.stage is Stage.POSE and emoji.chosen_pose is not None
    return pack.approve_poses and has_pose and emoji.status is Status.CANCELLED


def _stage(emoji: Emoji, asked: Retry) -> Stage:
    """The asked one; else where it failed; else, for a new prompt or a finished emoji, a new pose or a new take."""
    stage = asked.from_stage or _stage_by_itself(emoji, asked)
    if not pipeline.may_restart_from(stage):
        raise BadInput(
            f"Nothing can be retried from {stage.value!r}.", cure="Use pose, animate, slice, segment or encode."
        )
    order = pipeline.ORDER.index
    if order(stage) > order(emoji.stage):
        raise Conflict(f"This emoji has not got as far as {stage.value!r}.", cure=f"Retry from {emoji.stage.value!r}.")
    return stage


def _stage_by_itself(emoji: Emoji, asked: Retry) -> Stage:
    if asked.pose_prompt is not None or emoji.stage is Stage.POSE:
        return Stage.POSE
    has_stopped = emoji.status in (Status.FAILED, Status.CANCELLED) and asked.motion_prompt is None
    return emoji.stage if has_stopped else Stage.ANIMATE

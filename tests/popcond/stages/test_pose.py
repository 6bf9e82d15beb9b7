"""POSE: drawn from the character, looked at by whoever wants to, and where the clip starts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from popcond.errors import MaybeBought, OverBudget
from popcond.stages import transitions
from popcond.stages.animate import bid_for
from popcond.store import characters, emojis
from popcond.wire import Emoji, PurchaseKind, Stage, Status
from tests.fakes import LedgerPainter, LedgerProvider
from tests.popcond.stages.workshop import Workshop, cancelled_in_flight


@pytest.fixture
async def workshop(tmp_path: Path) -> AsyncIterator[Workshop]:
    """A home beside a painter that wants a dime for a picture."""
    workshop = Workshop(tmp_path, LedgerProvider(price=0.5), LedgerPainter(price=0.1))
    yield workshop
    workshop.database.close()


async def start_of(workshop: Workshop, emoji: Emoji) -> Path:
    """The picture that its clip would start from."""
    return (await bid_for(workshop.studio, await workshop.job_of(emoji))).request.cutout


async def test_a_pose_is_drawn_and_the_clip_starts_from_its_cutout(workshop: Workshop) -> None:
    emoji = await workshop.order(draw_poses=True)
    assert (emoji.stage, emoji.status) == (Stage.POSE, Status.QUEUED)
    await workshop.run()
    after = await workshop.now(emoji)
    (pose,) = after.poses
    assert (after.stage, after.chosen_pose, after.spend) == (Stage.ANIMATE, pose.id, 0.1)
    files = await workshop.database.read(partial(emojis.pose_files, emoji_id=emoji.id, pose_id=pose.id))
    assert files.cutout != files.picture
    assert await start_of(workshop, emoji) == workshop.studio.assets.path(files.cutout)
    (line,) = await workshop.lines()
    assert (line.kind, line.emoji_id, line.character_id) == (PurchaseKind.POSE, emoji.id, None)


async def test_a_pose_and_a_clip_are_each_bought_once(workshop: Workshop) -> None:
    emoji = await workshop.order(draw_poses=True)
    await workshop.run()
    await workshop.run()
    after = await workshop.now(emoji)
    assert (len(after.poses), len(after.takes), after.stage) == (1, 1, Stage.SLICE)
    assert (workshop.painter.ledger, workshop.provider.ledger) == (["picture"], ["wave"])
    assert after.spend == pytest.approx(0.6)


async def test_a_pose_that_is_to_be_approved_waits_for_a_person(workshop: Workshop) -> None:
    emoji = await workshop.order(draw_poses=True, approve_poses=True)
    await workshop.run()
    after = await workshop.now(emoji)
    assert (after.stage, after.status, len(after.poses)) == (Stage.POSE, Status.AWAITING_APPROVAL, 1)
    assert await workshop.database.write(partial(transitions.claim, kinds=[Stage.ANIMATE])) is None
    assert workshop.provider.ledger == []


async def test_a_clip_may_start_from_the_character_though_there_is_a_pose(workshop: Workshop) -> None:
    emoji = await workshop.order(draw_poses=True, approve_poses=True)
    await workshop.run()
    await workshop.database.write(partial(emojis.choose_pose, emoji_id=emoji.id, pose_id=None))
    owner = (await workshop.job_of(emoji)).pack.character_id
    await workshop.database.write(lambda connection: connection.execute("UPDATE job SET state = 'done'"))
    cutout = (await workshop.database.read(partial(characters.files, character_id=owner))).cutout
    assert await start_of(workshop, emoji) == workshop.studio.assets.path(cutout)


async def test_a_flawed_pose_is_flagged_and_not_drawn_again_by_itself(workshop: Workshop) -> None:
    workshop.painter.flawed = 1
    emoji = await workshop.order(draw_poses=True)
    await workshop.run()
    (pose,) = (await workshop.now(emoji)).poses
    assert pose.flaws
    assert workshop.painter.ledger == ["picture"]


async def test_a_pose_over_the_budget_is_not_ordered(workshop: Workshop) -> None:
    workshop.spend_at_most(0.05)
    emoji = await workshop.order(draw_poses=True)
    assert isinstance(await workshop.run(), OverBudget)
    after = await workshop.now(emoji)
    assert (after.stage, after.status, workshop.painter.ledger) == (Stage.POSE, Status.FAILED, [])


# ------------------------------------------------------------------ what comes late


@pytest.mark.parametrize(
    ("approve_poses", "stage", "status"),
    [(False, Stage.ANIMATE, Status.CANCELLED), (True, Stage.POSE, Status.AWAITING_APPROVAL)],
    ids=["unseen", "approved"],
)
async def test_a_pose_that_comes_after_it_was_cancelled_is_kept(
    workshop: Workshop, approve_poses: bool, stage: Stage, status: Status
) -> None:
    emoji = await workshop.order(draw_poses=True, approve_poses=approve_poses)
    await cancelled_in_flight(workshop, emoji)
    assert workshop.painter.cancelled == ["picture-1"]
    await workshop.collect()
    after = await workshop.now(emoji)
    assert (after.stage, after.status) == (stage, status)
    assert after.chosen_pose == after.poses[0].id
    assert await workshop.states() == ["collected"]


async def test_a_late_pose_does_not_take_the_place_of_a_chosen_one(workshop: Workshop) -> None:
    emoji = await workshop.order(draw_poses=True, approve_poses=True)
    await workshop.run()
    await workshop.database.write(partial(transitions.enqueue, emoji_id=emoji.id, stage=Stage.POSE))
    await cancelled_in_flight(workshop, emoji)
    await workshop.collect()
    after = await workshop.now(emoji)
    assert len(after.poses) == 2
    assert (after.chosen_pose, after.status) == (after.poses[0].id, Status.AWAITING_APPROVAL)


async def test_a_pose_of_an_emoji_that_is_gone_stays_in_the_ledger(workshop: Workshop) -> None:
    emoji = await workshop.order(draw_poses=True)
    await cancelled_in_flight(workshop, emoji)
    await workshop.database.write(lambda connection: connection.execute("DELETE FROM pack"))
    await workshop.collect()
    assert await workshop.states() == ["abandoned"]


# ------------------------------------------------------------------ orders without an answer


async def test_a_lone_picture_that_tells_no_prompt_is_taken_for_the_order_in_doubt(workshop: Workshop) -> None:
    workshop.painter.deaf, workshop.painter.tells_prompts = {"picture"}, False
    emoji = await workshop.order(draw_poses=True)
    assert await workshop.run() is None
    assert len((await workshop.now(emoji)).poses) == 1
    assert workshop.painter.ledger == ["picture"]
    assert await workshop.states() == ["collected"]


async def test_two_pictures_that_tell_no_prompt_are_for_a_person_to_tell_apart(workshop: Workshop) -> None:
    workshop.painter.deaf, workshop.painter.tells_prompts = {"picture"}, False
    workshop.painter.accept("picture", "Somebody else's cat.")
    emoji = await workshop.order(draw_poses=True)
    assert isinstance(await workshop.run(), MaybeBought)
    after = await workshop.now(emoji)
    assert (after.status, after.poses, after.spend) == (Status.FAILED, (), 0.1)
    assert workshop.painter.ledger == ["picture", "picture"]
    assert await workshop.states() == ["unknown"]


async def test_pictures_that_tell_their_prompts_are_told_apart(workshop: Workshop) -> None:
    workshop.painter.deaf = {"picture"}
    workshop.painter.accept("picture", "Somebody else's cat.")
    emoji = await workshop.order(draw_poses=True)
    assert await workshop.run() is None
    assert len((await workshop.now(emoji)).poses) == 1
    assert [line.remote_task for line in await workshop.lines()] == ["picture-2"]


async def test_a_pose_that_was_adopted_lets_its_emoji_go_on(workshop: Workshop) -> None:
    workshop.painter.deaf, workshop.painter.tells_prompts = {"picture"}, False
    workshop.painter.accept("picture", "Somebody else's cat.")
    emoji = await workshop.order(draw_poses=True)
    await workshop.run()
    (entry,) = await workshop.unattended()
    await workshop.adopt(entry, "picture-2")
    await workshop.collect()
    after = await workshop.now(emoji)
    assert (after.stage, after.status, len(after.poses)) == (Stage.ANIMATE, Status.QUEUED, 1)

"""Start poses over the whole daemon: drawn, looked at, approved; the clip starts from the chosen one."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from popcond.wire import Emoji, Pack, PurchaseKind, Quote, Stage, Status
from tests.cloud.running import Cloud
from tests.popcond.api.atelier import Atelier, an_order, atelier_at


async def test_a_quote_says_what_poses_cost_and_what_clips_without_motion_would(atelier: Atelier) -> None:
    character = await atelier.brought()
    plain = Quote.model_validate(await atelier.post("quotes", an_order(character, "wave", "jump")))
    posed = Quote.model_validate(await atelier.post("quotes", an_order(character, "wave", "jump", draw_poses=True)))
    clip = plain.per_emoji[0]
    assert (plain.per_pose, posed.per_pose) == (0.0, 0.2)
    assert posed.per_emoji == pytest.approx((clip + 0.2,) * 2)
    assert (plain.amount, posed.amount) == pytest.approx((2 * clip, 2 * clip + 0.4))
    assert (plain.amount_at_most, posed.amount_at_most) == pytest.approx((4 * clip, 4 * clip + 0.4))
    assert atelier.cloud.ledger == []


async def test_poses_are_drawn_and_clips_start_from_them(atelier: Atelier) -> None:
    pack = await atelier.pack(await atelier.brought(), "wave", "jump", draw_poses=True)
    assert [emoji.stage for emoji in pack.emojis] == [Stage.POSE] * 2
    for emoji in await atelier.emojis(pack, Status.DONE):
        (pose,) = emoji.poses
        assert (emoji.chosen_pose, pose.flaws, len(emoji.takes)) == (pose.id, (), 1)
        shown = await atelier.http.get(f"/v1/emojis/{emoji.id}/poses/{pose.id}")
        assert shown.headers["content-type"] == "image/png"
        assert Image.open(io.BytesIO(shown.content)).width >= 768
        assert await atelier.get(f"emojis/{emoji.id}/stickers")
    kinds = sorted(line.kind for line in await atelier.purchases())
    assert kinds == [PurchaseKind.CLIP] * 2 + [PurchaseKind.POSE] * 2
    assert len(atelier.cloud.ledger) == 4


async def test_without_poses_only_clips_are_bought(atelier: Atelier) -> None:
    pack = await atelier.pack(await atelier.brought())
    (emoji,) = await atelier.emojis(pack, Status.DONE)
    assert (emoji.poses, emoji.chosen_pose, len(atelier.cloud.ledger)) == ((), None, 1)


async def awaiting(atelier: Atelier, *actions: str) -> Pack:
    """A pack whose poses wait for somebody to look at them."""
    pack = await atelier.pack(await atelier.brought(), *actions, approve_poses=True)
    assert pack.draw_poses
    await atelier.emojis(pack, Status.AWAITING_APPROVAL)
    return Pack.model_validate(await atelier.get(f"packs/{pack.id}"))


async def test_no_clip_is_bought_before_its_pose_is_approved(atelier: Atelier) -> None:
    pack = await awaiting(atelier, "wave", "jump")
    assert {line.kind for line in await atelier.purchases()} == {PurchaseKind.POSE}
    first, second = pack.emojis
    approved = await atelier.post(f"emojis/{first.id}/approve", {"motion_prompt": "Waves with both hands."})
    assert (approved["stage"], approved["status"]) == ("animate", "queued")
    done = await atelier.emoji(first, Status.DONE)
    assert done.takes[0].motion_prompt == "Waves with both hands."
    still = Emoji.model_validate(await atelier.get(f"emojis/{second.id}"))
    assert (still.status, still.takes) == (Status.AWAITING_APPROVAL, ())


async def test_approving_twice_buys_one_clip(atelier: Atelier) -> None:
    (emoji,) = (await awaiting(atelier)).emojis
    atelier.cloud.turn(run_seconds=0.5)
    for _ in range(2):
        await atelier.post(f"emojis/{emoji.id}/approve")
    await atelier.emoji(emoji, Status.DONE)
    assert len(atelier.cloud.ledger) == 2


async def test_a_clip_may_start_from_the_character_itself_after_all(atelier: Atelier) -> None:
    (emoji,) = (await awaiting(atelier)).emojis
    chosen = await atelier.post(f"emojis/{emoji.id}/choose-pose", {"pose_id": None})
    assert (chosen["chosen_pose"], chosen["status"], len(chosen["poses"])) == (None, "awaiting_approval", 1)
    atelier.cloud.turn(run_seconds=0.5)
    for _ in range(2):
        await atelier.post(f"emojis/{emoji.id}/approve")
    done = await atelier.emoji(emoji, Status.DONE)
    assert (done.chosen_pose, len(done.poses), len(done.takes)) == (None, 1, 1)


async def test_a_pose_is_drawn_again_with_other_words_and_the_first_can_be_chosen(atelier: Atelier) -> None:
    (emoji,) = (await awaiting(atelier)).emojis
    await atelier.post(f"emojis/{emoji.id}/retry", {"pose_prompt": "Arms up."})
    again = await atelier.emoji(emoji, Status.AWAITING_APPROVAL)
    first, second = again.poses
    assert (again.chosen_pose, second.prompt) == (second.id, "Arms up.")
    assert "Arms up." in atelier.cloud.ledger[1]["prompt"]
    chosen = await atelier.post(f"emojis/{emoji.id}/choose-pose", {"pose_id": first.id})
    assert chosen["chosen_pose"] == first.id
    await atelier.post(f"emojis/{emoji.id}/choose-pose", {"pose_id": "none"}, expect=404)


async def test_who_was_cancelled_before_its_approval_waits_for_it_again_and_no_other_pose_is_bought(
    atelier: Atelier,
) -> None:
    (emoji,) = (await awaiting(atelier)).emojis
    await atelier.post(f"emojis/{emoji.id}/cancel")
    (again,) = Pack.model_validate(await atelier.post(f"packs/{emoji.pack_id}/retry")).emojis
    assert (again.status, again.chosen_pose, len(again.poses)) == (Status.AWAITING_APPROVAL, emoji.chosen_pose, 1)
    assert len(atelier.cloud.ledger) == 1


async def test_there_is_nothing_to_approve_before_there_is_a_pose(atelier: Atelier) -> None:
    atelier.cloud.turn(run_seconds=30.0)
    pack = await atelier.pack(await atelier.brought(), approve_poses=True)
    told = await atelier.post(f"emojis/{pack.emojis[0].id}/approve", expect=409)
    assert told["code"] == "conflict"
    await atelier.post(f"emojis/{pack.emojis[0].id}/choose-pose", {"pose_id": None}, expect=409)


async def test_an_approval_over_the_budget_is_refused_and_the_pose_goes_on_waiting(atelier: Atelier) -> None:
    (emoji,) = (await awaiting(atelier)).emojis
    await atelier.http.patch(f"/v1/packs/{emoji.pack_id}", json={"max_spend": 0.2})
    told = await atelier.post(f"emojis/{emoji.id}/approve", {"motion_prompt": "Another."}, expect=402)
    assert told["code"] == "over_budget"
    after = await atelier.emoji(emoji, Status.AWAITING_APPROVAL)
    assert after.motion_prompt == emoji.motion_prompt
    assert len(atelier.cloud.ledger) == 1


async def test_a_pose_whose_clip_could_not_be_paid_is_not_drawn_again(atelier: Atelier) -> None:
    pack = await atelier.pack(await atelier.brought(), draw_poses=True)
    (emoji,) = await atelier.emojis(pack, Status.DONE)
    await atelier.http.patch(f"/v1/packs/{pack.id}", json={"max_spend": emoji.spend + 0.2})
    told = await atelier.post(f"emojis/{emoji.id}/retry", {"pose_prompt": "Arms up."}, expect=402)
    assert told["code"] == "over_budget"
    await atelier.http.patch(f"/v1/packs/{pack.id}", json={"approve_poses": True})
    await atelier.post(f"emojis/{emoji.id}/retry", {"pose_prompt": "Arms up."})
    assert len((await atelier.emoji(emoji, Status.AWAITING_APPROVAL)).poses) == 2


async def test_a_pack_is_held_against_the_budget_with_its_poses(atelier: Atelier) -> None:
    character = await atelier.brought()
    clip = Quote.model_validate(await atelier.post("quotes", an_order(character))).amount
    order = an_order(character, max_spend=clip)
    await atelier.post("packs", order | {"draw_poses": True}, expect=402)
    assert await atelier.get("packs") == []


async def test_who_draws_nothing_draws_no_poses(atelier: Atelier) -> None:
    order = an_order(await atelier.brought(), provider="puppet", draw_poses=True)
    for route in ("quotes", "packs"):
        assert (await atelier.post(route, order, expect=422))["code"] == "draws_nothing"


async def test_a_clip_without_motion_is_bought_once_more_and_told(atelier: Atelier) -> None:
    atelier.cloud.turn(flawed=1)
    pack = await atelier.pack(await atelier.brought())
    (emoji,) = await atelier.emojis(pack, Status.DONE)
    still, lively = emoji.takes
    assert (bool(still.flaws), lively.flaws, emoji.chosen_take) == (True, (), lively.id)
    assert emoji.spend == pytest.approx(sum(line.amount for line in await atelier.purchases()))
    assert len(atelier.cloud.ledger) == 2


async def test_a_bad_key_stops_the_whole_pack_with_one_sentence(tmp_path: Path, cloud: Cloud) -> None:
    cloud.fault("create", "error_before", times=100, status=401, code="InvalidApiKey", message="No.")
    async with atelier_at(tmp_path, cloud, clips_in_flight=1) as atelier:
        pack = await atelier.pack(await atelier.brought(), "wave", "jump", "cry", "nod")
        told = [await atelier.failed(emoji) for emoji in pack.emojis]
        assert len({(each.code, each.message) for each in told}) == 1
        assert cloud.calls["create"] == 1


async def test_all_that_failed_of_a_pack_is_tried_again_at_once(tmp_path: Path, cloud: Cloud) -> None:
    cloud.fault("create", "error_before", status=401, code="InvalidApiKey", message="No.")
    async with atelier_at(tmp_path, cloud, clips_in_flight=1) as atelier:
        pack = await atelier.pack(await atelier.brought(), "wave", "jump", draw_poses=True)
        for emoji in pack.emojis:
            await atelier.failed(emoji)
        again = Pack.model_validate(await atelier.post(f"packs/{pack.id}/retry"))
        assert {emoji.status for emoji in again.emojis} <= {Status.QUEUED, Status.GENERATING_POSE}
        assert all(len(emoji.poses) == 1 for emoji in await atelier.emojis(pack, Status.DONE))
        assert len(cloud.ledger) == 4


async def test_who_waits_for_a_clip_of_the_user_goes_on_waiting_when_the_pack_is_tried_again(atelier: Atelier) -> None:
    pack = await atelier.pack(await atelier.brought(), awaits_clips=True)
    await atelier.post(f"emojis/{pack.emojis[0].id}/cancel")
    again = Pack.model_validate(await atelier.post(f"packs/{pack.id}/retry"))
    assert [emoji.status for emoji in again.emojis] == [Status.CANCELLED]
    assert atelier.cloud.ledger == []


async def test_a_pack_in_which_nothing_failed_is_left_as_it_is(atelier: Atelier) -> None:
    pack = await atelier.pack(await atelier.brought())
    await atelier.emojis(pack, Status.DONE)
    again = Pack.model_validate(await atelier.post(f"packs/{pack.id}/retry"))
    assert [emoji.status for emoji in again.emojis] == [Status.DONE]
    assert len(atelier.cloud.ledger) == 1

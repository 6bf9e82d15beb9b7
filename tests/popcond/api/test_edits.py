"""Edits over HTTP: masks changed on one frame and along the clip, taken back, done again, and made into stickers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from popcond.client import Client
from popcond.wire import Event, NewPack, Status
from tests.daemons import RunningDaemon, running_daemon
from tests.popcond.api.test_packs import until
from tests.popcond.api.test_refine import (
    FRAME,
    a_busy_emoji_that_waits,
    an_emoji_that_waits,
    got,
    inside,
    mask_of,
    point,
    post,
    predicted,
)

OTHER = FRAME + 2
CLASSICAL = {"POPCON_SEGMENTER": "classical"}


@pytest.fixture(scope="module")
def classical(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """A daemon with the engine that needs no weights."""
    with running_daemon(tmp_path_factory.mktemp("home"), variables=CLASSICAL) as daemon:
        yield daemon


@pytest.fixture(scope="module")
async def made(classical: RunningDaemon) -> str:
    """An emoji of it whose cut-out waits for a person."""
    return await an_emoji_that_waits(classical)


@pytest.fixture
def emoji_id(classical: RunningDaemon, made: str) -> Iterator[str]:
    """The same, with all that a test has done to it undone afterwards."""
    yield made
    post(classical, made, "sam/cancel")
    while post(classical, made, "edits/undo").status_code == 200:
        pass


def applied(daemon: RunningDaemon, emoji_id: str, mode: str, *points: dict[str, Any]) -> dict[str, Any]:
    """The frame's row after an edit."""
    answer = post(daemon, emoji_id, "sam/apply", {"frame": FRAME, "points": points, "mode": mode})
    assert answer.status_code == 200, answer.text
    row: dict[str, Any] = answer.json()
    return row


def corner(daemon: RunningDaemon, emoji_id: str) -> dict[str, Any]:
    """A point on the backdrop."""
    x, y = 2.5, 2.5
    assert mask_of(daemon, emoji_id)[int(y), int(x)] == 0
    return point(x, y)


def solid(mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(H, W): where it is more solid than not."""
    return np.asarray(mask >= 128, np.bool_)


async def propagated(daemon: RunningDaemon, emoji_id: str, body: object) -> Event:
    """What a propagation came to."""
    async with Client(daemon.url, daemon.token) as client, asyncio.timeout(120), aclosing(client.events()) as events:
        assert (await anext(events)).type == "reset"
        begun = await asyncio.to_thread(post, daemon, emoji_id, "sam/propagate", body)
        assert begun.status_code == 202, begun.text
        async for event in events:
            if event.type in ("edit_made", "propagation_failed"):
                return event
    raise AssertionError("the events ended")


def test_an_erased_spot_is_gone_from_the_mask_and_the_cutout(classical: RunningDaemon, emoji_id: str) -> None:
    before = mask_of(classical, emoji_id)
    x, y = inside(classical, emoji_id)
    meant, _ = predicted(classical, emoji_id, point(x, y))
    row = applied(classical, emoji_id, "erase", point(x, y))
    after = mask_of(classical, emoji_id)
    assert (row["index"], row["edited"]) == (FRAME, True)
    assert (after <= before).all()
    assert after[int(y), int(x)] == 0
    assert not solid(after)[meant[..., 3] > 0].mean() > 0.1
    listed = got(classical, f"emojis/{emoji_id}/frames").json()
    assert listed[FRAME] == row
    assert [each["index"] for each in listed if each["edited"]] == [FRAME]


def test_adding_keeps_what_was_there(classical: RunningDaemon, emoji_id: str) -> None:
    before = mask_of(classical, emoji_id)
    spot = corner(classical, emoji_id)
    applied(classical, emoji_id, "add", spot)
    after = mask_of(classical, emoji_id)
    assert (after >= before).all()
    assert after[int(spot["y"]), int(spot["x"])] == 255


def test_replacing_keeps_only_what_is_pointed_at(classical: RunningDaemon, emoji_id: str) -> None:
    spot = point(*inside(classical, emoji_id))
    meant, _ = predicted(classical, emoji_id, spot)
    applied(classical, emoji_id, "replace", spot)
    wanted = meant[..., 3] > 0
    found = solid(mask_of(classical, emoji_id))
    assert (found & wanted).sum() / (found | wanted).sum() > 0.9


def test_what_is_restored_looks_as_it_was_cut_at_first(classical: RunningDaemon, emoji_id: str) -> None:
    first = mask_of(classical, emoji_id)
    spot = point(*inside(classical, emoji_id))
    meant, _ = predicted(classical, emoji_id, spot)
    applied(classical, emoji_id, "erase", spot)
    applied(classical, emoji_id, "restore", spot)
    there = meant[..., 3] > 0
    assert np.array_equal(mask_of(classical, emoji_id)[there], first[there])


def test_edits_are_undone_and_redone_in_their_order(classical: RunningDaemon, emoji_id: str) -> None:
    first = mask_of(classical, emoji_id)
    spot = point(*inside(classical, emoji_id))
    applied(classical, emoji_id, "erase", spot)
    erased = mask_of(classical, emoji_id)
    applied(classical, emoji_id, "restore", spot)
    assert post(classical, emoji_id, "edits/undo").json()["frames"][0]["index"] == FRAME
    assert np.array_equal(mask_of(classical, emoji_id), erased)
    back = post(classical, emoji_id, "edits/undo").json()
    assert (back["emoji_id"], back["frames"][0]["edited"]) == (emoji_id, False)
    assert np.array_equal(mask_of(classical, emoji_id), first)
    nothing = post(classical, emoji_id, "edits/undo")
    assert (nothing.status_code, nothing.json()["message"]) == (409, "There is no edit to undo.")
    assert post(classical, emoji_id, "edits/redo").status_code == 200
    assert np.array_equal(mask_of(classical, emoji_id), erased)
    assert post(classical, emoji_id, "edits/redo").status_code == 200
    assert post(classical, emoji_id, "edits/redo").status_code == 409


async def test_a_propagation_is_one_edit_and_is_told_with_its_frames(classical: RunningDaemon, emoji_id: str) -> None:
    first = mask_of(classical, emoji_id, OTHER)
    spot = point(*inside(classical, emoji_id))
    event = await propagated(classical, emoji_id, {"frames": {str(FRAME): [spot]}, "range": [FRAME - 1, OTHER]})
    assert event.type == "edit_made", event
    assert event.edit is not None
    assert [frame.index for frame in event.edit.frames] == [FRAME - 1, FRAME, FRAME + 1, OTHER]
    assert all(frame.edited for frame in event.edit.frames)
    undone = post(classical, emoji_id, "edits/undo").json()
    assert [frame["edited"] for frame in undone["frames"]] == [False] * 4
    assert np.array_equal(mask_of(classical, emoji_id, OTHER), first)


async def test_a_frame_without_points_passes_its_own_mask_on(classical: RunningDaemon, emoji_id: str) -> None:
    before = solid(mask_of(classical, emoji_id, OTHER))
    event = await propagated(classical, emoji_id, {"frames": {str(FRAME): []}, "range": [FRAME, OTHER]})
    assert event.type == "edit_made", event
    after = solid(mask_of(classical, emoji_id, OTHER))
    assert (after & before).sum() / (after | before).sum() > 0.9


def test_a_propagation_that_is_cancelled_has_changed_nothing(classical: RunningDaemon, emoji_id: str) -> None:
    frames = got(classical, f"emojis/{emoji_id}/frames").json()
    spot = point(*inside(classical, emoji_id))
    body = {"frames": {str(FRAME): [spot]}}
    assert post(classical, emoji_id, "sam/propagate", body).status_code == 202
    assert post(classical, emoji_id, "sam/cancel").status_code == 204
    assert got(classical, f"emojis/{emoji_id}/frames").json() == frames
    assert post(classical, emoji_id, "sam/cancel").status_code == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"frames": {}}, 422),
        ({"frames": {"600": [{"x": 1, "y": 1}]}}, 404),
        ({"frames": {"3": [{"x": 9000, "y": 1}]}}, 422),
        ({"frames": {"3": [{"x": 1, "y": 1}]}, "range": [4, 6]}, 422),
        ({"frames": {"3": [{"x": 1, "y": 1}]}, "range": [6, 1]}, 422),
        ({"frames": {"3": [{"x": 1, "y": 1}]}, "range": [0, 600]}, 404),
    ],
)
def test_what_cannot_be_propagated_is_refused_at_once(
    classical: RunningDaemon, emoji_id: str, body: object, status: int
) -> None:
    answer = post(classical, emoji_id, "sam/propagate", body)
    assert answer.status_code == status, answer.text
    assert answer.json()["message"].endswith(".")
    assert post(classical, emoji_id, "sam/cancel").status_code == 409


@pytest.mark.parametrize("path", ["sam/apply", "sam/propagate", "sam/cancel", "edits/undo", "edits/redo"])
def test_an_emoji_that_is_not_there_is_not_found(classical: RunningDaemon, path: str) -> None:
    bodies = {"sam/apply": {"frame": 0, "points": [point(1, 1)]}, "sam/propagate": {"frames": {"0": [point(1, 1)]}}}
    assert post(classical, "nobody", path, bodies.get(path)).status_code == 404


async def test_there_is_nothing_to_edit_before_the_first_cut(classical: RunningDaemon) -> None:
    async with Client(classical.url, classical.token) as client:
        character = await client.add_sample_character()
        order = NewPack(name="Ours", character_id=character.id, actions=("nod",), targets=("gif",), awaits_clips=True)
        (emoji,) = (await client.add_pack(order)).emojis
    bodies = {"sam/apply": {"frame": 0, "points": [point(1, 1)]}, "sam/propagate": {"frames": {"0": [point(1, 1)]}}}
    for path in ("sam/apply", "sam/propagate", "edits/undo", "edits/redo"):
        refused = post(classical, emoji.id, path, bodies.get(path))
        assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
        assert refused.json()["cure"]


async def test_stickers_are_made_again_after_edits_and_only_then(classical: RunningDaemon) -> None:
    emoji_id = await an_emoji_that_waits(classical)
    spot = point(*inside(classical, emoji_id))
    async with Client(classical.url, classical.token) as client:
        await client.accept(emoji_id)
        await until(client, emoji_id, Status.DONE)
        (first,) = await client.stickers(emoji_id)
        assert (await client.accept(emoji_id)).status is Status.DONE
        assert await client.stickers(emoji_id) == (first,)
        applied(classical, emoji_id, "erase", spot)
        assert (await client.accept(emoji_id)).status is Status.ENCODING
        await until(client, emoji_id, Status.DONE)
        (second,) = await client.stickers(emoji_id)
        assert second.id != first.id
        assert await client.sticker_file(second.id)
        assert (await client.accept(emoji_id)).status is Status.DONE


async def test_edits_outlive_a_restart(tmp_path: Path) -> None:
    with running_daemon(tmp_path / "home", variables=CLASSICAL) as daemon:
        emoji_id = await an_emoji_that_waits(daemon)
        first = mask_of(daemon, emoji_id)
        applied(daemon, emoji_id, "erase", point(*inside(daemon, emoji_id)))
        edited = mask_of(daemon, emoji_id)
    with running_daemon(tmp_path / "home", variables=CLASSICAL) as daemon:
        assert np.array_equal(mask_of(daemon, emoji_id), edited)
        assert post(daemon, emoji_id, "edits/undo").status_code == 200
        assert np.array_equal(mask_of(daemon, emoji_id), first)


async def test_the_model_that_is_shipped_carries_a_point_along_a_busy_clip(tmp_path: Path) -> None:
    pytest.importorskip("ultralytics")
    with running_daemon(tmp_path / "home") as daemon:
        emoji_id, spot = await a_busy_emoji_that_waits(daemon)
        event = await propagated(daemon, emoji_id, {"frames": {"0": [point(*spot)]}})
        assert event.type == "edit_made", event
        assert event.edit is not None
        assert [frame.edited for frame in event.edit.frames] == [True] * 3
        assert all(mask_of(daemon, emoji_id, frame).any() for frame in range(3))

"""The client's methods for refinement, spoken to a real daemon."""

from __future__ import annotations

import pytest

from popcond.client import Client
from popcond.errors import BadInput, Conflict
from popcond.wire import Point
from tests.daemons import RunningDaemon
from tests.popcond.api.test_refine import FRAME, an_emoji_that_waits, inside, raster


async def test_a_script_points_applies_and_takes_back(daemon: RunningDaemon) -> None:
    emoji_id = await an_emoji_that_waits(daemon)
    x, y = inside(daemon, emoji_id)
    spot = Point(x=x, y=y)
    async with Client(daemon.url, daemon.token) as client:
        assert (await client.embed(emoji_id, [FRAME])).frames == 1
        predicted = await client.predict(emoji_id, FRAME, [spot])
        assert raster(predicted.png)[int(y), int(x), 3] == 255
        assert predicted.coverage > 0
        assert predicted.engine
        assert (await client.apply(emoji_id, FRAME, [spot], "erase")).edited
        assert not (await client.undo(emoji_id)).frames[0].edited
        assert (await client.redo(emoji_id)).frames[0].edited
        assert (await client.propagate(emoji_id, {FRAME: [spot]})).frames > FRAME
        await client.cancel_propagation(emoji_id)
        with pytest.raises(Conflict):
            await client.cancel_propagation(emoji_id)
        with pytest.raises(BadInput, match="outside of the frame"):
            await client.predict(emoji_id, FRAME, [Point(x=9000, y=1)])

"""What the routes may use: handed in by the composition root, found by a dependency."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from popcond.actions import Catalogue
from popcond.assets import Assets
from popcond.bus import Bus
from popcond.home import TokenInForce
from popcond.housekeeping import Housekeeping
from popcond.settings import Settings
from popcond.stages.propagation import Propagations
from popcond.store.budget import Ceilings
from popcond.store.db import Database
from popcond.video.provider import PictureProvider, VideoProvider
from popcond.vision.segmenter import Segmenter, Still
from popcond.wire import QueueLane
from popcond.workers import Workers


@dataclass(frozen=True)
class Powers:
    """All that a route may touch."""

    settings: Settings
    token: TokenInForce
    database: Database
    assets: Assets
    bus: Bus
    workers: Workers
    housekeeping: Housekeeping  # told by whoever puts assets, and by whoever deletes
    providers: Mapping[str, VideoProvider]
    painters: Mapping[str, PictureProvider]  # of those that draw pictures as well
    catalogue: Callable[[], Catalogue]  # read anew each time, so that a user's edit counts at once
    stop_work: Callable[[str], None]  # ends the running job of an emoji or character that was cancelled
    ceilings: Ceilings  # what may be spent
    segmenter: Segmenter  # says which pixels somebody points at
    warm_up: Callable[[Sequence[Still]], None]  # prepares frames for it in the background
    propagations: Propagations  # masks on their way along a clip
    collect_soon: Callable[[], None]  # there is an open purchase that no job cares for
    lanes: tuple[QueueLane, ...]  # how many jobs run at once


def _powers(request: Request) -> Powers:
    return cast(Powers, request.app.state.powers)


Uses = Annotated[Powers, Depends(_powers)]

"""The composition root: the only file that names concrete classes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from pydantic import SecretStr

from popcond import keys
from popcond.actions import load_actions
from popcond.api import (
    catalogue,
    characters,
    drawings,
    edits,
    emojis,
    events,
    frames,
    health,
    money,
    packs,
    problems,
    queue,
    refine,
    security,
    stickers,
    uploads,
)
from popcond.api.deps import Powers
from popcond.api.security import Gate
from popcond.api.uploads import CLIP_BODY
from popcond.assets import Assets
from popcond.bus import Bus
from popcond.errors import PopconError
from popcond.home import TokenInForce
from popcond.housekeeping import Housekeeping
from popcond.media.clip import ClipLimits
from popcond.rehearsal.place import is_rehearsal
from popcond.rehearsal.provider import Rehearsed
from popcond.runner import LOCAL_PATIENCE, Lane, Runner
from popcond.settings import Settings
from popcond.stages import work
from popcond.stages.animate import Clips, animate
from popcond.stages.collector import Collector
from popcond.stages.draw import Drawings, draw
from popcond.stages.encode import encode
from popcond.stages.pose import Poses, pose
from popcond.stages.propagation import Propagations
from popcond.stages.segment import segment
from popcond.stages.slice import slice_clip
from popcond.stages.studio import Studio
from popcond.stages.work import StageFunction
from popcond.store import jobs, purchases
from popcond.store.budget import Ceilings
from popcond.store.db import Database
from popcond.video.dashscope import NAME as DASHSCOPE
from popcond.video.dashscope import DashScope
from popcond.video.dashscope_account import RESULT_HOSTS, Account
from popcond.video.dashscope_pictures import DashScopePictures
from popcond.video.provider import PictureProvider, VideoProvider
from popcond.video.puppet import Puppet
from popcond.vision import sam_weights
from popcond.vision.classical import ClassicalSegmenter
from popcond.vision.classical_pair import Paired
from popcond.vision.sam import Sam, SamOptions
from popcond.vision.sam_fallback import Fallback
from popcond.vision.segmenter import Segmenter
from popcond.warming import Warming
from popcond.wire import VERSION, Stage
from popcond.workers import Workers

log = logging.getLogger("popcond")

_LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
_PRELOAD = (
    "popcond.video.puppet",
    "popcond.media.stillness",
    "popcond.stages.encode",
    "popcond.stages.paint",
    "popcond.stages.segment",
    "popcond.stages.slice",
    "popcond.stages.characters",
)


@dataclass(frozen=True)
class Daemon:
    """Everything that lives as long as the daemon does."""

    powers: Powers
    runner: Runner
    collector: Collector
    warming: Warming


def compose(settings: Settings, token: TokenInForce) -> Daemon:
    """Choose the concrete classes and hand each stage its powers."""
    bus = Bus()
    database = Database(settings.database, committed=bus.ring_from_thread)
    assets = Assets(settings.assets)
    housekeeping = Housekeeping(database, assets)
    workers = Workers(settings.workers, settings.worker_memory_mb, preload=_PRELOAD)
    account = _dashscope_account(settings, workers)
    providers: dict[str, VideoProvider] = {"puppet": Puppet(settings.work, workers), DASHSCOPE: DashScope(account)}
    painters: dict[str, PictureProvider] = {DASHSCOPE: DashScopePictures(account)}
    ceilings = Ceilings(per_pack=settings.max_spend_per_pack, per_day=settings.max_spend_per_day)
    studio = Studio(database, assets, workers, providers, painters, ceilings, settings.work)
    collector = Collector(database, (Clips(studio), Poses(studio), Drawings(studio)), housekeeping.at_work)
    of_emojis: dict[Stage, StageFunction] = {
        Stage.POSE: partial(pose, studio),
        Stage.ANIMATE: partial(animate, studio),
        Stage.SLICE: partial(slice_clip, database, assets, workers, ClipLimits()),
        Stage.SEGMENT: partial(segment, database, assets, workers),
        Stage.ENCODE: partial(encode, database, assets, workers),
    }
    stages = {stage: work.of_emojis(database, function) for stage, function in of_emojis.items()}
    stages[Stage.DRAW] = work.of_characters(database, partial(draw, studio))
    lanes = (
        Lane("local", (Stage.ENCODE, Stage.SEGMENT, Stage.SLICE), settings.workers, patience=LOCAL_PATIENCE),
        Lane("remote", (Stage.ANIMATE, Stage.POSE, Stage.DRAW), settings.clips_in_flight),
    )
    segmenter = _segmenter(settings)
    warming = Warming(segmenter)
    runner = Runner(database, bus, stages, lanes, most_at_once=settings.most_at_once, at_work=housekeeping.at_work)
    powers = Powers(
        settings=settings,
        token=token,
        database=database,
        assets=assets,
        bus=bus,
        workers=workers,
        housekeeping=housekeeping,
        providers=providers,
        painters=painters,
        catalogue=lambda: load_actions(settings.actions_file),
        stop_work=runner.stop,
        ceilings=ceilings,
        segmenter=segmenter,
        warm_up=warming.soon,
        propagations=Propagations(database, assets, segmenter, housekeeping.at_work),
        collect_soon=collector.soon,
        lanes=tuple(lane.told() for lane in lanes),
    )
    return Daemon(powers, runner, collector, warming)


def _segmenter(settings: Settings) -> Segmenter:
    """The best engine that this machine can run; without weights or torch, the one that needs neither."""
    classical = ClassicalSegmenter()
    if settings.segmenter == "classical" or not sam_weights.can_run():
        return classical
    try:
        weights = sam_weights.find(settings.models, settings.segmenter)
    except PopconError as error:
        log.warning("no segmentation model: %s", error)
        return classical
    options = SamOptions(cache=settings.embeddings, keep_alive=settings.segmenter_keep_seconds)
    sam = Sam(weights, options, lambda error: log.warning("the segmentation model: %s", error))
    return Fallback(Paired(sam, classical) if weights.architecture is sam_weights.MINIATURE else sam, classical)


def _dashscope_account(settings: Settings, workers: Workers) -> Account:
    """The one on which clips and pictures are ordered; of a rehearsal, the one that spends nothing."""

    def key() -> SecretStr | None:
        found = keys.read(settings, DASHSCOPE)
        return found.secret if found else None

    if is_rehearsal(settings):
        return Rehearsed(key, settings, workers)
    return Account(
        key,
        base_url=settings.dashscope_base_url,
        hosts=(*RESULT_HOSTS, *settings.dashscope_hosts),
        settles_in=settings.dashscope_settle_seconds,
        poll_after=settings.dashscope_poll_seconds,
        workers=workers,
    )


def web_app(daemon: Daemon) -> FastAPI:
    """The routes over a composed daemon that has recovered; its work begins with the application's life."""
    settings = daemon.powers.settings

    @contextlib.asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(daemon.powers.workers.warm())
        daemon.runner.start()
        collecting = asyncio.create_task(daemon.collector.run())
        yield
        collecting.cancel()
        await asyncio.wait([warming, collecting])

    app = FastAPI(
        title="popcond",
        version=VERSION,
        lifespan=life,
        docs_url=None,
        redoc_url=None,
        max_body_size=CLIP_BODY,
        responses=problems.RESPONSES,
    )
    app.state.powers = daemon.powers
    problems.install(app)
    uploads.install()
    nouns = (
        health,
        security,
        catalogue,
        drawings,
        characters,
        packs,
        emojis,
        frames,
        refine,
        edits,
        stickers,
        queue,
        money,
        events,
    )
    for noun in nouns:
        app.include_router(noun.router)
    app.add_middleware(Gate, token=daemon.powers.token, hosts=(*_LOCAL_NAMES, settings.host))
    return app


async def recover(daemon: Daemon) -> None:
    """Before anybody may call, what a dead daemon left: running jobs wait again, drafts go, unwanted files soon."""
    powers = daemon.powers
    powers.bus.attach()
    again = await powers.database.write(jobs.recover)
    doubtful = await powers.database.write(purchases.doubt_intents)
    await powers.housekeeping.start()
    log.info("recovered: %d jobs wait again, %d orders to settle", again, doubtful)


async def release(daemon: Daemon) -> None:
    """Last of all: what runs is given back, and the database is closed."""
    await daemon.runner.close()
    await daemon.powers.propagations.close()
    await daemon.warming.close()
    await daemon.powers.housekeeping.close()
    await asyncio.to_thread(daemon.powers.database.close)

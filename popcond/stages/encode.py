"""ENCODE: the cut-out frames become one sticker a target, each judged on its final bytes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from popcond.assets import Assets
from popcond.media.raster import Rgba, from_png
from popcond.stages.work import Finish, Work
from popcond.stickers.bundle import file_names
from popcond.stickers.sticker import EncodedSticker, make_stickers
from popcond.store import emojis, frames, stickers
from popcond.store.db import Connection, Database
from popcond.store.frames import FrameFiles, masked
from popcond.store.stickers import StickerRow
from popcond.targets import target as target_named
from popcond.vision.cutout import cut_out
from popcond.wire import LoopKind, Sticker, Target
from popcond.workers import Report, Workers


@dataclass(frozen=True)
class AssetCutouts:
    """The cut-out frames of an emoji, read from the asset folder when they are asked for."""

    assets: Assets
    files: Sequence[FrameFiles]

    def __len__(self) -> int:
        return len(self.files)

    @property
    def seconds(self) -> Sequence[float]:
        """How long each frame is shown."""
        return [file.seconds for file in self.files]

    def load(self, index: int) -> Rgba:
        """(H, W, 4) straight alpha, decontaminated. Raises Conflict while the frame has no mask."""
        return cutout_of(self.assets, self.files[index])


@dataclass(frozen=True)
class Kept:
    """A sticker whose bytes are an asset by now."""

    sticker: EncodedSticker  # without its data
    size: int  # bytes
    file: str  # asset


def cutout_of(assets: Assets, file: FrameFiles) -> Rgba:
    """The RGBA of one frame under its mask."""
    return cut_out(from_png(assets.read(file.raw)), from_png(assets.read(masked(file))))


async def encode(database: Database, assets: Assets, workers: Workers, work: Work) -> Finish:
    """Make the pack's stickers of this emoji. A file that breaks a rule is kept, with the verdict that says so."""
    emoji_id = work.emoji.id
    take = await database.read(lambda connection: emojis.chosen_take(connection, emoji_id))
    files = await database.read(lambda connection: frames.files(connection, emoji_id))
    targets = [target_named(name) for name in work.pack.targets]
    made = await workers.run(
        _encode, work.report, assets, files, targets, work.action.loop, take.exact_loop, work.action.poster
    )
    rows = [StickerRow(_sticker(work, target, kept), kept.file) for target, kept in zip(targets, made, strict=True)]

    def finish(connection: Connection) -> None:
        stickers.replace(connection, emoji_id, rows)

    return finish


def _encode(
    report: Report,
    assets: Assets,
    files: list[FrameFiles],
    targets: list[Target],
    loop: LoopKind,
    exact_loop: bool,
    poster: float,
) -> list[Kept]:
    """In a child process; the bytes stay here, their asset's name comes back."""
    encoded = make_stickers(
        AssetCutouts(assets, files), targets, loop=loop, exact_loop=exact_loop, poster=poster, report=report
    )
    return [Kept(replace(sticker, data=b""), len(sticker.data), assets.put(sticker.data)) for sticker in encoded]


def _sticker(work: Work, target: Target, kept: Kept) -> Sticker:
    encoded = kept.sticker
    return Sticker(
        id=uuid.uuid4().hex,
        emoji_id=work.emoji.id,
        target=target.name,
        file_name=_file_name(work, target),
        bytes=kept.size,
        width=encoded.width,
        height=encoded.height,
        frames=encoded.frames,
        seconds=encoded.seconds,
        plays=encoded.plays,
        seam=encoded.seam,
        trace=encoded.trace,
        verdict=encoded.verdict,
    )


def _file_name(work: Work, target: Target) -> str:
    """The store's name for this emoji's file; a pack may hold one action twice."""
    names = file_names(target, [(emoji.action, emoji.action) for emoji in work.pack.emojis])
    return names[[emoji.id for emoji in work.pack.emojis].index(work.emoji.id)]

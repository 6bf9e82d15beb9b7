"""SEGMENT: every frame gets its first mask. It never changes afterwards; edits are replayed on top of it."""

from __future__ import annotations

from collections.abc import Iterator

from popcond.assets import Assets
from popcond.media.raster import Alpha, Colour, Rgb, from_png, png
from popcond.stages.work import Finish, Work
from popcond.store import emojis, frames
from popcond.store.db import Connection, Database
from popcond.store.frames import FrameFiles, MaskRow
from popcond.vision.first_mask import first_masks
from popcond.workers import Report, Workers

UNCERTAIN = "The background is not flat enough to be removed by itself; check the frames."


async def segment(database: Database, assets: Assets, workers: Workers, work: Work) -> Finish:
    """Mask all frames of the chosen take."""
    emoji_id = work.emoji.id
    take = await database.read(lambda connection: emojis.chosen_take(connection, emoji_id))
    files = await database.read(lambda connection: frames.files(connection, emoji_id))
    masks, uncertain = await workers.run(_segment, work.report, assets, files, take.backdrop)

    def finish(connection: Connection) -> None:
        frames.mask(connection, emoji_id, masks)
        if uncertain:
            emojis.note(connection, emoji_id, (*work.emoji.notes, UNCERTAIN))

    return finish


def _segment(
    report: Report, assets: Assets, files: list[FrameFiles], backdrop: Colour | None
) -> tuple[list[MaskRow], bool]:
    """In a child process."""
    rows = []
    uncertain = False
    for mask in first_masks(_pictures(assets, files), backdrop):
        rows.append(MaskRow(assets.put(png(mask.alpha)), mask.parts, mask.attention))
        uncertain = uncertain or mask.uncertain
        report(len(rows) / len(files))
    return rows, uncertain


def _pictures(assets: Assets, files: list[FrameFiles]) -> Iterator[tuple[Rgb, Alpha | None]]:
    for file in files:
        own_alpha = from_png(assets.read(file.own_alpha)) if file.own_alpha else None
        yield from_png(assets.read(file.raw)), own_alpha

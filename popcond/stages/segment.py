"""SEGMENT: every frame gets its first mask. It never changes afterwards; edits are replayed on top of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from popcond.assets import Assets
from popcond.errors import Conflict, NotFound, UnreadablePicture
from popcond.media.raster import Colour, Rgba, from_png, png
from popcond.stages.work import Finish, Work
from popcond.store import characters, emojis, frames
from popcond.store.db import Connection, Database
from popcond.store.frames import FrameFiles, MaskRow
from popcond.vision.first_mask import FrameAndAlpha, clip_masks
from popcond.workers import Report, Workers

UNCERTAIN = "The background is not flat enough to be removed by itself; check the frames."


async def segment(database: Database, assets: Assets, workers: Workers, work: Work) -> Finish:
    """Mask all frames of the chosen take."""
    emoji_id = work.emoji.id
    take = await database.read(lambda connection: emojis.chosen_take(connection, emoji_id))
    files = await database.read(lambda connection: frames.files(connection, emoji_id))
    cutout = await database.read(lambda connection: _cutout(connection, work.pack.character_id))
    masks, uncertain = await workers.run(_segment, work.report, assets, files, take.backdrop, cutout)

    def finish(connection: Connection) -> None:
        frames.mask(connection, emoji_id, masks)
        if uncertain:
            emojis.note(connection, emoji_id, (*work.emoji.notes, UNCERTAIN))

    return finish


def _cutout(connection: Connection, character_id: str) -> str | None:
    """The asset of the character's cut-out; None when there is none to find it by."""
    try:
        return characters.files(connection, character_id).cutout
    except (NotFound, Conflict):
        return None


def _segment(
    report: Report, assets: Assets, files: list[FrameFiles], backdrop: Colour | None, cutout: str | None
) -> tuple[list[MaskRow], bool]:
    """In a child process."""
    rows = []
    uncertain = False
    for mask in clip_masks(_Frames(assets, files), backdrop, _picture(assets, cutout)):
        rows.append(MaskRow(assets.put(png(mask.alpha)), mask.parts, mask.attention))
        uncertain = uncertain or mask.uncertain
        report(len(rows) / len(files))
    return rows, uncertain


def _picture(assets: Assets, cutout: str | None) -> Rgba | None:
    """The character's cut-out, if it is there and has transparency: it helps, but nothing depends on it."""
    try:
        picture = from_png(assets.read(cutout)) if cutout else None
    except (NotFound, UnreadablePicture):
        return None
    return picture if picture is not None and picture.ndim == 3 and picture.shape[2] == 4 else None


class _Frames(Sequence[FrameAndAlpha]):
    """The frames of a clip, each read when it is asked for."""

    def __init__(self, assets: Assets, files: list[FrameFiles]) -> None:
        self._assets = assets
        self._files = files

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: Any) -> Any:
        file = self._files[index]
        own_alpha = from_png(self._assets.read(file.own_alpha)) if file.own_alpha else None
        return from_png(self._assets.read(file.raw)), own_alpha

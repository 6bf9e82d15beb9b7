"""A stranger's picture becomes a character: decoded, cut out, and kept untouched beside its cut-out."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from popcond.assets import Assets
from popcond.media.picture import open_picture
from popcond.media.raster import png
from popcond.stages.clips import DOOR_SECONDS
from popcond.store.characters import CharacterFiles
from popcond.video.sample import SAMPLE_NAME, draw_sample
from popcond.vision.character import CharacterCutout, cut_out_character
from popcond.wire import Character, RemoveBackground
from popcond.workers import Report, Workers, report_nothing

_MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}


@dataclass(frozen=True)
class NewCharacter:
    """A character and its files, ready to be written down."""

    character: Character
    files: CharacterFiles


async def take_in(
    workers: Workers, assets: Assets, picture: Path, name: str, remove_background: RemoveBackground
) -> NewCharacter:
    """Read and cut out a picture. The file is moved in.

    Raises UnreadablePicture, TooLarge, NoCharacter and TookTooLong.
    """
    return await workers.run_at_most(DOOR_SECONDS, _take_in, report_nothing, assets, picture, name, remove_background)


async def draw(workers: Workers, assets: Assets) -> NewCharacter:
    """Our own sample character."""
    return await workers.run(_draw, report_nothing, assets)


def _take_in(
    _report: Report, assets: Assets, picture: Path, name: str, remove_background: RemoveBackground
) -> NewCharacter:
    """In a child process: strangers' bytes are decoded here and nowhere else."""
    opened = open_picture(picture)
    cutout = cut_out_character(opened.rgba, opened.has_alpha, remove_background)
    files = CharacterFiles(
        picture=assets.put_file(picture),
        media_type=_MEDIA_TYPES[opened.format],
        cutout=assets.put(png(cutout.rgba)),
    )
    return NewCharacter(_character(name, remove_background, cutout, opened.notes), files)


def _draw(_report: Report, assets: Assets) -> NewCharacter:
    """In a child process."""
    rgba = draw_sample()
    cutout = cut_out_character(rgba, True, RemoveBackground.AUTO)
    files = CharacterFiles(assets.put(png(rgba)), "image/png", assets.put(png(cutout.rgba)))
    return NewCharacter(_character(SAMPLE_NAME, RemoveBackground.AUTO, cutout, ()), files)


def _character(
    name: str, remove_background: RemoveBackground, cutout: CharacterCutout, notes: tuple[str, ...]
) -> Character:
    height, width = cutout.rgba.shape[:2]
    return Character(
        id=uuid.uuid4().hex,
        name=name,
        width=width,
        height=height,
        remove_background=remove_background,
        background=cutout.background,
        coverage=cutout.coverage,
        notes=(*notes, *cutout.notes),
        created=time.time(),
    )

"""A picture that a provider drew: fetched, cut out, and held against what a drawing of a whole figure must be."""

from __future__ import annotations

import uuid
from pathlib import Path

from popcond.assets import Assets
from popcond.crash import point
from popcond.errors import NoCharacter, ProviderFailed, TooLarge, UnreadablePicture
from popcond.media.picture import Picture, open_picture
from popcond.media.raster import png
from popcond.stages.prices import provider_of
from popcond.stages.studio import Studio
from popcond.store.characters import CharacterFiles, Sketch
from popcond.store.purchases import Entry
from popcond.video.provider import TaskStatus
from popcond.vision.character import CharacterCutout, cut_out_character
from popcond.vision.full_body import Flaw, flaws
from popcond.wire import RemoveBackground
from popcond.workers import Report, report_nothing

_PATIENCE = 120.0  # seconds
_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "BMP": "image/bmp"}


async def fetched(studio: Studio, entry: Entry, status: TaskStatus) -> Sketch:
    """What a finished task drew. Raises ProviderUnreachable, ProviderFailed and OutOfDisk."""
    draft = studio.scratch / f"{uuid.uuid4().hex}.picture"
    try:
        point("before_download")
        await provider_of(studio.painters, entry.order.provider).download(status, draft)
        point("after_download")
        return await studio.workers.run_at_most(_PATIENCE, look_at, report_nothing, studio.assets, draft)
    except (UnreadablePicture, TooLarge) as error:
        raise ProviderFailed(f"The picture cannot be used: {error.message}", cure="Order another one.") from error
    finally:
        draft.unlink(missing_ok=True)


def look_at(_report: Report, assets: Assets, picture: Path) -> Sketch:
    """In a child process: strangers' bytes are decoded here and nowhere else. The file is moved in."""
    opened = open_picture(picture)
    cutout = _cut_out(opened)
    height, width = cutout.rgba.shape[:2]
    return Sketch(
        files=CharacterFiles(
            picture=assets.put_file(picture),
            media_type=_MEDIA_TYPES.get(opened.format, "application/octet-stream"),
            cutout=assets.put(png(cutout.rgba)),
        ),
        width=width,
        height=height,
        background=cutout.background,
        coverage=cutout.coverage,
        notes=(*opened.notes, *cutout.notes),
        flaws=tuple(flaw.sentence for flaw in flaws(cutout.rgba, cutout.background)),
    )


def remedies(sentences: tuple[str, ...]) -> list[str]:
    """What to say to whoever draws it again, for the flaws with these sentences."""
    by_sentence = {flaw.sentence: flaw.remedy for flaw in Flaw}
    return [by_sentence[sentence] for sentence in sentences if sentence in by_sentence]


def gravity(sentences: tuple[str, ...]) -> list[int]:
    """How bad flaws with these sentences are, to be compared: the gravest decides, then how many there are."""
    from_the_lightest = [flaw.sentence for flaw in reversed(Flaw)]
    return sorted((from_the_lightest.index(each) for each in sentences if each in from_the_lightest), reverse=True)


def _cut_out(picture: Picture) -> CharacterCutout:
    """What was paid for is kept, even when nothing stands out in it; its flaws say so."""
    try:
        return cut_out_character(picture.rgba, picture.has_alpha, RemoveBackground.AUTO)
    except NoCharacter:
        return cut_out_character(picture.rgba, False, RemoveBackground.NEVER)

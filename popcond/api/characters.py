"""Characters: pictures taken in, cut out, looked at and let go."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import PurePath
from typing import Annotated

from fastapi import APIRouter, Form, Response, UploadFile

from popcond.api.deps import Powers, Uses
from popcond.api.security import MOST_TEXT
from popcond.api.uploads import ONE_FILE, PICTURE_BODY, plain_name, received
from popcond.stages.characters import NewCharacter, draw, take_in
from popcond.store import characters
from popcond.wire import Character, CharacterChanges, Name, RemoveBackground

router = APIRouter(prefix="/v1/characters", tags=["characters"], max_body_size=MOST_TEXT)


@router.post("", status_code=201, max_body_size=PICTURE_BODY, form_limits=ONE_FILE)
async def add(
    powers: Uses,
    file: UploadFile,
    name: Annotated[Name | None, Form()] = None,
    remove_background: Annotated[RemoveBackground, Form()] = RemoveBackground.AUTO,
) -> Character:
    """A picture becomes a character: kept untouched, beside its cut-out."""
    called = name or (PurePath(plain_name(file.filename)).stem if file.filename else "Character")
    async with powers.housekeeping.at_work():
        async with received(file, powers.settings, powers.settings.max_picture_mb) as picture:
            new = await take_in(powers.workers, powers.assets, picture, called, remove_background)
        return await _write_down(powers, new)


@router.post("/sample", status_code=201)
async def add_sample(powers: Uses) -> Character:
    """The character that PopCon draws itself."""
    async with powers.housekeeping.at_work():
        return await _write_down(powers, await draw(powers.workers, powers.assets))


async def _write_down(powers: Powers, new: NewCharacter) -> Character:
    return await powers.database.write(partial(characters.add, character=new.character, files=new.files))


@router.get("")
async def every(powers: Uses) -> list[Character]:
    """All characters, the newest first."""
    return await powers.database.read(characters.every)


@router.get("/{character_id}")
async def one(powers: Uses, character_id: str) -> Character:
    """One character."""
    return await powers.database.read(partial(characters.get, character_id=character_id))


@router.get("/{character_id}/picture", response_class=Response)
async def picture(powers: Uses, character_id: str) -> Response:
    """The picture as it was given, byte for byte."""
    files = await powers.database.read(partial(characters.files, character_id=character_id))
    data = await asyncio.to_thread(powers.assets.read, files.picture)
    return Response(data, media_type=files.media_type)


@router.get("/{character_id}/cutout", response_class=Response)
async def cutout(powers: Uses, character_id: str) -> Response:
    """The character without its background: PNG, RGBA."""
    files = await powers.database.read(partial(characters.files, character_id=character_id))
    data = await asyncio.to_thread(powers.assets.read, files.cutout)
    return Response(data, media_type="image/png")


@router.patch("/{character_id}")
async def change(powers: Uses, character_id: str, changes: CharacterChanges) -> Character:
    """Rename it."""
    return await powers.database.write(partial(characters.change, character_id=character_id, changes=changes))


@router.delete("/{character_id}", status_code=204)
async def remove(powers: Uses, character_id: str) -> Response:
    """Let a character go, and stop its drawing; 409 while a pack uses it."""
    await powers.database.write(partial(characters.remove, character_id=character_id))
    powers.stop_work(character_id)
    powers.collect_soon()
    powers.housekeeping.soon()
    return Response(status_code=204)

"""Characters that are drawn from words: ordered, drawn again, chosen among their drawings."""

from __future__ import annotations

import asyncio
import time
import uuid
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from popcond.api.deps import Powers, Uses
from popcond.api.security import MOST_TEXT
from popcond.api.uploads import ONE_FILE, PICTURE_BODY, received
from popcond.errors import BadInput, Conflict
from popcond.stages import transitions
from popcond.stages.characters import take_in
from popcond.stages.prices import picture_model_of
from popcond.store import budget, characters, jobs, purchases
from popcond.store.db import Connection
from popcond.wire import (
    Character,
    ChooseDrawing,
    NewDrawing,
    PictureModel,
    PurchaseKind,
    Redraw,
    RemoveBackground,
)

router = APIRouter(prefix="/v1/characters", tags=["characters"], max_body_size=MOST_TEXT)

_LONGEST_NAME = 60  # characters of the words that a character without a name is called by
_FIELDS = NewDrawing.model_json_schema()
_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": _FIELDS},
        "multipart/form-data": {
            "schema": {
                **_FIELDS,
                "properties": {**_FIELDS["properties"], "reference": {"type": "string", "format": "binary"}},
            }
        },
    },
}


@router.post("/generate", status_code=202, max_body_size=PICTURE_BODY, openapi_extra={"requestBody": _BODY})
async def generate(powers: Uses, request: Request) -> Character:
    """Draw a character from words, by a job: JSON, or multipart with the same fields and a picture `reference`.

    Refused with 402 when it would be over the budget.
    """
    if not request.headers.get("content-type", "").startswith("multipart/"):
        return await _generate(powers, _new_from_json(await request.body()), None)
    async with powers.housekeeping.at_work(), request.form(**ONE_FILE) as form:
        new = _new({name: value for name, value in form.items() if isinstance(value, str)})
        file = _reference(form)
        return await _generate(powers, new, await _shown(powers, file) if file else None)


def _reference(form: FormData) -> UploadFile | None:
    """The picture of a form. Raises BadInput for one that would be overlooked, for what is drawn costs money."""
    file = form.get("reference")
    files = {name for name, value in form.items() if isinstance(value, UploadFile)}
    if isinstance(file, str) or files - {"reference"}:
        raise BadInput(
            "The reference is not a file.", cure="Send the picture as the file `reference`, or leave it out."
        )
    return file


async def _shown(powers: Powers, file: UploadFile) -> str:
    """The asset of a reference that can be read. Raises UnreadablePicture and TooLarge."""
    async with received(file, powers.settings, powers.settings.max_picture_mb) as picture:
        taken = await take_in(powers.workers, powers.assets, picture, "Reference", RemoveBackground.NEVER)
    return taken.files.picture


async def _generate(powers: Powers, new: NewDrawing, shown: str | None) -> Character:
    _refuse_blank(new.prompt)
    has_reference = shown is not None or new.reference_character_id is not None
    if shown is not None and new.reference_character_id is not None:
        raise BadInput("Two references were given.", cure="Send a picture or name a character, not both.")
    model = picture_model_of(powers.painters, new.provider, new.model, references=int(has_reference))

    def write(connection: Connection) -> Character:
        reference = shown
        if new.reference_character_id is not None:
            reference = characters.files(connection, new.reference_character_id).picture
        _refuse_unaffordable(connection, powers, model)
        character = characters.add_undrawn(connection, _undrawn(new), reference, new.reference_use)
        jobs.add_drawing(connection, character.id)
        return character

    return await powers.database.write(write)


def _refuse_blank(words: str) -> None:
    if not words.strip():
        raise BadInput("Without words nobody knows what to draw.", cure="Say what the character looks like.")


def _undrawn(new: NewDrawing) -> Character:
    """The row of a character that is to be drawn."""
    return Character(
        id=uuid.uuid4().hex,
        name=new.name or _name_from(new.prompt),
        status="drawing",
        remove_background=RemoveBackground.AUTO,
        prompt=new.prompt,
        provider=new.provider,
        model=new.model,
        created=time.time(),
    )


def _name_from(words: str) -> str:
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    return plain[:_LONGEST_NAME].strip() or "Character"


@router.post("/{character_id}/regenerate", status_code=202)
async def regenerate(powers: Uses, character_id: str, redraw: Redraw) -> Character:
    """Draw it once more, with other words if there are any; earlier drawings stay.

    Pressing twice is harmless: a drawing that waits only stops waiting.
    """

    if redraw.prompt is not None:
        _refuse_blank(redraw.prompt)

    def write(connection: Connection) -> Character:
        character = characters.get(connection, character_id)
        if jobs.is_live(connection, character_id):
            jobs.hasten(connection, character_id)
            return character
        if character.provider is None and redraw.prompt is None:
            raise Conflict(f"{character.name} was not drawn from words.", cure="Give a prompt, or generate another.")
        if character.provider is None:
            raise Conflict(
                f"{character.name} is a picture that was brought.",
                cure="POST /v1/characters/generate with it as reference_character_id draws a variation of it.",
            )
        _refuse_unaffordable(connection, powers, _model(connection, powers, character, redraw), character_id)
        characters.reword(connection, character_id, redraw)
        transitions.enqueue_drawing(connection, character_id)
        return characters.get(connection, character_id)

    return await powers.database.write(write)


def _model(connection: Connection, powers: Powers, character: Character, redraw: Redraw) -> PictureModel:
    has_reference = characters.reference(connection, character.id) is not None
    model = redraw.model or character.model
    return picture_model_of(powers.painters, character.provider or "", model, references=int(has_reference))


def _refuse_unaffordable(
    connection: Connection, powers: Powers, model: PictureModel, character_id: str | None = None
) -> None:
    """What is ordered already is not ordered again, so it needs no room in the budget. Raises OverBudget."""
    work = purchases.work_of(PurchaseKind.DRAWING, character_id or "")
    if purchases.open_for(connection, work) is None:
        budget.refuse_over(connection, powers.ceilings, pack_id=None, amount=model.price, currency=model.currency)


@router.post("/{character_id}/cancel")
async def cancel(powers: Uses, character_id: str) -> Character:
    """Stop its drawing; drawings that are there stay."""

    def write(connection: Connection) -> Character:
        character = characters.get(connection, character_id)
        if not transitions.cancel_drawing(connection, character_id) and character.status == "drawing":
            raise Conflict("Nothing of this character runs.")
        return characters.get(connection, character_id)

    character = await powers.database.write(write)
    powers.stop_work(character_id)
    powers.collect_soon()
    return character


@router.post("/{character_id}/choose-drawing")
async def choose_drawing(powers: Uses, character_id: str, choice: ChooseDrawing) -> Character:
    """Take another drawing as the character's picture; clips that are there stay as they are."""

    def write(connection: Connection) -> Character:
        characters.get(connection, character_id)
        characters.choose_drawing(connection, character_id, choice.drawing_id)
        return characters.tell(connection, character_id)

    return await powers.database.write(write)


@router.get("/{character_id}/drawings/{drawing_id}", response_class=Response)
async def drawing(powers: Uses, character_id: str, drawing_id: str) -> Response:
    """One drawing, as the provider made it."""
    files = await powers.database.read(
        partial(characters.drawing_files, character_id=character_id, drawing_id=drawing_id)
    )
    data = await asyncio.to_thread(powers.assets.read, files.picture)
    return Response(data, media_type=files.media_type)


def _new_from_json(body: bytes) -> NewDrawing:
    try:
        return NewDrawing.model_validate_json(body)
    except ValidationError as error:
        raise _wrong(error) from error


def _new(fields: dict[str, Any]) -> NewDrawing:
    try:
        return NewDrawing.model_validate(fields)
    except ValidationError as error:
        raise _wrong(error) from error


def _wrong(error: ValidationError) -> RequestValidationError:
    return RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()])

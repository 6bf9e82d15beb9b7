"""`popcond character`: characters drawn from words, and what is to be done about those that are there."""

from __future__ import annotations

import argparse
import asyncio
import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path

from popcond.cli.drawn import (
    SHORT,
    character_asked_for,
    drawn,
    picture_model,
    tell_price,
)
from popcond.cli.narrate import narrator
from popcond.cli.order import tell_rehearsal
from popcond.cli.out_folder import OutFolder
from popcond.cli.session import Session, open_session, settings_of
from popcond.cli.spoken import as_sent
from popcond.cli.terminal_text import printable, sentence
from popcond.cli.usage import DONE, WrongUsage, counted, readable_file
from popcond.errors import Conflict
from popcond.wire import Character, Drawing, NewDrawing, Redraw

_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})  # endings of their names


def run(options: argparse.Namespace) -> int:
    """The whole command; returns the exit code. Raises WrongUsage before anything is ordered."""
    settings_of(options)  # a bad address is told before anything else
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    with narrator(quiet=options.quiet) as voice:
        async with open_session(options, voice) as session:
            print(await _VERBS[options.verb](session, options))
    return DONE


async def _draw(session: Session, options: argparse.Namespace) -> str:
    folder, reference = _folder_of(options), _reference_file(options.reference)
    shown = options.reference if reference is None else None
    new = as_sent(
        NewDrawing,
        prompt=options.words,
        name=options.name,
        reference_character_id=shown and (await character_asked_for(session.client, shown)).id,
        reference_use=options.use,
        provider=options.provider,
        model=options.model,
    )
    references = int(options.reference is not None)
    model = await picture_model(session.client, options.provider, options.model, references=references)
    await tell_rehearsal(session)
    tell_price(session, options.provider, model)
    return await _awaited(session, await session.client.generate_character(new, reference), folder, options)


def _reference_file(text: str | None) -> Path | None:
    """None for what can only be a character's id or name. Raises WrongUsage for a file that cannot be read."""
    if text is None or not (Path(text).exists() or Path(text).suffix.lower() in _PICTURES or "/" in text):
        return None
    return readable_file(Path(text), "picture")


def _folder_of(options: argparse.Namespace) -> OutFolder | None:
    """Where the picture goes, checked. Raises WrongUsage and OutOfDisk."""
    if options.out is None:
        return None
    if not options.waits:
        raise WrongUsage("There is no picture to save before it is drawn.", cure="Leave --out or --no-wait away.")
    if options.out.is_dir():
        raise WrongUsage(f"{options.out} is a folder.", cure="Give the file's name too, such as bear.png.")
    folder = OutFolder(options.out.parent)
    folder.check()
    return folder


async def _awaited(
    session: Session, character: Character, folder: OutFolder | None, options: argparse.Namespace
) -> str:
    """The answer, once the character is drawn and saved; at once for those who do not wait."""
    if options.waits:
        character = await drawn(session, character)
    if folder is not None:
        folder.save(await session.client.character_picture(character.id), options.out.name)
        session.narrator.note(f"Saved as {options.out}.")
    if options.waits:
        make = shlex.join(["popcond", "make", "--character", character.id[:SHORT], *session.place])
        session.narrator.note(f"To make a pack of it: {make} --actions wave,jump")
    return _told(character, options)


async def _redraw(session: Session, options: argparse.Namespace) -> str:
    folder, character = _folder_of(options), await character_asked_for(session.client, options.character)
    _refuse_brought(session, character)
    redraw = as_sent(Redraw, prompt=options.words, model=options.model)
    await tell_rehearsal(session)
    if character.status != "drawing":
        await _tell_price_again(session, character, options.model)
    return await _awaited(session, await session.client.regenerate_character(character.id, redraw), folder, options)


def _refuse_brought(session: Session, character: Character) -> None:
    if character.provider is None:
        words = ("draw", "WORDS", "--reference", character.id[:SHORT], *session.place)
        cure = f"A variation of it: {shlex.join(('popcond', 'character', *words))}"
        raise Conflict(f"{character.name} is a picture that was brought, so nobody can draw it again.", cure=cure)


async def _tell_price_again(session: Session, character: Character, model: str | None) -> None:
    """By the model of its last drawing, which has shown that it can."""
    provider = character.provider or ""
    wanted = model or character.model or (character.drawings[-1].model if character.drawings else None)
    for each in await session.client.providers():
        for row in each.picture_models:
            if each.name == provider and row.name == (wanted or each.picture_models[0].name):
                tell_price(session, provider, row)


async def _choose(session: Session, options: argparse.Namespace) -> str:
    character = await character_asked_for(session.client, options.character)
    drawing = _drawing_asked_for(character, options.drawing)
    return _told(await session.client.choose_drawing(character.id, drawing.id), options)


def _drawing_asked_for(character: Character, text: str) -> Drawing:
    """By its number, its id, or the beginning of one. Raises WrongUsage."""
    numbered = {str(number): drawing for number, drawing in enumerate(character.drawings, 1)}
    is_number = text.isdigit() and len(text) < SHORT
    begun = [each for each in character.drawings if text and not is_number and each.id.startswith(text)]
    if text in numbered:
        return numbered[text]
    if len(begun) == 1:
        return begun[0]
    known = counted(len(character.drawings), "drawing")
    raise WrongUsage(
        f"{character.name} has {known}, and {text} is none of them.",
        cure=f"Give a number from 1 to {len(numbered)}." if numbered else "Have it drawn: popcond character redraw ID",
    )


async def _list(session: Session, options: argparse.Namespace) -> str:
    characters = await session.client.characters()
    if options.json:
        return "[" + ",".join(each.model_dump_json() for each in characters) + "]"
    return "\n".join(map(_lines, characters)) or "There are no characters yet."


async def _cancel(session: Session, options: argparse.Namespace) -> str:
    character = await character_asked_for(session.client, options.character)
    return _told(await session.client.cancel_drawing(character.id), options)


async def _delete(session: Session, options: argparse.Namespace) -> str:
    character = await character_asked_for(session.client, options.character)
    await session.client.delete_character(character.id)
    return character.model_dump_json() if options.json else printable(f"{character.name} is forgotten.")


def _told(character: Character, options: argparse.Namespace) -> str:
    return character.model_dump_json() if options.json else _lines(character)


def _lines(character: Character) -> str:
    """One line, and one a drawing below it."""
    size = f"  {character.width} × {character.height}" if character.width else ""
    head = f"{character.id}  {character.name}  {character.status}{size}"
    lines = [head] + ([f"  {sentence(character.problem)}"] if character.problem else [])
    lines += [_drawing_line(character, number) for number in range(1, len(character.drawings) + 1)]
    return "\n".join(map(printable, lines))


def _drawing_line(character: Character, number: int) -> str:
    drawing = character.drawings[number - 1]
    mark = " (chosen)" if drawing.id == character.chosen_drawing else ""
    flaws = f"  {' '.join(drawing.flaws)}" if drawing.flaws else ""
    return f"  {number}  {drawing.id[:SHORT]}  {drawing.model}{mark}{flaws}"


_VERBS: dict[str, Callable[[Session, argparse.Namespace], Awaitable[str]]] = {
    "draw": _draw,
    "list": _list,
    "redraw": _redraw,
    "choose": _choose,
    "cancel": _cancel,
    "delete": _delete,
}

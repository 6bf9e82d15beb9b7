"""Characters that are drawn from words: what a drawing costs, the order, the wait, and what a person should look at."""

from __future__ import annotations

import asyncio
import shlex
from contextlib import suppress

from popcond.cli.session import Session
from popcond.cli.usage import WrongUsage, known_names, near_names
from popcond.cli.watch import changed_character
from popcond.client import Client
from popcond.errors import Cancelled, DaemonUnreachable, NotFound, PopconError
from popcond.wire import Character, Drawing, PictureModel, sum_of_money

CANCEL_SECONDS = 5.0  # a Ctrl-C must not hang on a daemon that does not answer
SHORT = 8  # letters of an id that a person needs to see


async def picture_model(client: Client, provider: str, model: str | None, *, references: int) -> PictureModel:
    """The named model, or the provider's first that can be shown so many pictures. Raises WrongUsage."""
    providers = {each.name: each for each in await client.providers() if each.picture_models}
    known_names([provider], tuple(providers), "provider that draws")
    models = {each.name: each for each in providers[provider].picture_models}
    able = [name for name, each in models.items() if each.least_references <= references <= each.most_references]
    if model is None and able:
        return models[able[0]]
    if model is not None and model in able:
        return models[model]
    why = ("is shown no picture" if references else "needs a picture") if model in models else "is none that draws"
    cure = near_names([model or ""], able) if model not in models else f"Choose: {', '.join(able)}."
    raise WrongUsage(f"{provider}'s model {model} {why}.", cure=cure, code="unknown_name")


async def who_draws(client: Client, wanted: str) -> str:
    """The wanted provider when it draws, else the first one that does. Raises WrongUsage when nobody does."""
    names = [each.name for each in await client.providers() if each.picture_models]
    if not names:
        raise WrongUsage("Nobody here draws characters.", cure="Give a picture, or --sample.")
    return wanted if wanted in names else names[0]


def tell_price(session: Session, provider: str, model: PictureModel) -> None:
    """What one drawing costs, before it is ordered; nothing when it is free."""
    if model.price > 0:
        session.narrator.note(
            f"A drawing of {provider} ({model.name}) costs {sum_of_money(model.price, model.currency)}; one that comes"
            " with flaws is drawn once more, for as much again."
        )


async def character_asked_for(client: Client, text: str) -> Character:
    """The one that is meant by an id, the beginning of one, or a name. Raises NotFound and WrongUsage."""
    every = await client.characters()
    begun = [each for each in every if text and each.id.startswith(text)]
    found = [each for each in every if each.id == text] or begun or [each for each in every if each.name == text]
    if not found:
        raise NotFound(
            f"There is no character {text}.",
            cure="`popcond character list` lists them; --home or --url names another daemon.",
        )
    if len(found) > 1:
        ids = ", ".join(each.id[:SHORT] for each in found[:5])
        raise WrongUsage(f"{text} may be any of {len(found)} characters.", cure=f"Give more of an id: {ids}.")
    return found[0]


async def drawn(session: Session, character: Character) -> Character:
    """The character once its drawing is here, or its attempts are over; what comes meanwhile is told.

    Raises what the drawing failed with, and Cancelled. Ctrl-C stops the drawing.
    """
    try:
        done = await _followed(session, character)
    except asyncio.CancelledError:
        await _stopped(session, character)
        raise
    _refuse_undrawn(session, done)
    _tell(session, done)
    return done


def _refuse_undrawn(session: Session, character: Character) -> None:
    cure = f"To have it drawn, in other WORDS if you like: {character_command(session, 'redraw', character)} [WORDS]"
    if (why := character.problem) is not None:
        told = f"{character.name}: {why.message}"
        raise PopconError(told, cure=why.cure or cure, code=why.code, details=why.details)
    if character.status != "ready":
        raise Cancelled(f"{character.name} was not drawn.", cure=cure)


async def _followed(session: Session, character: Character) -> Character:
    session.narrator.note(f"{character.name}: is drawn …")
    known = len(character.drawings)
    while True:
        character = await _read_again(session, character)
        for drawing in character.drawings[known:]:
            _tell_arrival(session, character, drawing)
        known = len(character.drawings)
        if character.status != "drawing":
            return character
        await changed_character(session.feed, character.id)


async def _read_again(session: Session, held: Character) -> Character:
    """As held when nobody answers: whether the daemon is gone for good is the feed's to say."""
    try:
        return await session.client.character(held.id)
    except DaemonUnreachable as error:
        session.narrator.note(f"{error.message} Trying again …")
        return held


def _tell_arrival(session: Session, character: Character, drawing: Drawing) -> None:
    number = character.drawings.index(drawing) + 1
    again = " It has flaws, so it is drawn once more." if drawing.flaws and character.status == "drawing" else ""
    session.narrator.note(f"{character.name}: drawing {number} is here.{again}")


def _tell(session: Session, character: Character) -> None:
    """What a person should know of the picture, and what can be done about it."""
    for note in character.notes:
        session.narrator.note(f"{character.name}: {note}")
    chosen = next((each for each in character.drawings if each.id == character.chosen_drawing), None)
    if chosen is None or not chosen.flaws:
        return
    session.narrator.ask(f"{character.name} has flaws: {' '.join(chosen.flaws)}")
    if len(character.drawings) > 1:
        session.narrator.ask(f"To take another drawing: {character_command(session, 'choose', character)} NUMBER")
    session.narrator.ask(f"To have it drawn again: {character_command(session, 'redraw', character)} [WORDS]")


async def _stopped(session: Session, character: Character) -> None:
    """Told, and stopped if the daemon answers; a drawing that is paid for already is kept when it comes."""
    with suppress(TimeoutError, PopconError):
        async with asyncio.timeout(CANCEL_SECONDS):
            await session.client.cancel_drawing(character.id)
    again = character_command(session, "redraw", character)
    session.narrator.ask(f"The drawing of {character.name} was stopped. To go on with it: {again}")


def character_command(session: Session, verb: str, character: Character) -> str:
    """A command line about a character, as a person may paste it."""
    return shlex.join(["popcond", "character", verb, character.id[:SHORT], *session.place])

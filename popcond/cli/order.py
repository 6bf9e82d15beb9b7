"""What a command line orders, checked: the character, the pack's name, its actions, targets and provider."""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pydantic import TypeAdapter, ValidationError

from popcond.cli.rehearsal import NOTHING_IS_BILLED, REHEARSAL
from popcond.cli.session import Session
from popcond.cli.terminal_text import printable
from popcond.cli.usage import WrongUsage, comma_list, counted, known_names, near_names, readable_file
from popcond.client import Client
from popcond.errors import DaemonUnreachable
from popcond.wire import Character, Name, NewPack, Pack, RemoveBackground, sum_of_money

EVERYTHING = "all"
DEFAULT_TARGET = "gif"
SAMPLE_NAME = "Sample"
LONGEST_NAME = 120  # letters of a pack's name, as the wire takes it
LONGEST_STEM = 60  # letters of a picture's own name that become the pack's


def check_character(options: argparse.Namespace) -> None:
    """Exactly one of a picture that can be read and the sample. Raises WrongUsage."""
    if options.sample and options.picture is not None:
        raise WrongUsage("There is a picture and --sample too.", cure="Give one of them.")
    if not options.sample and options.picture is None:
        raise WrongUsage("There is no picture of a character.", cure="Give a picture, or --sample.")
    if options.picture is not None:
        readable_file(options.picture, "picture")


def pack_name(options: argparse.Namespace) -> str:
    """--name, or the picture's own name. Raises WrongUsage for a name that no pack may have."""
    if options.name is None:
        return SAMPLE_NAME if options.sample else printable(options.picture.stem).strip()[:LONGEST_STEM] or "Pack"
    try:
        return TypeAdapter(Name).validate_python(options.name)
    except ValidationError as error:
        raise _refused_name(options.name, error.errors()[0]["type"]) from error


def _refused_name(name: str, why: str) -> WrongUsage:
    """`why` is pydantic's name for what is wrong."""
    if why == "string_too_short":
        return WrongUsage("--name is empty.", cure="Give a name with a letter in it, or leave --name out.")
    if why == "string_too_long":
        told = f"--name has {len(name.strip())} letters; a pack's name may have {LONGEST_NAME}."
        return WrongUsage(told, cure="Shorten it.")
    return WrongUsage("--name is not text that can be read.", cure="Write it in UTF-8, or leave --name out.")


def wanted_actions(texts: Sequence[str]) -> tuple[str, ...]:
    """The actions that are asked for, `all` among them as a word of its own. Raises WrongUsage for none."""
    return comma_list(texts) or _refuse_nothing("--actions")


def wanted_targets(texts: Sequence[str] | None) -> tuple[str, ...]:
    """The targets that are asked for; a plain GIF when none is."""
    return (comma_list(texts) or _refuse_nothing("--target")) if texts else (DEFAULT_TARGET,)


async def known_actions(session: Session, wanted: Sequence[str]) -> tuple[str, ...]:
    """The wanted actions, `all` spelled out. Tells mistakes in the user's own file. Raises WrongUsage, near matches."""
    for problem in await session.client.action_problems():
        session.narrator.note(" ".join(filter(None, (problem.message, problem.cure))))
    known = tuple(action.name for action in await session.client.actions())
    return known if EVERYTHING in wanted else known_names(wanted, known, "action")


async def known_targets(client: Client, wanted: Sequence[str]) -> tuple[str, ...]:
    """The wanted targets. Raises WrongUsage with near matches."""
    return known_names(wanted, tuple(target.name for target in await client.targets()), "target")


async def check_provider(client: Client, name: str, model: str | None) -> None:
    """Raises WrongUsage when there is no such provider, or it has no such model."""
    providers = {provider.name: provider for provider in await client.providers()}
    known_names([name], tuple(providers), "provider")
    models = tuple(each.name for each in providers[name].models)
    if model is not None and model not in models:
        cure = near_names([model], models) if models else "Leave --model out; it has only one way."
        raise WrongUsage(f"{name} has no model {model!r}.", cure=cure, code="unknown_name")


async def add_character(session: Session, options: argparse.Namespace) -> Character:
    """The character of the command line, in the daemon. Tells what a person should know about its cut-out."""
    if options.sample:
        character = await session.client.add_sample_character()
    else:
        how = RemoveBackground(options.remove_background)
        character = await session.client.add_character(options.picture, pack_name(options), how)
    for sentence in character.notes:
        session.narrator.note(f"{character.name}: {sentence}")
    return character


def new_pack(**fields: Any) -> NewPack:
    """The order as it crosses the wire. Raises WrongUsage for what the wire does not take."""
    try:
        return NewPack(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        what = " ".join(str(part) for part in first["loc"]).replace("_", " ")
        told = f"The pack's {what} cannot be used: {first['msg'].lower()}."
        raise WrongUsage(told, cure="Write it another way; `popcond make --help` has examples.") from error


async def place(session: Session, new: NewPack) -> Pack:
    """Order the pack, telling first what it costs. An order whose answer was lost is sent again and counts once."""
    if REHEARSAL in (await session.client.version()).features:
        session.narrator.note(NOTHING_IS_BILLED)
    quote = await session.client.quote(new)
    if quote.amount > 0:
        session.narrator.note(
            f"{counted(len(quote.per_emoji), 'clip')} of {new.provider} will cost about"
            f" {sum_of_money(quote.amount, quote.currency)}."
        )
    key = uuid.uuid4().hex
    with suppress(DaemonUnreachable):
        return await session.client.add_pack(new, key=key)
    return await session.client.add_pack(new, key=key)


def _refuse_nothing(option: str) -> tuple[str, ...]:
    raise WrongUsage(f"{option} names nothing.", cure="Give at least one name.")

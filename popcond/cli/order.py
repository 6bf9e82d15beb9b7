"""What a command line orders, checked: the character, the pack's name, its actions, targets and provider."""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pydantic import TypeAdapter, ValidationError

from popcond.cli.drawn import drawn, picture_model, tell_price, who_draws
from popcond.cli.rehearsal import NOTHING_IS_BILLED, REHEARSAL
from popcond.cli.session import Session
from popcond.cli.spoken import as_sent
from popcond.cli.terminal_text import printable
from popcond.cli.usage import WrongUsage, comma_list, counted, known_names, near_names, readable_file
from popcond.client import Client
from popcond.errors import DaemonUnreachable, OverBudget
from popcond.wire import Character, Emoji, Name, NewDrawing, NewPack, Pack, Quote, RemoveBackground, sum_of_money

EVERYTHING = "all"
DEFAULT_TARGET = "gif"
SAMPLE_NAME = "Sample"
SKIP, APPROVE = "skip", "approve"  # of what --poses may say
LONGEST_NAME = 120  # letters of a pack's name, as the wire takes it
LONGEST_STEM = 60  # letters of a picture's own name that become the pack's


def check_character(options: argparse.Namespace) -> None:
    """Exactly one of a picture that can be read, the sample, words to draw from, and a character that is there.

    Raises WrongUsage.
    """
    given = {"a picture": options.picture, "--sample": options.sample or None, "--draw": options.draw}
    given["--character"] = options.kept
    given = {what: value for what, value in given.items() if value is not None}
    if len(given) > 1:
        first, *others = given
        raise WrongUsage(f"There is {first} and {' and '.join(others)} too.", cure="Give one of them.")
    if not given:
        raise WrongUsage("There is no picture of a character.", cure="Give a picture, or --sample.")
    if options.picture is not None:
        readable_file(options.picture, "picture")


def pack_name(options: argparse.Namespace, kept: Character | None = None) -> str:
    """--name, or that of the kept character or the picture, or the words.

    Raises WrongUsage for a name that no pack may have.
    """
    if options.name is None:
        return printable(" ".join(_called(options, kept).split()))[:LONGEST_STEM].strip() or "Pack"
    try:
        return TypeAdapter(Name).validate_python(options.name)
    except ValidationError as error:
        raise _refused_name(options.name, error.errors()[0]["type"]) from error


def _called(options: argparse.Namespace, kept: Character | None) -> str:
    if kept is not None:
        return kept.name
    if options.draw is not None:
        return str(options.draw)
    return SAMPLE_NAME if options.sample else str(options.picture.stem)


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
    """Raises WrongUsage when there is no such provider, or it has no such model; its sizes, NAME@SIZE, it knows."""
    providers = {provider.name: provider for provider in await client.providers()}
    known_names([name], tuple(providers), "provider")
    models = tuple(each.name for each in providers[name].models)
    if model is not None and model.partition("@")[0] not in models:
        cure = near_names([model], models) if models else "Leave --model out; it has only one way."
        raise WrongUsage(f"{name} has no model {model!r}.", cure=cure, code="unknown_name")


async def check_poses(client: Client, options: argparse.Namespace) -> None:
    """Raises WrongUsage when poses are wanted of who draws none, or with a model that cannot."""
    if options.poses != SKIP:
        await picture_model(client, options.provider, options.pose_model, references=1)
    elif options.pose_model is not None:
        raise WrongUsage("--pose-model draws poses, and there are none.", cure="Give --poses draw, or leave it out.")


async def draw_character(session: Session, options: argparse.Namespace) -> Character:
    """The character of --draw, once it is drawn."""
    provider = await who_draws(session.client, options.provider)
    tell_price(session, provider, await picture_model(session.client, provider, None, references=0))
    new = as_sent(NewDrawing, prompt=options.draw, name=pack_name(options), provider=provider)
    return await drawn(session, await session.client.generate_character(new))


async def add_character(session: Session, options: argparse.Namespace) -> Character:
    """The character of the command line, in the daemon. Tells what a person should know about its cut-out."""
    if options.draw is not None:
        return await draw_character(session, options)
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


async def tell_rehearsal(session: Session) -> None:
    """That nothing is billed, where nothing is."""
    if REHEARSAL in (await session.client.version()).features:
        session.narrator.note(NOTHING_IS_BILLED)


async def quote(session: Session, new: NewPack) -> None:
    """Tell what a pack costs before anything of it is bought. Raises OverBudget when it may not cost so much."""
    price = await session.client.quote(new)
    _tell_quote(session, new, price)
    if price.ceiling is not None and price.amount > price.ceiling:
        raise OverBudget(
            f"That is more than the {sum_of_money(price.ceiling, price.currency)} that may be spent on the pack.",
            cure="Raise --max-spend or max_spend_per_pack, or order less.",
        )


def _tell_quote(session: Session, new: NewPack, price: Quote) -> None:
    if price.amount <= 0:
        return
    most = price.amount_at_most
    again = "when every clip comes back without motion and is bought once more"
    session.narrator.note(
        f"{_what_is_bought(len(price.per_emoji), price.per_pose)} of {new.provider} will cost about"
        f" {sum_of_money(price.amount, price.currency)}"
        + (f"; at most {sum_of_money(most, price.currency)}, {again}." if most > price.amount else ".")
    )


async def quote_again(session: Session, pack: Pack, emojis: Sequence[Emoji], *, with_poses: bool = False) -> None:
    """Tell what further clips of emojis cost, with the poses that they start from or without.

    Whether the budget has room for them only the daemon knows: some may be bought already.
    """
    if emojis and not pack.awaits_clips:
        order = pack.model_dump(include={"name", "character_id", "provider", "model", "pose_model", "max_spend"})
        actions = tuple(emoji.action for emoji in emojis)
        new = new_pack(**order, actions=actions, draw_poses=with_poses)
        _tell_quote(session, new, await session.client.quote(new))


def _what_is_bought(count: int, per_pose: float) -> str:
    return f"{counted(count, 'clip')} and {counted(count, 'pose')}" if per_pose else counted(count, "clip")


async def place(session: Session, new: NewPack) -> Pack:
    """Order the pack. An order whose answer was lost is sent again and counts once."""
    key = uuid.uuid4().hex
    with suppress(DaemonUnreachable):
        return await session.client.add_pack(new, key=key)
    return await session.client.add_pack(new, key=key)


def _refuse_nothing(option: str) -> tuple[str, ...]:
    raise WrongUsage(f"{option} names nothing.", cure="Give at least one name.")

"""`popcond usage` and `popcond purchases`: what was bought, what it cost, and what only a person can decide."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from datetime import datetime

from popcond.cli.narrate import narrator
from popcond.cli.rehearsal import NOTHING_IS_BILLED, REHEARSAL
from popcond.cli.session import open_session
from popcond.cli.terminal_text import printable
from popcond.cli.usage import DONE, WrongUsage, counted
from popcond.client import Client
from popcond.wire import PackSpend, Purchase, PurchaseKind, PurchaseState, Spend, Usage, sum_of_money

WORDS = {
    PurchaseState.INTENT: "about to be bought",
    PurchaseState.SUBMITTED: "ordered",
    PurchaseState.UNKNOWN: "maybe bought",
    PurchaseState.COLLECTED: "bought",
    PurchaseState.REFUSED: "refused, not billed",
    PurchaseState.FAILED: "failed, not billed",
    PurchaseState.RELEASED: "never bought",
    PurchaseState.EXPIRED: "bought, and lost by the provider",
    PurchaseState.ABANDONED: "bought, and what it was for was deleted",
}
_DAYS = 14  # of `popcond usage` on a terminal; --json tells them all


def run(options: argparse.Namespace) -> int:
    """One of both commands; returns the exit code."""
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    with narrator(quiet=options.json) as voice:
        async with open_session(options, voice) as session:
            if REHEARSAL in (await session.client.version()).features:
                voice.note(NOTHING_IS_BILLED)
            return await _answer(session.client, options)


async def _answer(client: Client, options: argparse.Namespace) -> int:
    if options.command == "usage":
        usage = await client.usage()
        print(usage.model_dump_json() if options.json else "\n".join(_usage_lines(usage)))
    elif options.verb == "list":
        print(_told(await client.purchases(), options.json))
    else:
        decided = await _decide(client, options)
        print(decided.model_dump_json() if options.json else _line(decided))
    return DONE


async def _decide(client: Client, options: argparse.Namespace) -> Purchase:
    if options.purchase is None:
        raise WrongUsage(f"`{options.verb}` needs a purchase.", cure="`popcond purchases` lists them with their ids.")
    if options.verb == "adopt":
        if options.task is None:
            raise WrongUsage("`adopt` needs the provider's task too.", cure="Write: popcond purchases adopt ID TASK")
        return await client.adopt(options.purchase, options.task)
    return await (client.release if options.verb == "release" else client.look)(options.purchase)


def _told(purchases: Sequence[Purchase], as_json: bool) -> str:
    if as_json:
        return "[" + ",".join(purchase.model_dump_json() for purchase in purchases) + "]"
    return "\n".join(map(_line, purchases)) or "Nothing has been bought yet."


def _line(purchase: Purchase) -> str:
    when = datetime.fromtimestamp(purchase.intent_at).astimezone().strftime("%Y-%m-%d %H:%M")
    about = "about " if purchase.is_estimate and purchase.amount else ""
    what = f"{purchase.pack_name}: {_bought(purchase)}"
    cost = f"{about}{sum_of_money(purchase.amount, purchase.currency)}"
    told = f"{purchase.id}  {when}  {what}  {cost}  {WORDS[purchase.state]}"
    if purchase.state is PurchaseState.UNKNOWN and purchase.problem is not None:
        told += "\n  " + " ".join(filter(None, (purchase.problem.message, purchase.problem.cure)))
    return printable(told)


def _bought(purchase: Purchase) -> str:
    """What it is: a clip is called after its action alone."""
    if purchase.kind is PurchaseKind.DRAWING:
        return "drawing of the character"
    return f"{purchase.action}, its pose" if purchase.kind is PurchaseKind.POSE else purchase.action


def _usage_lines(usage: Usage) -> list[str]:
    if not usage.totals:
        return ["Nothing has been bought yet.", *_ceilings(usage)]
    lines = [f"In all: {_sum(total)}" for total in usage.totals]
    lines += ["By pack:", *(f"  {_spent_on(pack)}: {_sum(pack)}" for pack in usage.by_pack)]
    lines += ["By day:", *(f"  {day.day}: {_sum(day)}" for day in usage.by_day[:_DAYS])]
    return lines + _ceilings(usage)


def _spent_on(pack: PackSpend) -> str:
    return "Drawings of characters" if pack.pack_id is None else printable(pack.pack_name)


def _sum(spend: Spend) -> str:
    reserved = f", of which {sum_of_money(spend.reserved, spend.currency)} still open" if spend.reserved else ""
    return f"{sum_of_money(spend.amount, spend.currency)} for {counted(spend.purchases, 'purchase')}{reserved}"


def _ceilings(usage: Usage) -> list[str]:
    told = [
        f"{amount:.2f} a {what}"
        for what, amount in (("pack", usage.max_spend_per_pack), ("day", usage.max_spend_per_day))
        if amount is not None
    ]
    return [f"At most {' and '.join(told)} may be spent."] if told else []

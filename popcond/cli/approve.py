"""`popcond approve`: poses of a waiting pack are good; have their clips made and write the files."""

from __future__ import annotations

import argparse

from popcond.cli.finish import conduct, emojis_asked_for, finish, out_folder, pack_asked_for
from popcond.cli.narrate import Narrator
from popcond.cli.order import quote_again, tell_rehearsal
from popcond.cli.report import Report, noted
from popcond.cli.session import open_session
from popcond.cli.usage import WrongUsage
from popcond.wire import Emoji, Pack, Status


def run(options: argparse.Namespace) -> int:
    """The whole command; returns the exit code. An emoji that cannot be approved does not keep the others waiting."""

    async def work(report: Report, narrator: Narrator) -> None:
        async with open_session(options, narrator) as session:
            with pack_asked_for():
                pack = await session.client.pack(options.pack)
            out, approved = out_folder(options.out, pack.name), _approved(pack, options)
            await tell_rehearsal(session)
            await quote_again(session, pack, approved)
            for emoji in approved:
                with noted(report, emoji):
                    await session.client.approve(emoji.id)
            await finish(session, pack, out, report)

    return conduct(work, options)


def _approved(pack: Pack, options: argparse.Namespace) -> list[Emoji]:
    """Those that are named, or all that wait. Raises WrongUsage."""
    waiting = [emoji for emoji in pack.emojis if emoji.status is Status.AWAITING_APPROVAL]
    if options.every and options.emojis:
        raise WrongUsage("There are emojis and --all too.", cure="Give one of them.")
    if options.every:
        return waiting
    if not options.emojis:
        names = ", ".join(emoji.action for emoji in waiting) or "none"
        raise WrongUsage(f"Which poses are good? These wait: {names}.", cure="Name them, or give --all.")
    return emojis_asked_for(pack, options.emojis)

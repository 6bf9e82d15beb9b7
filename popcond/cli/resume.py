"""`popcond resume`: go on with a pack whose command was interrupted, and write its files."""

from __future__ import annotations

import argparse

from popcond.cli.finish import conduct, finish, out_folder, pack_asked_for
from popcond.cli.narrate import Narrator
from popcond.cli.report import Report
from popcond.cli.session import open_session
from popcond.wire import Status


def run(options: argparse.Namespace) -> int:
    """The whole command; returns the exit code. Failed emojis start again only when asked to: that may cost money."""
    start_again = {Status.CANCELLED, Status.FAILED} if options.retry_failed else {Status.CANCELLED}

    async def work(report: Report, narrator: Narrator) -> None:
        async with open_session(options, narrator) as session:
            with pack_asked_for():
                pack = await session.client.pack(options.pack)
            out = out_folder(options.out, pack.name)
            for emoji in pack.emojis:
                if emoji.status in start_again:
                    await session.client.retry(emoji.id)
            await finish(session, pack, out, report)

    return conduct(work, options)

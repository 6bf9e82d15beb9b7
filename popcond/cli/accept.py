"""`popcond accept`: the cut-outs of a waiting pack are good; make its stickers and write them."""

from __future__ import annotations

import argparse

from popcond.cli.finish import conduct, finish, out_folder, pack_asked_for
from popcond.cli.narrate import Narrator
from popcond.cli.report import Report
from popcond.cli.session import open_session
from popcond.wire import PackChanges, Status


def run(options: argparse.Namespace) -> int:
    """The whole command; returns the exit code. Emojis that are still on their way are accepted when they arrive."""

    async def work(report: Report, narrator: Narrator) -> None:
        async with open_session(options, narrator) as session:
            with pack_asked_for():
                pack = await session.client.change_pack(options.pack, PackChanges(auto_accept=True))
            out = out_folder(options.out, pack.name)
            for emoji in pack.emojis:
                if emoji.status is Status.AWAITING_REFINEMENT:
                    await session.client.accept(emoji.id)
            await finish(session, pack, out, report)

    return conduct(work, options)

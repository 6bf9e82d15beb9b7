"""`popcond make`: one picture and some actions become a pack of stickers."""

from __future__ import annotations

import argparse

from popcond.cli.finish import conduct, finish, out_folder
from popcond.cli.narrate import Narrator
from popcond.cli.order import (
    add_character,
    check_character,
    check_provider,
    known_actions,
    known_targets,
    new_pack,
    pack_name,
    place,
    wanted_actions,
    wanted_targets,
)
from popcond.cli.report import Report
from popcond.cli.session import open_session, settings_of


def run(options: argparse.Namespace) -> int:
    """The whole command; returns the exit code. Raises WrongUsage before any work."""
    check_character(options)
    name = pack_name(options)
    actions, targets = wanted_actions(options.actions), wanted_targets(options.targets)
    settings_of(options)  # a bad address is told before anything else
    out = out_folder(options.out, name)

    async def work(report: Report, narrator: Narrator) -> None:
        async with open_session(options, narrator) as session:
            order = {
                "name": name,
                "actions": await known_actions(session, actions),
                "targets": await known_targets(session.client, targets),
                "provider": options.provider,
                "model": options.model,
                "max_spend": options.max_spend,
                "auto_accept": options.refine == "auto",
            }
            await check_provider(session.client, options.provider, options.model)
            character = await add_character(session, options)
            pack = await place(session, new_pack(character_id=character.id, **order))
            await finish(session, pack, out, report)

    return conduct(work, options)

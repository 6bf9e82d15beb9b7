"""`popcond make`: one picture, or words, and some actions become a pack of stickers."""

from __future__ import annotations

import argparse
from typing import Any

from popcond.cli.drawn import character_asked_for
from popcond.cli.finish import conduct, finish, out_folder
from popcond.cli.narrate import Narrator
from popcond.cli.order import (
    APPROVE,
    SKIP,
    add_character,
    check_character,
    check_poses,
    check_provider,
    known_actions,
    known_targets,
    new_pack,
    pack_name,
    place,
    quote,
    tell_rehearsal,
    wanted_actions,
    wanted_targets,
)
from popcond.cli.report import Report
from popcond.cli.session import open_session, settings_of


def run(options: argparse.Namespace) -> int:
    """The whole command; returns the exit code. Raises WrongUsage before any work."""
    check_character(options)
    actions, targets = wanted_actions(options.actions), wanted_targets(options.targets)
    settings_of(options)  # a bad address is told before anything else
    if options.kept is None:
        out_folder(options.out, pack_name(options))

    async def work(report: Report, narrator: Narrator) -> None:
        async with open_session(options, narrator) as session:
            kept = None if options.kept is None else await character_asked_for(session.client, options.kept)
            name = pack_name(options, kept)
            out = out_folder(options.out, name)
            order = {
                "name": name,
                "actions": await known_actions(session, actions),
                "targets": await known_targets(session.client, targets),
                **_manner(options),
            }
            await check_provider(session.client, options.provider, options.model)
            await check_poses(session.client, options)
            await tell_rehearsal(session)
            await quote(session, new_pack(character_id="", **order))
            character = kept or await add_character(session, options)
            pack = await place(session, new_pack(character_id=character.id, **order))
            await finish(session, pack, out, report)

    return conduct(work, options)


def _manner(options: argparse.Namespace) -> dict[str, Any]:
    """Who animates, from where, for how much, and whether a person looks at the cut-outs."""
    return {
        "provider": options.provider,
        "model": options.model,
        "max_spend": options.max_spend,
        "auto_accept": options.refine == "auto",
        "draw_poses": options.poses != SKIP,
        "approve_poses": options.poses == APPROVE,
        "pose_model": options.pose_model,
    }

"""`popcond import`: the user's own clips become a pack of stickers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from popcond.cli.finish import conduct, finish, out_folder
from popcond.cli.narrate import Narrator
from popcond.cli.order import (
    add_character,
    check_character,
    known_actions,
    known_targets,
    new_pack,
    pack_name,
    wanted_targets,
)
from popcond.cli.report import Report
from popcond.cli.session import Session, open_session, settings_of
from popcond.cli.usage import WrongUsage, comma_list, counted, readable_file
from popcond.errors import BadInput, TooLarge
from popcond.wire import Pack


def run(options: argparse.Namespace) -> int:
    """The whole command; returns the exit code. Raises WrongUsage before any work."""
    check_character(options)
    actions, clips = paired(options.action, options.clips)
    name, targets = pack_name(options), wanted_targets(options.targets)
    settings_of(options)  # a bad address is told before anything else
    out = out_folder(options.out, name)

    async def work(report: Report, narrator: Narrator) -> None:
        async with open_session(options, narrator) as session:
            order = {
                "name": name,
                "actions": await known_actions(session, actions),
                "targets": await known_targets(session.client, targets),
                "auto_accept": options.refine == "auto",
                "awaits_clips": True,
            }
            character = await add_character(session, options)
            pack = await session.client.add_pack(new_pack(character_id=character.id, **order))
            await _upload(session, pack, clips, report)
            await finish(session, pack, out, report)

    return conduct(work, options)


def paired(action_texts: Sequence[str], clips: Sequence[Path]) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """One action for one clip, in the same order. Raises WrongUsage."""
    actions = comma_list(action_texts)
    if len(actions) != len(clips):
        raise WrongUsage(
            f"{'There is' if len(clips) == 1 else 'There are'} {counted(len(clips), 'clip')}"
            f" and {counted(len(actions), 'different action')}.",
            cure="Give --action once for each clip, in the same order, each action once.",
        )
    return actions, tuple(readable_file(clip, "clip") for clip in clips)


async def _upload(session: Session, pack: Pack, clips: Sequence[Path], report: Report) -> None:
    """A clip that is refused stops its own emoji only."""
    for emoji, clip in zip(sorted(pack.emojis, key=lambda each: each.number), clips, strict=True):
        try:
            await session.client.upload_clip(emoji.id, clip)
        except (BadInput, TooLarge) as error:
            problem = error.problem()
            report.problems.append(problem.model_copy(update={"message": f"{emoji.action}: {problem.message}"}))
            report.refused.add(emoji.id)

"""`popcond retry`: what failed in a pack is done again, or single emojis in other words; then the files are written."""

from __future__ import annotations

import argparse

from popcond.cli.finish import conduct, emojis_asked_for, finish, out_folder, pack_asked_for
from popcond.cli.narrate import Narrator
from popcond.cli.order import quote_again, tell_rehearsal
from popcond.cli.report import Report, noted
from popcond.cli.session import Session, open_session
from popcond.cli.spoken import as_sent
from popcond.cli.usage import WrongUsage
from popcond.wire import Emoji, Pack, Retry, Stage, Status


def run(options: argparse.Namespace) -> int:
    """The whole command; returns the exit code. Earlier takes and poses stay."""
    if (options.motion is not None or options.pose is not None) and not options.emojis:
        raise WrongUsage(
            "Other words are for single emojis.", cure="Name them: popcond retry PACK EMOJI --motion WORDS"
        )
    words = as_sent(Retry, motion_prompt=options.motion, pose_prompt=options.pose)

    async def work(report: Report, narrator: Narrator) -> None:
        async with open_session(options, narrator) as session:
            with pack_asked_for():
                pack = await session.client.pack(options.pack)
            out, wanted = out_folder(options.out, pack.name), emojis_asked_for(pack, options.emojis)
            await tell_rehearsal(session)
            await _tell_price(session, pack, wanted or _stopped(pack), words)
            for emoji in wanted:
                with noted(report, emoji):
                    await session.client.retry(emoji.id, words)
            if not options.emojis:
                pack = await session.client.retry_pack(pack.id)
            await finish(session, pack, out, report)

    return conduct(work, options)


def _stopped(pack: Pack) -> list[Emoji]:
    """Those that a retry of the whole pack begins again."""
    return [emoji for emoji in pack.emojis if _has_stopped(emoji)]


def _has_stopped(emoji: Emoji) -> bool:
    return emoji.status in (Status.FAILED, Status.CANCELLED)


async def _tell_price(session: Session, pack: Pack, emojis: list[Emoji], words: Retry) -> None:
    """By where each begins again; behind its clip nothing is bought."""
    poses = [emoji for emoji in emojis if words.pose_prompt is not None or emoji.stage is Stage.POSE]
    rest = [emoji for emoji in emojis if emoji not in poses]
    clips = [emoji for emoji in rest if words.motion_prompt is not None or _begins_with_its_clip(emoji)]
    await quote_again(session, pack, poses, with_poses=True)
    await quote_again(session, pack, clips)


def _begins_with_its_clip(emoji: Emoji) -> bool:
    return emoji.stage is Stage.ANIMATE or not _has_stopped(emoji)

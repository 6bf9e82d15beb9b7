"""The end of the road that every command of packs shares: watch the pack, save its files, tell what came of it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from popcond.cli.collect import collect
from popcond.cli.narrate import Narrator, narrator
from popcond.cli.out_folder import OutFolder
from popcond.cli.report import Report, columns, problems_of
from popcond.cli.session import Session
from popcond.cli.terminal_text import printable
from popcond.cli.usage import INTERRUPTED, WrongUsage, known_names
from popcond.cli.watch import settled
from popcond.errors import Cancelled, DaemonUnreachable, NotFound, PopconError
from popcond.wire import Emoji, Pack, Status

CANCEL_SECONDS = 5.0  # a Ctrl-C must not hang on a daemon that does not answer

Work = Callable[[Report, Narrator], Coroutine[None, None, None]]


def conduct(work: Work, options: argparse.Namespace) -> int:
    """Run a command's work, print what came of it, and return the exit code. Ctrl-C is told like any other end."""
    report, code = Report(), None
    with narrator(quiet=options.quiet) as voice:
        try:
            asyncio.run(work(report, voice))
        except KeyboardInterrupt:
            cure = f"What was done is kept; go on with `{report.next_command}`." if report.next_command else None
            report.problems.append(Cancelled("Interrupted.", cure=cure).problem())
            code = INTERRUPTED
    _tell(report, voice, as_json=options.json)
    return report.exit_code if code is None else code


async def finish(session: Session, pack: Pack, out: OutFolder, report: Report) -> None:
    """Everything from an ordered pack to files; what goes wrong is in the report. Ctrl-C cancels the pack's work."""
    report.pack, report.out = pack, out.path
    try:
        async with _cancelling(session, report, out.path):
            if (await session.client.queue()).paused:
                session.narrator.ask("The queue is paused, so this waits. To go on: popcond queue resume")
            report.pack = await settled(session.client, session.feed, pack, session.narrator, report.refused)
            _tell_flaws(session, report.pack)
            report.problems.extend(problems_of(report.pack, report.refused))
            await collect(session, report.pack, out, report)
    except DaemonUnreachable as error:
        report.next_command = session.command("resume", pack, out.path)
        cure = f"What it has done is kept. Go on with `{report.next_command}`."
        report.problems.append(DaemonUnreachable(f"The daemon was lost. {error.message}", cure=cure).problem())
        return
    except PopconError as error:
        report.problems.append(error.problem())
        return
    _say_who_waits(session, report.pack, out.path, report)


def _tell_flaws(session: Session, pack: Pack) -> None:
    """What is wrong with the clips that were taken, and which were bought twice."""
    for emoji in pack.emojis:
        takes = {take.id: take for take in emoji.takes}
        if emoji.chosen_take in takes and (flaws := takes[emoji.chosen_take].flaws):
            session.narrator.ask(f"{emoji.action}: {' '.join(flaws)}")
        elif any(take.flaws for take in emoji.takes):
            session.narrator.note(f"{emoji.action}: an earlier clip had flaws, and another one was taken.")


def _say_who_waits(session: Session, pack: Pack, out: Path, report: Report) -> None:
    """Poses before cut-outs: an emoji that has no clip yet has the longer way to go."""
    waiting = {emoji.status for emoji in pack.emojis}
    if Status.AWAITING_APPROVAL in waiting:
        for pose in (pose for pose in report.poses if pose.flaws):
            session.narrator.ask(f"{pose.action}: the pose has flaws: {' '.join(pose.flaws)}")
        again = f"to have one drawn anew: {session.command('retry', pack, out, 'EMOJI', '--pose', 'WORDS')}"
        report.next_step = f"The poses in {out / 'poses'} wait for you; {again}\nWhen they are good: "
        report.next_command = session.command("approve", pack, out, "--all")
    elif Status.AWAITING_REFINEMENT in waiting:
        report.next_step = "The cut-outs wait for you. When they are good: "
        report.next_command = session.command("accept", pack, out)


@asynccontextmanager
async def _cancelling(session: Session, report: Report, out: Path) -> AsyncIterator[None]:
    try:
        yield
    except asyncio.CancelledError:
        if report.pack is not None:
            report.next_command = session.command("resume", report.pack, out)
            report.pack = await _cancelled(session, report.pack)
        raise


async def _cancelled(session: Session, pack: Pack) -> Pack:
    """The pack once its work was stopped, or as it was held when the daemon does not answer. Other packs go on."""
    with suppress(TimeoutError, PopconError):
        async with asyncio.timeout(CANCEL_SECONDS):
            for emoji in (await session.client.pack(pack.id)).emojis:
                if not emoji.status.is_final:
                    with suppress(PopconError):
                        await session.client.cancel(emoji.id)
            return await session.client.pack(pack.id)
    return pack


@contextmanager
def pack_asked_for() -> Iterator[None]:
    """A pack that is not there is told with where the command line finds those that are."""
    try:
        yield
    except NotFound as error:
        cure = "`popcond status` lists the packs with their ids; --home or --url names another daemon."
        raise NotFound(error.message, cure=cure, details=error.details) from error


def emojis_asked_for(pack: Pack, texts: Sequence[str]) -> list[Emoji]:
    """Those that are meant by an action, an id, or the beginning of one. Raises WrongUsage with near matches."""
    return [_emoji_asked_for(pack, text) for text in texts]


def _emoji_asked_for(pack: Pack, text: str) -> Emoji:
    named = [emoji for emoji in pack.emojis if emoji.action == text]
    found = named or [emoji for emoji in pack.emojis if text and emoji.id.startswith(text)]
    if not found:
        known_names([text], [emoji.action for emoji in pack.emojis], "emoji")
    if len(found) > 1:
        ids = ", ".join(emoji.id[:8] for emoji in found[:5])
        raise WrongUsage(f"{text} may be any of {len(found)}.", cure=f"Give an id: {ids}.")
    return found[0]


def _tell(report: Report, voice: Narrator, *, as_json: bool) -> None:
    """Data on standard output, as a table or as JSON; every problem on standard error."""
    for problem in report.problems:
        voice.warn(problem)
    if as_json:
        print(report.json())
    else:
        _print_table(report)
    if report.contact_sheet:
        voice.note(f"Look at {report.contact_sheet}.")
    if report.next_command and not any(report.next_command in (problem.cure or "") for problem in report.problems):
        for line in f"{report.next_step}{report.next_command}".splitlines():
            voice.ask(line)


def _print_table(report: Report) -> None:
    rows = report.table()
    if not rows:
        return
    head, *lines = columns(rows)
    colours = sys.stdout.isatty()
    print(f"\x1b[1m{head}\x1b[0m" if colours else head)
    for line, saved in zip(lines, report.stickers, strict=True):
        colour = "32" if saved.sticker.verdict.valid else "31"
        print(f"\x1b[{colour}m{line}\x1b[0m" if colours else line)


def out_folder(given: Path | None, pack_name: str) -> OutFolder:
    """The folder that was asked for, or one beside the user called after the pack; checked before any work."""
    words = "-".join("".join(letter if letter.isalnum() else " " for letter in printable(pack_name)).lower().split())
    folder = OutFolder(given or Path(f"{words[:60] or 'popcon'}-pack"))
    folder.check()
    return folder

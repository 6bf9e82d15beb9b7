"""Brings what the daemon has made into the user's folder: stickers, ZIPs, the pictures beside them, the contact sheet.

One thing that cannot be had never keeps the rest from being saved.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from popcond.cli.out_folder import OutFolder, picture_ending
from popcond.cli.report import Report, SavedBundle, SavedPose, SavedSticker, invalid
from popcond.cli.session import Session
from popcond.errors import DaemonUnreachable, OutOfDisk, PopconError
from popcond.wire import Emoji, Pack, Status, Sticker

ENTRY_BYTES = 20_000_000  # more than any store takes of one file; a ZIP must not fill the memory

Made = tuple[Emoji, Sticker]


async def collect(session: Session, pack: Pack, out: OutFolder, report: Report) -> None:
    """Save all that exists of the pack and write it into the report. Raises OutOfDisk and DaemonUnreachable.

    What a former run wrote into the folder goes, once this one has stickers to put in its place.
    """
    try:
        await _save_all(session, pack, out, report)
        if report.stickers:
            report.removed = out.sweep()
    finally:
        async with _noted(report):
            out.remember()
    if report.removed:
        names = ", ".join(str(path.relative_to(out.path)) for path in report.removed)
        session.narrator.note(f"Removed from {out.path}, left there by an earlier run: {names}.")


async def _save_all(session: Session, pack: Pack, out: OutFolder, report: Report) -> None:
    for emoji in pack.emojis if pack.approve_poses else ():
        async with _noted(report):
            await _save_pose(session, pack, emoji, out, report)
    made: list[Made] = []
    for emoji in pack.emojis:
        async with _noted(report):
            made += [(emoji, sticker) for sticker in await session.client.stickers(emoji.id)]
    for target in pack.targets:
        of_target = [(emoji, sticker) for emoji, sticker in made if sticker.target == target]
        if of_target:
            async with _noted(report):
                await _save_target(session, pack, target, of_target, out, report)
    if any(emoji.status in (Status.DONE, Status.AWAITING_REFINEMENT) for emoji in pack.emojis):
        async with _noted(report):
            report.contact_sheet = out.save(await session.client.contact_sheet(pack.id), "contact-sheet.png")


@asynccontextmanager
async def _noted(report: Report) -> AsyncIterator[None]:
    """A failure inside becomes a problem of the report, unless it will meet everything that follows too."""
    try:
        yield
    except (OutOfDisk, DaemonUnreachable):
        raise
    except PopconError as error:
        report.problems.append(error.problem())


async def _save_pose(session: Session, pack: Pack, emoji: Emoji, out: OutFolder, report: Report) -> None:
    """The chosen one, called after its action."""
    pose = next((pose for pose in emoji.poses if pose.id == emoji.chosen_pose), None)
    if pose is None:
        return
    data = await session.client.pose_picture(emoji.id, pose.id)
    is_one_of_many = sum(each.action == emoji.action for each in pack.emojis) > 1
    name = f"{emoji.action}-{emoji.number}" if is_one_of_many else emoji.action
    file = out.save(data, "poses", f"{name}.{picture_ending(data)}")
    report.poses.append(SavedPose(emoji.id, emoji.action, pose.flaws, file))


async def _save_target(
    session: Session, pack: Pack, target: str, made: Sequence[Made], out: OutFolder, report: Report
) -> None:
    """The ZIP and, beside it, its files; where the ZIP is refused, each sticker by itself."""
    try:
        bundle = await session.client.bundle(pack.id, target)
    except PopconError as error:
        report.bundles.append(SavedBundle(target, None))
        await _save_one_by_one(session, made, out, report)
        if error.code == "invalid_stickers":
            return  # the stickers have said so themselves
        raise
    extras = _unpack(bundle.data, target, made, out, report)
    file = out.save(bundle.data, f"{target}.zip")
    report.bundles.append(SavedBundle(target, file, len(bundle.data), bundle.advice, extras))
    for sentence in bundle.advice:
        session.narrator.note(f"{target}: {sentence}")


async def _save_one_by_one(session: Session, made: Sequence[Made], out: OutFolder, report: Report) -> None:
    for emoji, sticker in made:
        async with _noted(report):
            data = await session.client.sticker_file(sticker.id)
            saved = SavedSticker(sticker, emoji.action, out.save(data, sticker.target, sticker.file_name))
            report.stickers.append(saved)
            if not sticker.verdict.valid:
                report.problems.append(invalid(saved))


def _unpack(data: bytes, target: str, made: Sequence[Made], out: OutFolder, report: Report) -> tuple[Path, ...]:
    """The stickers first, in the pack's order and under the names that the ZIP gives them; then the extra pictures."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir() and entry.file_size <= ENTRY_BYTES]
        files = [out.save(archive.read(entry), target, entry.filename) for entry in entries]
    stickers = zip(made, files[: len(made)], strict=True)
    report.stickers += [SavedSticker(sticker, emoji.action, file) for (emoji, sticker), file in stickers]
    return tuple(files[len(made) :])

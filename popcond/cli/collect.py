"""Brings what the daemon has made into the user's folder: stickers, ZIPs, the pictures beside them, the contact sheet.

One thing that cannot be had never keeps the rest from being saved.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from popcond.cli.out_folder import OutFolder
from popcond.cli.report import Report, SavedBundle, SavedSticker, invalid
from popcond.cli.session import Session
from popcond.errors import DaemonUnreachable, OutOfDisk, PopconError
from popcond.wire import Emoji, Pack, Status, Sticker

EXTRA_PICTURE_BYTES = 4_000_000  # more than any store's tab picture; a ZIP must not fill the memory


async def collect(session: Session, pack: Pack, out: OutFolder, report: Report) -> None:
    """Save all that exists of the pack and write it into the report. Raises OutOfDisk and DaemonUnreachable."""
    for emoji in pack.emojis:
        async with _noted(report):
            await _save_stickers(session, emoji, out, report)
    report.stickers.sort(key=lambda saved: pack.targets.index(saved.sticker.target))  # stable: emojis keep their order
    for target in dict.fromkeys(saved.sticker.target for saved in report.stickers):
        async with _noted(report):
            await _save_bundle(session, pack, target, out, report)
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


async def _save_stickers(session: Session, emoji: Emoji, out: OutFolder, report: Report) -> None:
    for sticker in await session.client.stickers(emoji.id):
        async with _noted(report):
            saved = await _save_sticker(session, emoji, sticker, out)
            report.stickers.append(saved)
            if not sticker.verdict.valid:
                report.problems.append(invalid(saved))


async def _save_sticker(session: Session, emoji: Emoji, sticker: Sticker, out: OutFolder) -> SavedSticker:
    data = await session.client.sticker_file(sticker.id)
    return SavedSticker(sticker, emoji.action, out.save(data, sticker.target, sticker.file_name))


async def _save_bundle(session: Session, pack: Pack, target: str, out: OutFolder, report: Report) -> None:
    name = f"{target}.zip"
    try:
        bundle = await session.client.bundle(pack.id, target)
    except PopconError as error:
        if out.forget(name):
            session.narrator.note(f"{out.path / name} was from a former run and has been removed.")
        report.bundles.append(SavedBundle(target, None))
        if error.code == "invalid_stickers":
            return  # the stickers have said so themselves
        raise
    extras = _save_extras(bundle.data, target, out, report)
    file = out.save(bundle.data, name)
    report.bundles.append(SavedBundle(target, file, len(bundle.data), bundle.advice, extras))
    for sentence in bundle.advice:
        session.narrator.note(f"{target}: {sentence}")


def _save_extras(data: bytes, target: str, out: OutFolder, report: Report) -> tuple[Path, ...]:
    """The files of the ZIP that are no stickers, such as LINE's tab picture."""
    have = {saved.file.name for saved in report.stickers if saved.sticker.target == target}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        extras = [entry for entry in archive.infolist() if not entry.is_dir() and entry.filename not in have]
        small = [entry for entry in extras if entry.file_size <= EXTRA_PICTURE_BYTES]
        return tuple(out.save(archive.read(entry), target, entry.filename) for entry in small)

"""Finished stickers as the ZIP that a store takes, and a pack as a contact sheet. Asked for, not queued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from popcond.assets import Assets
from popcond.media.raster import Rgba
from popcond.stages.encode import cutout_of
from popcond.stickers.bundle import write_bundle
from popcond.stickers.contact_sheet import contact_sheet
from popcond.stickers.still import make_extras
from popcond.store.frames import FrameFiles
from popcond.store.stickers import StickerRow
from popcond.wire import Rule, Target
from popcond.workers import Report, Workers, report_nothing

_SHOWN = 6  # frames of each emoji on a contact sheet


@dataclass(frozen=True)
class Bundled:
    """A bundle and what a person should know about it."""

    data: bytes  # ZIP
    advice: tuple[str, ...]  # sentences
    failed: tuple[Rule, ...]  # rules that it breaks


@dataclass(frozen=True)
class SheetRow:
    """One emoji on a contact sheet."""

    label: str
    files: tuple[FrameFiles, ...]
    poster: float  # where in the clip the most expressive frame is, 0..1


async def make_bundle(
    workers: Workers, assets: Assets, target: Target, rows: Sequence[StickerRow], actions: Mapping[str, str]
) -> Bundled:
    """The ZIP of these stickers; `actions` by the id of the emoji."""
    return await workers.run(_bundle, report_nothing, assets, target, rows, actions)


async def draw_sheet(workers: Workers, assets: Assets, rows: Sequence[SheetRow]) -> bytes:
    """PNG: a row an emoji, a few frames each, the poster among them."""
    return await workers.run(_sheet, report_nothing, assets, rows)


def _bundle(
    _report: Report, assets: Assets, target: Target, rows: Sequence[StickerRow], actions: Mapping[str, str]
) -> Bundled:
    """In a child process."""
    files = [(actions[row.sticker.emoji_id], actions[row.sticker.emoji_id], assets.read(row.file)) for row in rows]
    extras = make_extras(target, files[0][2])
    with TemporaryDirectory(prefix="popcon-") as folder:
        report = write_bundle(Path(folder) / "bundle.zip", target, files, extras)
        return Bundled(report.path.read_bytes(), report.advice, report.verdict.failed)


def _sheet(_report: Report, assets: Assets, rows: Sequence[SheetRow]) -> bytes:
    """In a child process."""
    return contact_sheet([(row.label, _spread(assets, row)) for row in rows])


def _spread(assets: Assets, row: SheetRow) -> list[Rgba]:
    """Frames spread evenly over the loop, beginning with the poster."""
    count = len(row.files)
    shown = min(_SHOWN, count)
    poster = int(row.poster * count)
    return [cutout_of(assets, row.files[(poster + step * count // shown) % count]) for step in range(shown)]

"""A stranger's clip is looked at before it is kept, so that a wrong file is refused at the door."""

from __future__ import annotations

from pathlib import Path

from popcond.assets import Assets
from popcond.media.clip import probe
from popcond.workers import Report, Workers, report_nothing

DOOR_SECONDS = 120.0  # that a file may take to be looked at, while whoever brought it waits


async def check_clip(workers: Workers, assets: Assets, clip: Path) -> str:
    """The asset of a clip that can be read; the file is moved in. Raises UnreadableClip, TooLarge, TookTooLong."""
    return await workers.run_at_most(DOOR_SECONDS, _check, report_nothing, assets, clip)


def _check(_report: Report, assets: Assets, clip: Path) -> str:
    """In a child process: strangers' bytes are decoded here and nowhere else."""
    probe(clip)
    return assets.put_file(clip)

"""A stranger's clip is looked at before it is kept, so that a wrong file is refused at the door."""

from __future__ import annotations

from pathlib import Path

from popcond.assets import Assets
from popcond.media.clip import probe
from popcond.workers import Report, Workers, report_nothing


async def check_clip(workers: Workers, assets: Assets, clip: Path) -> str:
    """The asset of a clip that can be read; the file is moved in. Raises UnreadableClip and TooLarge."""
    return await workers.run(_check, report_nothing, assets, clip)


def _check(_report: Report, assets: Assets, clip: Path) -> str:
    """In a child process: strangers' bytes are decoded here and nowhere else."""
    probe(clip)
    return assets.put_file(clip)

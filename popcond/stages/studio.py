"""All that the stages work with which order from providers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from popcond.assets import Assets
from popcond.store.budget import Ceilings
from popcond.store.db import Database
from popcond.video.provider import PictureProvider, VideoProvider
from popcond.workers import Workers


@dataclass(frozen=True)
class Studio:
    """Where clips and pictures are ordered, kept and paid for."""

    database: Database
    assets: Assets
    workers: Workers
    providers: Mapping[str, VideoProvider]
    painters: Mapping[str, PictureProvider]  # of those that draw pictures as well
    ceilings: Ceilings
    scratch: Path  # folder for drafts

"""`popcond models`: the segmentation weights that are here, fetched when asked for, and held against their SHA-256."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from popcond.cli.session import settings_of
from popcond.cli.terminal_text import printable
from popcond.cli.usage import DONE, FAILED, WrongUsage
from popcond.errors import PopconError
from popcond.settings import Settings
from popcond.vision import sam_fetch, sam_weights
from popcond.vision.sam_weights import ARCHITECTURES, Architecture, Weights


@dataclass(frozen=True)
class Row:
    """One model."""

    model: str
    name: str
    file: str | None  # None: its weights are not here
    megabytes: float
    sha256: str | None = None  # once it was verified
    problem: str | None = None


def run(options: argparse.Namespace) -> int:
    """List, fetch or verify; returns the exit code."""
    settings = settings_of(options)
    if options.verb == "fetch":
        return _fetch(settings, options)
    rows = [_row(settings, each, verify=options.verb == "verify") for each in _wanted(options.model)]
    print(json.dumps({"models": [asdict(row) for row in rows]}) if options.json else "\n".join(map(_line, rows)))
    return FAILED if any(row.problem for row in rows) else DONE


def _wanted(model: str | None) -> tuple[Architecture, ...]:
    found = tuple(each for each in ARCHITECTURES if model in (None, each.id))
    if not found:
        raise WrongUsage(
            f"There is no model {model!r}.", cure=f"Choose: {', '.join(each.id for each in ARCHITECTURES)}."
        )
    return found


def _row(settings: Settings, architecture: Architecture, *, verify: bool) -> Row:
    weights = next((each for each in sam_weights.present(settings.models) if each.architecture is architecture), None)
    if weights is None:
        size = architecture.published.size if architecture.published else 0
        return Row(architecture.id, architecture.name, None, round(size / 1e6, 1))
    here = Row(architecture.id, architecture.name, str(weights.path), round(weights.path.stat().st_size / 1e6, 1))
    return _verified(here, weights) if verify else here


def _verified(row: Row, weights: Weights) -> Row:
    try:
        return Row(**{**asdict(row), "sha256": sam_weights.verify(weights)})
    except PopconError as error:
        return Row(**{**asdict(row), "problem": " ".join(filter(None, (error.message, error.cure)))})


def _line(row: Row) -> str:
    where = row.file or f"not here; `popcond models fetch {row.model}` gets it"
    said = [f"{row.model:<6} {row.name:<16} {row.megabytes:>7.1f} MB  {where}"]
    said += [f"       SHA-256 {row.sha256}"] if row.sha256 else []
    said += [f"       {row.problem}"] if row.problem else []
    return "\n".join(map(printable, said))


def _fetch(settings: Settings, options: argparse.Namespace) -> int:
    if options.model is None:
        raise WrongUsage(
            "`fetch` needs a model.", cure="`popcond models list` shows them; `small` suits most machines."
        )
    architecture = sam_fetch.fetchable(options.model)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task(architecture.name, total=None)

        def told(here: int, size: int) -> None:
            progress.update(bar, completed=here, total=size)

        place = sam_fetch.fetch(architecture, settings.models, told, options.mirror or settings.models_mirror)
    print(json.dumps({"model": architecture.id, "file": str(place)}) if options.json else place)
    return DONE

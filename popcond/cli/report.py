"""What came of a pack, as data: the table and the JSON object that go to standard output, and the exit code."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from popcond.cli.terminal_text import printable
from popcond.cli.usage import DONE, FAILED
from popcond.errors import DaemonUnreachable, PopconError
from popcond.wire import Emoji, Pack, Problem, Rule, Status, Sticker

COLUMNS = ("file", "size", "frames", "seconds", "verdict")


@dataclass(frozen=True)
class SavedSticker:
    """A sticker and where its file went."""

    sticker: Sticker
    action: str
    file: Path


@dataclass(frozen=True)
class SavedBundle:
    """A target's ZIP and where it went; no file when the daemon refused to call it valid."""

    target: str
    file: Path | None
    bytes: int = 0
    advice: tuple[str, ...] = ()
    extras: tuple[Path, ...] = ()  # pictures that the store wants beside the stickers


@dataclass(frozen=True)
class SavedPose:
    """Where an emoji's clip starts, and where its picture went."""

    emoji: str  # its id
    action: str
    flaws: tuple[str, ...]
    file: Path


@dataclass
class Report:
    """Grows while the pack is made; true at every moment, so an interrupted command can still tell it."""

    pack: Pack | None = None
    out: Path | None = None
    stickers: list[SavedSticker] = field(default_factory=list)
    bundles: list[SavedBundle] = field(default_factory=list)
    poses: list[SavedPose] = field(default_factory=list)  # of packs whose poses a person approves
    contact_sheet: Path | None = None
    removed: list[Path] = field(default_factory=list)  # files of an earlier run of ours that this one replaced
    problems: list[Problem] = field(default_factory=list)
    refused: set[str] = field(
        default_factory=set
    )  # ids of emojis whose clip was refused: told already, and nothing to wait for
    next_step: str = ""  # what a person is to do before `next_command`
    next_command: str | None = None  # how to go on, when a person has to look first or the work was interrupted

    @property
    def ok(self) -> bool:
        """Nothing went wrong; an emoji that waits for a person is not wrong."""
        return not self.problems

    @property
    def exit_code(self) -> int:
        """0 or 1."""
        return DONE if self.ok else FAILED

    def json(self) -> str:
        """One JSON object."""
        return json.dumps(
            {
                "ok": self.ok,
                "pack": self.pack and self.pack.model_dump(mode="json", exclude={"emojis"}),
                "emojis": [emoji.model_dump(mode="json") for emoji in _emojis(self.pack)],
                "stickers": [_sticker_row(saved) for saved in self.stickers],
                "bundles": [_bundle_row(bundle) for bundle in self.bundles],
                "poses": [_pose_row(pose) for pose in self.poses],
                "contact_sheet": _path(self.contact_sheet),
                "removed": [str(path) for path in self.removed],
                "out": _path(self.out),
                "problems": [problem.model_dump(mode="json") for problem in self.problems],
                "next_command": self.next_command,
            },
            ensure_ascii=False,
        )

    def table(self) -> list[tuple[str, ...]]:
        """The rows of the table, its head first; empty when nothing was made."""
        rows = [_table_row(saved) for saved in self.stickers]
        return [COLUMNS, *rows] if rows else []


def problems_of(pack: Pack, told: Collection[str] = ()) -> list[Problem]:
    """What stopped emojis of the pack, but those told already; each message begins with the action."""
    stopped = (Status.FAILED, Status.CANCELLED)
    return [_named(emoji) for emoji in pack.emojis if emoji.status in stopped and emoji.id not in told]


@contextmanager
def noted(report: Report, emoji: Emoji) -> Iterator[None]:
    """What an emoji is refused with becomes a problem of the report; a lost daemon is everybody's."""
    try:
        yield
    except DaemonUnreachable:
        raise
    except PopconError as error:
        problem = error.problem()
        report.problems.append(problem.model_copy(update={"message": f"{emoji.action}: {problem.message}"}))


def invalid(saved: SavedSticker) -> Problem:
    """A sticker that its target would refuse."""
    broken = saved.sticker.verdict.failed
    return Problem(
        code="sticker_not_valid",
        message=f"{saved.file} is not valid for {saved.sticker.target}: {'; '.join(_why(rule) for rule in broken)}.",
        cure=" ".join(dict.fromkeys(rule.cure for rule in broken if rule.cure)) or None,
        details={"action": saved.action, "target": saved.sticker.target, "rules": [rule.name for rule in broken]},
    )


def human_size(count: int) -> str:
    """Bytes in thousands, as stores count them: `61.5 KB`."""
    return f"{count} B" if count < 1000 else f"{count / 1000:.1f} KB" if count < 10**6 else f"{count / 10**6:.2f} MB"


def columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The rows as lines whose columns stand under each other, whatever the width of their letters."""
    from rich.cells import cell_len

    widths = [max(cell_len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _emojis(pack: Pack | None) -> tuple[Emoji, ...]:
    return pack.emojis if pack else ()


def _named(emoji: Emoji) -> Problem:
    found = emoji.problem or Problem(code=emoji.status.value, message=f"it was {emoji.status.value}.")
    details = {**(found.details or {}), "action": emoji.action, "emoji": emoji.id}
    return found.model_copy(update={"message": f"{emoji.action}: {found.message}", "details": details})


def _why(rule: Rule) -> str:
    return rule.reason.rstrip(".") or f"{rule.name.replace('_', ' ')} is {rule.value}, wanted is {rule.limit}"


def _sticker_row(saved: SavedSticker) -> dict[str, Any]:
    return {**saved.sticker.model_dump(mode="json"), "action": saved.action, "file": str(saved.file)}


def _bundle_row(bundle: SavedBundle) -> dict[str, Any]:
    extras = [str(extra) for extra in bundle.extras]
    file, advice = _path(bundle.file), list(bundle.advice)
    return {"target": bundle.target, "file": file, "bytes": bundle.bytes, "extras": extras, "advice": advice}


def _pose_row(pose: SavedPose) -> dict[str, Any]:
    return {"emoji": pose.emoji, "action": pose.action, "flaws": list(pose.flaws), "file": str(pose.file)}


def _table_row(saved: SavedSticker) -> tuple[str, ...]:
    sticker = saved.sticker
    broken = ", ".join(rule.name.replace("_", " ") for rule in sticker.verdict.failed)
    verdict = "valid" if sticker.verdict.valid else f"not valid: {broken or 'no reason given'}"
    size, seconds = human_size(sticker.bytes), f"{sticker.seconds:.2f}"
    return printable(str(saved.file)), size, str(sticker.frames), seconds, printable(verdict)


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)

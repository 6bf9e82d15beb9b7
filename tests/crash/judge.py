"""The verdict on a trial: nothing lost, nothing bought twice, nothing bought for nobody, nothing left lying about."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from popcond.wire import Emoji, Status
from tests.crash.trial import Trial, processes_of

_DRAFTS = ("*.part", ".draft-*", "upload-*", "*.tmp")


@dataclass(frozen=True)
class Verdict:
    """What was found; every list but the numbers should be empty."""

    emojis: int
    accepted: int
    lost: tuple[str, ...]  # emojis that are not done
    doubled: tuple[str, ...]  # emojis for which more than one task was accepted
    orphaned: tuple[str, ...]  # accepted tasks that no collected purchase of ours is about
    unsettled: tuple[str, ...]  # purchases that are still open
    forgotten: tuple[str, ...]  # orders of packs that were answered and are not there
    leftovers: tuple[str, ...]  # temporary files, and processes
    damage: tuple[str, ...]  # of the database

    @property
    def complaints(self) -> dict[str, tuple[str, ...]]:
        """All that is not as it should be."""
        found = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, tuple) and value}


def judge(trial: Trial, emojis: Sequence[Emoji]) -> Verdict:
    """Compare the home of a daemon that has ended with the ledger of the stand-in."""
    accepted = [line["id"] for line in trial.cloud.ledger]
    with contextlib.closing(sqlite3.connect(trial.home / "popcon.db")) as rows:
        bought = {task: (emoji, state) for task, emoji, state in rows.execute(_BOUGHT)}
        times = Counter(bought[task][0] for task in accepted if task in bought)
        return Verdict(
            emojis=len(emojis),
            accepted=len(accepted),
            lost=tuple(_told(emoji) for emoji in emojis if emoji.status is not Status.DONE or len(emoji.takes) != 1),
            doubled=tuple(f"{emoji}: {count}" for emoji, count in times.items() if count > 1),
            orphaned=tuple(f"{task}: {bought.get(task)}" for task in accepted if _is_orphan(bought.get(task))),
            unsettled=tuple(str(tuple(row)) for row in rows.execute(_OPEN)),
            forgotten=tuple(set(trial.ordered) - {name for (name,) in rows.execute("SELECT name FROM pack")}),
            leftovers=(*_drafts(trial.home), *(f"process {number}" for number in processes_of(trial.home))),
            damage=_damage(rows),
        )


_BOUGHT = "SELECT remote_task, emoji_id, state FROM purchase WHERE remote_task IS NOT NULL"
_OPEN = "SELECT id, state, problem FROM purchase WHERE state IN ('intent', 'submitted', 'unknown')"


def _is_orphan(bought: tuple[str, str] | None) -> bool:
    return bought is None or bought[1] != "collected"


def _told(emoji: Emoji) -> str:
    return f"{emoji.action} is {emoji.status}, {len(emoji.takes)} takes: {emoji.problem}"


def _drafts(home: Path) -> list[str]:
    left = [path for pattern in _DRAFTS for path in home.rglob(pattern)]
    left += [path for path in (home / ".popcon-work").rglob("*") if path.is_file()]
    return [str(path.relative_to(home)) for path in left]


def _damage(rows: sqlite3.Connection) -> tuple[str, ...]:
    whole = [text for (text,) in rows.execute("PRAGMA integrity_check") if text != "ok"]
    return (*whole, *(str(row) for row in rows.execute("PRAGMA foreign_key_check")))

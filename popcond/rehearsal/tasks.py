"""What the stand-in accepted: a file for each task, so that it outlives the stand-in as it would outlive any client.

A task's picture is written before its row, and its row before anybody hears of it. After a day everything of it goes.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from popcond.rehearsal.orders import Ordered

KEPT = 24 * 3600.0  # seconds; as the service does


class Task(BaseModel):
    """One accepted order."""

    model_config = ConfigDict(frozen=True)

    id: str
    model: str
    prompt: str
    seconds: int  # of a clip
    tier: int  # lines of a clip
    side: int = 0  # pixels of a picture; 0: it is a clip
    at: float  # seconds since the epoch
    is_cancelled: bool = False
    failure: str | None = None  # why nothing will come of it

    @property
    def is_picture(self) -> bool:
        """Whether it is drawn, rather than filmed."""
        return self.side > 0


class Book:
    """All tasks of the last day. Ids are looked up among them, and never become a path by themselves."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._tasks: dict[str, Task] = {}
        for path in folder.glob("*.json"):
            try:
                task = Task.model_validate_json(path.read_bytes())
            except ValidationError:  # killed while it was written: nobody was told of it
                continue
            self._tasks[task.id] = task

    def accept(self, order: Ordered) -> Task:
        """A new task, on the disk."""
        task = Task(
            id=str(uuid4()),
            model=order.model,
            prompt=order.prompt,
            seconds=order.seconds,
            tier=order.tier,
            side=order.side,
            at=time.time(),
        )
        if order.picture is not None:
            self._path(task, "png").write_bytes(order.picture)
        self.keep(task)
        return task

    def keep(self, task: Task) -> None:
        """The task as it is now, in the place of what it was."""
        draft = self._path(task, "draft")
        draft.write_text(task.model_dump_json(), encoding="utf-8")
        os.replace(draft, self._path(task, "json"))
        self._tasks[task.id] = task

    def find(self, task_id: str) -> Task | None:
        """The task of that id."""
        self._forget_old()
        return self._tasks.get(task_id)

    def all(self) -> list[Task]:
        """Every task, the newest first."""
        self._forget_old()
        return sorted(self._tasks.values(), key=lambda task: -task.at)

    def picture(self, task: Task) -> Path | None:
        """What it starts from; None: words only."""
        path = self._path(task, "png")
        return path if path.exists() else None

    def result(self, task: Task) -> Path:
        """What it becomes; there when it is whole."""
        return self._path(task, "drawn.png" if task.is_picture else "mp4")

    def _path(self, task: Task, kind: str) -> Path:
        return self._folder / f"{task.id}.{kind}"

    def _forget_old(self) -> None:
        oldest = time.time() - KEPT
        for task in [task for task in self._tasks.values() if task.at < oldest]:
            del self._tasks[task.id]
            for path in self._folder.glob(f"{task.id}.*"):
                path.unlink(missing_ok=True)

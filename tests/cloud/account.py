"""What the stand-in remembers: tasks, the ledger that it writes, and the faults that it has been told to make.

A task is written into the ledger's file, and to the disk, before anybody is told that it was accepted.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

PRICES = {  # CNY for a second, by model and tier
    "wan2.2-i2v-flash": {480: 0.10, 720: 0.20, 1080: 0.48},
    "wan2.2-i2v-plus": {480: 0.14, 1080: 0.70},
    "wan2.5-i2v-preview": {480: 0.3, 720: 0.6, 1080: 1.0},
    "wan2.6-i2v-flash": {720: 0.15, 1080: 0.25},
    "wan2.6-i2v": {720: 0.6, 1080: 1.0},
    "wan2.2-kf2v-flash": {480: 0.10, 720: 0.20, 1080: 0.48},
    "wan2.7-i2v": {720: 0.6, 1080: 1.0},
    "wan3.0-video": {480: 0.3, 720: 0.6, 1080: 1.2},
    "happyhorse-1.1-i2v": {480: 0.45, 720: 0.9, 1080: 1.2},
}
PICTURE_PRICES = {  # CNY for a picture
    "wan2.2-t2i-flash": 0.14,
    "wan2.2-t2i-plus": 0.20,
    "wan2.5-t2i-preview": 0.20,
    "wan2.5-i2i-preview": 0.20,
    "wan2.6-t2i": 0.20,
    "wan2.6-image": 0.20,
    "wan2.7-image": 0.20,
    "wan2.7-image-pro": 0.50,
}
FOREIGN = "else"  # the key of other programs of the same account


@dataclass(frozen=True)
class Knobs:
    """How the stand-in behaves; every one may be turned while it runs."""

    pending_seconds: float = 0.0
    run_seconds: float = 0.1
    list_lag: float = 0.0  # seconds after which an accepted task appears in the list
    keeps_seconds: float = 86_400.0  # after which a task is UNKNOWN and leaves the list
    absent_results: int = 0  # how often each result answers 404 before it is there
    list_zone: int = 8  # hours east of Greenwich in which the list reads its filter
    result_url: str = ""  # instead of its own address: what a provider gone bad might say
    list_total: int | None = None  # instead of the true number of rows
    per_second: int = 0  # orders that are answered in any second; 0: any number
    at_once: int = 0  # tasks in progress; 0: any number
    clip_frames: int = 10  # of every clip, at ten a second
    picture_share: float = 1.0  # of the ordered side: how large a picture really is
    refused_pictures: int = 0  # of every task, which succeeds all the same: the first so many
    tells_places: bool = True  # false: what is ready is nowhere to be found
    flawed: int = 0  # so many of the next tasks turn out badly: clips stand still, figures are cut off by the border
    swaps_results: bool = False  # a clip in the place of every picture, and the other way round


@dataclass
class Fault:
    """Something that goes wrong a number of times."""

    route: str  # create, query, list, cancel, result
    kind: str  # see `server`
    times: int = 1
    match: str = ""  # of a create: only prompts that contain this
    seconds: float = 0.0
    status: int = 500
    code: str = "InternalError"
    message: str = "An internal error has occurred."
    retry_after: str | None = None


@dataclass(frozen=True)
class Line:
    """One line of the ledger: what was accepted, and will be billed."""

    at: float  # seconds since the epoch
    id: str
    model: str
    prompt: str
    key: str  # its last four signs
    seconds: float
    tier: int
    cost: float  # CNY
    parameters: Mapping[str, Any]
    frames: int = 1  # pictures that came with it
    drawn: int = 0  # pictures that are made; 0: it is a clip
    side: int = 0  # pixels of each of them
    repeats: bool = True  # the answer tells the prompt
    is_closed: bool = False  # the last of them is the first
    negative: str | None = None  # what is not wanted


@dataclass
class Task:
    """An accepted task and what became of it."""

    line: Line
    picture: bytes  # the PNG that it starts from; none: words only
    begun: float  # time.monotonic()
    is_cancelled: bool = False
    is_flawed: bool = False
    asked_for_result: int = 0

    def status(self, knobs: Knobs, failures: Mapping[str, tuple[str, str]]) -> str:
        """By the time that has passed."""
        passed = time.monotonic() - self.begun
        if self.is_cancelled:
            return "CANCELED"
        if passed < knobs.pending_seconds:
            return "PENDING"
        if passed < knobs.pending_seconds + knobs.run_seconds:
            return "RUNNING"
        return "FAILED" if self.failure(failures) else "SUCCEEDED"

    def failure(self, failures: Mapping[str, tuple[str, str]]) -> tuple[str, str] | None:
        """Code and message of the failure that its prompt meets."""
        return next((why for words, why in failures.items() if words in self.line.prompt), None)


@dataclass
class Account:
    """Everything of one account; safe to use from all threads of the server."""

    ledger: Path
    knobs: Knobs = field(default_factory=Knobs)
    faults: list[Fault] = field(default_factory=list)
    failures: dict[str, tuple[str, str]] = field(default_factory=dict)  # words of a prompt → code and message
    tasks: dict[str, Task] = field(default_factory=dict)
    came: dict[str, list[float]] = field(default_factory=dict)  # when requests came, by route; time.monotonic()
    orders: list[float] = field(default_factory=list)  # when orders came that no fault met
    lock: threading.RLock = field(default_factory=threading.RLock)

    def accept(self, line: Line, picture: bytes) -> None:
        """From here on it is bought."""
        with self.lock:
            with self.ledger.open("a") as file:
                file.write(json.dumps(asdict(line)) + "\n")
                file.flush()
                os.fsync(file.fileno())
            self.tasks[line.id] = Task(line, picture, time.monotonic(), is_flawed=self.knobs.flawed > 0)
            self.knobs = replace(self.knobs, flawed=max(self.knobs.flawed - 1, 0))

    def accept_foreign(self, model: str, prompt: str) -> str:
        """A task that another program of the same account ordered."""
        like = next(iter(self.tasks.values()), None)
        line = Line(time.time(), new_id(), model, prompt, FOREIGN, 5.0, 480, 0.5, {})
        self.accept(line, like.picture if like else b"")
        return line.id

    def find(self, task_id: str) -> Task | None:
        """A task that it still keeps."""
        with self.lock:
            task = self.tasks.get(task_id)
            return task if task and time.time() - task.line.at <= self.knobs.keeps_seconds else None

    def listed(self, since: float, until: float, model: str | None) -> list[Task]:
        """The list of a span, the newest first."""
        with self.lock:
            now = time.time()
            kept = (task for task in self.tasks.values() if now - task.line.at <= self.knobs.keeps_seconds)
            seen = (task for task in kept if now - task.line.at >= self.knobs.list_lag)
            rows = [task for task in seen if since <= task.line.at <= until and model in (None, task.line.model)]
            return sorted(rows, key=lambda task: -task.line.at)

    def status(self, task: Task) -> str:
        """How far a task is."""
        with self.lock:
            return task.status(self.knobs, self.failures)

    def fault(self, route: str, prompt: str = "") -> Fault | None:
        """What is to go wrong now, once less from here on; counts the call as well."""
        with self.lock:
            self.came.setdefault(route, []).append(time.monotonic())
            fault = next((f for f in self.faults if f.route == route and f.match in prompt and f.times > 0), None)
            if fault is not None:
                fault.times -= 1
            return fault

    def surplus(self) -> tuple[str, str] | None:
        """Code and message for an order that comes now and is one too many; counts it as well."""
        with self.lock:
            now, knobs = time.monotonic(), self.knobs
            recent = sum(now - at < 1.0 for at in self.orders)
            self.orders.append(now)
            if knobs.per_second and recent >= knobs.per_second:
                return "Throttling.RateQuota", "Requests rate limit exceeded, please try again later."
            running = sum(self.status(task) in ("PENDING", "RUNNING") for task in self.tasks.values())
            if knobs.at_once and running >= knobs.at_once:
                return "Throttling.Concurrency", "Too many tasks in progress."
            return None

    def reset(self) -> None:
        """As on the first day, with an empty ledger."""
        with self.lock:
            for memory in (self.faults, self.failures, self.tasks, self.came, self.orders):
                memory.clear()
            self.knobs = Knobs()
            self.ledger.write_text("")

    def turn(self, changes: Mapping[str, Any]) -> None:
        """Turn knobs."""
        with self.lock:
            self.knobs = replace(self.knobs, **changes)


def new_id() -> str:
    """In the shape of the service's ids."""
    return str(uuid.uuid4())

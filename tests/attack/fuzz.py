"""Hostile pictures and clips through the API of a real daemon: what it says, what it costs, what it leaves behind.

`python -m tests.attack.fuzz --count 2000` prints the table.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.attack.media import Hostile, hostile_files
from tests.attack.outside import complaints, family, left_behind, peak, proportional, resident
from tests.daemons import PATIENCE, RunningDaemon, running_daemon

CHILD_MIB = 1024  # what one child may take
CHILDREN = 2
_AT_ONCE = 4  # uploads on their way
_RESTING = {"awaiting_refinement", "done", "failed", "cancelled", "queued"}
MIB = 1 << 20


@dataclass(frozen=True)
class Answer:
    """What became of one file."""

    file: Hostile
    status: int  # of the upload
    code: str  # of the refusal, or of the emoji's later failure; "" when it was taken
    sentence: str
    seconds: float


@dataclass
class Outcome:
    """What the whole attack did."""

    answers: list[Answer] = field(default_factory=list)
    daemon_peak: int = 0  # bytes
    child_peak: int = 0  # of the largest child
    family_peak: int = 0  # of all together, shared pages counted once
    daemon_before: int = 0
    daemon_after: int = 0
    left: list[str] = field(default_factory=list)  # scratch files
    is_alive: bool = False
    complaints: list[str] = field(default_factory=list)  # of its log

    @property
    def faults(self) -> list[Answer]:
        """Answers that no file may get: a 5xx, or a refusal without a sentence and a code."""
        return [
            answer
            for answer in self.answers
            if answer.status == 0
            or (answer.status >= 500 and answer.code != "out_of_memory")
            or (
                answer.code
                and (not answer.sentence.endswith((".", "…")) or answer.code in ("unexpected", "popcon_error"))
            )
            or (answer.status >= 400 and not answer.code)
        ]


def attack(home: Path, files: Iterable[Hostile], *, daemon_files: Path) -> Outcome:
    """Send every file to a daemon of its own; scratch files of that daemon's libraries go to `daemon_files`."""
    outcome = Outcome()
    (home / "config").mkdir(parents=True)
    (home / "config" / "config.toml").write_text(f"workers = {CHILDREN}\nworker_memory_mb = {CHILD_MIB}\n")
    with _scratch_in(daemon_files), running_daemon(home) as daemon:
        asyncio.run(_send_all(daemon, files, outcome))
        outcome.is_alive = httpx.get(f"{daemon.url}/healthz").status_code == 200
        outcome.left = left_behind(home) + [str(path) for path in daemon_files.rglob("*") if path.is_file()]
        outcome.complaints = complaints(home)
    return outcome


@contextlib.contextmanager
def _scratch_in(folder: Path) -> Iterator[None]:
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        del os.environ["TMPDIR"]
        if before is not None:
            os.environ["TMPDIR"] = before


async def _send_all(daemon: RunningDaemon, files: Iterable[Hostile], outcome: Outcome) -> None:
    limits = httpx.Limits(max_connections=2 * _AT_ONCE)
    async with httpx.AsyncClient(
        base_url=daemon.url, headers=daemon.headers, timeout=PATIENCE * 2, limits=limits
    ) as http:
        character = (await http.post("/v1/characters/sample")).json()["id"]
        outcome.daemon_before = resident(daemon.process.pid)
        waiting, emojis = iter(files), _emojis(http, character)
        lock = asyncio.Lock()

        async def send_some() -> None:
            while True:
                async with lock:
                    file = next(waiting, None)
                    emoji = await anext(emojis) if file is not None and file.is_clip else ""
                if file is None:
                    return
                outcome.answers.append(await (_send_clip(http, file, emoji) if emoji else _send_picture(http, file)))

        with _watched(daemon.process.pid, outcome):
            await asyncio.gather(*(send_some() for _ in range(_AT_ONCE)))
        outcome.daemon_after = resident(daemon.process.pid)


async def _emojis(http: httpx.AsyncClient, character: str) -> AsyncIterator[str]:
    """Emojis without end, each waiting for a clip."""
    while True:
        order = {"name": "Fuzz", "character_id": character, "actions": ["wave"] * 50, "awaits_clips": True}
        for emoji in (await http.post("/v1/packs", json=order)).json()["emojis"]:
            yield emoji["id"]


async def _send_picture(http: httpx.AsyncClient, file: Hostile) -> Answer:
    begun = time.monotonic()
    try:
        answer = await http.post("/v1/characters", files={"file": (file.name, file.data)})
    except httpx.HTTPError as error:
        return Answer(file, 0, type(error).__name__, str(error), time.monotonic() - begun)
    return Answer(file, answer.status_code, *_problem(answer), time.monotonic() - begun)


async def _send_clip(http: httpx.AsyncClient, file: Hostile, emoji: str) -> Answer:
    """Upload it, and when it is taken wait until its frames are cut out, or have failed."""
    begun = time.monotonic()
    try:
        answer = await http.post(f"/v1/emojis/{emoji}/clip", files={"file": (file.name, file.data)})
        code, sentence = _problem(answer)
        while not code and (told := (await http.get(f"/v1/emojis/{emoji}")).json())["status"] not in _RESTING - {
            "queued"
        }:
            await asyncio.sleep(0.05)
        if not code and told["problem"]:
            code, sentence = told["problem"]["code"], told["problem"]["message"]
    except httpx.HTTPError as error:
        return Answer(file, 0, type(error).__name__, str(error), time.monotonic() - begun)
    return Answer(file, answer.status_code, code, sentence, time.monotonic() - begun)


def _problem(answer: httpx.Response) -> tuple[str, str]:
    if answer.is_success:
        return "", ""
    try:
        told = answer.json()
        return str(told["code"]), str(told["message"])
    except (ValueError, KeyError):
        return "", answer.text[:200]


@contextlib.contextmanager
def _watched(pid: int, outcome: Outcome) -> Iterator[None]:
    """Look at the memory of the daemon and its children all the while."""
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(0.05):
            members = list(family(pid))
            outcome.daemon_peak = max(outcome.daemon_peak, peak(pid))
            outcome.child_peak = max([outcome.child_peak, *map(peak, members[1:])])
            outcome.family_peak = max(outcome.family_peak, sum(map(proportional, members)))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        is_over.set()
        watcher.join()


def table(outcome: Outcome) -> str:
    """The figures, and what was said how often."""
    said = collections.Counter((a.file.is_clip, a.status, a.code or "taken") for a in outcome.answers)
    lines = [
        f"{'clips' if clip else 'pictures':<10}{status:>4}  {code:<20}{n:>6}"
        for (clip, status, code), n in sorted(said.items())
    ]
    slowest = max(outcome.answers, key=lambda answer: answer.seconds)
    lines += [
        f"files                         {len(outcome.answers):>6}",
        f"faults                        {len(outcome.faults):>6}",
        f"daemon alive                  {outcome.is_alive!s:>6}",
        f"errors in its log             {len(outcome.complaints):>6}",
        f"scratch files left            {len(outcome.left):>6}",
        f"daemon before, MiB            {outcome.daemon_before >> 20:>6}",
        f"daemon after, MiB             {outcome.daemon_after >> 20:>6}",
        f"daemon at its peak, MiB       {outcome.daemon_peak >> 20:>6}",
        f"largest child, MiB            {outcome.child_peak >> 20:>6} of {CHILD_MIB}",
        f"all together, MiB             {outcome.family_peak >> 20:>6} of {CHILDREN * CHILD_MIB} and the daemon",
        f"slowest, s                    {slowest.seconds:>6.1f} {slowest.file.name!a} {slowest.file.harm}",
    ]
    lines += [
        f"FAULT {a.status} {a.code} {a.file.kind} {a.file.harm} {a.file.name!a}: {a.sentence[:150]}"
        for a in outcome.faults
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Attack, print, and say by the exit status whether the daemon held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder, "scratch")
        scratch.mkdir()
        outcome = attack(Path(folder, "home"), hostile_files(asked.count, asked.seed), daemon_files=scratch)
    sys.stdout.write(table(outcome) + "\n")
    return 0 if outcome.is_alive and not outcome.faults and not outcome.left else 1


if __name__ == "__main__":
    sys.exit(main())

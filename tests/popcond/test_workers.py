"""Children: limited, killed when they are not wanted, and never silent about their end."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from popcond.errors import OutOfDisk, OutOfMemory, PopconError, TooLarge, UnreadablePicture, WorkerDied
from popcond.workers import Report, Workers, report_nothing


@pytest.fixture
async def workers() -> Workers:
    """Two children at once, half a gibibyte each."""
    return Workers(count=2, memory_mb=512)


def add(report: Report, left: int, right: int) -> int:
    """Counts to the sum, telling its progress."""
    report(0.5)
    report(1.0)
    return left + right


def refuse(_report: Report) -> None:
    """Ends with an error of ours."""
    raise UnreadablePicture("This is a song.", cure="Sing it.", details={"key": "C"})


def stumble(_report: Report) -> None:
    """Ends with an error of nobody's."""
    raise ZeroDivisionError("a bug")


def fill_the_disk(_report: Report) -> None:
    """Meets a full disk."""
    with open("/dev/full", "wb", buffering=0) as file:
        file.write(b"too much")


def gorge(_report: Report) -> int:
    """Wants more memory than there is for it."""
    return len(bytearray(4 << 30))


def die(_report: Report, number: int) -> None:
    """Ends without a word."""
    os.kill(os.getpid(), number)


def sleep_for_ever(_report: Report, note: str) -> None:
    """Leaves its process id, then hangs."""
    Path(note).write_text(str(os.getpid()))
    while True:
        time.sleep(1)


async def test_the_answer_and_the_progress_come_back(workers: Workers) -> None:
    told: list[float] = []
    assert await workers.run(add, told.append, 2, right=3) == 5
    assert told == [0.5, 1.0]


async def test_an_error_of_ours_comes_back_whole(workers: Workers) -> None:
    with pytest.raises(UnreadablePicture, match="a song") as caught:
        await workers.run(refuse, report_nothing)
    assert (caught.value.cure, caught.value.details) == ("Sing it.", {"key": "C"})


async def test_a_bug_is_a_sentence(workers: Workers) -> None:
    with pytest.raises(PopconError, match="ZeroDivisionError"):
        await workers.run(stumble, report_nothing)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
async def test_a_full_disk_is_told_as_one(workers: Workers) -> None:
    with pytest.raises(OutOfDisk):
        await workers.run(fill_the_disk, report_nothing)


async def test_a_child_cannot_take_all_the_memory(workers: Workers) -> None:
    with pytest.raises(OutOfMemory):
        await workers.run(gorge, report_nothing)


@pytest.mark.parametrize(("number", "error"), [(signal.SIGSEGV, WorkerDied), (signal.SIGKILL, OutOfMemory)])
async def test_a_silent_death_is_noticed(workers: Workers, number: int, error: type[PopconError]) -> None:
    with pytest.raises(error):
        await workers.run(die, report_nothing, number)
    assert await workers.run(add, report_nothing, 1, 1) == 2


async def test_cancelling_kills_the_child(workers: Workers, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    running = asyncio.create_task(workers.run(sleep_for_ever, report_nothing, str(note)))
    async with asyncio.timeout(30):
        while not (note.exists() and note.read_text()):
            await asyncio.sleep(0.02)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


async def test_no_more_run_at_once_than_there_are_slots(workers: Workers, tmp_path: Path) -> None:
    notes = [tmp_path / str(number) for number in range(3)]
    running = [asyncio.create_task(workers.run(sleep_for_ever, report_nothing, str(note))) for note in notes]
    async with asyncio.timeout(30):
        while sum(note.exists() for note in notes) < 2:
            await asyncio.sleep(0.02)
    assert not notes[2].exists()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert await workers.run(add, report_nothing, 1, 1) == 2


def where_from(_report: Report) -> tuple[int, int]:
    """This child, and the server that it came from."""
    return os.getpid(), os.getppid()


def look_around(_report: Report) -> tuple[str, int, tuple[int, int], tuple[int, int]]:
    """What a child was given: its environment, its niceness, its limits of core files and of files."""
    return (
        Path("/proc/self/environ").read_text(),
        os.nice(0),
        resource.getrlimit(resource.RLIMIT_CORE),
        resource.getrlimit(resource.RLIMIT_FSIZE),
    )


def write_much(_report: Report, path: str) -> None:
    """Writes beyond what a file may hold."""
    with open(path, "wb") as file:
        file.seek(resource.getrlimit(resource.RLIMIT_FSIZE)[0])
        file.write(b"x")


def run_in_a_process_of_its_own(task: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """A parent whose only work is one task of this module; it prints the answer."""
    program = (
        "import asyncio, json, sys\n"
        f"from tests.popcond.test_workers import {task}\n"
        "from popcond.workers import Workers, report_nothing\n"
        "async def main():\n"
        f"    print(json.dumps(await Workers(1, 512).run({task}, report_nothing, *sys.argv[1:])))\n"
        "asyncio.run(main())\n"
    )
    words = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(words, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True)


async def test_a_server_of_children_that_died_is_replaced(workers: Workers) -> None:
    _, server = await workers.run(where_from, report_nothing)
    os.kill(server, signal.SIGKILL)
    _, another = await workers.run(where_from, report_nothing)
    assert another != server


async def test_a_child_that_runs_outlives_the_server_that_it_came_from(workers: Workers, tmp_path: Path) -> None:
    _, server = await workers.run(where_from, report_nothing)
    note, go_on = tmp_path / "pid", tmp_path / "go-on"
    running = asyncio.create_task(workers.run(wait_for_a_file, report_nothing, str(note), str(go_on)))
    async with asyncio.timeout(30):
        while not note.exists():
            await asyncio.sleep(0.02)
    os.kill(server, signal.SIGKILL)
    go_on.touch()
    assert await running == "went on"


def wait_for_a_file(_report: Report, note: str, go_on: str) -> str:
    """Works until it is told to end."""
    Path(note).touch()
    while not Path(go_on).exists():
        time.sleep(0.02)
    return "went on"


def test_a_child_ends_when_its_parent_was_killed(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with run_in_a_process_of_its_own("sleep_for_ever", str(note)) as parent:
        wait_until(lambda: note.exists() and note.read_text() != "")
        child = int(note.read_text())
        os.kill(child, 0)
        parent.kill()
    wait_until(lambda: is_gone(child))


def is_gone(pid: int) -> bool:
    """No such process, or one that only waits to be forgotten."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def wait_until(condition: Callable[[], bool]) -> None:
    """For up to half a minute."""
    give_up_at = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_child_is_given_no_secret_and_steps_back() -> None:
    secrets = {"DASHSCOPE_API_KEY": "sk-canary-1", "POPCON_TOKEN": "canary-2", "SOME_PASSWORD": "canary-3"}
    with run_in_a_process_of_its_own("look_around", **secrets, PLAIN="plainly-there") as parent:
        assert parent.stdout is not None
        environment, niceness, core, _ = json.loads(parent.stdout.read())
    assert "plainly-there" in environment
    assert "canary" not in environment
    assert niceness > 0
    assert core == [0, 0]


async def test_starting_children_leaves_our_own_environment_as_it_was(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POPCON_TOKEN", "still-here")
    await workers.warm()
    assert os.environ["POPCON_TOKEN"] == "still-here"


async def test_a_child_cannot_fill_the_disk_with_one_file(workers: Workers, tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        await workers.run(write_much, report_nothing, str(tmp_path / "huge"))

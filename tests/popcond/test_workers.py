"""Children: limited, killed when they are not wanted, and never silent about their end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from popcond.errors import OutOfDisk, OutOfMemory, PopconError, UnreadablePicture, WorkerDied
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

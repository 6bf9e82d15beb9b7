"""Runs heavy or untrusted work in child processes: one process a task, limited memory, killed when it is cancelled.

A task is a function of a module, with picklable arguments; it is also handed `report`, to which it says its progress
(0..1). What it raises comes back as it was when it is one of ours, and as a sentence otherwise. No more than `count`
children run at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import multiprocessing
import resource
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any, Concatenate, ParamSpec, TypeVar

from popcond.errors import Cancelled, OutOfDisk, OutOfMemory, PopconError, WorkerDied

P = ParamSpec("P")
T = TypeVar("T")
Report = Callable[[float], None]

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_LARGE_ARRAY = 32 << 20  # bytes; glibc takes no larger threshold
_SMALLER = "Try a smaller picture or clip."


def report_nothing(_fraction: float) -> None:
    """For callers who do not care about progress."""


class Workers:
    """A bounded number of child processes."""

    def __init__(self, count: int, memory_mb: int, preload: tuple[str, ...] = ()) -> None:
        self.count = count
        self._memory = memory_mb << 20
        self._slots = asyncio.Semaphore(count)
        self._listeners = ThreadPoolExecutor(count, thread_name_prefix="popcon-worker")
        self._context = _context(preload)

    async def warm(self) -> None:
        """Load the libraries that children share, before the first one is needed."""
        if isinstance(self._context, ForkServerContext):
            await asyncio.to_thread(forkserver.ensure_running)

    async def run(
        self, task: Callable[Concatenate[Report, P], T], report: Report, /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `task(report, *args)` in a child. Cancelling this kills the child. Raises what the task raises."""
        loop = asyncio.get_running_loop()

        def report_on_loop(fraction: float) -> None:
            loop.call_soon_threadsafe(report, fraction)

        async with self._slots:
            child = _Child(self._context, (self._memory, task, args, kwargs))
            try:
                answer: T = await loop.run_in_executor(self._listeners, child.answer, report_on_loop)
            finally:
                await asyncio.shield(asyncio.to_thread(child.end))
            return answer


class _Child:
    """One child process, started and listened to in one thread, ended from any."""

    def __init__(self, context: ForkServerContext | SpawnContext, arguments: tuple[Any, ...]) -> None:
        self._ours, self._theirs = context.Pipe(duplex=False)
        self._process: BaseProcess = context.Process(target=_in_child, args=(self._theirs, *arguments), daemon=True)
        self._lock = threading.Lock()
        self._ended = False

    def answer(self, report: Report) -> Any:
        """Start, hand on progress, and return what the task returns. Raises what it raises, and WorkerDied."""
        with self._lock:
            if self._ended:
                raise Cancelled("This work was cancelled before it began.")
            self._process.start()
            self._theirs.close()
        try:
            return _listen(self._ours, report)
        except (EOFError, OSError) as error:
            self._process.join()
            raise _obituary(self._process.exitcode or 0) from error

    def end(self) -> None:
        """Kill it if it lives; harmless before its start and after its end."""
        with self._lock:
            self._ended = True
            if self._process.pid is not None:
                self._process.kill()
                self._process.join()
            else:
                self._theirs.close()
            self._ours.close()


def _context(preload: tuple[str, ...]) -> ForkServerContext | SpawnContext:
    """Children start in milliseconds from a server that has the libraries loaded; macOS frameworks forbid the fork."""
    if sys.platform == "darwin":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context


def _listen(pipe: Connection, report: Report) -> Any:
    """Read progress until the answer comes. Raises what the child sent, and EOFError when it died silently."""
    while True:
        kind, value = pipe.recv()
        if kind == "progress":
            report(value)
        elif kind == "answer":
            return value
        else:
            raise value


def _obituary(code: int) -> PopconError:
    how = signal.strsignal(-code) if code < 0 else f"exit status {code}"
    if code == -signal.SIGKILL:
        return OutOfMemory("The system ended a worker, most likely for its memory.", cure=_SMALLER)
    return WorkerDied(f"A worker ended without an answer ({how}).", cure="Try again; if it repeats, suspect the file.")


def _in_child(
    pipe: Connection, memory: int, task: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C belongs to the parent
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(ValueError, OSError):  # macOS does not know this limit
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    _keep_freed_memory()
    try:
        answer = task(lambda fraction: pipe.send(("progress", fraction)), *args, **kwargs)
        pipe.send(("answer", answer))
    except BrokenPipeError:
        return
    except Exception as error:  # noqa: BLE001 - the border between two processes
        pipe.send(("error", _translated(error)))


def _keep_freed_memory() -> None:
    """Let glibc reuse the memory of large arrays instead of giving it back and having it zeroed anew for each frame.

    Saves a tenth of a child's CPU time; a child is short-lived, so nothing piles up. See mallopt(3).
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # another C library
            library = ctypes.CDLL(None)
            library.mallopt(_M_MMAP_THRESHOLD, _LARGE_ARRAY)
            library.mallopt(_M_TRIM_THRESHOLD, 2 * _LARGE_ARRAY)


def _translated(error: Exception) -> PopconError:
    if isinstance(error, PopconError):
        return error
    if isinstance(error, MemoryError) or "insufficient memory" in str(error).lower():
        return OutOfMemory("This needs more memory than a worker may take.", cure=_SMALLER)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutOfDisk("The disk is full.", cure="Free some space, then retry.")
    return PopconError(
        f"Something unexpected happened: {type(error).__name__}: {error}.",
        cure="Please report this with the file that caused it.",
        code="unexpected",
    )

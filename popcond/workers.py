"""Runs heavy or untrusted work in child processes: one process a task, limited memory, killed when it is cancelled.

A task is a function of a module, with picklable arguments; it is also handed `report`, to which it says its progress
(0..1). What it raises comes back as it was when it is one of ours, and as a sentence otherwise. No more than `count`
children run at once. A child steps back for its parent, ends when its parent has ended, however that happened, and is
given no secret of the environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import multiprocessing
import os
import re
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any, Concatenate, ParamSpec, TypeVar

from popcond.errors import Cancelled, OutOfDisk, OutOfMemory, PopconError, TookTooLong, TooLarge, WorkerDied

P = ParamSpec("P")
T = TypeVar("T")
Report = Callable[[float], None]

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_LARGE_ARRAY = 32 << 20  # bytes; glibc takes no larger threshold
# As OpenCV, the dynamic loader, FFmpeg and Python say it.
_SIGNS_OF_NO_MEMORY = (
    "insufficient memory",
    "failed to map segment",
    "cannot allocate memory",
    "can't start new thread",
)
_SMALLER = "Try a smaller picture or clip."
_LONGEST = 3600  # seconds of CPU time of one task; a minute is usual
_LARGEST = 4 << 30  # bytes of one file that a task writes
_A_MOMENT = 0.1  # seconds until the system has noticed a death
_NICENESS = 10  # answers of the daemon come before the work of its children
_SECRET = re.compile("key|token|secret|passw|credential|auth", re.IGNORECASE)  # in the name of a variable


def report_nothing(_fraction: float) -> None:
    """For callers who do not care about progress."""


def come_back(_report: Report) -> None:
    """A task that only shows that a child can be started."""


class Workers:
    """A bounded number of child processes."""

    def __init__(self, count: int, memory_mb: int, preload: tuple[str, ...] = ()) -> None:
        self.count = count
        self._memory = memory_mb << 20
        self._slots = asyncio.Semaphore(count)
        self._listeners = ThreadPoolExecutor(count, thread_name_prefix="popcon-worker")
        self._context = _context(preload)
        self._starting = threading.Lock()  # one at a time without the environment's secrets

    @property
    def is_full(self) -> bool:
        """Whether who comes now has to wait for a place."""
        return self._slots.locked()

    async def warm(self) -> None:
        """Load the libraries that children share, before the first one is needed."""
        await asyncio.to_thread(_ensure_server, self._context, self._starting)

    async def run_at_most(
        self,
        seconds: float,
        task: Callable[Concatenate[Report, P], T],
        report: Report,
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same for what somebody waits for. Raises TookTooLong once the child has been at work for so long."""
        try:
            async with asyncio.timeout(seconds) as clock:
                return await self.run(task, report, *args, **kwargs)
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise TookTooLong(f"This took longer than {seconds:.0f} seconds.", cure=_SMALLER) from error

    async def run(
        self, task: Callable[Concatenate[Report, P], T], report: Report, /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `task(report, *args)` in a child. Cancelling this kills the child. Raises what the task raises."""
        loop = asyncio.get_running_loop()

        def report_on_loop(fraction: float) -> None:
            loop.call_soon_threadsafe(report, fraction)

        async with self._slots:
            child = _Child(self._context, self._starting, (self._memory, task, args, kwargs))
            try:
                answer: T = await loop.run_in_executor(self._listeners, child.answer, report_on_loop)
            finally:
                await asyncio.shield(asyncio.to_thread(child.end))
            return answer


class _Child:
    """One child process, started and listened to in one thread, ended from any."""

    def __init__(
        self, context: ForkServerContext | SpawnContext, starting: threading.Lock, arguments: tuple[Any, ...]
    ) -> None:
        self._context = context
        self._starting = starting
        self._ours, self._theirs = context.Pipe(duplex=False)
        self._process: BaseProcess = context.Process(target=_in_child, args=(self._theirs, *arguments), daemon=True)
        self._lock = threading.Lock()
        self._ended = False

    def answer(self, report: Report) -> Any:
        """Start, hand on progress, and return what the task returns. Raises what it raises, and WorkerDied."""
        with self._lock:
            if self._ended:
                raise Cancelled("This work was cancelled before it began.")
            self._start()
            self._theirs.close()
        try:
            return _listen(self._ours, report)
        except (EOFError, OSError) as error:
            self._process.join()
            raise _obituary(self._process.exitcode or 0) from error

    def _start(self) -> None:
        """A server of children that has died is replaced first, even at this very moment. Raises WorkerDied."""
        for is_last in (False, True):
            try:
                if isinstance(self._context, ForkServerContext):
                    _ensure_server(self._context, self._starting)
                    self._process.start()
                else:
                    with self._starting, _no_secrets():
                        self._process.start()
                return
            except (EOFError, OSError) as error:
                if is_last:
                    raise WorkerDied("A worker could not be started.", cure="Try again.") from error
                time.sleep(_A_MOMENT)

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


def _ensure_server(context: ForkServerContext | SpawnContext, starting: threading.Lock) -> None:
    """The server that children start from runs, without our secrets: they would inherit what it has."""
    if isinstance(context, ForkServerContext):
        with starting, _no_secrets():
            forkserver.ensure_running()


@contextlib.contextmanager
def _no_secrets() -> Iterator[None]:
    """The environment without keys and tokens, for the milliseconds that it takes to start a process."""
    hidden = {name: value for name, value in os.environ.items() if _SECRET.search(name)}
    for name in hidden:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name, value in hidden.items():
            os.environ.setdefault(name, value)


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
    if code == -signal.SIGXCPU:
        return WorkerDied(f"A worker was ended after {_LONGEST // 60} minutes of computing.", cure=_SMALLER)
    return WorkerDied(f"A worker ended without an answer ({how}).", cure="Try again; if it repeats, suspect the file.")


def _in_child(
    pipe: Connection, memory: int, task: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C belongs to the parent
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _end_with_the_parent()
    _limit(memory)
    _keep_freed_memory()
    try:
        answer = task(lambda fraction: pipe.send(("progress", fraction)), *args, **kwargs)
        pipe.send(("answer", answer))
    except BrokenPipeError:
        return
    except Exception as error:  # noqa: BLE001 - the border between two processes
        pipe.send(("error", _translated(error)))


def _end_with_the_parent() -> None:
    """An orphan must not go on: the next daemon may be tidying the folder that it writes into."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), name="popcon-parent", daemon=True).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _limit(memory: int) -> None:
    """No more than this many bytes of memory, and generous shares of everything else; no core file of user's data."""
    limits = (
        (resource.RLIMIT_AS, memory, memory),  # macOS does not know this one
        (resource.RLIMIT_CPU, _LONGEST, _LONGEST + 1),  # the first is a signal of its own, the second a kill
        (resource.RLIMIT_FSIZE, _LARGEST, _LARGEST),
        (resource.RLIMIT_CORE, 0, 0),
    )
    for what, soft, hard in limits:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(what, (soft, hard))
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)


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
    if isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _SIGNS_OF_NO_MEMORY):
        return OutOfMemory("This needs more memory than a worker may take.", cure=_SMALLER)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OutOfDisk("The disk is full.", cure="Free some space, then retry.")
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return TooLarge(f"This makes a file of more than {_LARGEST >> 30} GiB.", cure=_SMALLER)
    return PopconError(
        f"Something unexpected happened: {type(error).__name__}: {error}.",
        cure="Please report this with the file that caused it.",
        code="unexpected",
    )

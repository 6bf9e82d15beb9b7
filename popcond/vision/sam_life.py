"""One process of the model, as the daemon's loop sees it: from its start, through its answers, to its end.

Whatever happens to the process, everybody who waits for an answer of it gets an error that says what happened.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import signal
import site
import sys
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from popcond.errors import OutOfMemory, PopconError, Stopping, TookTooLong, WorkerDied
from popcond.vision.sam_messages import (
    Beat,
    Begin,
    Cancel,
    Embed,
    Followed,
    Mask,
    Masked,
    Raster,
    Ready,
    Received,
    Refused,
    Reply,
    Request,
    Track,
    as_error,
    packed,
    receive,
)

log = logging.getLogger("popcond.sam")

_LOADING = 300.0  # seconds that loading may take, on a slow disk that reads a gigabyte
_GOODBYE = 2.0  # seconds that it gets to end by itself
_LAST_WORDS = 20  # lines of its standard error
_BUFFER = 1 << 20  # bytes

# All that a library may need to find its own files and devices; keys, tokens and the user's settings are not among it.
_PASSED_ON = re.compile(
    r"PATH|LANG|LC_\w+|TZ|TMPDIR|VIRTUAL_ENV|LD_LIBRARY_PATH|DYLD_\w+|CUDA_\w+|NVIDIA_\w+|PYTORCH_\w+|SSL_CERT_\w+"
)

Answer = Masked | Followed
OnEnd = Callable[[PopconError], None]


@dataclass(frozen=True)
class Answered:
    """A reply with its rasters."""

    note: Answer
    rasters: tuple[Raster, ...]


class Life:
    """A process whose model is loaded, or that has ended."""

    def __init__(self, process: asyncio.subprocess.Process, patience: float, on_end: OnEnd) -> None:
        self._process = process
        self._patience = patience
        self._last_sign = 0.0  # the loop's time when it last said something, or was last asked
        self._on_end = on_end
        self._waiting: dict[int, asyncio.Queue[tuple[Reply, tuple[Raster, ...]] | PopconError]] = {}
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._over: PopconError | None = None
        self._dismissed = False
        self._tasks = {asyncio.create_task(self._hear_errors())}
        self.ready: Ready | None = None

    @classmethod
    async def begin(cls, begin: Begin, patience: float, on_end: OnEnd) -> Life:
        """Start a process and let it load the model. Raises what is wrong with the weights or the libraries.

        `patience` is how many seconds it may be silent while somebody waits; then it is taken for dead.
        """
        home = Path(begin.cache)
        await asyncio.to_thread(home.mkdir, mode=0o700, parents=True, exist_ok=True)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "popcond.vision.sam_host"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(home, begin.threads),
            cwd=home,
            limit=_BUFFER,
        )
        life = cls(process, patience, on_end)
        try:
            await life._load(begin)
        except BaseException:
            await life.end()
            raise
        return life

    @property
    def has_ended(self) -> bool:
        """Whether it takes no more requests."""
        return self._over is not None or self._dismissed

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for an answer."""
        return not self._waiting

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    # -------------------------------------------------------------- asking

    async def ask(self, request: Embed | Mask | Track, rasters: Sequence[Raster]) -> AsyncGenerator[Answered, None]:
        """Every answer to a request, until it is over. Closing this cancels the request.

        Raises the error that the request ended in, and OutOfMemory or WorkerDied when the process has ended.
        """
        if self.has_ended:
            raise self._over or _dismissal()
        replies = self._waiting[request.id] = asyncio.Queue()
        is_over = False
        try:
            self._last_sign = asyncio.get_running_loop().time()
            await self._send(request, rasters)
            while not is_over:
                reply = await replies.get()
                is_over = isinstance(reply, PopconError) or not isinstance(reply[0], Followed)
                if isinstance(reply, PopconError):
                    raise reply
                if isinstance(reply[0], Refused):
                    raise as_error(reply[0])
                if isinstance(reply[0], Masked | Followed):
                    yield Answered(reply[0], reply[1])
        finally:
            del self._waiting[request.id]
            if not is_over and not self.has_ended:
                self._write(Cancel(id=request.id))

    def dismiss(self) -> None:
        """Take no more requests; the process ends once it has noticed."""
        self._dismissed = True
        assert self._process.stdin is not None
        self._process.stdin.close()

    async def end(self) -> None:
        """Let it go, or make it go. Who waits for an answer gets Stopping."""
        self.dismiss()
        await self._ended()
        self._bury(_dismissal())
        await asyncio.wait(self._tasks)

    # -------------------------------------------------------------- pipes

    async def _load(self, begin: Begin) -> None:
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_LOADING):
                await self._send(begin, ())
                reply = (await receive(self._process.stdout)).reply()
        except TimeoutError as error:
            raise TookTooLong(
                "The model took too long to load.", cure="Try again, or choose smaller weights."
            ) from error
        except ValueError as error:
            raise _gibberish() from error
        except (EOFError, OSError) as error:
            raise await self._obituary() from error
        if isinstance(reply, Refused):
            raise as_error(reply)
        assert isinstance(reply, Ready)
        self.ready = reply
        self._tasks.add(asyncio.create_task(self._listen()))

    async def _send(self, request: Request, rasters: Sequence[Raster]) -> None:
        self._write(request, rasters)
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # its end is told by the one who listens
            await self._process.stdin.drain()

    def _write(self, request: Request, rasters: Sequence[Raster] = ()) -> None:
        assert self._process.stdin is not None
        self._process.stdin.writelines(packed(request, rasters))

    async def _listen(self) -> None:
        """Hand replies on, until the process ends or says what nobody understands."""
        assert self._process.stdout is not None
        try:
            while True:
                self._hand_on(await self._next(self._process.stdout))
        except ValueError:
            self._kill()
            error: PopconError = _gibberish()
        except TimeoutError:
            self._kill()
            error = WorkerDied("The model's process hung.", cure="Try again.")
        except (EOFError, OSError):
            error = await self._obituary()
        if not self._dismissed:
            log.warning("%s It starts again when it is needed.", error.message)
            self._on_end(error)
        self._bury(error)

    def _hand_on(self, received: Received) -> None:
        reply = received.reply()
        replies = None if isinstance(reply, Ready | Beat) or reply.id is None else self._waiting.get(reply.id)
        if replies is not None:
            replies.put_nowait((reply, received.rasters))

    async def _next(self, pipe: asyncio.StreamReader) -> Received:
        """The next message. Raises TimeoutError when somebody waits for one for too long."""
        clock = asyncio.get_running_loop().time
        coming = asyncio.ensure_future(receive(pipe))
        try:
            while not (await asyncio.wait([coming], timeout=self._patience))[0]:
                if self._waiting and clock() - self._last_sign >= self._patience:
                    raise TimeoutError
            self._last_sign = clock()
            return coming.result()
        finally:
            coming.cancel()

    async def _hear_errors(self) -> None:
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(_BUFFER):
            for line in chunk.decode(errors="replace").splitlines():
                self._last_words.append(line)
                log.debug("the model's process: %s", line)

    # -------------------------------------------------------------- the end

    def _kill(self) -> None:
        """Not by `Process.kill`: that reaps a process that has just died, and its exit status is lost."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def _ended(self) -> int:
        """Its exit status, once it has ended by itself, or was made to."""
        try:
            async with asyncio.timeout(_GOODBYE):
                return await self._process.wait()
        except TimeoutError:
            self._kill()
            return await self._process.wait()

    def _bury(self, error: PopconError) -> None:
        self._over = self._over or error
        for replies in self._waiting.values():
            replies.put_nowait(error)

    async def _obituary(self) -> PopconError:
        code = await self._ended()
        if self._dismissed:
            return _dismissal()
        if code == -signal.SIGKILL:
            return OutOfMemory(
                "The system ended the model's process, most likely for its memory.",
                cure="Try again. If it repeats, choose smaller weights, or close other programs.",
            )
        how = signal.strsignal(-code) if code < 0 else f"exit status {code}"
        last = next((line for line in reversed(self._last_words) if line), "")
        return WorkerDied(f"The model's process ended without an answer ({how}). {last}".rstrip(), cure="Try again.")


def _gibberish() -> WorkerDied:
    return WorkerDied("The model's process said something that is no answer.", cure="Try again.")


def _dismissal() -> Stopping:
    return Stopping("The model is being put away.", cure="Try again.")


def environment(home: Path, threads: int) -> dict[str, str]:
    """What the process is told: where libraries may write, that they stay offline, and how they use the processor.

    Without OMP_NUM_THREADS ultralytics takes one thread; threads that are not PASSIVE spin while they wait, and a
    click beside a busy program then takes thirty times as long.
    """
    passed_on = {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}
    return passed_on | {
        "HOME": str(home),  # whatever a library leaves behind, it leaves it there
        "PYTHONUSERBASE": site.getuserbase(),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONUNBUFFERED": "1",
        "YOLO_CONFIG_DIR": str(home),
        "YOLO_OFFLINE": "1",
        "YOLO_AUTOINSTALL": "false",
        "YOLO_VERBOSE": "false",
        "OMP_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTORCH_ENABLE_MPS_FALLBACK": "1",  # what a Mac's graphics cannot do, its processor does
    }

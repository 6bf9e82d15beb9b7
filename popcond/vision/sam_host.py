"""The process that holds the model: `python -m popcond.vision.sam_host`, with a daemon at the other end of its pipes.

It ends when its standard input ends, so it never outlives the daemon, however that ended. One thread listens, one reads
points, one does everything that takes long. What goes wrong with a request is that request's answer; what goes wrong
with loading is told, and then the process ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from popcond.errors import Cancelled, OutOfMemory, PopconError
from popcond.vision.sam_agenda import Agenda, Courtesy, Work
from popcond.vision.sam_embeddings import Embeddings
from popcond.vision.sam_messages import (
    Beat,
    Begin,
    Cancel,
    Done,
    Embed,
    Followed,
    Mask,
    Masked,
    PromptNote,
    Raster,
    Ready,
    Received,
    Reply,
    StillNote,
    Track,
    bits,
    packed,
    read_from,
    refusal,
)
from popcond.vision.sam_weights import Weights, architecture_of, verify
from popcond.vision.sam_work import Desk, EmbedWork, MaskWork, TrackWork
from popcond.vision.segmenter import Point, Prompt, Segmented, Still, Tracked, Urgency

_NICENESS = 10  # of the thread that does what takes long, where threads can have their own
_FIRST_TO_GO = "600"  # when the system has no memory left, before the daemon and the user's other programs
_SIGNS_OF_NO_MEMORY = ("not enough memory", "out of memory", "cannot allocate memory", "insufficient memory")


def main() -> None:
    """Serve one daemon until it goes away."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C belongs to the daemon
    requests, replies = sys.stdin.buffer, _Replies(_private_output())
    _offer_to_go_first()
    received = read_from(requests)
    begin = received.request() if received else None
    if not isinstance(begin, Begin):
        return
    host = _Host(replies)
    threading.Thread(target=host.load, args=(begin,), name="popcon-load", daemon=True).start()
    while (received := read_from(requests)) is not None:
        host.hear(received)
    os._exit(0)  # in the middle of whatever it is: nobody is there to be told


def _private_output() -> BinaryIO:
    """Standard output for messages alone: whatever a library prints goes to standard error."""
    private = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return private


def _offer_to_go_first() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO)


class _Replies:
    """Whole messages from several threads."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, note: Reply, rasters: Sequence[Raster] = ()) -> None:
        """Returns when the daemon's end of the pipe has it; ends the process when there is no other end."""
        data = memoryview(b"".join(packed(note, rasters)))
        try:
            with self._lock:
                while data:
                    data = data[self._pipe.write(data) :]
        except BrokenPipeError:
            os._exit(0)


class _Host:
    """Sorts requests to the two workers."""

    def __init__(self, replies: _Replies) -> None:
        self._replies = replies
        self._quick = Agenda()
        self._long = Agenda()
        self._desk: Desk | None = None  # until the model is loaded; before that nobody asks

    # -------------------------------------------------------------- loading

    def load(self, begin: Begin) -> None:
        """Load the model, say so, and start the workers."""
        try:
            ready, desk, courtesy = _loaded(begin, self._long)
        except Exception as error:  # noqa: BLE001 - the border between two processes
            self._replies.send(refusal(None, _translated(error)))
            os._exit(0)
        self._desk = desk
        self._replies.send(ready)
        for target, arguments in ((self._work_long, (courtesy,)), (self._work_quickly, (courtesy,))):
            threading.Thread(target=target, args=arguments, name=target.__name__, daemon=True).start()

    # -------------------------------------------------------------- hearing

    def hear(self, received: Received) -> None:
        """Take a request on."""
        request = received.request()
        if isinstance(request, Cancel):
            self._quick.cancel(request.id)
            self._long.cancel(request.id)
            return
        if self._desk is None or isinstance(request, Begin):
            return
        work = _work(request, received.rasters, self._desk, self._replies)
        agenda = self._quick if work.urgency == Urgency.CLICK and isinstance(request, Mask) else self._long
        agenda.add(work)

    # -------------------------------------------------------------- working

    def _work_quickly(self, courtesy: Courtesy) -> None:
        while True:
            work = self._quick.take()
            with courtesy.first():
                self._step(self._quick, work)

    def _work_long(self, courtesy: Courtesy) -> None:
        _step_back()
        while True:
            work = self._long.take()
            with courtesy.patiently():
                self._step(self._long, work)

    def _step(self, agenda: Agenda, work: Work) -> None:
        try:
            goes_on = work.step()
        except Cancelled:
            agenda.over(work)
        except Exception as error:  # noqa: BLE001 - the border between two processes
            agenda.over(work)
            self._refuse(work, _translated(error))
        else:
            self._after(agenda, work, goes_on=goes_on)

    def _after(self, agenda: Agenda, work: Work, *, goes_on: bool) -> None:
        if goes_on:
            self._replies.send(Beat(id=work.id))
            agenda.give_back(work)
            return
        agenda.over(work)
        if not isinstance(work, MaskWork):
            self._replies.send(Done(id=work.id))

    def _refuse(self, work: Work, error: PopconError) -> None:
        if isinstance(error, OutOfMemory) and self._desk is not None:
            self._desk.embeddings.forget()
        self._replies.send(refusal(work.id, error))


# ------------------------------------------------------------------ requests


def _loaded(begin: Begin, agenda: Agenda) -> tuple[Ready, Desk, Courtesy]:
    """The model and what it works with; torch is loaded here."""
    from popcond.vision import sam_model
    from popcond.vision.sam_engine import Engine

    sam_model.tame_libraries(begin.threads)
    path = Path(begin.weights)
    model, architecture = sam_model.load(Weights(path, architecture_of(begin.architecture)))
    digest = verify(Weights(path, architecture))
    device = sam_model.device_for(architecture, begin.device, begin.input_size)
    courtesy = Courtesy(agenda, side_by_side=device.name == "cpu")
    engine = Engine(sam_model.place(model, device), device, courtesy.between_layers)
    maker = f"{architecture.id}-{device.input_size}-{device.precision}-{digest[:16]}"
    ready = Ready(name=architecture.name, device=device.name, input_size=device.input_size, precision=device.precision)
    return ready, Desk(engine, Embeddings(Path(begin.cache), maker, begin.memory, begin.disk)), courtesy


def _work(request: Embed | Mask | Track, rasters: Sequence[Raster], desk: Desk, replies: _Replies) -> Work:
    if isinstance(request, Embed):
        return EmbedWork(desk, request.id, _stills(request.stills, rasters), request.urgency)
    if isinstance(request, Mask):
        still, prompt = _still(request.still, rasters), _prompt(request.prompt, rasters)
        return MaskWork(desk, request.id, still, prompt, request.urgency, _masked(request.id, replies))
    prompts = {index: _prompt(note, rasters) for index, note in request.prompts.items()}
    return TrackWork(desk, request.id, _stills(request.stills, rasters), prompts, _followed(request.id, replies))


def _stills(notes: Sequence[StillNote], rasters: Sequence[Raster]) -> tuple[Still, ...]:
    return tuple(_still(note, rasters) for note in notes)


def _still(note: StillNote, rasters: Sequence[Raster]) -> Still:
    return Still(note.key, rasters[note.raster] if note.raster is not None else Path(note.path or ""))


def _prompt(note: PromptNote, rasters: Sequence[Raster]) -> Prompt:
    points = tuple(Point(**dict(point)) for point in note.points)
    return Prompt(points, None if note.raster is None else rasters[note.raster])


def _masked(id_: int, replies: _Replies) -> Callable[[Segmented], None]:
    def answer(segmented: Segmented) -> None:
        height, width = segmented.mask.shape
        scores = tuple(candidate.score for candidate in segmented.candidates)
        masks = [segmented.mask, *(candidate.mask for candidate in segmented.candidates)]
        note = Masked(id=id_, height=height, width=width, score=segmented.score, candidates=scores)
        replies.send(note, [bits(mask) for mask in masks])

    return answer


def _followed(id_: int, replies: _Replies) -> Callable[[Tracked], None]:
    def answer(tracked: Tracked) -> None:
        height, width = tracked.mask.shape
        note = Followed(id=id_, index=tracked.index, height=height, width=width, score=tracked.score)
        replies.send(note, [bits(tracked.mask)])

    return answer


# ------------------------------------------------------------------ the system


def _step_back() -> None:
    """This thread, and those that the model starts for it, yield to the thread that reads points."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _translated(error: Exception) -> PopconError:
    if isinstance(error, PopconError):
        return error
    if isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _SIGNS_OF_NO_MEMORY):
        return OutOfMemory(
            "The model needs more memory than there is.", cure="Close other programs, or choose smaller weights."
        )
    if isinstance(error, ImportError):
        return PopconError(
            f"The libraries of the model cannot be loaded: {error}.",
            cure="Install them with `pip install 'popcon[sam]'`.",
            code="engine_not_installed",
        )
    return PopconError(
        f"Something unexpected happened in the model: {type(error).__name__}: {error}.",
        cure="Please report this with the frame that caused it.",
        code="unexpected",
    )


if __name__ == "__main__":
    main()

"""How a pack's progress is told: bars where somebody watches, a line for each change where nobody does."""

from __future__ import annotations

import io
import os
import re
import threading
from collections.abc import Callable

import pytest

from popcond.cli.narrate import Bars, Lines, Narrator, Silence, is_settled, narrator
from popcond.wire import Problem, Status
from tests.popcond.cli.things import emoji

FAILURE = Problem(code="bad", message="The clip \x1b[31mbroke", cure="Try again.")


def test_every_change_is_one_line_and_no_change_is_none() -> None:
    stream = io.StringIO()
    lines = Lines(stream)
    lines.show([emoji("wave"), emoji("cry")])
    lines.show([emoji("wave", Status.GENERATING_VIDEO), emoji("cry")])
    lines.show([emoji("wave", Status.GENERATING_VIDEO, progress=0.3), emoji("cry")])
    lines.show([emoji("wave", Status.QUEUED), emoji("cry", Status.FAILED, problem=FAILURE)])
    lines.show([emoji("wave", Status.DONE), emoji("cry", Status.FAILED, problem=FAILURE)])
    assert stream.getvalue().splitlines() == [
        "wave: animates",
        "cry: failed: The clip \\x1b[31mbroke. Try again. (1 of 2)",
        "wave: done (2 of 2)",
    ]


def test_a_quiet_command_tells_problems_only() -> None:
    stream = io.StringIO()
    silence = Silence(stream)
    silence.note("Starting …")
    silence.show([emoji("wave", Status.DONE)])
    silence.warn(FAILURE)
    silence.ask("Go on with `popcond resume`.")
    assert stream.getvalue() == "The clip \\x1b[31mbroke. Try again.\nGo on with `popcond resume`.\n"


def test_an_emoji_that_waits_for_a_person_counts_as_complete() -> None:
    settled = {status for status in Status if is_settled(emoji("wave", status))}
    assert settled == {
        Status.DONE,
        Status.FAILED,
        Status.CANCELLED,
        Status.AWAITING_REFINEMENT,
        Status.AWAITING_APPROVAL,
    }


def _on_a_terminal(show: Callable[[Narrator], None]) -> str:
    """What a real terminal of 100 columns is sent."""
    master, slave = os.openpty()
    chunks: list[bytes] = []

    def read() -> None:
        while True:
            try:
                chunks.append(os.read(master, 65536))
            except OSError:  # the other end is closed
                return

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(slave, "w", encoding="utf-8") as stream, narrator(quiet=False, stream=stream) as voice:
        assert isinstance(voice, Bars)
        show(voice)
    reader.join()
    os.close(master)
    return b"".join(chunks).decode()


def test_a_terminal_gets_a_bar_for_each_emoji_and_one_for_the_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")

    def show(voice: Narrator) -> None:
        voice.show([emoji("wave"), emoji("cry")])
        voice.note("Half way")
        voice.show([emoji("wave", Status.DONE, progress=1.0), emoji("cry", Status.FAILED, problem=FAILURE)])

    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", _on_a_terminal(show))
    last = plain.splitlines()[-3:]
    assert [line.split()[0] for line in last] == ["all", "wave", "cry"]
    assert "2 of 2" in last[0]
    assert "100%" in last[1]
    assert "failed: The clip \\x1b[31mbroke" in last[2]
    assert "Half way" in plain


def test_a_pipe_and_a_dumb_terminal_get_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(narrator(quiet=False, stream=io.StringIO()), Lines)
    assert isinstance(narrator(quiet=True, stream=io.StringIO()), Silence)

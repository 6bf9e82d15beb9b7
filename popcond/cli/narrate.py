"""Tells a person, on standard error, how a pack comes along: bars on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from popcond.cli.terminal_text import printable, sentence
from popcond.wire import Emoji, Problem, Status

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

WORDS = {
    Status.QUEUED: "waits its turn",
    Status.GENERATING_POSE: "draws the pose",
    Status.AWAITING_APPROVAL: "waits for your approval",
    Status.GENERATING_VIDEO: "animates",
    Status.EXTRACTING_FRAMES: "takes the clip apart",
    Status.SEGMENTING: "cuts out the character",
    Status.AWAITING_REFINEMENT: "waits for you to look",
    Status.ENCODING: "makes the stickers",
    Status.DONE: "done",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}
STYLES = {
    Status.DONE: "green",
    Status.AWAITING_REFINEMENT: "yellow",
    Status.AWAITING_APPROVAL: "yellow",
    Status.FAILED: "bold red",
    Status.CANCELLED: "red",
}


def is_settled(emoji: Emoji) -> bool:
    """Nothing more happens to it by itself: it is finished, or waits for a person."""
    return emoji.status.is_final or emoji.status in (Status.AWAITING_REFINEMENT, Status.AWAITING_APPROVAL)


class Narrator(Protocol):
    """Shows a pack while it is made. Used as a context manager around the work."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def note(self, words: str) -> None:
        """Something worth knowing."""
        ...

    def warn(self, problem: Problem) -> None:
        """Something that went wrong; told even when quiet."""
        ...

    def ask(self, words: str) -> None:
        """Something that a person has to do next; told even when quiet."""
        ...

    def show(self, emojis: Sequence[Emoji]) -> None:
        """The emojis as they are now."""
        ...


def narrator(*, quiet: bool, stream: TextIO | None = None) -> Narrator:
    """The fitting one for where standard error goes."""
    stream = stream or sys.stderr
    if quiet:
        return Silence(stream)
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return Bars(stream)
    return Lines(stream)


class Silence:
    """Tells problems, and what a person has to do; nothing else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.flush()

    def note(self, words: str) -> None:
        """Nothing."""

    def warn(self, problem: Problem) -> None:
        """One line."""
        self._say(sentence(problem))

    def ask(self, words: str) -> None:
        """One line."""
        self._say(words)

    def show(self, emojis: Sequence[Emoji]) -> None:
        """Nothing."""

    def _say(self, text: str) -> None:
        print(printable(text), file=self._stream, flush=True)


class Lines(Silence):
    """A line for each change, for logs and pipes."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._told: dict[str, Status] = {}

    def note(self, words: str) -> None:
        """One line."""
        self._say(words)

    def show(self, emojis: Sequence[Emoji]) -> None:
        """A line for every emoji whose status is another than before; waiting between two stages is no news."""
        settled = sum(is_settled(emoji) and self._told.get(emoji.id) is emoji.status for emoji in emojis)
        for emoji in emojis:
            if emoji.status is Status.QUEUED or self._told.get(emoji.id) is emoji.status:
                continue
            self._told[emoji.id] = emoji.status
            settled += is_settled(emoji)
            count = f" ({settled} of {len(emojis)})" if is_settled(emoji) else ""
            self._say(f"{emoji.action}: {_state(emoji)}{count}")


class Bars:
    """A bar for each emoji below one for the pack, drawn again in place."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console

        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._progress: Progress | None = None
        self._rows: dict[str, TaskID] = {}
        self._total: TaskID | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def note(self, words: str) -> None:
        """A line above the bars."""
        self._console.print(printable(words), markup=False, style="dim")

    def warn(self, problem: Problem) -> None:
        """A red line above the bars."""
        self._console.print(printable(sentence(problem)), markup=False, style="red")

    def ask(self, words: str) -> None:
        """A line above the bars, as plain to see as any."""
        self._console.print(printable(words), markup=False)

    def show(self, emojis: Sequence[Emoji]) -> None:
        """Move every bar to where its emoji is."""
        progress = self._progress or self._begin(emojis)
        for emoji in emojis:
            if emoji.id not in self._rows:
                self._rows[emoji.id] = progress.add_task(printable(emoji.action), total=1.0, words="", style="")
            style = STYLES.get(emoji.status, "")
            done = 1.0 if is_settled(emoji) and emoji.status is not Status.FAILED else emoji.progress
            progress.update(self._rows[emoji.id], completed=done, words=printable(_state(emoji)), style=style)
        settled = sum(is_settled(emoji) for emoji in emojis)
        if self._total is not None:
            share = sum(1.0 if is_settled(emoji) else emoji.progress for emoji in emojis)
            words = f"{settled} of {len(emojis)}"
            progress.update(self._total, completed=share, total=float(len(emojis)), words=words, style="bold")

    def _begin(self, emojis: Sequence[Emoji]) -> Progress:
        self._progress = _bars(self._console)
        if len(emojis) > 1:  # first, so that a small terminal cuts off emojis and never the sum
            self._total = self._progress.add_task("all", total=float(len(emojis)), words="", style="bold")
        self._progress.start()
        return self._progress


def _bars(console: object) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
    from rich.table import Column
    from rich.text import Text

    class State(ProgressColumn):
        """What the emoji does, in the colour of its fate."""

        def render(self, task: Task) -> Text:
            return Text(task.fields["words"], style=task.fields["style"], no_wrap=True, overflow="ellipsis")

    assert isinstance(console, Console)
    return Progress(
        TextColumn("{task.description}", markup=False, justify="right"),
        BarColumn(bar_width=24, complete_style="cyan", finished_style="green"),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        State(table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
        console=console,
        expand=True,
    )


def _state(emoji: Emoji) -> str:
    words = WORDS[emoji.status]
    return f"{words}: {sentence(emoji.problem)}" if emoji.problem else words

"""The seam to whoever makes clips: submit, check, download.

Three calls instead of one, so that the remote task can be written down before anybody waits for it. A provider keeps
nothing whose loss would cost money: everything that `check` and `download` need is in the RemoteTask.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from popcond.media.raster import Colour
from popcond.wire import Action, Provider


@dataclass(frozen=True)
class ClipRequest:
    """One clip that somebody wants."""

    action: Action
    motion_prompt: str
    cutout: Path  # RGBA PNG of the character, of any size
    backdrop: Colour  # flat colour behind the character, far from its palette; SEGMENT is told the same
    seconds: float = 2.0


@dataclass(frozen=True)
class RemoteTask:
    """The id that a provider gave us. Written down before we wait."""

    provider: str
    id: str


class TaskState(StrEnum):
    """What a provider says about a remote task."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the provider knows no such task (any more)


@dataclass(frozen=True)
class TaskStatus:
    """The answer of `check`."""

    task: RemoteTask
    state: TaskState
    progress: float = 0.0  # 0..1
    result: str | None = None  # where the clip is, in the provider's own words
    message: str = ""  # why it failed
    poll_after: float = 0.2  # seconds until it is worth asking again


class VideoProvider(Protocol):
    """Makes a clip of a character doing an action."""

    def describe(self) -> Provider:
        """Models, prices, limits, and whether the key is there."""
        ...

    async def submit(self, request: ClipRequest) -> RemoteTask:
        """Hand the work over. Raises ProviderFailed when it is refused."""
        ...

    async def check(self, task: RemoteTask) -> TaskStatus:
        """Ask how far it is. Repeating it costs nothing."""
        ...

    async def download(self, status: TaskStatus, to: Path) -> None:
        """Write the clip of a SUCCEEDED task to `to`. Repeating it costs nothing."""
        ...

    async def cancel(self, task: RemoteTask) -> None:
        """Stop it if that is still possible."""
        ...

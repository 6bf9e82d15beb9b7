"""The seam to whoever makes clips or pictures: submit, check, download; and `tasks`, its own list of what it accepted.

Several calls instead of one, so that the remote task can be written down before anybody waits for it. A provider keeps
nothing whose loss would cost money: everything that `check` and `download` need is in the RemoteTask. `submit` sends
once and never again by itself; what its answer leaves open is settled with the list.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol, TypeVar

from popcond.media.raster import Colour
from popcond.wire import Action, PictureModel, Provider, ProviderModel

Wanted = TypeVar("Wanted", contravariant=True)


@dataclass(frozen=True)
class ClipRequest:
    """One clip that somebody wants."""

    action: Action
    motion_prompt: str
    cutout: Path  # RGBA PNG of the character, of any size
    backdrop: Colour  # flat colour behind the character, far from its palette; SEGMENT is told the same
    model: str  # one of the provider's
    seconds: float = 2.0


@dataclass(frozen=True)
class PictureRequest:
    """One picture that somebody wants: a character drawn from words, or a pose of one."""

    prompt: str  # all that the model is told
    model: str  # one of the provider's picture models
    references: tuple[Path, ...] = ()  # pictures that are shown to the model, RGB or RGBA PNG
    backdrop: Colour = (255, 255, 255)  # flat colour that references with alpha are laid on


@dataclass(frozen=True)
class RemoteTask:
    """The id that a provider gave us. Written down before we wait."""

    provider: str
    id: str
    request_id: str | None = field(default=None, compare=False)  # of the order, for the provider's support


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
    result: str | None = None  # where the file is, in the provider's own words
    message: str = ""  # why it failed
    billed: float | None = None  # what it cost, in the model's currency, where the provider says so
    prompt: str | None = None  # what it was asked for, where the provider repeats it
    poll_after: float = 0.2  # seconds until it is worth asking again


@dataclass(frozen=True)
class ListedTask:
    """One line of a provider's own list."""

    id: str
    model: str
    accepted_at: float  # seconds since the epoch, by the provider's clock


@dataclass(frozen=True)
class TaskList:
    """What a provider says that it accepted in a span of time."""

    tasks: tuple[ListedTask, ...]
    is_complete: bool  # false: there may be tasks that it does not tell


class Maker(Protocol[Wanted]):
    """Takes orders for files that somebody wants."""

    @property
    def settles_in(self) -> float:
        """Seconds after which an order without an answer is either in the list or was never accepted."""
        ...

    def turn(self, model: str) -> AbstractAsyncContextManager[None]:
        """Wait until an order of this model keeps within its limits; inside, one may be submitted.

        Whoever writes an intent down does so inside, so that nothing lies between the intent and its order.
        """
        ...

    async def submit(self, request: Wanted) -> RemoteTask:
        """Hand the work over, once.

        Raises ProviderFailed (ProviderBusy for now) when nothing was bought for sure, and SubmitUnanswered when the
        order may have arrived.
        """
        ...

    async def tasks(self, since: float, until: float) -> TaskList:
        """What it accepted between two instants (seconds since the epoch). Repeating it costs nothing."""
        ...

    async def check(self, task: RemoteTask) -> TaskStatus:
        """Ask how far it is. Repeating it costs nothing. Raises ProviderUnreachable."""
        ...

    async def download(self, status: TaskStatus, to: Path) -> None:
        """Write the file of a SUCCEEDED task to `to`. Repeating it costs nothing. Raises ProviderUnreachable."""
        ...

    async def cancel(self, task: RemoteTask) -> bool:
        """Stop it if that is still possible; True when it will cost nothing."""
        ...


class VideoProvider(Maker[ClipRequest], Protocol):
    """Makes a clip of a character doing an action."""

    def describe(self) -> Provider:
        """Models, prices, limits, and whether the key is there."""
        ...


class PictureProvider(Maker[PictureRequest], Protocol):
    """Draws a character, or a pose of one, as a square picture."""

    def picture_models(self) -> tuple[PictureModel, ...]:
        """What it draws with; the first is the default."""
        ...


def price_of(model: ProviderModel, seconds: float) -> float:
    """What a clip of this length costs, in the model's currency."""
    return model.price_per_second * seconds

"""The shapes of DashScope's answers, as far as we read them; everything else in them is ignored."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_SERVICE_ZONE = timezone(timedelta(hours=8))  # of times that name no zone


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Refusal(_Answer):
    """The body of a 4xx."""

    code: str = Field(min_length=1)
    message: str = ""


class Drawn(_Answer):
    """One picture of a task, or why there is none: each may fail by itself."""

    url: str | None = None
    code: str | None = None  # of a failure
    message: str | None = None
    orig_prompt: str | None = None


class _Part(_Answer):
    image: str | None = None  # an address; other parts are text


class _Message(_Answer):
    content: tuple[_Part, ...] = ()


class _Choice(_Answer):
    message: _Message = _Message()


class _Drawings(_Answer):
    results: tuple[Drawn, ...]
    choices: tuple[_Choice, ...]


class Output(_Answer):
    """What is told of one task."""

    task_id: str = Field(min_length=1, max_length=200)
    task_status: str
    submit_time: str | None = None  # "2026-11-23 21:23:40.519", UTC+8
    orig_prompt: str | None = None
    video_url: str | None = None
    code: str | None = None  # of a failure
    message: str | None = None
    results: Any = None  # pictures of older models
    choices: Any = None  # pictures of newer ones

    def drawn(self) -> tuple[Drawn, ...]:
        """The pictures, whichever way they are told; what cannot be read is none."""
        try:
            told = _Drawings.model_validate({"results": self.results or (), "choices": self.choices or ()})
        except ValidationError:
            return ()
        parts = (part for choice in told.choices for part in choice.message.content)
        return (*told.results, *(Drawn(url=part.image) for part in parts if part.image))

    @property
    def submitted_at(self) -> float | None:
        """Seconds since the epoch."""
        try:
            return datetime.fromisoformat(self.submit_time or "").replace(tzinfo=_SERVICE_ZONE).timestamp()
        except ValueError:
            return None


class Usage(_Answer):
    """What is billed, in seconds and clips, or in pictures; the service names no sums."""

    duration: float | None = None
    video_duration: float | None = None  # what older models call it
    video_count: int = 1
    tier: int | None = Field(None, alias="SR")
    image_count: int | None = None

    @property
    def seconds(self) -> float | None:
        """Of a clip."""
        return self.duration or self.video_duration


class TaskAnswer(_Answer):
    """The answer to a create and to a query."""

    output: Output
    request_id: str | None = Field(None, max_length=200)
    usage: dict[str, Any] | None = None

    def billed(self) -> Usage | None:
        """The usage, where it can be read."""
        try:
            return Usage.model_validate(self.usage) if self.usage else None
        except ValidationError:
            return None


class ListRow(_Answer):
    """One task of the list, which tells neither prompt nor result."""

    task_id: str
    model_name: str
    gmt_create: float  # milliseconds since the epoch


class Page(_Answer):
    """One page of the list."""

    total: int
    data: tuple[ListRow, ...] = ()


def list_time(at: float, hours_east: int) -> str:
    """An instant as the list's filter writes it, by the clocks of a zone."""
    return datetime.fromtimestamp(at, timezone(timedelta(hours=hours_east))).strftime("%Y%m%d%H%M%S")

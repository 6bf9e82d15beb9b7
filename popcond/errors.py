"""Everything that may go wrong, as sentences for a person.

    PopconError
    ├── BadInput                  what was given cannot be used
    │   ├── UnreadablePicture     no picture, a broken one, or a format we do not read
    │   ├── UnreadableClip        no video, a broken one, or a format we do not read
    │   ├── TooLarge              more bytes, pixels, frames or seconds than we take
    │   ├── UnknownName           no such action, target, provider …
    │   ├── BadEntry              an entry of a user's file (actions.toml, config.toml)
    │   │   └── BadSetting        … which is a setting, from there or from the environment
    │   └── NoCharacter           nothing is left once the background is gone
    ├── NotFound                  no such row or file
    ├── Conflict                  not now: the thing is in another state
    ├── Unauthorized              no token, or a wrong one
    ├── ProviderFailed            a provider refused; nothing was bought
    │   ├── ProviderBusy          … for now: too many requests, overloaded
    │   ├── ProviderUnreachable   … or did not answer a question whose repetition costs nothing
    │   └── SubmitUnanswered      an order got no answer: nobody knows whether it was bought
    ├── MaybeBought               nor does the provider's own list tell; a person has to decide
    ├── OverBudget                it would cost more than may be spent
    ├── OutOfDisk                 the disk or the quota is full
    ├── StorageFailed             the database or its disk failed; nothing was written
    ├── Stopping                  the daemon is on its way out
    ├── OutOfMemory               a worker met its memory limit
    ├── WorkerDied                a child process ended without an answer
    ├── TookTooLong               a stage ran longer than it may
    ├── HomeUnusable              the home folder is locked, read-only or newer than this program
    ├── DaemonUnreachable         a client found no daemon, or lost it
    └── Cancelled                 somebody asked for it (control flow with a name)

Every error has a stable `code`, a message, and the cure where there is one. Foreign exceptions are translated at
the edge that meets them, with `raise … from error`.
"""

from __future__ import annotations

from typing import Any

from popcond.wire import Problem


class PopconError(Exception):
    """The root; `code` is stable and scripts may compare it.

    `retries` says how often the queue may try again by itself: 0 where the same would only happen again.
    """

    code = "popcon_error"
    retries = 0

    def __init__(
        self, message: str, *, cure: str | None = None, details: dict[str, Any] | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.details = details
        self.code = code or type(self).code

    def __str__(self) -> str:
        return f"{self.message} {self.cure}" if self.cure else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.cure, self.details, self.code)

    def problem(self) -> Problem:
        """The same, as it crosses the wire."""
        return Problem(code=self.code, message=self.message, cure=self.cure, details=self.details)


def _rebuild(
    kind: type[PopconError], message: str, cure: str | None, details: dict[str, Any] | None, code: str
) -> PopconError:
    return kind(message, cure=cure, details=details, code=code)


class BadInput(PopconError):
    """What was given cannot be used as it is."""

    code = "bad_input"


class UnreadablePicture(BadInput):
    """No picture, a broken one, or a format that we do not read."""

    code = "unreadable_picture"


class UnreadableClip(BadInput):
    """No video, a broken one, or a format that we do not read."""

    code = "unreadable_clip"


class TooLarge(BadInput):
    """More bytes, pixels, frames or seconds than we take."""

    code = "too_large"


class UnknownName(BadInput):
    """A name that is in no list: an action, a target, a provider."""

    code = "unknown_name"


class BadEntry(BadInput):
    """An entry of a user's own file; names file, line and cure. The other entries still load."""

    code = "bad_entry"


class BadSetting(BadEntry):
    """A setting that cannot be used; names it with its cure. No program starts with it."""

    code = "bad_setting"


class NoCharacter(BadInput):
    """Nothing is left once the background is gone."""

    code = "no_character"


class NotFound(PopconError):
    """No such row or file."""

    code = "not_found"


class Conflict(PopconError):
    """The thing is in a state that does not allow this."""

    code = "conflict"


class Unauthorized(PopconError):
    """No token, or a wrong one."""

    code = "unauthorized"


class ProviderFailed(PopconError):
    """A provider refused the work, or failed on it; nothing was bought."""

    code = "provider_failed"


class ProviderBusy(ProviderFailed):
    """A provider refused for now; nothing was bought, and asking again later may help."""

    code = "provider_busy"
    retries = 12


class ProviderUnreachable(ProviderFailed):
    """A question whose repetition costs nothing got no answer."""

    code = "provider_unreachable"
    retries = 30


class SubmitUnanswered(ProviderFailed):
    """An order got no answer: it may have been bought. Settled by the provider's own list, never by sending again."""

    code = "submit_unanswered"


class MaybeBought(PopconError):
    """Even the provider's own list does not tell whether an order was bought; a person has to decide."""

    code = "maybe_bought"


class OverBudget(PopconError):
    """It would cost more than may be spent."""

    code = "over_budget"


class OutOfDisk(PopconError):
    """The disk or the quota is full."""

    code = "out_of_disk"
    retries = 5


class StorageFailed(PopconError):
    """The database, or the disk under it, failed; what was to be written was not."""

    code = "storage_failed"
    retries = 5


class Stopping(PopconError):
    """The daemon is on its way out and takes nothing on."""

    code = "stopping"


class OutOfMemory(PopconError):
    """A worker met its memory limit."""

    code = "out_of_memory"


class WorkerDied(PopconError):
    """A child process ended without an answer."""

    code = "worker_died"
    retries = 2


class TookTooLong(PopconError):
    """A stage ran longer than it may, and was ended."""

    code = "took_too_long"


class HomeUnusable(PopconError):
    """The home folder is locked, read-only, or written by a newer version."""

    code = "home_unusable"


class DaemonUnreachable(PopconError):
    """A client found no daemon, or lost it."""

    code = "daemon_unreachable"


class Cancelled(PopconError):
    """Somebody asked for it."""

    code = "cancelled"

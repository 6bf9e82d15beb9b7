"""The paid provider, bound to the stand-in on this computer: every step as if for money, and none of it billed."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from pydantic import SecretStr

from popcond.errors import BadSetting
from popcond.rehearsal.place import read_mark
from popcond.settings import Settings
from popcond.video.dashscope import DashScope
from popcond.video.fetch import Rules
from popcond.wire import Provider
from popcond.workers import Workers

LABEL = "Rehearsal: nothing is billed"


class Rehearsed(DashScope):
    """DashScope with no way out of this computer."""

    def __init__(self, key: Callable[[], SecretStr | None], settings: Settings, workers: Workers | None = None) -> None:
        """`settings` are a rehearsal's. Raises BadSetting when their address is not on this computer."""
        base_url = settings.dashscope_base_url or ""
        _refuse_the_real_thing(base_url)
        super().__init__(
            key,
            base_url=base_url,
            settles_in=settings.dashscope_settle_seconds,
            poll_after=settings.dashscope_poll_seconds,
            workers=workers,
        )
        self._region = read_mark(settings.home).region
        self._rules = Rules((), allows_loopback=True)

    def describe(self) -> Provider:
        """The real models and prices, under a label that says what this is."""
        return super().describe().model_copy(update={"label": LABEL, "needs_network": False})


def _refuse_the_real_thing(base_url: str) -> None:
    address = urlsplit(base_url)
    if (address.scheme, address.hostname) != ("http", "127.0.0.1"):
        raise BadSetting(
            "This home is for rehearsals, and a rehearsal asks no service outside of this computer.",
            cure="Serve it with `popcond serve --rehearsal`; for real clips choose another home.",
        )

"""The paid provider, bound to the stand-in on this computer: every step as if for money, and none of it billed."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from pydantic import SecretStr

from popcond.errors import BadSetting
from popcond.rehearsal.place import read_mark
from popcond.settings import Settings
from popcond.video.dashscope_account import Account
from popcond.workers import Workers

LABEL = "Rehearsal: nothing is billed"


class Rehearsed(Account):
    """An account with no way out of this computer; its models and prices are the real ones."""

    def __init__(self, key: Callable[[], SecretStr | None], settings: Settings, workers: Workers | None = None) -> None:
        """`settings` are a rehearsal's. Raises BadSetting when their address is not on this computer."""
        base_url = settings.dashscope_base_url or ""
        _refuse_the_real_thing(base_url)
        super().__init__(
            key,
            base_url=base_url,
            region=read_mark(settings.home).region,
            hosts=(),
            settles_in=settings.dashscope_settle_seconds,
            poll_after=settings.dashscope_poll_seconds,
            workers=workers,
            label=LABEL,
        )


def _refuse_the_real_thing(base_url: str) -> None:
    address = urlsplit(base_url)
    if (address.scheme, address.hostname) != ("http", "127.0.0.1"):
        raise BadSetting(
            "This home is for rehearsals, and a rehearsal asks no service outside of this computer.",
            cure="Serve it with `popcond serve --rehearsal`; for real clips choose another home.",
        )

"""A conversation with a daemon: which one, with which token, and the open line to its events."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from popcond.cli.narrate import Narrator
from popcond.cli.usage import WrongUsage
from popcond.cli.watch import Feed
from popcond.client import Client, is_address, is_token
from popcond.daemon_process import ensure_daemon
from popcond.errors import DaemonUnreachable, Unauthorized
from popcond.home import read_or_make_token
from popcond.settings import Settings
from popcond.wire import Pack


@dataclass(frozen=True)
class Session:
    """What every command that makes something needs."""

    client: Client
    feed: Feed
    narrator: Narrator
    place: tuple[str, ...] = ()  # the options that lead to the same daemon again

    def command(self, name: str, pack: Pack, out: Path, *more: str) -> str:
        """The command line that goes on with a pack, as a person may paste it."""
        return shlex.join(["popcond", name, pack.id, *more, "--out", str(out), *self.place])


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings with what the command line says on top. Raises WrongUsage for a URL or a token that is none."""
    home = options.home and options.home.expanduser().absolute()
    settings = Settings.load(home=home, url=getattr(options, "url", None), token=getattr(options, "token", None))
    if settings.url is None:
        if getattr(options, "token", None) is not None:
            raise WrongUsage(
                "--token opens a daemon elsewhere, and there is no --url.",
                cure="Give its --url, or leave --token out: this computer's daemon has its own.",
            )
        return settings
    if not is_address(settings.url):
        raise WrongUsage(f"{settings.url} is no address of a daemon.", cure="Write it like http://127.0.0.1:8765.")
    if settings.token is not None and not is_token(settings.token.get_secret_value()):
        raise WrongUsage(
            "The token has letters that no token has.",
            cure="Copy it again, whole, from what `popcond token` prints on the daemon's computer.",
        )
    return settings


@asynccontextmanager
async def open_session(options: argparse.Namespace, narrator: Narrator) -> AsyncIterator[Session]:
    """A session with the daemon of the command line; one is started when the home has none and no URL is given."""
    settings = settings_of(options)
    async with AsyncExitStack() as stack:
        if settings.url is not None:
            client, feed = await _connect(stack, settings.url, remote_token(settings))
        else:
            client, feed = await _connect_at_home(stack, settings, narrator)
        await client.shake_hands()
        yield Session(client, feed, narrator, _place(options))


def remote_token(settings: Settings) -> str:
    """The token for the settings' URL. The home's own token is shown to this computer only."""
    if settings.token is not None:
        return settings.token.get_secret_value()
    if settings.token_file.exists() and _is_here(settings.url or ""):
        return read_or_make_token(settings)
    raise Unauthorized(
        f"There is no token for {settings.url}.",
        cure="Run `popcond token` on the daemon's computer and set POPCON_TOKEN to what it prints.",
    )


async def _connect_at_home(stack: AsyncExitStack, settings: Settings, narrator: Narrator) -> tuple[Client, Feed]:
    """A daemon that was found may be stopping at this very moment: then a new one is started.

    POPCON_TOKEN is for daemons elsewhere; the token of this home is in its file.
    """
    info = await ensure_daemon(settings, narrator.note)
    renew = partial(read_or_make_token, settings)

    async def revive() -> str:
        return (await ensure_daemon(settings, narrator.note)).url

    with suppress(DaemonUnreachable):
        return await _connect(stack, info.url, renew(), renew, revive)
    return await _connect(stack, await revive(), renew(), renew, revive)


async def _connect(
    stack: AsyncExitStack,
    url: str,
    token: str,
    renew: Callable[[], str] | None = None,
    revive: Callable[[], Awaitable[str]] | None = None,
) -> tuple[Client, Feed]:
    client = await stack.enter_async_context(Client(url, token, renew=renew, revive=revive))
    feed = await stack.enter_async_context(Feed(client))
    return client, feed


def _place(options: argparse.Namespace) -> tuple[str, ...]:
    given = (("--home", options.home), ("--url", options.url))
    return tuple(word for name, value in given if value is not None for word in (name, str(value)))


def _is_here(url: str) -> bool:
    return url.startswith("unix:") or urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")

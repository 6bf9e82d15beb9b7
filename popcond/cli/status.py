"""`popcond status`: is a daemon running, where, which version, what is it doing. Starts nothing."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from popcond.cli.narrate import WORDS, is_settled
from popcond.cli.rehearsal import NOTHING_IS_BILLED, REHEARSAL
from popcond.cli.session import remote_token, settings_of
from popcond.cli.terminal_text import printable
from popcond.cli.usage import DONE, FAILED, counted
from popcond.client import Client
from popcond.daemon_process import running
from popcond.home import RuntimeInfo, read_or_make_token
from popcond.settings import Settings
from popcond.wire import Pack


@dataclass(frozen=True)
class Work:
    """An emoji that something happens to right now."""

    pack: str
    action: str
    status: str
    progress: float


@dataclass(frozen=True)
class Kept:
    """A pack that the daemon keeps, for `popcond resume` and `popcond accept`."""

    id: str
    name: str
    settled: int  # emojis that nothing more happens to by itself
    emojis: int


@dataclass(frozen=True)
class Standing:
    """What there is to say; what is not known of a daemon elsewhere is None."""

    running: bool
    home: str | None = None
    url: str | None = None
    version: str | None = None
    pid: int | None = None
    started: float | None = None  # seconds since the epoch
    rehearsal: bool = False  # nothing that it buys is billed
    packs: int = 0
    working: tuple[Work, ...] = ()
    kept: tuple[Kept, ...] = ()  # as the daemon lists them


def run(options: argparse.Namespace) -> int:
    """0 when a daemon runs, 1 when none does."""
    standing = asyncio.run(_look(settings_of(options)))
    print(json.dumps(asdict(standing), ensure_ascii=False) if options.json else "\n".join(_lines(standing)))
    return DONE if standing.running else FAILED


async def _look(settings: Settings) -> Standing:
    if settings.url is not None:
        return await _ask(settings.url, remote_token(settings), None)
    info = await running(settings)
    if info is None:
        return Standing(running=False, home=str(settings.home))
    return await _ask(info.url, read_or_make_token(settings), info)


async def _ask(url: str, token: str, info: RuntimeInfo | None) -> Standing:
    async with Client(url, token) as client:
        version, packs = await client.version(), await client.packs()
    return Standing(
        running=True,
        home=info.home if info else None,
        url=url,
        version=version.version,
        pid=info.pid if info else None,
        started=info.started if info else None,
        rehearsal=REHEARSAL in version.features,
        packs=len(packs),
        working=tuple(work for pack in packs for work in _working(pack)),
        kept=tuple(_kept(pack) for pack in packs),
    )


def _working(pack: Pack) -> list[Work]:
    return [
        Work(pack.name, emoji.action, emoji.status.value, emoji.progress)
        for emoji in pack.emojis
        if not is_settled(emoji)
    ]


def _kept(pack: Pack) -> Kept:
    return Kept(pack.id, pack.name, sum(is_settled(emoji) for emoji in pack.emojis), len(pack.emojis))


def _lines(standing: Standing) -> list[str]:
    if not standing.running:
        return [f"No daemon runs for {printable(str(Path(standing.home or '')))}."]
    since = f" since {_clock(standing.started)}" if standing.started else ""
    process = f", process {standing.pid}" if standing.pid else ""
    lines = [f"popcond {standing.version} runs at {standing.url}{since}{process}."]
    lines += [NOTHING_IS_BILLED] if standing.rehearsal else []
    lines += [f"Its folder is {printable(standing.home)}."] if standing.home else []
    lines += [f"{counted(standing.packs, 'pack')}, {counted(len(standing.working), 'emoji')} in work."]
    lines += [f"  {kept.id}  {printable(kept.name)} ({kept.settled} of {kept.emojis})" for kept in standing.kept]
    return lines + [f"  {printable(work.pack)} · {printable(work.action)}: {_state(work)}" for work in standing.working]


def _state(work: Work) -> str:
    words = {status.value: words for status, words in WORDS.items()}
    return f"{words[work.status]}, {work.progress:.0%}"


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M")

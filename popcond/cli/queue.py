"""`popcond queue`: what runs, what waits in which order, what failed for good; and a person's say in it.

It starts no daemon: one that was started only to look at its queue would begin to work it off, and to spend.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from popcond import pipeline
from popcond.cli.narrate import WORDS
from popcond.cli.session import remote_token, settings_of
from popcond.cli.terminal_text import printable, sentence
from popcond.cli.usage import DONE, WrongUsage, counted, near_names
from popcond.client import Client
from popcond.daemon_process import running
from popcond.errors import DaemonUnreachable
from popcond.home import read_or_make_token
from popcond.wire import JobRow, JobState, Pruned, Queue, Stage

_PAGE = 500  # rows in one answer
_SHORT = 8  # letters of an id that a person sees


@dataclass(frozen=True)
class Standing:
    """The queue and its jobs."""

    queue: Queue
    running: tuple[JobRow, ...]
    waiting: tuple[JobRow, ...]  # in the order of the queue; those that are tried again later come last
    dead: tuple[JobRow, ...]  # those that no later job has made good


def run(options: argparse.Namespace) -> int:
    """One look, or one change; returns the exit code."""
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    async with _daemon(options) as client:
        if options.verb == "prune":
            pruned = await client.prune_queue(options.older_than)
            print(pruned.model_dump_json() if options.json else _pruned(pruned))
            return DONE
        await _change(client, options)
        standing = await _look(client)
    print(_as_json(standing) if options.json else "\n".join(_lines(standing)))
    return DONE


@asynccontextmanager
async def _daemon(options: argparse.Namespace) -> AsyncIterator[Client]:
    settings = settings_of(options)
    if settings.url is not None:
        url, token = settings.url, remote_token(settings)
    else:
        info = await running(settings)
        if info is None:
            raise DaemonUnreachable(
                f"No daemon runs for {settings.home}, so nothing of its queue is worked on.",
                cure="Start one with `popcond serve`.",
            )
        url, token = info.url, read_or_make_token(settings)
    async with Client(url, token) as client:
        yield client


async def _look(client: Client) -> Standing:
    queue = await client.queue()
    dead = await _every(client, JobState.DEAD)
    return Standing(
        queue=queue,
        running=await _every(client, JobState.RUNNING),
        waiting=await _every(client, JobState.READY),
        dead=tuple(row for row in dead if not row.superseded),
    )


async def _every(client: Client, state: JobState) -> tuple[JobRow, ...]:
    rows: list[JobRow] = []
    while page := await client.jobs(state=state, after=rows[-1].id if rows else None, limit=_PAGE):
        rows.extend(page)
        if len(page) < _PAGE:
            break
    return tuple(rows)


# ------------------------------------------------------------------ changes


async def _change(client: Client, options: argparse.Namespace) -> None:
    if options.verb == "pause":
        await client.pause_queue()
    elif options.verb == "resume":
        await client.resume_queue()
    elif options.verb in ("first", "move"):
        standing = await _look(client)
        live = (*standing.running, *standing.waiting)
        emoji_id = _emoji_asked_for(options.emoji, live, options.verb)
        before = _emoji_asked_for(options.before, live, "move … --before") if options.verb == "move" else None
        await client.move_emoji(emoji_id, before)


def _emoji_asked_for(text: str | None, live: Sequence[JobRow], verb: str) -> str:
    """The id of the one emoji in the queue that is meant. Raises WrongUsage when there is none, or are several."""
    if not text:
        raise WrongUsage(f"`{verb}` needs an emoji.", cure="`popcond queue` lists them.")
    ids = [(row.emoji_id, row.action) for row in live if row.emoji_id is not None]  # drawings keep their place
    found = [emoji_id for emoji_id, _ in ids if emoji_id.startswith(text)]
    found = found or [emoji_id for emoji_id, action in ids if action == text]
    if not found:
        raise WrongUsage(
            f"There is no {text} in the queue.", cure=near_names([text], [row.action for row in live] or ["nothing"])
        )
    if len(found) > 1:
        several = ", ".join(emoji_id[:_SHORT] for emoji_id in found[:5])
        raise WrongUsage(f"{text} may be any of {len(found)}.", cure=f"Give more of an id: {several}.")
    return found[0]


# ------------------------------------------------------------------ what is said


def _as_json(standing: Standing) -> str:
    rows = {name: getattr(standing, name) for name in ("running", "waiting", "dead")}
    told = {name: [row.model_dump(mode="json") for row in listed] for name, listed in rows.items()}
    return json.dumps({"queue": standing.queue.model_dump(mode="json"), **told}, ensure_ascii=False)


def _lines(standing: Standing) -> list[str]:
    queue = standing.queue
    paused = "The queue is paused; `popcond queue resume` lets it go on." if queue.paused else "The queue is open."
    later = f", {queue.delayed} for another try" if queue.delayed else ""
    places = ", ".join(f"{lane.running} of {lane.width} {lane.name}" for lane in queue.lanes)
    lines = [paused, f"{counted(queue.running, 'job')} at work ({places}), {queue.ready} waiting{later}."]
    lines += [f"  {_named(row)}: {_doing(row)}" for row in standing.running]
    if standing.waiting:
        lines += ["Waiting, in this order:", *(f"  {_named(row)}: {_awaited(row)}" for row in standing.waiting)]
    if standing.dead:
        lines += ["Failed for good:", *(f"  {_named(row)}: {_why(row)}" for row in standing.dead)]
    return lines


def _named(row: JobRow) -> str:
    """An id to point with, and the name that a person knows it by."""
    urgent = f" [{row.priority:+d}]" if row.priority else ""
    subject, name = row.emoji_id or row.character_id or "", f"{row.pack_name} · {row.action}"
    return printable(f"{subject[:_SHORT]}  {row.character_name or name}{urgent}")


def _doing(row: JobRow) -> str:
    """What the stage does, in the words of an emoji's status."""
    return "draws the character" if row.kind is Stage.DRAW else WORDS[pipeline.working(row.kind).status]


def _awaited(row: JobRow) -> str:
    if row.run_at is None:
        return f"{_doing(row)} next"
    clock = datetime.fromtimestamp(row.run_at, UTC).astimezone().strftime("%H:%M:%S")
    return f"tried again at {clock}. {_why(row)}"


def _why(row: JobRow) -> str:
    return printable(sentence(row.problem)) if row.problem else f"{_doing(row)}; why it failed is not known"


def _pruned(pruned: Pruned) -> str:
    return f"{counted(pruned.pruned, 'job')} that had ended went."

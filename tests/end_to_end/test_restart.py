"""A daemon that dies, however it dies, loses no emoji: the next one goes on where it stood."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from popcond.client import Client
from popcond.wire import Emoji, NewPack, Pack, Status
from tests.daemons import PATIENCE, RunningDaemon, environment, running_daemon

ACTIONS = ("wave", "nod")


async def until(client: Client, pack: Pack, reached: Callable[[Emoji], bool]) -> Pack:
    """The pack once one of its emojis has got there."""
    async with asyncio.timeout(90):
        while True:
            now = await client.pack(pack.id)
            if any(reached(emoji) for emoji in now.emojis):
                return now
            await asyncio.sleep(0.02)


async def ended(client: Client, emoji: Emoji) -> Emoji:
    """The emoji once nothing will change it any more by itself."""
    async with asyncio.timeout(90):
        while not emoji.status.is_final:
            await asyncio.sleep(0.05)
            emoji = await client.emoji(emoji.id)
        return emoji


def is_at(status: Status) -> Callable[[Emoji], bool]:
    """Whether an emoji has just this status."""
    return lambda emoji: emoji.status is status


async def die_at(daemon: RunningDaemon, number: signal.Signals, status: Status) -> Pack:
    """A pack whose daemon is killed as soon as one of its emojis is there."""
    async with Client(daemon.url, daemon.token) as client:
        sample = await client.add_sample_character()
        new = NewPack(
            character_id=sample.id, actions=ACTIONS, targets=("line-emoji",), auto_accept=True, max_spend=None
        )
        pack = await client.add_pack(new)
        await until(client, pack, is_at(status))
    daemon.process.send_signal(number)
    await asyncio.to_thread(daemon.process.wait, 30)
    return pack


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "told to stop"])
@pytest.mark.parametrize("status", [Status.GENERATING_VIDEO, Status.SEGMENTING, Status.ENCODING])
async def test_a_restart_finishes_what_was_begun(tmp_path: Path, number: signal.Signals, status: Status) -> None:
    home = tmp_path / "home"
    with running_daemon(home) as daemon:
        pack = await die_at(daemon, number, status)
    with running_daemon(home) as daemon:
        async with Client(daemon.url, daemon.token) as client:
            for emoji in pack.emojis:
                now = await ended(client, emoji)
                assert (now.status, len(now.takes)) == (Status.DONE, 1), now
                (sticker,) = await client.stickers(emoji.id)
                assert sticker.verdict.valid
            assert len(await client.packs()) == 1
    drafts = [path for path in home.rglob("*") if path.name.startswith(".draft") or path.name.startswith("upload-")]
    assert not drafts


def test_a_command_whose_daemon_is_killed_starts_another_and_goes_on(tmp_path: Path) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    words = ["make", "--sample", "--actions", "wave,nod", "--target", "line-emoji", "--out", str(out), "--quiet"]
    make = subprocess.Popen([sys.executable, "-m", "popcond", *words], env=environment(home), stderr=subprocess.PIPE)
    killed = _kill_once_it_animates(home)
    _, told = make.communicate(timeout=PATIENCE * 2)
    assert make.returncode == 0, told.decode()
    assert len(list((out / "line-emoji").glob("*.png"))) >= 2
    assert killed not in _pids(home)


def _kill_once_it_animates(home: Path) -> int:
    """SIGKILL for the daemon of the home, as soon as it has begun to work; answers its process."""
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        with contextlib.suppress(OSError, ValueError, KeyError):
            pid = int(json.loads((home / "runtime.json").read_text())["pid"])
            if any((home / ".popcon-work" / "puppet").iterdir()):
                os.kill(pid, signal.SIGKILL)
                return pid
        time.sleep(0.01)
    raise AssertionError("no clip was ever begun")


def _pids(home: Path) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(json.loads((home / "runtime.json").read_text())["pid"])]
    return []


def test_a_second_daemon_of_a_home_is_refused_with_a_cure(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running_daemon(home), pytest.raises(AssertionError, match="already serves") as caught, running_daemon(home):
        pass
    assert "--home" in str(caught.value)

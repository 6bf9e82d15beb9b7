"""A daemon is found, or started and shared; it leaves by itself, and a dead one's place is not trusted."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from popcond.client import Client
from popcond.daemon_process import ensure_daemon, running
from popcond.errors import DaemonUnreachable, HomeUnusable
from popcond.home import RuntimeInfo, read_or_make_token, read_runtime, write_runtime
from popcond.settings import Settings
from tests.popcond.script_server import answer, scripted


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A home of its own; a daemon that a test has left there is stopped."""
    settings = Settings.load(home=tmp_path / "home")
    yield settings
    info = read_runtime(settings)
    if info is not None and info.pid != os.getpid():
        os.kill(info.pid, signal.SIGTERM)
        os.waitpid(info.pid, 0)


async def test_a_home_without_a_daemon_has_none(settings: Settings) -> None:
    assert await running(settings) is None
    assert not settings.home.exists()


async def test_whoever_took_a_dead_daemons_port_never_sees_the_token(settings: Settings) -> None:
    read_or_make_token(settings)
    async with scripted(answer(200, {"status": "ok"})) as stranger:
        write_runtime(
            settings, RuntimeInfo(url=stranger.url, pid=os.getpid(), version="0", started=0.0, home=str(settings.home))
        )
        assert await running(settings) is None
        assert stranger.asked == []
    settings.runtime_file.unlink()


async def test_two_commands_at_once_share_one_daemon(settings: Settings) -> None:
    first, second = await asyncio.gather(ensure_daemon(settings), ensure_daemon(settings))
    assert first == second
    assert await running(settings) == first
    async with Client(first.url, read_or_make_token(settings)) as client:
        assert (await client.version()).features


async def test_a_daemon_that_was_started_for_a_command_leaves_by_itself(settings: Settings) -> None:
    info = await ensure_daemon(settings)
    _, status = await asyncio.to_thread(os.waitpid, info.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert await running(settings) is None
    assert not settings.runtime_file.exists()


async def test_a_daemon_that_dies_leaves_its_last_words(settings: Settings) -> None:
    settings.home.mkdir()
    settings.database.write_bytes(b"this was never a database" * 200)
    with pytest.raises(DaemonUnreachable, match="ended while it started") as caught:
        await ensure_daemon(settings)
    assert str(settings.log_file) in str(caught.value.cure)
    assert settings.log_file.stat().st_mode & 0o077 == 0


async def test_its_last_words_are_found_in_a_log_that_was_begun_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POPCON_LOG_FILE_MB", "1")
    settings.home.mkdir()
    settings.log_file.write_bytes(b"x" * ((1 << 20) - 1) + b"\n")
    with sqlite3.connect(settings.database) as future:
        future.execute("CREATE TABLE _sqlite_migrations (migration_set TEXT, name TEXT, applied_at TEXT)")
        future.execute("INSERT INTO _sqlite_migrations VALUES ('popcon', 'm999_of_the_future', '')")
    future.close()
    with pytest.raises(DaemonUnreachable, match="newer PopCon"):
        await ensure_daemon(settings)
    monkeypatch.setenv("POPCON_LOG_FILES", "many")  # it does not even come to its log
    with pytest.raises(DaemonUnreachable, match="'log_files' is not usable"):
        await ensure_daemon(settings)


async def test_a_daemon_in_the_background_logs_lines_for_programs(settings: Settings) -> None:
    info = await ensure_daemon(settings)
    lines = [json.loads(line) for line in settings.log_file.read_text().splitlines()]
    assert any(info.url in line["message"] for line in lines)


async def test_a_home_that_cannot_be_is_told_before_anything_is_started(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HomeUnusable, match="cannot be used"):
        await ensure_daemon(Settings.load(home=tmp_path / "file"))

"""The log: lines for people or for programs, never a secret, never beyond its size, readable by its owner only."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from popcond.errors import HomeUnusable
from popcond.log import Redactor, handler_of, last_word
from popcond.settings import Settings

CANARY = "canary1234567890abcdef"


def settings_of(tmp_path: Path, **said: Any) -> Settings:
    """A home that exists, and no setting of whoever runs the tests."""
    return Settings.load(home=tmp_path, **said)


def written(handler: logging.Handler, *records: logging.LogRecord) -> str:
    """The lines as they would be written."""
    return "\n".join(handler.format(record) for record in records)


def record(message: str, *args: object, **more: Any) -> logging.LogRecord:
    """What a logger would hand on."""
    return logging.LogRecord("popcond", logging.INFO, __file__, 1, message, args, more.get("exc_info"))


@pytest.mark.parametrize("style", ["plain", "json"])
def test_a_secret_is_in_no_line_wherever_it_was_in_the_record(tmp_path: Path, style: str) -> None:
    redactor = Redactor()
    redactor.hide(CANARY)
    handler = handler_of(settings_of(tmp_path, log_to="stderr", log_format=style), redactor)
    try:
        raise ValueError(f"of {CANARY}") from KeyError(f"sk-{CANARY}")
    except ValueError:
        with_exception = record("failed", exc_info=sys.exc_info())
    lines = written(
        handler,
        record(f"told {CANARY}"),
        record("told %s", CANARY),
        record("%(a)s", {"a": [CANARY]}),
        record("GET %s", f"https://x.example/?Signature=other{CANARY[:8]}"),
        with_exception,
    )
    assert "canary" not in lines
    assert "ValueError" in lines


def test_a_plain_line_is_one_line_that_moves_no_cursor(tmp_path: Path) -> None:
    handler = handler_of(settings_of(tmp_path, log_to="stderr", log_format="plain"), Redactor())
    line = written(handler, record("a pack named %s", "\x1b[2J\r\nERROR forged\x9b"))
    assert line.endswith("INFO popcond: a pack named \\x1b[2J\\x0d\\x0aERROR forged\\x9b")


def test_a_json_line_holds_everything_that_a_program_asks_for(tmp_path: Path) -> None:
    handler = handler_of(settings_of(tmp_path, log_to="stderr", log_format="json"), Redactor())
    try:
        raise ValueError("wrong")
    except ValueError:
        line = written(handler, record("failed\nbadly", exc_info=sys.exc_info()))
    told = json.loads(line)
    assert "\n" not in line
    assert (told["level"], told["logger"], told["message"]) == ("info", "popcond", "failed\\x0abadly")
    assert told["at"].endswith("+00:00")
    assert told["exception"].splitlines()[-1] == "ValueError: wrong"


def test_the_file_is_put_aside_before_it_is_too_large_and_old_ones_go(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, log_to="file", log_file_mb=1, log_files=2)
    handler = handler_of(settings, Redactor())
    for number in range(9):
        handler.handle(record("%s %s", number, "x" * 500_000))
    handler.close()
    logs = sorted(tmp_path.glob("popcond.log*"))
    assert [log.name for log in logs] == ["popcond.log", "popcond.log.1", "popcond.log.2"]
    assert all(log.stat().st_size <= 1 << 20 for log in logs)
    assert all(log.stat().st_mode & 0o777 == 0o600 for log in logs)
    assert json.loads(settings.log_file.read_text().splitlines()[-1])["message"].startswith("8 ")


def test_a_log_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, log_to="file")
    settings.log_file.write_text("of an older version\n")
    settings.log_file.chmod(0o644)
    handler_of(settings, Redactor()).close()
    assert settings.log_file.stat().st_mode & 0o777 == 0o600
    assert "older version" in settings.log_file.read_text()


def test_a_log_that_cannot_be_opened_is_told_with_its_cure(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, log_to="file")
    settings.log_file.mkdir()
    with pytest.raises(HomeUnusable, match="cannot be written") as caught:
        handler_of(settings, Redactor())
    assert "--log-to stderr" in (caught.value.cure or "")


FULL = f"""
import logging, resource, sys
from popcond import log
from popcond.settings import Settings
log.start(Settings.load(home=sys.argv[1], log_to="file"))
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
for number in range(9):
    logging.getLogger("popcond").info("lost sk-{CANARY} %s", number)
print("still here")
"""


def test_a_log_that_cannot_be_written_stops_nobody_and_shows_nothing(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "still here\n"
    assert done.stderr == ""
    assert (tmp_path / "popcond.log").stat().st_size == 200


PROGRAM = f"""
import logging, sys, threading, warnings
from popcond import log
from popcond.settings import Settings
redactor = log.start(Settings.load(home=sys.argv[1], log_to=sys.argv[2], log_level=sys.argv[3]))
redactor.hide("{CANARY}")
logging.getLogger("popcond.x").debug("a detail")
logging.getLogger("httpx").info("GET https://x.example")
warnings.warn("warned of {CANARY}")
thread = threading.Thread(target=lambda: 1 / 0, name="worker")
thread.start(); thread.join()
raise SystemError("the end of {CANARY}")
"""


def test_threads_warnings_and_the_end_itself_are_logged(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), "file", "debug"], capture_output=True, text=True, check=False
    )
    told = [json.loads(line) for line in (tmp_path / "popcond.log").read_text().splitlines()]
    assert done.returncode == 1
    assert done.stderr == ""
    assert CANARY not in (tmp_path / "popcond.log").read_text()
    assert [line["message"][:12] for line in told if line["logger"] == "popcond.x"] == ["a detail"]
    assert [line["logger"] for line in told if line["logger"] == "httpx"] == []
    assert any("warned of" in line["message"] for line in told)
    assert any("ZeroDivisionError" in line.get("exception", "") for line in told)
    assert told[-1]["exception"].splitlines()[-1].startswith("SystemError")


def test_on_stderr_the_lines_are_plain(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), "stderr", "info"], capture_output=True, text=True, check=False
    )
    assert "CRITICAL popcond: ended by an exception" in done.stderr
    assert "a detail" not in done.stderr
    assert CANARY not in done.stderr
    assert not (tmp_path / "popcond.log").exists()


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        ([], None),
        (["", "  "], None),
        (["popcond: The disk is full. Free some."], "The disk is full. Free some."),
        (['{"message": "ready"}', '{"level": "info", "message": "stopped"}', ""], "stopped"),
        (['{"message": "ended", "exception": "Traceback\\nValueError: wrong"}'], "ValueError: wrong"),
        (['{"message": "ready"}', "Segmentation fault"], "Segmentation fault"),
        (['{"half": 1'], '{"half": 1'),
        (["7"], "7"),
    ],
)
def test_the_last_word_is_found_in_either_format(lines: list[str], word: str | None) -> None:
    assert last_word(lines) == word

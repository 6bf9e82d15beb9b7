"""What the daemon says: plain lines on a terminal, JSON lines in a file of its home that never grows beyond its limit.

Every line passes a redaction by shape (keys, tokens, signatures) and by value (this daemon's own token), exceptions and
arguments included. A log that cannot be written stops nobody's work.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from popcond.errors import HomeUnusable
from popcond.settings import Settings
from popcond.wire.redaction import HIDDEN, redacted

log = logging.getLogger("popcond")

_TALKATIVE = ("uvicorn", "httpx", "httpcore", "asyncio", "multipart", "python_multipart", "PIL", "keyring")
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t"}
_CONTROLS_BUT_BREAKS = {code: written for code, written in _CONTROLS.items() if chr(code) != "\n"}


class Redactor:
    """Takes secrets out of a text: what has the shape of one, and what it was told to hide."""

    def __init__(self) -> None:
        self._hidden: tuple[str, ...] = ()

    def hide(self, secret: str) -> None:
        """Never let this through again, whatever stands around it."""
        self._hidden = (*self._hidden, secret)

    def __call__(self, text: str) -> str:
        """The text as it may be written down."""
        for secret in self._hidden:
            text = text.replace(secret, HIDDEN)
        return redacted(text)


def start(settings: Settings) -> Redactor:
    """Let every logger of this process write where the settings say. Raises HomeUnusable when that cannot be opened."""
    redactor = Redactor()
    handler = handler_of(settings, redactor)
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = _log_the_end
    threading.excepthook = _log_a_threads_end
    return redactor


def goes_to_file(settings: Settings) -> bool:
    """Whether the log is the file of the home: told so, or nobody watches."""
    return settings.log_to == "file" or (settings.log_to is None and not sys.stderr.isatty())


def handler_of(settings: Settings, redactor: Redactor) -> logging.Handler:
    """Where lines go and what they look like."""
    in_file = goes_to_file(settings)
    handler = _LogFile.of(settings) if in_file else _Terminal()
    is_json = settings.log_format == "json" or (settings.log_format is None and in_file)
    handler.setFormatter((_JsonLine if is_json else _PlainLine)(redactor))
    return handler


def last_word(lines: Sequence[str]) -> str | None:
    """The last thing said in a log of either format, as a sentence; None when nothing was."""
    said = [line.strip() for line in lines if line.strip()]
    if not said:
        return None
    try:
        told = json.loads(said[-1])
    except ValueError:
        return said[-1].removeprefix("popcond: ")
    if not isinstance(told, dict) or "message" not in told:
        return said[-1]
    return str(told["exception"]).splitlines()[-1] if told.get("exception") else str(told["message"])


class _LogFile(RotatingFileHandler):
    """A file that only its owner reads, put aside when it is full."""

    @classmethod
    def of(cls, settings: Settings) -> _LogFile:
        try:
            return cls(
                settings.log_file,
                maxBytes=settings.log_file_mb << 20,
                backupCount=settings.log_files,
                encoding="utf-8",
                errors="backslashreplace",
            )
        except OSError as error:
            raise HomeUnusable(
                f"The log {settings.log_file} cannot be written: {error.strerror}.",
                cure="Make it writable for you, or send the log to the terminal with --log-to stderr.",
            ) from error

    def _open(self) -> TextIOWrapper:
        handle = os.open(Path(self.baseFilename), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        if stat.S_ISREG(os.fstat(handle).st_mode):  # one of an older version, or of a copied home
            os.fchmod(handle, 0o600)
        return open(handle, "a", encoding=self.encoding, errors=self.errors)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A full disk has its own alarm; a traceback with what should have been logged would not be redacted."""


class _Terminal(logging.StreamHandler):  # type: ignore[type-arg]  # generic in the stubs only
    """Standard error."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A terminal that has gone takes nothing with it."""


class _Line(logging.Formatter):
    """A record in two parts: what it says, and the exception with it."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def message_of(self, record: logging.LogRecord) -> str:
        """On one line: a stranger's words must not look like a line of ours, nor move a cursor."""
        return self._redactor(record.getMessage()).translate(_CONTROLS)

    def exception_of(self, record: logging.LogRecord) -> str | None:
        """The traceback and the stack, when the record has them."""
        parts = [self.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []
        parts += [self.formatStack(record.stack_info)] if record.stack_info else []
        return self._redactor("\n".join(parts)).translate(_CONTROLS_BUT_BREAKS) if parts else None


class _PlainLine(_Line):
    """For a person."""

    def format(self, record: logging.LogRecord) -> str:
        """`2026-03-01 12:00:00 INFO popcond: message`, and the exception below."""
        at = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        line = f"{at} {record.levelname} {record.name}: {self.message_of(record)}"
        exception = self.exception_of(record)
        return f"{line}\n{exception}" if exception else line


class _JsonLine(_Line):
    """For a program."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object: at (UTC), level, logger, message, exception?"""
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.message_of(record),
        }
        exception = self.exception_of(record)
        return json.dumps(told | ({"exception": exception} if exception else {}), ensure_ascii=False)


def _log_the_end(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("ended by an exception", exc_info=(kind, error, trace))


def _log_a_threads_end(ended: threading.ExceptHookArgs) -> None:
    name = ended.thread.name if ended.thread else "?"
    if ended.exc_value is not None and ended.exc_type is not SystemExit:
        log.critical("thread %s ended", name, exc_info=(ended.exc_type, ended.exc_value, ended.exc_traceback))

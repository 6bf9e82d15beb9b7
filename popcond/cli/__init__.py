"""The command `popcond`: reads the command line, runs one command, and turns every end into an exit code.

0: all done. 1: something failed, the rest was still made. 2: wrong usage. 130: Ctrl-C. Standard output is data,
standard error is narration.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from popcond.cli.options import parse
from popcond.cli.usage import FAILED, INTERRUPTED, WRONG_USAGE, WrongUsage
from popcond.errors import BadSetting, Cancelled, PopconError

DEBUG = "POPCON_DEBUG"  # the environment variable that shows tracebacks when it is 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (without the program's name; None takes this process's) and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except (WrongUsage, BadSetting) as error:
        return _complain(error, words, WRONG_USAGE)
    except PopconError as error:
        return _complain(error, words, FAILED)
    except KeyboardInterrupt:
        return _complain(Cancelled("Interrupted."), words, INTERRUPTED)
    except BrokenPipeError:  # whoever read our output has gone; the interpreter must not flush into it at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # noqa: BLE001 – the last net: nobody should have to read a traceback
        if os.environ.get(DEBUG) == "1":
            import traceback

            traceback.print_exc()
        return _complain(_bug(error), words, FAILED)


def _run(words: list[str]) -> int:
    options = parse(words)
    command = import_module(f"popcond.cli.{options.module}")
    code: int = command.run(options)
    sys.stdout.flush()
    return code


def _bug(error: Exception) -> PopconError:
    what = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".: ")
    return PopconError(
        f"This is a bug: {what}.",
        cure=f"Please report it, with what the same command says under {DEBUG}=1.",
        code="bug",
    )


def _complain(error: PopconError, words: list[str], code: int) -> int:
    from popcond.cli.report import Report
    from popcond.cli.terminal_text import printable, sentence

    print(f"popcond: {printable(sentence(error))}", file=sys.stderr)
    if "--json" in words:
        print(Report(problems=[error.problem()]).json())
    return code

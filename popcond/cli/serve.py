"""`popcond serve`: the daemon, in the foreground; with `--rehearsal`, one that can spend nothing."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from contextlib import ExitStack

from popcond.cli.usage import DONE, WrongUsage
from popcond.daemon_process import refuse_a_client_only_install
from popcond.settings import Settings

_ON_TOP = ("host", "port", "socket", "tcp", "log_to", "log_format")  # options that are settings of the same name


def run(options: argparse.Namespace) -> int:
    """Serve until stopped; returns the exit code."""
    refuse_a_client_only_install()
    home = options.home and options.home.expanduser().absolute()
    settings = Settings.load(home=home, **{name: getattr(options, name) for name in _ON_TOP})
    from popcond.life import serve  # brings in codecs and the database, which no other command needs

    with ExitStack() as stack:
        settings = _rehearsed(stack, settings, options)
        if options.linger is not None:
            os.chdir("/")  # started by another command: the folder where that one stood stays free to go
        serve(settings, linger=options.linger)
    return DONE


def _rehearsed(stack: ExitStack, settings: Settings, options: argparse.Namespace) -> Settings:
    """The settings of a rehearsal when one is asked for, or when the home knows nothing else; else as they are."""
    from popcond.rehearsal.place import is_rehearsal
    from popcond.rehearsal.running import rehearsing

    if not options.rehearsal and not is_rehearsal(settings):
        if options.clip_seconds is not None:
            raise WrongUsage("--clip-seconds is for rehearsals.", cure="Add --rehearsal, or leave it away.")
        return settings
    rehearsed = stack.enter_context(rehearsing(settings, options.clip_seconds))
    if options.linger is None:
        _tell(rehearsed)
    return rehearsed


def _tell(settings: Settings) -> None:
    words = ["popcond", "make", "PICTURE", "--actions", "wave", "--provider", "dashscope", "--home", str(settings.home)]
    sys.stderr.write(
        "popcond: this is a rehearsal: nothing is billed, and nothing leaves this computer. In another terminal:\n"
        f"    {shlex.join(words)}\n"
    )

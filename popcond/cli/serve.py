"""`popcond serve`: the daemon, in the foreground."""

from __future__ import annotations

import argparse
import os

from popcond.cli.usage import DONE
from popcond.daemon_process import refuse_a_client_only_install
from popcond.settings import Settings

_ON_TOP = ("host", "port", "socket", "tcp", "log_to", "log_format")  # options that are settings of the same name


def run(options: argparse.Namespace) -> int:
    """Serve until stopped; returns the exit code."""
    refuse_a_client_only_install()
    home = options.home and options.home.expanduser().absolute()
    settings = Settings.load(home=home, **{name: getattr(options, name) for name in _ON_TOP})
    from popcond.life import serve  # brings in codecs and the database, which no other command needs

    if options.linger is not None:
        os.chdir("/")  # started by another command: the folder where that one stood stays free to go
    serve(settings, linger=options.linger)
    return DONE

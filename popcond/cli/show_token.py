"""`popcond token`: the bearer token on standard output, for scripts; and a new one when the old one may be known."""

from __future__ import annotations

import argparse
import asyncio

from popcond.cli.session import settings_of
from popcond.cli.usage import DONE
from popcond.daemon_process import rotate_token
from popcond.home import read_or_make_token


def run(options: argparse.Namespace) -> int:
    """Print it; made on first use."""
    settings = settings_of(options)
    if options.rotate:
        asyncio.run(rotate_token(settings))
    print(read_or_make_token(settings))
    return DONE

"""`popcond token`: the bearer token on standard output, for scripts."""

from __future__ import annotations

import argparse

from popcond.cli.session import settings_of
from popcond.cli.usage import DONE
from popcond.home import read_or_make_token


def run(options: argparse.Namespace) -> int:
    """Print it; made on first use."""
    print(read_or_make_token(settings_of(options)))
    return DONE

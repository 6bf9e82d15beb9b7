"""What every command's options are made of: a parser that raises, and the options that many commands share."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from popcond.cli.usage import WrongUsage


class Parser(argparse.ArgumentParser):
    """Raises WrongUsage where argparse would end the program, so that --json can tell it too."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)  # half an option must not mean another in a later version

    def error(self, message: str) -> NoReturn:
        """A sentence, and where the help is."""
        sentence = message[:1].upper() + message[1:].rstrip(".")
        raise WrongUsage(f"{sentence}.", cure=f"See `{self.prog} --help`.")


Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers returns


def command(commands: Commands[Parser], name: str, module: str, summary: str, examples: str = "") -> Parser:
    """A command with its one sentence of help; `module` of this package runs it."""
    parser = commands.add_parser(
        name,
        help=summary[:1].lower() + summary[1:].rstrip("."),
        description=summary,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(module=module)
    return parser


def where(parser: Parser) -> None:
    """Which daemon is meant."""
    group = parser.add_argument_group("which daemon")
    group.add_argument("--home", metavar="DIR", type=Path, help="The daemon's folder on this computer.")
    group.add_argument("--url", help="A daemon that runs already, here or at the end of a tunnel.")
    group.add_argument("--token", help="Its token; POPCON_TOKEN is safer, for other users can see a command line.")


def amount(text: str) -> float:
    """A number of 0 or more, for argparse's `type`."""
    with suppress(ValueError):
        value = float(text)
        if 0 <= value < float("inf"):
            return value
    raise argparse.ArgumentTypeError(f"{text!r} is no number of 0 or more; write it like 2.5")

"""The command line as argparse sees it: every command, every option with a sentence, and examples to learn from.

Parsing imports nothing heavy. Each command names the module that runs it, which is imported only when it does.
"""

from __future__ import annotations

import argparse

from popcond.cli import character_options, daemon_options, pack_options
from popcond.cli.parser import Commands, Parser
from popcond.cli.usage import WrongUsage, known_names
from popcond.wire import VERSION

_EXAMPLES = """\
examples:
  popcond make hero.png --actions wave,jump,cry --target line-emoji --target gif
  popcond make --sample --actions all --target gif --out sample-pack
  popcond import dance.mp4 --character hero.png --action dance --target apng
  popcond character draw "a round red bear with a scarf"
  popcond status
"""

_COMMANDS = (
    pack_options.add_make,
    pack_options.add_import,
    pack_options.add_approve,
    pack_options.add_accept,
    pack_options.add_retry,
    pack_options.add_resume,
    character_options.add_character,
    daemon_options.add_serve,
    daemon_options.add_status,
    daemon_options.add_doctor,
    daemon_options.add_queue,
    daemon_options.add_usage,
    daemon_options.add_purchases,
    daemon_options.add_models,
    daemon_options.add_token,
    daemon_options.add_key,
)


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line's options; `module` is the command's module in this package. Raises WrongUsage."""
    parser, commands = build_parser()
    if not arguments:
        raise WrongUsage(
            "There is no command.", cure="See `popcond --help`, or try `popcond make --sample --actions all`."
        )
    if not arguments[0].startswith("-"):
        known_names(arguments[:1], tuple(commands), "command")
    return parser.parse_args(arguments)


def build_parser() -> tuple[Parser, dict[str, Parser]]:
    """The whole command line, and each command's own part by its name."""
    parser = Parser(
        prog="popcond",
        description="One picture of a character in, a store-ready pack of animated emoji out.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"popcond {VERSION}")
    commands: Commands[Parser] = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    for add in _COMMANDS:
        add(commands)
    return parser, commands.choices

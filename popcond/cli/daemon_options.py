"""The options of the commands about the daemon: its life, its queue, its money, its secrets, its health."""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path

from popcond.cli.parser import Commands, Parser, amount, command, where

_QUEUE_EXAMPLES = """\
examples:
  popcond queue
  popcond queue pause
  popcond queue first wave
  popcond queue move 1f3a --before 77c0
"""

_PURCHASE_EXAMPLES = """\
examples:
  popcond purchases
  popcond purchases adopt 4f0c9b 0385dc79-5ff8-4d82-bcb6-xxxxxx
"""

_KEY_EXAMPLES = """\
examples:
  popcond key set                     asks for the key; nothing shows while you type
  pass show dashscope | popcond key set
  popcond key show                    says where the key is, and its last 4 letters
"""


def add_serve(commands: Commands[Parser]) -> None:
    """The daemon itself."""
    parser = command(commands, "serve", "serve", "Run the daemon in the foreground.")
    parser.add_argument("--home", metavar="DIR", type=Path, help="The folder that keeps everything.")
    _listening(parser)
    _saying(parser)
    _rehearsing(parser)
    parser.add_argument(
        "--linger",
        metavar="SECONDS",
        type=amount,
        help="Stop this long after the last client has left and the work is done (default: never).",
    )


def _listening(parser: Parser) -> None:
    place = parser.add_argument_group("where it listens")
    place.add_argument(
        "--host",
        help="The address to listen on (default: 127.0.0.1, this computer only; others are not encrypted, so prefer"
        " `ssh -L`).",
    )
    place.add_argument("--port", type=_port, help="The port to listen on (default: 8765; 0 takes any free one).")
    place.add_argument(
        "--socket",
        metavar="PATH",
        nargs="?",
        const=True,
        type=_socket,
        help="Listen on a Unix socket too, which other users of this computer cannot reach: at PATH, in a folder that"
        " is yours alone, or in the home folder. Clients find it by --url unix:///PATH.",
    )
    place.add_argument(
        "--no-tcp", dest="tcp", action="store_const", const=False, help="Listen on the Unix socket alone."
    )


def _saying(parser: Parser) -> None:
    say = parser.add_argument_group("what it says")
    say.add_argument(
        "--log-to",
        choices=["stderr", "file"],
        help="The terminal, or popcond.log in the home folder (default: the terminal where there is one).",
    )
    say.add_argument(
        "--log-format",
        choices=["plain", "json"],
        help="Lines for people or for programs (default: plain on the terminal, json in the file).",
    )


def _rehearsing(parser: Parser) -> None:
    rehearsal = parser.add_argument_group("trying it without money")
    rehearsal.add_argument(
        "--rehearsal",
        action="store_true",
        help="Walk the paid road free of charge: real orders, prices and waiting, clips drawn on this computer, in a"
        " folder of its own (rehearsal, within the home). A folder that was one stays one.",
    )
    rehearsal.add_argument(
        "--clip-seconds",
        metavar="SECONDS",
        type=amount,
        help="How long one clip takes in a rehearsal (default: as last time; at first 60, like the real service).",
    )


def add_status(commands: Commands[Parser]) -> None:
    """Is it running."""
    parser = command(commands, "status", "status", "Say whether a daemon runs, where, and what it is doing.")
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")
    where(parser)


def add_queue(commands: Commands[Parser]) -> None:
    """What waits and runs."""
    summary = "Show what runs, what waits in which order and what failed for good; pause, resume, reorder or prune it."
    parser = command(commands, "queue", "queue", summary, _QUEUE_EXAMPLES)
    parser.add_argument(
        "verb",
        nargs="?",
        choices=("show", "pause", "resume", "first", "move", "prune"),
        default="show",
        help="Show it (default); begin nothing new; go on; let EMOJI go first; move EMOJI; forget jobs that ended.",
    )
    parser.add_argument(
        "emoji", metavar="EMOJI", nargs="?", help="An emoji of the list: its id, the id's beginning, or its action."
    )
    parser.add_argument("--before", metavar="OTHER", help="The emoji that `move` puts it in front of.")
    parser.add_argument(
        "--older-than", metavar="DAYS", type=amount, default=30.0, help="What `prune` forgets (default: 30)."
    )
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")
    where(parser)


def add_usage(commands: Commands[Parser]) -> None:
    """What was spent."""
    parser = command(commands, "usage", "money", "Say what was spent, by pack and by day, and how much may be.")
    parser.set_defaults(command="usage")
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")
    where(parser)


def add_purchases(commands: Commands[Parser]) -> None:
    """What was bought, and what only a person can decide."""
    summary = "List what was bought, and decide what nobody else can: whether an order without an answer was bought."
    parser = command(commands, "purchases", "money", summary, _PURCHASE_EXAMPLES)
    parser.set_defaults(command="purchases")
    parser.add_argument(
        "verb",
        nargs="?",
        choices=("list", "adopt", "release", "look"),
        default="list",
        help="List them (default); adopt: TASK is what was bought; release: nothing was; look: ask the provider again.",
    )
    parser.add_argument("purchase", metavar="ID", nargs="?", help="The purchase.")
    parser.add_argument("task", metavar="TASK", nargs="?", help="The provider's own id of what was bought.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    where(parser)


def add_doctor(commands: Commands[Parser]) -> None:
    """What is wrong."""
    summary = "Check everything that can be wrong, and say how to mend it; exit code 1 when something is broken."
    parser = command(commands, "doctor", "doctor", summary)
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")
    parser.add_argument("--deep", action="store_true", help="Read every stored file and compare it with its name too.")
    parser.add_argument(
        "--online",
        action="store_true",
        help="Ask DashScope whether it takes the key, which costs nothing; if it does not, its other regions as well.",
    )
    parser.add_argument("--home", metavar="DIR", type=Path, help="The daemon's folder.")


def add_models(commands: Commands[Parser]) -> None:
    """Segmentation weights."""
    summary = "List, fetch or verify the weights that cut out what you point at."
    examples = "examples:\n  popcond models list\n  popcond models fetch small\n  popcond models verify\n"
    parser = command(commands, "models", "models", summary, examples)
    parser.add_argument(
        "verb", nargs="?", choices=("list", "fetch", "verify"), default="list", help="What to do (default: list)."
    )
    parser.add_argument("model", nargs="?", help="Which: tiny, small, base+, large or mini (default: all).")
    parser.add_argument("--mirror", metavar="URL", help="Another place with the same file names.")
    parser.add_argument("--json", action="store_true", help="Print JSON.")
    parser.add_argument("--home", metavar="DIR", type=Path, help="The daemon's folder.")


def add_token(commands: Commands[Parser]) -> None:
    """The bearer token."""
    parser = command(commands, "token", "show_token", "Print the bearer token of this computer's daemon, for scripts.")
    parser.add_argument("--home", metavar="DIR", type=Path, help="The daemon's folder.")
    parser.add_argument(
        "--rotate",
        action="store_true",
        help="Make a new one first; whoever has only the old one is out from that moment, open event streams included.",
    )


def add_key(commands: Commands[Parser]) -> None:
    """A provider's key."""
    parser = command(commands, "key", "key", "Keep, name or forget a provider's API key.", _KEY_EXAMPLES)
    parser.add_argument(
        "what",
        choices=["set", "show", "forget"],
        help="Ask for a key, or read one from standard input, and keep it; say where it is and how it ends; remove it.",
    )
    parser.add_argument(
        "provider", metavar="PROVIDER", nargs="?", default="dashscope", help="Whose key (default: dashscope)."
    )
    parser.add_argument(
        "--keyring",
        action="store_true",
        help="Keep it in the system's keyring instead of a file (needs `pip install 'popcon[keyring]'`).",
    )


def _socket(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("an empty path is none; leave PATH away to have it in the home folder")
    return Path(text)


def _port(text: str) -> int:
    with suppress(ValueError):
        port = int(text)
        if 0 <= port <= 65535:
            return port
    raise argparse.ArgumentTypeError(f"{text!r} is no port; ports are whole numbers from 0 to 65535")

"""The command line as argparse sees it: every command, every option with a sentence, and examples to learn from.

Parsing imports nothing heavy. Each command names the module that runs it, which is imported only when it does.
"""

from __future__ import annotations

import argparse
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from popcond.cli.usage import WrongUsage, known_names
from popcond.wire import VERSION, RemoveBackground

_EXAMPLES = """\
examples:
  popcond make hero.png --actions wave,jump,cry --target line-emoji --target gif
  popcond make --sample --actions all --target gif --out sample-pack
  popcond import dance.mp4 --character hero.png --action dance --target apng
  popcond status
"""

_MAKE_EXAMPLES = """\
examples:
  popcond make hero.png --actions wave,jump,cry --target line-emoji --target gif --out pack
      three emojis for two destinations: pack/line-emoji/, pack/gif/, a ZIP for each, and a contact sheet
  popcond make --sample --actions all
      the character that PopCon draws itself, doing everything it can
  popcond make hero.png --actions wave --refine wait
      stops before the stickers, so that you can look at the cut-outs first
  popcond make hero.png --actions wave --json | jq -r '.stickers[].file'
      for scripts: one JSON object on standard output, nothing else
"""

_IMPORT_EXAMPLES = """\
examples:
  popcond import wave.mp4 --character hero.png --action wave --target line-emoji
  popcond import wave.mp4 jump.webm --character hero.png --action wave --action jump --out pack
"""


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


class Parser(argparse.ArgumentParser):
    """Raises WrongUsage where argparse would end the program, so that --json can tell it too."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)  # half an option must not mean another in a later version

    def error(self, message: str) -> NoReturn:
        """A sentence, and where the help is."""
        sentence = message[:1].upper() + message[1:].rstrip(".")
        raise WrongUsage(f"{sentence}.", cure=f"See `{self.prog} --help`.")


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
    for add in (
        _add_make,
        _add_import,
        _add_accept,
        _add_resume,
        _add_serve,
        _add_status,
        _add_doctor,
        _add_queue,
        _add_usage,
        _add_purchases,
        _add_token,
        _add_key,
    ):
        add(commands)
    return parser, commands.choices


Commands = argparse._SubParsersAction  # argparse has no public name for what add_subparsers returns


def _command(commands: Commands[Parser], name: str, module: str, summary: str, examples: str = "") -> Parser:
    parser = commands.add_parser(
        name,
        help=summary[:1].lower() + summary[1:].rstrip("."),
        description=summary,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(module=module)
    return parser


def _add_make(commands: Commands[Parser]) -> None:
    summary = "Make a pack of animated emoji from one picture."
    parser = _command(commands, "make", "make", summary, _MAKE_EXAMPLES)
    picture = parser.add_argument_group("the character")
    picture.add_argument("picture", metavar="PICTURE", nargs="?", type=Path, help="The picture of the character.")
    _character(picture)
    work = parser.add_argument_group("what to make")
    work.add_argument(
        "--actions",
        metavar="A,B",
        action="append",
        required=True,
        help="What the character does: names with commas between them, or `all`.",
    )
    _targets(work)
    work.add_argument("--name", help="The pack's name (default: the picture's name).")
    maker = parser.add_argument_group("who animates")
    maker.add_argument("--provider", default="puppet", help="Who makes the clips (default: puppet, which is offline).")
    maker.add_argument("--model", help="One of the provider's models (default: its first).")
    maker.add_argument(
        "--max-spend", metavar="AMOUNT", type=_amount, help="Never spend more than this on the pack, in its currency."
    )
    _out(parser, can_wait=True)
    _where(parser)


def _add_import(commands: Commands[Parser]) -> None:
    summary = "Make a pack from your own clips (mp4, mov, webm, gif, apng or animated webp)."
    parser = _command(commands, "import", "import_clip", summary, _IMPORT_EXAMPLES)
    clips = parser.add_argument_group("the clips")
    clips.add_argument("clips", metavar="CLIP", nargs="+", type=Path, help="A clip of the character doing the action.")
    clips.add_argument(
        "--action",
        metavar="A",
        action="append",
        required=True,
        help="What the character does in the clip; one for each clip, in the same order.",
    )
    character = parser.add_argument_group("the character")
    character.add_argument("--character", dest="picture", metavar="PICTURE", type=Path, help="The character's picture.")
    _character(character)
    work = parser.add_argument_group("what to make")
    _targets(work)
    work.add_argument("--name", help="The pack's name (default: the picture's name).")
    _out(parser, can_wait=True)
    _where(parser)


def _add_accept(commands: Commands[Parser]) -> None:
    parser = _command(commands, "accept", "accept", "Accept the cut-outs of a pack that waits, and write its files.")
    parser.add_argument("pack", metavar="PACK", help="The pack's id, as `make --refine wait` printed it.")
    _out(parser)
    _where(parser)


def _add_resume(commands: Commands[Parser]) -> None:
    parser = _command(commands, "resume", "resume", "Go on with a pack after an interruption, and write its files.")
    parser.add_argument("pack", metavar="PACK", help="The pack's id, as the interrupted command printed it.")
    parser.add_argument(
        "--retry-failed", action="store_true", help="Start failed emojis again too, not only cancelled ones."
    )
    _out(parser)
    _where(parser)


def _add_serve(commands: Commands[Parser]) -> None:
    parser = _command(commands, "serve", "serve", "Run the daemon in the foreground.")
    parser.add_argument("--home", metavar="DIR", type=Path, help="The folder that keeps everything.")
    where = parser.add_argument_group("where it listens")
    where.add_argument(
        "--host",
        help="The address to listen on (default: 127.0.0.1, this computer only; others are not encrypted, so prefer"
        " `ssh -L`).",
    )
    where.add_argument("--port", type=_port, help="The port to listen on (default: 8765; 0 takes any free one).")
    where.add_argument(
        "--socket",
        metavar="PATH",
        nargs="?",
        const=True,
        type=_socket,
        help="Listen on a Unix socket too, which other users of this computer cannot reach: at PATH, in a folder that"
        " is yours alone, or in the home folder. Clients find it by --url unix:///PATH.",
    )
    where.add_argument(
        "--no-tcp", dest="tcp", action="store_const", const=False, help="Listen on the Unix socket alone."
    )
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
    rehearsal = parser.add_argument_group("trying it without money")
    rehearsal.add_argument(
        "--rehearsal",
        action="store_true",
        help="Walk the paid road free of charge: real orders, prices and waiting, but clips drawn on this computer, in a"
        " folder of its own (rehearsal, within the home). A folder that was one stays one.",
    )
    rehearsal.add_argument(
        "--clip-seconds",
        metavar="SECONDS",
        type=_amount,
        help="How long one clip takes in a rehearsal (default: as last time; at first 60, like the real service).",
    )
    parser.add_argument(
        "--linger",
        metavar="SECONDS",
        type=_amount,
        help="Stop this long after the last client has left and the work is done (default: never).",
    )


def _add_status(commands: Commands[Parser]) -> None:
    parser = _command(commands, "status", "status", "Say whether a daemon runs, where, and what it is doing.")
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")
    _where(parser)


def _add_queue(commands: Commands[Parser]) -> None:
    summary = "Show what runs, what waits in which order and what failed for good; pause, resume, reorder or prune it."
    parser = _command(commands, "queue", "queue", summary, _QUEUE_EXAMPLES)
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
        "--older-than", metavar="DAYS", type=_amount, default=30.0, help="What `prune` forgets (default: 30)."
    )
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")
    _where(parser)


def _add_usage(commands: Commands[Parser]) -> None:
    parser = _command(commands, "usage", "money", "Say what was spent, by pack and by day, and how much may be.")
    parser.set_defaults(command="usage")
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")
    _where(parser)


def _add_purchases(commands: Commands[Parser]) -> None:
    summary = "List what was bought, and decide what nobody else can: whether an order without an answer was bought."
    parser = _command(commands, "purchases", "money", summary, _PURCHASE_EXAMPLES)
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
    _where(parser)


def _add_doctor(commands: Commands[Parser]) -> None:
    summary = "Check everything that can be wrong, and say how to mend it; exit code 1 when something is broken."
    parser = _command(commands, "doctor", "doctor", summary)
    parser.add_argument("--json", action="store_true", help="Print one JSON object.")
    parser.add_argument("--deep", action="store_true", help="Read every stored file and compare it with its name too.")
    parser.add_argument("--home", metavar="DIR", type=Path, help="The daemon's folder.")


def _add_token(commands: Commands[Parser]) -> None:
    parser = _command(commands, "token", "show_token", "Print the bearer token of this computer's daemon, for scripts.")
    parser.add_argument("--home", metavar="DIR", type=Path, help="The daemon's folder.")
    parser.add_argument(
        "--rotate",
        action="store_true",
        help="Make a new one first; whoever has only the old one is out from that moment, open event streams included.",
    )


def _add_key(commands: Commands[Parser]) -> None:
    parser = _command(commands, "key", "key", "Keep, name or forget a provider's API key.", _KEY_EXAMPLES)
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


def _character(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--sample", action="store_true", help="Take the character that PopCon draws itself.")
    group.add_argument(
        "--remove-background",
        choices=[choice.value for choice in RemoveBackground],
        default=RemoveBackground.AUTO.value,
        help="Whether the picture's background goes (default: auto, when it is flat enough to tell).",
    )


def _targets(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--target",
        dest="targets",
        metavar="T",
        action="append",
        help="Where the emoji will live, such as line-emoji or gif; may be repeated (default: gif).",
    )


def _out(parser: Parser, *, can_wait: bool = False) -> None:
    group = parser.add_argument_group("what comes out")
    group.add_argument(
        "--out", metavar="DIR", type=Path, help="The folder for the files (default: ./NAME-pack after the pack's name)."
    )
    if can_wait:
        group.add_argument(
            "--refine",
            choices=["auto", "wait"],
            default="auto",
            help="Accept the automatic cut-outs (auto, the default), or stop for a person to look at them (wait).",
        )
    group.add_argument("--json", action="store_true", help="Print one JSON object on standard output, nothing else.")
    group.add_argument("--quiet", action="store_true", help="Tell problems only, no progress.")


def _where(parser: Parser) -> None:
    group = parser.add_argument_group("which daemon")
    group.add_argument("--home", metavar="DIR", type=Path, help="The daemon's folder on this computer.")
    group.add_argument("--url", help="A daemon that runs already, here or at the end of a tunnel.")
    group.add_argument("--token", help="Its token; POPCON_TOKEN is safer, for other users can see a command line.")


def _amount(text: str) -> float:
    with suppress(ValueError):
        amount = float(text)
        if 0 <= amount < float("inf"):
            return amount
    raise argparse.ArgumentTypeError(f"{text!r} is no number of 0 or more; write it like 2.5")


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

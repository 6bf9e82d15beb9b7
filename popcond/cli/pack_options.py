"""The options of the commands that make packs."""

from __future__ import annotations

import argparse
from pathlib import Path

from popcond.cli.parser import Commands, Parser, amount, command, where
from popcond.wire import RemoveBackground

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


def add_make(commands: Commands[Parser]) -> None:
    """One picture and some actions become a pack."""
    summary = "Make a pack of animated emoji from one picture."
    parser = command(commands, "make", "make", summary, _MAKE_EXAMPLES)
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
        "--max-spend", metavar="AMOUNT", type=amount, help="Never spend more than this on the pack, in its currency."
    )
    _out(parser, can_wait=True)
    where(parser)


def add_import(commands: Commands[Parser]) -> None:
    """The user's own clips become a pack."""
    summary = "Make a pack from your own clips (mp4, mov, webm, gif, apng or animated webp)."
    parser = command(commands, "import", "import_clip", summary, _IMPORT_EXAMPLES)
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
    where(parser)


def add_accept(commands: Commands[Parser]) -> None:
    """A waiting pack's cut-outs are good."""
    parser = command(commands, "accept", "accept", "Accept the cut-outs of a pack that waits, and write its files.")
    parser.add_argument("pack", metavar="PACK", help="The pack's id, as `make --refine wait` printed it.")
    _out(parser)
    where(parser)


def add_resume(commands: Commands[Parser]) -> None:
    """An interrupted pack goes on."""
    parser = command(commands, "resume", "resume", "Go on with a pack after an interruption, and write its files.")
    parser.add_argument("pack", metavar="PACK", help="The pack's id, as the interrupted command printed it.")
    parser.add_argument(
        "--retry-failed", action="store_true", help="Start failed emojis again too, not only cancelled ones."
    )
    _out(parser)
    where(parser)


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

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
  popcond make --draw "a round red bear with a scarf" --actions wave,jump --provider dashscope --poses approve
      draws the character and a pose for each action, and waits for your approval before clips are bought
  popcond make hero.png --actions wave --json | jq -r '.stickers[].file'
      for scripts: one JSON object on standard output, nothing else
"""

_IMPORT_EXAMPLES = """\
examples:
  popcond import wave.mp4 --character hero.png --action wave --target line-emoji
  popcond import wave.mp4 jump.webm --character hero.png --action wave --action jump --out pack
"""

_APPROVE_EXAMPLES = """\
examples:
  popcond approve 1f3a77 --all
  popcond approve 1f3a77 wave jump --out pack
"""

_RETRY_EXAMPLES = """\
examples:
  popcond retry 1f3a77
      everything that failed or was cancelled, each from where it stopped
  popcond retry 1f3a77 wave --pose "one arm straight up, the palm open"
      another pose, and the clip after it
"""


def add_make(commands: Commands[Parser]) -> None:
    """One picture and some actions become a pack."""
    summary = "Make a pack of animated emoji from one picture."
    parser = command(commands, "make", "make", summary, _MAKE_EXAMPLES)
    picture = parser.add_argument_group("the character")
    picture.add_argument("picture", metavar="PICTURE", nargs="?", type=Path, help="The picture of the character.")
    picture.add_argument(
        "--draw", metavar="WORDS", help="Have the character drawn from words, by a provider that draws."
    )
    picture.add_argument(
        "--character",
        dest="kept",
        metavar="ID",
        help="Take a character of `popcond character list`: its id or its name.",
    )
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
    maker.add_argument(
        "--poses",
        choices=["skip", "draw", "approve"],
        default="skip",
        help="Where clips start: at the character itself (skip, the default); at a pose drawn for each action (draw);"
        " the same, but nothing is animated before you have looked (approve).",
    )
    maker.add_argument(
        "--pose-model", metavar="MODEL", help="What poses are drawn with (default: the provider's first)."
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
    parser.set_defaults(draw=None, kept=None)
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


def add_approve(commands: Commands[Parser]) -> None:
    """Poses are good, and clips may be bought."""
    summary = "Approve the poses of a pack that waits, have it animated, and write its files."
    parser = command(commands, "approve", "approve", summary, _APPROVE_EXAMPLES)
    parser.add_argument("pack", metavar="PACK", help="The pack's id, as `make --poses approve` printed it.")
    _emojis(parser)
    parser.add_argument("--all", dest="every", action="store_true", help="Approve every pose that waits.")
    _out(parser)
    where(parser)


def add_retry(commands: Commands[Parser]) -> None:
    """What failed is done again, or an emoji in other words."""
    summary = "Do again what failed in a pack, or a new take of single emojis, and write its files."
    parser = command(commands, "retry", "retry", summary, _RETRY_EXAMPLES)
    parser.add_argument("pack", metavar="PACK", help="The pack's id, as `popcond status` lists it.")
    _emojis(parser)
    parser.add_argument("--motion", metavar="WORDS", help="How EMOJI is to move instead.")
    parser.add_argument(
        "--pose", metavar="WORDS", help="How EMOJI is to stand where its clip starts; draws a pose anew."
    )
    _out(parser)
    where(parser)


def _emojis(parser: Parser) -> None:
    parser.add_argument(
        "emojis", metavar="EMOJI", nargs="*", help="An emoji of the pack: its action, its id, or the id's beginning."
    )


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

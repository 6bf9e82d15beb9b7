"""The options of `popcond character`: characters that the daemon keeps, and those that it has drawn from words."""

from __future__ import annotations

from pathlib import Path

from popcond.cli.parser import Commands, Parser, command, where
from popcond.wire import ReferenceUse

_EXAMPLES = """\
examples:
  popcond character draw "a round red bear with a scarf" --out bear.png
  popcond character draw "the same, as a pirate" --reference hero.png
  popcond character list
  popcond character redraw 1f3a77 "a round red bear without a scarf"
  popcond character choose 1f3a77 1
"""

_DRAW_EXAMPLES = """\
examples:
  popcond character draw "a round red bear with a scarf" --out bear.png
  popcond character draw "a fox" --reference hero.png --style
"""


def add_character(commands: Commands[Parser]) -> None:
    """Characters by themselves."""
    summary = "Have characters drawn from words; list them, redraw them, choose among their drawings, delete them."
    parser = command(commands, "character", "character", summary, _EXAMPLES)
    verbs: Commands[Parser] = parser.add_subparsers(
        title="what to do", metavar="VERB", dest="verb", required=True, parser_class=Parser, help="See VERB --help."
    )
    _add_draw(verbs)
    _add_list(verbs)
    _add_redraw(verbs)
    _add_choose(verbs)
    _add_cancel(verbs)
    _add_delete(verbs)


def _add_draw(verbs: Commands[Parser]) -> None:
    summary = "Have a character drawn from words, telling first what it costs."
    parser = command(verbs, "draw", "character", summary, _DRAW_EXAMPLES)
    parser.add_argument("words", metavar="WORDS", help="What it looks like.")
    parser.add_argument("--name", help="What it is called (default: the words).")
    parser.add_argument(
        "--reference", metavar="PICTURE", help="A picture, or the id of a character, that is shown to the model."
    )
    parser.add_argument(
        "--style",
        dest="use",
        action="store_const",
        const=ReferenceUse.STYLE,
        default=ReferenceUse.VARIATION,
        help="Take only the way of drawing from the reference (default: the same character, changed as the words say).",
    )
    parser.add_argument("--provider", default="dashscope", help="Who draws it (default: dashscope).")
    parser.add_argument("--model", help="One of the provider's picture models (default: its first that can).")
    _waiting(parser)


def _add_list(verbs: Commands[Parser]) -> None:
    parser = command(verbs, "list", "character", "List the characters, with their drawings.")
    _telling(parser)


def _add_redraw(verbs: Commands[Parser]) -> None:
    parser = command(verbs, "redraw", "character", "Have a character drawn once more; earlier drawings stay.")
    _character(parser)
    parser.add_argument("words", metavar="WORDS", nargs="?", help="Other words for it (default: the same).")
    parser.add_argument("--model", help="Another picture model (default: the same).")
    _waiting(parser)


def _add_choose(verbs: Commands[Parser]) -> None:
    parser = command(verbs, "choose", "character", "Take another drawing as the character's picture.")
    _character(parser)
    parser.add_argument("drawing", metavar="DRAWING", help="Its number in the list, its id, or the id's beginning.")
    _telling(parser)


def _add_cancel(verbs: Commands[Parser]) -> None:
    parser = command(verbs, "cancel", "character", "Stop a character's drawing; drawings that are there stay.")
    _character(parser)
    _telling(parser)


def _add_delete(verbs: Commands[Parser]) -> None:
    parser = command(verbs, "delete", "character", "Forget a character that no pack uses.")
    _character(parser)
    _telling(parser)


def _character(parser: Parser) -> None:
    parser.add_argument("character", metavar="ID", help="The character: its id, the id's beginning, or its name.")


def _waiting(parser: Parser) -> None:
    parser.add_argument("--out", metavar="FILE", type=Path, help="Save the picture there.")
    parser.add_argument(
        "--no-wait", dest="waits", action="store_false", help="Order it and end at once, without the picture."
    )
    _telling(parser)


def _telling(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="Print JSON on standard output, nothing else.")
    parser.add_argument("--quiet", action="store_true", help="Tell problems only, no progress.")
    where(parser)

"""Reopens the final bytes of a sticker and holds every rule of its target against them.

Nothing that the encoder knows is trusted: the file is parsed block by block, decoded by another program's reader, and
only then judged.
"""

from __future__ import annotations

from popcond.errors import UnreadablePicture
from popcond.stickers.decode import decoded
from popcond.stickers.facts import FileFacts, Flaw
from popcond.stickers.parse_apng import is_png, parse_apng
from popcond.stickers.parse_gif import is_gif, parse_gif
from popcond.stickers.pixel_facts import PixelFacts, look_at
from popcond.stickers.rules import Examined, rules_of
from popcond.wire import Rule, Target, Verdict

_MOST_PIXELS = 200_000_000  # of all frames together: more is not decoded
_MOST_CANVAS = 16_000_000  # of one frame


def validate(data: bytes, target: Target) -> Verdict:
    """The verdict on a sticker's bytes: one line a rule, with a reason and a cure where it fails. Never raises."""
    return verdict(rules_of(examine(data, target)))


def examine(data: bytes, target: Target) -> Examined:
    """All that can be found out about a sticker's bytes before judging them. Never raises."""
    facts = parse(data)
    pixels, trouble = _pixels(data, facts)
    return Examined(len(data), facts, pixels, trouble, target)


def verdict(rules: tuple[Rule, ...]) -> Verdict:
    """Valid when every rule that is not advice holds."""
    return Verdict(valid=all(rule.ok or rule.advice for rule in rules), rules=rules)


def parse(data: bytes) -> FileFacts:
    """What the file says about itself, by its signature. Never raises."""
    if is_png(data):
        return parse_apng(data)
    if is_gif(data):
        return parse_gif(data)
    return FileFacts(None, flaws=(Flaw("structure", "This is no kind of file that we know."),))


def _pixels(data: bytes, facts: FileFacts) -> tuple[PixelFacts | None, str]:
    canvas = facts.width * facts.height
    if canvas > _MOST_CANVAS or canvas * max(1, len(facts.delays)) > _MOST_PIXELS:
        return None, "The file promises more pixels than we open."
    if broken := [flaw.sentence for flaw in facts.flaws if flaw.rule == "structure"]:
        return None, broken[0]
    try:
        return look_at(decoded(data), facts.seconds), ""
    except UnreadablePicture as error:
        return None, error.message

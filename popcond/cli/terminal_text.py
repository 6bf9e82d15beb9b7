"""Other people's words made fit for a terminal: names and messages must not move the cursor or ring the bell."""

from __future__ import annotations

import unicodedata

from popcond.errors import PopconError
from popcond.wire import Problem

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # Unicode's categories: controls, formats, surrogates, breaks
_JOINER = "\u200d"  # zero width joiner: many emoji are written with it


def printable(text: str) -> str:
    """The text with every control, bidirectional override and lone surrogate written out, as in `\\x1b`."""
    return "".join(_shown(character) for character in text)


def sentence(told: PopconError | Problem) -> str:
    """What went wrong and the cure, on one line, with a full stop between them."""
    message = told.message.strip()
    stop = "" if message.endswith((".", "!", "?", "…")) else "."
    return f"{message}{stop} {told.cure}" if told.cure else f"{message}{stop}"


def _shown(character: str) -> str:
    if character == _JOINER or unicodedata.category(character) not in _UNSEEN:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")

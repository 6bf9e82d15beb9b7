"""What must never be told, wherever a text is going: keys, tokens, signatures of URLs.

It goes by shape, so it also meets what another program has written into its own error message. A text that was
redacted already stays as it is.
"""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "[hidden]"

_QUIET_NAMES = (
    r"x-(?:amz|oss|goog|tos|cos)-[a-z-]+|signature|sig|ossaccesskeyid|awsaccesskeyid|googleaccessid|security-token"
    r"|access[-_]?key(?:[-_]?(?:id|secret))?|(?:access|refresh|id)[-_]?token|token|api[-_]?key|secret|password"
)
# Anything shorter is a word of a sentence, such as the TOKEN of "Authorization: Bearer TOKEN".
_SECRET = r"[^\s'\",;`)}\]]{8,}"
_WORD_BEGINS = r"(?:(?<![a-z0-9_])|(?<=%[0-9a-f]{2}))"
_SHAPES = (
    # Authorization: Bearer …, and the same as a pair of Python's or JSON's
    re.compile(
        rf"(?P<kept>(?:proxy-)?authorization['\"]?\s*[:=,]\s*b?['\"]?)(?:(?:bearer|basic|digest)\s+)?{_SECRET}",
        re.IGNORECASE,
    ),
    re.compile(rf"(?P<kept>{_WORD_BEGINS}bearer(?:\s|%20|\+)+){_SECRET}", re.IGNORECASE),
    # ?Signature=…&Expires=1, also inside another URL's query
    re.compile(rf"(?P<kept>{_WORD_BEGINS}(?:{_QUIET_NAMES})(?:=|%3d))[^&\s'\"<>`\[]+", re.IGNORECASE),
    # "api_key": "…"
    re.compile(rf"(?P<kept>['\"](?:{_QUIET_NAMES})['\"]\s*:\s*b?['\"])[^'\"\[]+", re.IGNORECASE),
    # An API key by itself
    re.compile(rf"(?P<kept>{_WORD_BEGINS}sk-)[a-z0-9_-]{{6,}}", re.IGNORECASE),
)


def redacted(text: str) -> str:
    """The text with every secret that has a known shape replaced by `[hidden]`."""
    for shape in _SHAPES:
        text = shape.sub(rf"\g<kept>{HIDDEN}", text)
    return text


def redacted_deeply(value: Any) -> Any:
    """The same for every text in nested lists and dicts, names included; other values stay as they are."""
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, dict):
        return {redacted_deeply(name): redacted_deeply(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [redacted_deeply(held) for held in value]
    return value

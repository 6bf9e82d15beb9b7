"""Orders of pictures as the stand-in reads them: which model takes which shape, and what would be said against one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from popcond.errors import UnreadablePicture
from tests.cloud.account import PICTURE_PRICES, Line, new_id
from tests.cloud.orders import decoded, picture_mistake

_SERVICES = "/services/aigc"
WORDS, EDIT = f"{_SERVICES}/text2image/image-synthesis", f"{_SERVICES}/image2image/image-synthesis"
MESSAGES = f"{_SERVICES}/image-generation/generation"

_COMMON = frozenset({"size", "n", "watermark", "seed", "negative_prompt"})
_MOST_BYTES = 10 << 20  # of one picture
_SHORTEST = 384  # pixels of its sides


@dataclass(frozen=True)
class _Rules:
    """What one model takes."""

    path: str
    longest: int  # characters of the prompt
    shown: range  # numbers of pictures that it is shown
    sides: range  # of the square that it draws, in pixels
    default: int  # of these
    names_sizes: bool = False  # "1K" and the like
    parameters: frozenset[str] = _COMMON | {"prompt_extend"}


_OLD, _BIG = range(512, 1441), range(1280, 1441)
_NEW = _Rules(MESSAGES, 5000, range(10), range(768, 2049), 2048, True, _COMMON | {"thinking_mode", "enable_sequential"})
_RULES: Mapping[str, _Rules] = {
    "wan2.2-t2i-flash": _Rules(WORDS, 800, range(1), _OLD, 1024),
    "wan2.2-t2i-plus": _Rules(WORDS, 800, range(1), _OLD, 1024),
    "wan2.5-t2i-preview": _Rules(WORDS, 2000, range(1), _BIG, 1280),
    "wan2.5-i2i-preview": _Rules(EDIT, 2000, range(1, 4), range(768, 1281), 1280),
    "wan2.6-t2i": _Rules(MESSAGES, 2000, range(1), _BIG, 1280),
    "wan2.6-image": _Rules(
        MESSAGES,
        2000,
        range(1, 5),
        range(768, 1281),
        1280,
        names_sizes=True,
        parameters=_COMMON | {"prompt_extend", "enable_interleave", "max_images"},
    ),
    "wan2.7-image": _NEW,
    "wan2.7-image-pro": _NEW,
}


def mistake(path: str, order: Mapping[str, Any]) -> str | None:
    """What the service would say against an order, as CODE: message."""
    rules, given = _RULES.get(str(order.get("model"))), order.get("parameters") or {}
    if rules is None or path != rules.path:
        return "ModelNotFound: Model can not be found."
    if set(order) != {"model", "input", "parameters"} or set(given) - rules.parameters:
        return "InvalidParameter: unknown fields"
    if not 1 <= given.get("n", 4) <= 4 or side_of(order) not in rules.sides:
        return "InvalidParameter: n or size is out of range"
    if not 0 < len(words_of(order)) <= rules.longest:
        return "InvalidParameter: the prompt is too long, or there is none"
    return _mistake_of_pictures(rules, order)


def _mistake_of_pictures(rules: _Rules, order: Mapping[str, Any]) -> str | None:
    try:
        shown = pictures(order)
        wrong = next(filter(None, (picture_mistake(each, _SHORTEST) for each in shown)), None)
    except (ValueError, KeyError, TypeError, UnreadablePicture):
        return "InvalidParameter: url error, please check url!"
    if len(shown) not in rules.shown or any(len(each) > _MOST_BYTES for each in shown):
        return "InvalidParameter: the number of pictures, or the size of one, is not allowed"
    return wrong


def line_of(order: Mapping[str, Any], key: str) -> Line:
    """As the ledger has it. Who does not say how many pictures pays for four."""
    count = int(order["parameters"].get("n", 4))
    return Line(
        at=time.time(),
        id=new_id(),
        model=order["model"],
        prompt=words_of(order),
        key=key,
        seconds=0.0,
        tier=0,
        cost=round(PICTURE_PRICES[order["model"]] * count, 6),
        parameters=order["parameters"],
        frames=len(pictures(order)),
        drawn=count,
        side=side_of(order),
        repeats=_RULES[order["model"]].path != MESSAGES,
    )


def words_of(order: Mapping[str, Any]) -> str:
    """What it asks for, whichever way it is said; of a clip as well."""
    given = order.get("input") or {}
    content = [part for message in given.get("messages") or () for part in message.get("content") or ()]
    return str(given.get("prompt") or "".join(part.get("text", "") for part in content))


def pictures(order: Mapping[str, Any]) -> list[bytes]:
    """The pictures that came with it. Raises ValueError and KeyError for another shape."""
    rules, given = _RULES[order["model"]], order["input"]
    if rules.path == MESSAGES:
        return _of_message(given)
    if set(given) != {"prompt", *(("images",) if rules.path == EDIT else ())}:
        raise ValueError(sorted(given))
    return [decoded(address) for address in given.get("images", ())]


def _of_message(given: Mapping[str, Any]) -> list[bytes]:
    (message,) = given["messages"]
    texts = [part for part in message["content"] if set(part) == {"text"}]
    if set(given) != {"messages"} or message["role"] != "user" or len(texts) != 1:
        raise ValueError(sorted(given))
    return [decoded(part["image"]) for part in message["content"] if part not in texts]


def side_of(order: Mapping[str, Any]) -> int:
    """Pixels of the square that is ordered; 0 for a size that cannot be read."""
    rules, size = _RULES[order["model"]], (order.get("parameters") or {}).get("size")
    if size is None:
        return rules.default
    if rules.names_sizes and size in ("1K", "2K"):
        return 1024 * int(size[0])
    width, _, height = str(size).partition("*")
    return int(width) if width.isdecimal() and width == height else 0

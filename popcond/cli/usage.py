"""What the command line gets wrong: checked before any work begins, told as a sentence, exit code 2."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from popcond.errors import BadInput

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130  # exit codes


class WrongUsage(BadInput):
    """The command line asks for something that cannot be; nothing has been done."""

    code = "wrong_usage"


def readable_file(path: Path, what: str) -> Path:
    """The path, when a file with something in it can be read there. `what` names it in the sentence."""
    if path.is_dir():
        raise WrongUsage(f"{path} is a folder, not a {what}.", cure=f"Give the {what} itself.")
    if not path.exists():
        raise WrongUsage(f"There is no {what} at {path}.", cure=_nearby(path))
    if not os.access(path, os.R_OK):
        raise WrongUsage(f"{path} may not be read by you.", cure="Change its permissions, or copy it.")
    if path.is_file() and path.stat().st_size == 0:
        raise WrongUsage(f"{path} is empty.", cure=f"Give a {what} with something in it.")
    return path


def _nearby(path: Path) -> str:
    neighbours = [file.name for file in path.parent.iterdir()] if path.parent.is_dir() else []
    close = get_close_matches(path.name, neighbours, n=1)
    return f"Did you mean {path.parent / close[0]}?" if close else "Check the path."


def comma_list(texts: Iterable[str]) -> tuple[str, ...]:
    """`["wave, jump", "cry", "wave"]` as `("wave", "jump", "cry")`: in order, each once."""
    words = (word.strip() for text in texts for word in text.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def known_names(wanted: Sequence[str], known: Sequence[str], what: str) -> tuple[str, ...]:
    """The wanted names, each of which must be known. Raises WrongUsage with near matches for all that are not."""
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise WrongUsage(
            f"There is no {what} {_or(unknown)}.",
            cure=_did_you_mean(unknown, known) or f"Known: {', '.join(known)}.",
            code="unknown_name",
            details={"unknown": unknown, "known": list(known)},
        )
    return tuple(wanted)


def _did_you_mean(unknown: Sequence[str], known: Sequence[str]) -> str:
    close = [match for name in unknown for match in get_close_matches(name.lower(), known, n=3)]
    return f"Did you mean {_or(list(dict.fromkeys(close)))}?" if close else ""


def _or(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"

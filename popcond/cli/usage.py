"""What the command line gets wrong: checked before any work begins, told as a sentence, exit code 2."""

from __future__ import annotations

import errno
import os
import stat
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
    found = _looked_up(path, what)
    if stat.S_ISDIR(found.st_mode):
        raise WrongUsage(f"{path} is a folder, not a {what}.", cure=f"Give the {what} itself.")
    if not stat.S_ISREG(found.st_mode):  # reading it could wait for ever, or never end
        raise WrongUsage(
            f"{path} is a pipe or a device, not a file.", cure=f"Save the {what} as a file first, then give that file."
        )
    if not os.access(path, os.R_OK):
        raise WrongUsage(f"{path} may not be read by you.", cure="Change its permissions, or copy it.")
    if found.st_size == 0:
        raise WrongUsage(f"{path} is empty.", cure=f"Give a {what} with something in it.")
    return path


def _looked_up(path: Path, what: str) -> os.stat_result:
    try:
        return path.stat()
    except FileNotFoundError as error:
        if path.is_symlink():
            told = f"{path} is a link to {path.readlink()}, and nothing is there."
            raise WrongUsage(told, cure=f"Give the {what} itself.") from error
        raise WrongUsage(f"There is no {what} at {path}.", cure=_nearby(path)) from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            told = f"{path} is a link that leads back to itself."
            raise WrongUsage(told, cure=f"Give the {what} itself.") from error
        why = (error.strerror or str(error)).lower()
        raise WrongUsage(f"{path} cannot be read: {why}.", cure="Check the path and its permissions.") from error


def _nearby(path: Path) -> str:
    try:
        neighbours = [file.name for file in path.parent.iterdir()]
    except OSError:
        neighbours = []
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
            cure=near_names(unknown, known),
            code="unknown_name",
            details={"unknown": unknown, "known": list(known)},
        )
    return tuple(wanted)


def near_names(unknown: Sequence[str], known: Sequence[str]) -> str:
    """The cure for unknown names: those that begin so or are spelled alike, or else all that are known."""
    near = list(dict.fromkeys(match for name in unknown for match in _near(name.strip().lower(), known)))
    return f"Did you mean {_or(near)}?" if near else f"Known: {', '.join(known)}."


def _near(name: str, known: Sequence[str]) -> list[str]:
    begun = [each for each in known if name and each.startswith(name)]
    return begun or get_close_matches(name, known, n=3)


def counted(count: int, thing: str) -> str:
    """`1 clip`, `2 clips`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _or(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"

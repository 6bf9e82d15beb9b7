"""The catalogue of actions: the built-in ones, and what a user's own actions.toml adds or overrides.

A bad entry of the user's file is named with its line and a cure, and never costs the other entries. An entry whose name
is built in may give only the fields that it changes; a new one needs at least a motion_prompt. A motion of one's own
does not begin in the built-in pose: it has the pose that is given beside it, or none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from popcond.errors import BadEntry, UnknownName
from popcond.wire import Action, LoopKind, Problem

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 40
_LARGEST_FILE = 1_000_000  # bytes
_FIELDS = ("label", "pose_prompt", "motion_prompt", "effect_prompt", "loop", "poster", "performance", "tags")
_LONGEST_TEXT = {"label": 60, "pose_prompt": 2000, "motion_prompt": 4000, "effect_prompt": 2000}
_MAY_BE_EMPTY = ("pose_prompt", "effect_prompt")
_EVERYTHING = "all"  # on a command line this stands for every action
_HEADER = re.compile(r"[ \t]*\[{1,2}([^\[\]=,#\r\n]+)\]{0,2}[ \t]*(?:#.*)?(?:\r?\n|$)")  # also one not closed
_MOST_PIECES = 12  # blocks that one text of several lines may seem to be
_MOST_LINES = 300  # of one entry, to look for a mistake in
_MISTAKES = MappingProxyType(  # a part of what TOML's reader says, and what a person should hear
    {
        "Expected '='": ("after the field's name an = is missing", 'Write it like label = "Hop".'),
        "Invalid value": ("what stands after the = is no value", 'Put text in quotation marks: label = "Hop".'),
        r"character '\n'": ("a text is not closed on its line", "Put a quotation mark at its end."),
        "character '": ("a sign that cannot be seen stands in it", "Type the line again."),
        "Unterminated string": ("a text is not closed", "Put the quotation marks at its end."),
        "Expected \"'": ("a text is not closed", "Put a quotation mark at its end."),
        "Unclosed array": ("a list is not closed", "Put a ] at its end."),
        "Expected ']'": ("the name of an entry is not closed", "Write [hop] on a line of its own."),
        "Cannot overwrite": ("a field is here twice", "Take one of the two lines away."),
        "Cannot declare": ("a name is here twice", "Take one of the two away."),
        "Unescaped '\\'": ("a text has a backslash that means nothing", "Write two of them for one."),
        "Expected newline": ("something stands after the value", "Put each field on a line of its own."),
    }
)
_ANY_MISTAKE = ("this line is not written as TOML", 'Write it like label = "Hop", or put a # before it.')
_FALLBACK = "happy"  # a performance that suits any action


@dataclass(frozen=True)
class Catalogue:
    """Every action by name, in the order of the files, and what is wrong with the user's file."""

    actions: Mapping[str, Action]
    problems: tuple[Problem, ...] = ()

    def action(self, name: str) -> Action:
        """The action of that name. Raises UnknownName, with the names that are near."""
        if name in self.actions:
            return self.actions[name]
        near = self._near(name.strip().lower())
        hint = f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(self.actions)}."
        raise UnknownName(f"There is no action {name!r}.", cure=hint, details={"near": near})

    def _near(self, name: str) -> list[str]:
        """Names that are spelled alike, and actions that are tagged so."""
        alike = [each for each in self.actions if name and each.startswith(name)]
        alike = alike or get_close_matches(name, self.actions, n=2, cutoff=0.6)
        tagged = [action.name for action in self.actions.values() if name in action.tags]
        return list(dict.fromkeys([*alike, *tagged]))[:3]


def load_actions(user_file: Path | None = None) -> Catalogue:
    """The built-in actions and those of `user_file`; a file that is not there is no problem."""
    built_in = _built_in()
    if user_file is None or not user_file.exists():
        return Catalogue(MappingProxyType(built_in))
    try:
        text = _read(user_file)
    except BadEntry as error:
        return Catalogue(MappingProxyType(built_in), (error.problem(),))
    tables, errors = _tables(user_file, text)
    actions = dict(built_in)
    for name, table in tables.items():
        try:
            actions[name] = _user_action(_Entry(user_file, text, name), table, built_in)
        except BadEntry as error:
            errors.append(error)
    return Catalogue(MappingProxyType(actions), tuple(error.problem() for error in sorted(errors, key=_place)))


def _place(error: BadEntry) -> int:
    return int((error.details or {})["line"])


def _built_in() -> dict[str, Action]:
    text = files("popcond").joinpath("actions.toml").read_text(encoding="utf-8")
    return {name: Action(name=name, **table) for name, table in tomllib.loads(text).items()}


# ------------------------------------------------------------------ the user's file


def _read(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise _bad(path, 1, f"it could not be read ({why})", "Check its permissions.") from error
    if len(raw) > _LARGEST_FILE:
        raise _bad(path, 1, f"it has {len(raw):,} bytes", "Is it the right file? Actions need a few kilobytes.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _bad(path, line, "it is not UTF-8 text", "Save it as UTF-8.") from error


def _tables(path: Path, text: str) -> tuple[dict[str, Any], list[BadEntry]]:
    """The tables by name, and what cannot be read. One mistake costs its own table only."""
    try:
        return tomllib.loads(text), []
    except (ValueError, RecursionError):  # ValueError: TOML's own error, and a number of thousands of digits
        return _tables_by_block(path, text)


def _tables_by_block(path: Path, text: str) -> tuple[dict[str, Any], list[BadEntry]]:
    """Every table read by itself; of two with the same name the first one counts."""
    tables: dict[str, Any] = {}
    starts: dict[str, int] = {}
    errors: list[BadEntry] = []
    for start, block in _blocks(text):
        try:
            found = _parse(path, start, block)
        except BadEntry as error:
            errors.append(error)
            continue
        for name, table in found.items():
            if name in tables:
                errors.append(_twice(path, name, start, starts[name]))
            else:
                tables[name], starts[name] = table, start
    return tables, errors


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """The line that each table begins at, from 1, and its text; a header inside of a long text is not one."""
    pieces = [""]
    for line in text.splitlines(keepends=True):
        if _HEADER.match(line):
            pieces.append("")
        pieces[-1] += line
    start, at = 1, 0
    while at < len(pieces):
        count = _length_of_long_text(pieces[at : at + _MOST_PIECES])
        block = "".join(pieces[at : at + count])
        if block.strip():
            yield start, block
        start, at = start + block.count("\n"), at + count


def _length_of_long_text(pieces: list[str]) -> int:
    """How many of the pieces the first block has: more than one when a value of several lines holds a header."""
    return next((count for count in range(1, len(pieces) + 1) if _is_toml("".join(pieces[:count]))), 1)


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _parse(path: Path, start: int, block: str) -> dict[str, Any]:
    """The tables of a block that begins at line `start`. Raises BadEntry."""
    try:
        return tomllib.loads(block)
    except (ValueError, RecursionError) as error:
        found = re.search(r"line (\d+)", str(error))
        line = start - 1 + (int(found.group(1)) if found else _last_beginning(block.splitlines()))
        header = _HEADER.match(block)
        name = header.group(1).strip("\"' ") if header else None
        what, cure = next((said for sign, said in _MISTAKES.items() if sign in str(error)), _ANY_MISTAKE)
        what = f"action {name!r}: {what}" if name else what
        raise _bad(path, line, what, f"{cure} Until then this entry is not used.", entry=name) from error


def _last_beginning(lines: list[str]) -> int:
    """The line, from 1, at which something begins that does not end."""
    if len(lines) > _MOST_LINES:
        return len(lines)
    whole = [count for count in range(len(lines)) if _is_toml("\n".join(lines[:count]))]
    return whole[-1] + 1


def _twice(path: Path, name: str, line: int, first: int) -> BadEntry:
    what = f"action {name!r} is here a second time; the first is at line {first} and is the one in use"
    return _bad(path, line, what, "Take one of them away, or give it another name.", entry=name)


def _bad(path: Path, line: int, what: str, cure: str, **details: Any) -> BadEntry:
    return BadEntry(f"{path}, line {line}: {what}.", cure=cure, details={"file": str(path), "line": line, **details})


@dataclass(frozen=True)
class _Entry:
    """One table of the user's file, and where to find it."""

    path: Path
    text: str
    name: str

    def bad(self, what: str, cure: str, key: str | None = None) -> BadEntry:
        """The error that names this entry, at the line of `key` where that can be told."""
        return _bad(self.path, self._line(key), f"action {self.name!r}: {what}", cure, entry=self.name, key=key)

    def _line(self, key: str | None) -> int:
        """The line of the table's header, or of its key; tomllib does not keep them."""
        name = rf"(?:{re.escape(self.name)}|\"{re.escape(self.name)}\"|'{re.escape(self.name)}')"
        lines = self.text.splitlines()
        start = _first(lines, rf"\s*\[\s*{name}\s*\]") or _first(lines, rf"\s*{name}\s*[.=]") or 1
        if key is None:
            return start
        for number in range(start, len(lines)):
            if re.match(r"\s*\[", lines[number]):
                break
            if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", lines[number]):
                return number + 1
        return start


def _first(lines: list[str], pattern: str) -> int | None:
    return next((number for number, line in enumerate(lines, start=1) if re.match(pattern, line)), None)


def _user_action(entry: _Entry, table: Any, built_in: Mapping[str, Action]) -> Action:
    """The entry as an action, laid over the built-in one of its name. Raises BadEntry."""
    if not isinstance(table, dict):
        raise entry.bad("it is not a table", f"Write [{entry.name}] on a line of its own, its fields below it.")
    if not _NAME.fullmatch(entry.name) or len(entry.name) > _LONGEST_NAME:
        raise entry.bad(
            "this cannot be a name", f"Use small letters, digits and hyphens, {_LONGEST_NAME} at most: [big-smile]."
        )
    if entry.name == _EVERYTHING:
        raise entry.bad("this name stands for every action, so it could never be chosen", "Give it another name.")
    for key, value in table.items():
        _check(entry, key, value, built_in)
    base = built_in.get(entry.name)
    given = base.model_dump() if base else _defaults(entry, table, built_in)
    if "motion_prompt" in table:
        given["pose_prompt"] = ""
    return Action.model_validate({**given, **table, "origin": "user", "name": entry.name})


def _defaults(entry: _Entry, table: Mapping[str, Any], built_in: Mapping[str, Action]) -> dict[str, Any]:
    """What a new action need not say."""
    if "motion_prompt" not in table:
        raise entry.bad("motion_prompt is missing", "Say what the body does: which limb, how far, how fast, and back.")
    label = entry.name.replace("-", " ").capitalize()
    chosen = built_in[table.get("performance") or _suited(entry.name, table, built_in)]
    return {"label": label, "loop": chosen.loop, "poster": chosen.poster, "performance": chosen.performance}


def _check(entry: _Entry, key: str, value: Any, built_in: Mapping[str, Action]) -> None:
    """Raise BadEntry unless `value` is what the field `key` takes."""
    if key not in _FIELDS:
        near = get_close_matches(key, _FIELDS, n=1)
        cure = f"Did you mean {near[0]}?" if near else f"The fields are: {', '.join(_FIELDS)}."
        raise entry.bad(f"there is no field {key!r}", cure, key)
    if key in _LONGEST_TEXT:
        _check_text(entry, key, value)
    elif key == "loop" and value not in tuple(LoopKind):
        raise entry.bad(f"loop is {value!r}", 'Write loop = "cycle" or loop = "return".', key)
    elif key == "poster" and not (_is_number(value) and 0.0 <= value < 1.0):
        raise entry.bad(f"poster is {value!r}", "Give a share of the loop: 0 or more, and less than 1.", key)
    elif key == "performance" and value not in built_in:
        near = get_close_matches(str(value), built_in, n=1)
        cure = f"Did you mean {near[0]}?" if near else f"Choose one of: {', '.join(built_in)}."
        raise entry.bad(f"there is no performance {value!r}", cure, key)
    elif key == "tags" and not (isinstance(value, list) and all(isinstance(tag, str) for tag in value)):
        raise entry.bad("tags are not a list of words", 'Write tags = ["hello", "hand"].', key)


def _check_text(entry: _Entry, key: str, value: Any) -> None:
    if not isinstance(value, str):
        raise entry.bad(f"{key} is not text", f'Write {key} = "…" with quotation marks.', key)
    if not value.strip() and key not in _MAY_BE_EMPTY:
        raise entry.bad(f"{key} is empty", "Write a few words, or leave the line out.", key)
    if len(value) > _LONGEST_TEXT[key]:
        raise entry.bad(
            f"{key} has {len(value)} characters", f"Shorten it to {_LONGEST_TEXT[key]}; providers cut long texts.", key
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# ------------------------------------------------------------------ a performance for an action that names none


def _suited(name: str, table: Mapping[str, Any], built_in: Mapping[str, Action]) -> str:
    """The built-in action whose name and tags come nearest to this one's words."""
    words = set(_words(name, *table.get("tags", ()), table.get("label", "")))
    prompt = set(_words(table.get("motion_prompt", ""), table.get("effect_prompt", "")))

    def nearness(action: Action) -> float:
        own = {action.name, *action.tags}
        alike = sum(1.0 for word in words if get_close_matches(word, own, n=1, cutoff=0.8))
        return 10.0 * (action.name in words) + 4.0 * alike + len(own & prompt)

    best = max(built_in.values(), key=nearness)
    return best.name if nearness(best) > 0.0 else _FALLBACK


def _words(*texts: str) -> Iterator[str]:
    for text in texts:
        yield from re.findall(r"[a-z]+", text.lower())

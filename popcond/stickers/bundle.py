"""A pack as the ZIP that a target's store takes: the store's own file names, and the same bytes for the same stickers.

The ZIP is reopened after writing and judged file by file. A set that is too small is still written: its stickers are
good, and the advice says what the store will ask for.
"""

from __future__ import annotations

import errno
import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from popcond.errors import BadInput, OutOfDisk, PopconError
from popcond.stickers.rules import as_advice, made
from popcond.stickers.still import validate_extra
from popcond.stickers.validate import validate, verdict
from popcond.wire import Rule, Target, Verdict

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest date that a ZIP can say
_UNIX = 3
_READABLE = 0o644 << 16
_MOST_BYTES = 500_000_000  # unpacked; more is not opened
_PACKINGS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_BROKEN = (
    zipfile.BadZipFile,
    ValueError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    struct.error,
    zlib.error,
)
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True)
class BundleReport:
    """A bundle that was written."""

    path: Path
    bytes: int
    stickers: int
    files: tuple[str, ...]  # in the order in which they lie in the ZIP
    verdict: Verdict

    @property
    def advice(self) -> tuple[str, ...]:
        """Sentences that a person should read although the bundle is valid."""
        return tuple(f"{rule.reason} {rule.cure}".strip() for rule in self.verdict.advice)


def file_names(target: Target, stickers: Sequence[tuple[str, str]]) -> list[str]:
    """The store's file names for (action, pack's or emoji's name) pairs in their order; no two alike."""
    taken: set[str] = set()
    names = []
    for number, (action, name) in enumerate(stickers, start=1):
        names.append(_free(target.file_name.format(number=number, action=_safe(action), name=_safe(name)), taken))
        taken.add(names[-1])
    return names


def _safe(word: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", word).strip("-") or "sticker"


def _free(name: str, taken: set[str]) -> str:
    stem, dot, suffix = name.rpartition(".")
    again = 2
    while name in taken:
        name = f"{stem}-{again}{dot}{suffix}"
        again += 1
    return name


def write_bundle(
    to: Path, target: Target, stickers: Sequence[tuple[str, str, bytes]], extras: Sequence[tuple[str, bytes]]
) -> BundleReport:
    """Writes the ZIP of (action, name, bytes) stickers and (file name, bytes) extras, and judges it.

    The file appears under its name only when it is whole. Raises OutOfDisk, or BadInput when `to` cannot be written.
    """
    names = file_names(target, [(action, name) for action, name, _ in stickers])
    files = [*zip(names, (data for _, _, data in stickers), strict=True), *extras]
    data = zipped(files)
    _write(to, data)
    held = tuple(name for name, _ in files)
    return BundleReport(to, len(data), len(stickers), held, validate_bundle(to.read_bytes(), target))


def zipped(files: Sequence[tuple[str, bytes]]) -> bytes:
    """A ZIP of (name, bytes), the same for the same files whenever it is made. Pictures are packed already."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files:
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.create_system, entry.external_attr = _UNIX, _READABLE
            archive.writestr(entry, data)
    return buffer.getvalue()


def _write(to: Path, data: bytes) -> None:
    part = to.with_name(f".{to.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, to)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _unwritable(to, error) from error


def _unwritable(to: Path, error: OSError) -> PopconError:
    if error.errno in _FULL:
        return OutOfDisk(f"There is no room left for {to.name}.", cure="Free some space, then run it again.")
    return BadInput(f"{to} cannot be written: {error.strerror}.", cure="Choose a folder that you may write to.")


# ------------------------------------------------------------------ validation


def validate_bundle(data: bytes, target: Target) -> Verdict:
    """The verdict on a bundle's final bytes. A set that is too small or too large is advice. Never raises."""
    try:
        files = _unpacked(data)
    except _BROKEN as error:
        return verdict((made("archive", "broken", "whole", False, f"The ZIP is damaged: {error}.", "Make it again."),))
    extras = {extra.file_name for extra in target.extra_pictures}
    stickers = [(name, content) for name, content in files if name not in extras]
    rules = [
        made("archive", "whole", "whole", True, "", ""),
        _names(files, target),
        _bundle_bytes(len(data), target),
        _stickers(stickers, target),
        _set_size(len(stickers), target),
        *_extras(dict(files), target),
    ]
    return verdict(tuple(rule for rule in rules if rule is not None))


def _unpacked(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > _MOST_BYTES:
            raise ValueError("it unpacks to more than we open")
        if any(entry.compress_type not in _PACKINGS for entry in entries):
            raise ValueError("it is packed in an unusual way")
        return [(entry.filename, archive.read(entry)) for entry in entries]


def _names(files: Sequence[tuple[str, bytes]], target: Target) -> Rule:
    """Numbered names run from 1 without a gap; nothing lies in a folder; no name comes twice."""
    names = [name for name, _ in files]
    extras = {extra.file_name for extra in target.extra_pictures}
    stickers = [name for name in names if name not in extras]
    wrong = [name for name in names if "/" in name or "\\" in name or names.count(name) > 1]
    wrong += [name for place, name in enumerate(stickers, start=1) if not _fits(name, place, target)]
    reason = f"{', '.join(wrong[:3])}: the store wants names like {target.file_name}, in the root of the ZIP."
    value = "as they should be" if not wrong else f"{len(wrong)} wrong"
    return made("file_names", value, target.file_name, not wrong, reason, "Make the bundle again.")


def _fits(name: str, number: int, target: Target) -> bool:
    parts = re.split(r"(\{[^}]*\})", target.file_name)
    return re.fullmatch("".join(_pattern(part, number) for part in parts), name) is not None


def _pattern(part: str, number: int) -> str:
    if part.startswith("{number"):
        return re.escape(part.format(number=number))
    return "[A-Za-z0-9_-]+" if part.startswith("{") else re.escape(part)


def _bundle_bytes(size: int, target: Target) -> Rule | None:
    limit = target.max_bundle_bytes
    if limit is None:
        return None
    reason = f"The ZIP has {size:,} bytes; {target.label} takes {limit:,}."
    return made("bundle_bytes", f"{size:,}", f"{limit:,}", size <= limit, reason, "Split the set in two.")


def _stickers(stickers: Sequence[tuple[str, bytes]], target: Target) -> Rule:
    failing = {name: found.failed for name, data in stickers if not (found := validate(data, target)).valid}
    told = [f"{name}: {rules[0].reason}" for name, rules in list(failing.items())[:3]]
    reason = f"{len(failing)} of {len(stickers)} stickers break a rule. {' '.join(told)}"
    value = f"{len(stickers) - len(failing)} of {len(stickers)} valid"
    return made("stickers", value, "all valid", not failing, reason, "Look at each sticker's verdict.")


def _set_size(count: int, target: Target) -> Rule | None:
    limit = _wanted_count(target)
    if limit is None:
        return None
    too_many = target.max_stickers is not None and count > target.max_stickers
    listed = target.set_sizes is None or count in target.set_sizes
    fine = count >= target.min_stickers and not too_many and listed
    cure = (
        "Split the set in two." if too_many else "Add more emojis before you submit it; each sticker is good by itself."
    )
    reason = f"A set for {target.label} needs {limit} stickers, this has {count}."
    return as_advice(made("set_size", count, limit, fine, reason, cure))


def _wanted_count(target: Target) -> str | None:
    if target.set_sizes is not None:
        *others, last = (str(size) for size in target.set_sizes)
        return f"{', '.join(others)} or {last}" if others else last
    if target.max_stickers is None:
        return None if target.min_stickers <= 1 else f"at least {target.min_stickers}"
    return f"{target.min_stickers} to {target.max_stickers}"


def _extras(files: dict[str, bytes], target: Target) -> list[Rule]:
    return [_extra(extra.file_name, files, target) for extra in target.extra_pictures]


def _extra(name: str, files: dict[str, bytes], target: Target) -> Rule:
    extra = next(extra for extra in target.extra_pictures if extra.file_name == name)
    if name not in files:
        reason = f"{name} is missing; {target.label} wants it in the ZIP."
        return made(f"extra_{name}", "missing", "there", False, reason, "Make the bundle again.")
    found = validate_extra(files[name], extra, target)
    reason = " ".join(rule.reason for rule in found.failed)
    cure = found.failed[0].cure if found.failed else ""
    return made(f"extra_{name}", "valid" if found.valid else "not valid", "valid", found.valid, reason, cure)

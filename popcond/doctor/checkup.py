"""All checks in their order. A new check is one function of the settings and its name in one of these lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.util import find_spec

from popcond.doctor.finding import Finding
from popcond.doctor.house import check_daemon, check_folder, check_keys, check_privacy, check_room
from popcond.doctor.machine import check_open_files, check_packages, check_python
from popcond.doctor.paid_road import check_paid_road
from popcond.settings import Settings

Check = Callable[[Settings], Finding | Iterable[Finding]]

_CLIENT: tuple[Check, ...] = (
    check_python,
    check_packages,
    check_open_files,
    check_folder,
    check_privacy,
    check_room,
    check_daemon,
    check_keys,
)


def check_up(settings: Settings, *, deep: bool = False, online: bool = False) -> Iterator[Finding]:
    """What was found, one after the other. Changes nothing and starts nothing.

    `deep` reads every file; `online` asks the paid provider a question that costs nothing.
    """
    paid_road: Check = partial(check_paid_road, online=online)
    for check in (*_CLIENT, paid_road, *_daemons_checks(deep=deep)):
        yield from _findings(check, settings)


def _daemons_checks(*, deep: bool) -> tuple[Check, ...]:
    """Those that need the daemon's own libraries, which an installation of the client alone has not."""
    if find_spec("sqlite_utils") is None:
        return ()
    from popcond.doctor.files import check_files
    from popcond.doctor.rows import check_rows

    return check_rows, partial(check_files, deep=deep)


def _findings(check: Check, settings: Settings) -> Iterator[Finding]:
    """One check that stumbles is a finding itself; the others go on."""
    try:
        found = check(settings)
        yield from [found] if isinstance(found, Finding) else found
    except Exception as error:  # noqa: BLE001 - a doctor who faints helps nobody
        name = _name_of(check).removeprefix("check_").replace("_", "-")
        told = f"This could not be looked at: {str(error).rstrip('.')} ({type(error).__name__})."
        yield Finding(name, False, told, "Look at the file or folder that it names.")


def _name_of(check: Check) -> str:
    function = check.func if isinstance(check, partial) else check
    return str(getattr(function, "__name__", "check"))

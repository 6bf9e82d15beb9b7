"""This computer: the interpreter, the packages, and how many files may be open."""

from __future__ import annotations

import re
import resource
import sys
from importlib.metadata import PackageNotFoundError, requires, version

from popcond.doctor.finding import Finding
from popcond.settings import Settings
from popcond.wire import VERSION

_PYTHON = (3, 11)
_FILES = 1024  # open at once: streams, connections, children and their pipes
_REQUIREMENT = re.compile(r"""^([A-Za-z0-9._-]+)[^;]*(?:;.*extra == ["']([a-z]+)["'])?""")


def check_python(_settings: Settings) -> Finding:
    """The interpreter is one that we are tested with."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < _PYTHON:
        return Finding("python", False, f"This is Python {found}.", "Install PopCon with Python 3.11 or newer.")
    return Finding("python", True, f"Python {found}, popcond {VERSION}.")


def check_packages(_settings: Settings) -> Finding:
    """Everything that the daemon imports is installed."""
    try:
        wanted = [_REQUIREMENT.match(line) for line in requires("popcon") or ()]
    except PackageNotFoundError:
        return Finding("packages", True, "PopCon runs from its source, which names no packages.")
    names = [each[1] for each in wanted if each and each[2] in (None, "daemon")]
    missing = [name for name in names if not _is_installed(name)]
    if missing:
        cure = "Install them with `pip install 'popcon[daemon]'`; a client of a daemon elsewhere needs none of them."
        return Finding("packages", False, f"Packages of the daemon are missing: {', '.join(missing)}.", cure)
    return Finding("packages", True, f"All {len(names)} packages are installed.")


def check_open_files(_settings: Settings) -> Finding:
    """How many files a process may open."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most not in (resource.RLIM_INFINITY, -1) and most < _FILES:
        cure = f"Raise the hard limit (`ulimit -Hn`) to {_FILES} or more, or few clients can listen at once."
        return Finding("open-files", False, f"A process may open {most} files only.", cure)
    return Finding("open-files", True, "Enough files may be open at once.")


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True

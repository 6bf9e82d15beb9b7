"""How two programs find out whether they understand each other: each names the API versions that it speaks.

Only ranges that do not meet are a reason to part. Who says nothing, or something unreadable, is let in: curl says
nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from popcond.wire.base import Problem

CLIENT_HEADER = "Popcon-Client"  # of every request: `popcond/0.1.0 api=1-1`

_LINE = re.compile(
    r"(?P<name>[\w.-]{1,40})/(?P<version>[\w.+-]{1,40}) api=(?P<lowest>\d{1,6})-(?P<highest>\d{1,6})", re.ASCII
)


@dataclass(frozen=True)
class Speaker:
    """A program on one end of the line."""

    name: str
    version: str
    lowest: int  # API versions that it speaks, both included
    highest: int

    def __str__(self) -> str:
        return f"{self.name}/{self.version} api={self.lowest}-{self.highest}"

    @classmethod
    def read(cls, line: str) -> Speaker | None:
        """Who says so of itself in the client's header; None when it cannot be read."""
        found = _LINE.fullmatch(line)
        if found is None or int(found["lowest"]) > int(found["highest"]):
            return None
        return cls(found["name"], found["version"], int(found["lowest"]), int(found["highest"]))


def disagreement(client: Speaker, daemon: Speaker) -> Problem | None:
    """Why the two cannot work together, and which one to update; None when they can."""
    if client.lowest <= daemon.highest and daemon.lowest <= client.highest:
        return None
    older = client if client.highest < daemon.lowest else daemon
    return Problem(
        code="version_mismatch",
        message=f"Versions do not match: {_told(client)}, {_told(daemon)}.",
        cure=f"Update {older.name}{' and start it again' if older is daemon else ''}.",
    )


def _told(speaker: Speaker) -> str:
    last = f" to {speaker.highest}" if speaker.highest != speaker.lowest else ""
    return f"{speaker.name} {speaker.version} speaks API {speaker.lowest}{last}"

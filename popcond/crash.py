"""Named points where a crash would hurt most. POPCON_CRASH_AT makes the daemon kill itself at one of them.

`tests/crash` starts real daemons with it. `POPCON_CRASH_AT=after_submit` dies the first time that the daemon gets
there, `after_submit:3` the third time. Without the variable a point does nothing.
"""

from __future__ import annotations

import os
import signal

POINTS = (
    "before_intent",
    "after_intent",
    "before_submit",
    "after_submit",
    "before_id_write",
    "after_id_write",
    "before_download",
    "after_download",
    "before_asset_rename",
    "after_asset_rename",
    "between_tries",
    "before_finish",
    "after_finish",
)
_VARIABLE = "POPCON_CRASH_AT"


def point(name: str) -> None:
    """Be here; the daemon dies like a killed one when it has been told to."""
    wanted, _, times = os.environ.get(_VARIABLE, "").partition(":")
    if wanted != name:
        return
    left = int(times or 1) - 1
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
    os.environ[_VARIABLE] = f"{name}:{left}"

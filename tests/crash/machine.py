"""A machine with a clock that jumps and a disk that is full, as far as one daemon and its children can tell."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CAN_BE_BUILT = sys.platform == "linux" and shutil.which("cc") is not None
_SOURCE = Path(__file__).with_name("machine.c")


@dataclass
class Machine:
    """Its switches; they act at once, also on what runs already."""

    folder: Path
    home: Path
    clock_is_off: int = 0  # seconds
    disk_is_full: bool = False

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._turn()
        build = ["cc", "-O1", "-shared", "-fPIC", "-o", str(self.folder / "machine.so"), str(_SOURCE)]
        subprocess.run(build, check=True)

    @property
    def environment(self) -> Mapping[str, str]:
        """What puts a program onto it."""
        return {
            "LD_PRELOAD": str(self.folder / "machine.so"),
            "MACHINE_SWITCHES": str(self.folder / "switches"),
            "MACHINE_HOME": str(self.home),
        }

    def jump(self, seconds: int) -> None:
        """Set the clock this far from the truth."""
        self.clock_is_off = seconds
        self._turn()

    def fill(self) -> None:
        """Not one byte more goes onto the disk of the home."""
        self.disk_is_full = True
        self._turn()

    def free(self) -> None:
        """There is room again."""
        self.disk_is_full = False
        self._turn()

    def _turn(self) -> None:
        """In place, for the file is mapped into programs."""
        with (self.folder / "switches").open("ab") as file:
            file.truncate(16)
        with (self.folder / "switches").open("r+b") as file:
            file.write(struct.pack("=qq", self.clock_is_off, self.disk_is_full))

"""Twelve emojis of the sample, for two targets: wall time, and memory of everything that runs for them.

`python -m tests.bench.bench_pack [--actions a,b,…]`. Memory is the sum over the daemon and all its children at one
moment, with shared pages counted once (PSS); it is sampled, so a very short peak may be missed. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.daemons import environment, running_daemon

TWELVE = "happy,laugh,cry,wave,jump,angry,love,dance,sleepy,shock,run,celebrate"
PERIOD = 0.1  # seconds between samples


def descendants(root: int) -> list[int]:
    """The process and all its living children, by the kernel's list."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents[int(entry.name)] = int(fields[1])
            except OSError:
                continue
    family = [root]
    for pid in family:
        family += [child for child, parent in parents.items() if parent == pid]
    return family


def memory_of(pids: list[int]) -> int:
    """Bytes of proportional set size."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) << 10 for line in rollup.splitlines() if line.startswith("Pss:"))
    return total


class Watch(threading.Thread):
    """Samples the memory of a family of processes until told to stop."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.idle = memory_of(descendants(root))
        self.peak = self.idle
        self._stop_asked = threading.Event()

    def run(self) -> None:
        """Until `stop`."""
        while not self._stop_asked.wait(PERIOD):
            self.peak = max(self.peak, memory_of(descendants(self.root)))

    def stop(self) -> None:
        """No more samples."""
        self._stop_asked.set()
        self.join()


def main() -> None:
    """Make the pack once and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actions", default=TWELVE)
    parser.add_argument("--target", default="line-emoji,gif")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, out = Path(folder, "home"), Path(folder, "out")
        with running_daemon(home) as daemon:
            watch = Watch(daemon.process.pid)
            watch.start()
            began = time.monotonic()
            command = [sys.executable, "-m", "popcond", "make", "--sample", "--actions", options.actions]
            command += ["--target", options.target, "--out", str(out), "--json"]
            done = subprocess.run(command, env=environment(home), capture_output=True, text=True, check=False)
            wall = time.monotonic() - began
            watch.stop()
        report = json.loads(done.stdout)
    valid = sum(sticker["verdict"]["valid"] for sticker in report["stickers"])
    print(f"cores              {os.cpu_count()}")
    print(f"emojis             {len(report['emojis'])}, ok {report['ok']}")
    print(f"stickers           {len(report['stickers'])}, valid {valid}")
    print(f"largest seam       {max(sticker['seam'] for sticker in report['stickers']):.2f}")
    print(f"wall               {wall:.1f} s")
    print(f"memory, idle       {watch.idle / 1e6:.0f} MB")
    print(f"memory, peak       {watch.peak / 1e6:.0f} MB")


if __name__ == "__main__":
    main()

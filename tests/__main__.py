"""Every check of the house, in one command: `python -m tests`. Stops at the first that fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROGRAMS = Path(sys.executable).parent  # of this environment, whether it is activated or not
CHECKS = (
    ("format", ["ruff", "format", "--check", "."]),
    ("lint", ["ruff", "check", "."]),
    ("types", ["mypy"]),
    ("arrows", ["lint-imports", "--no-logo"]),
    ("tests", ["pytest", "-n", "auto", "--dist", "loadgroup"]),
)


def main() -> int:
    """Run them all; answers the exit status of the first that failed."""
    for name, (program, *arguments) in CHECKS:
        print(f"── {name}", flush=True)
        done = subprocess.run([PROGRAMS / program, *arguments], cwd=ROOT, check=False)
        if done.returncode != 0:
            print(f"── {name} failed", flush=True)
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())

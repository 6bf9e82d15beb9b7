"""Writes weights of real architectures with random numbers in them: good for plumbing and timing, blind otherwise.

    python -m tests.random_weights tiny sam2.1_t.pt

A program of its own, so that whoever needs a file need not load torch.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from popcond.vision.sam_life import environment


def write_random_weights(id_: str, path: Path) -> Path:
    """A file for the architecture of this id, in half precision, always the same numbers."""
    words = [sys.executable, "-m", "tests.random_weights", id_, str(path)]
    subprocess.run(words, env=environment(path.parent, threads=1), check=True, timeout=120)
    return path


def main() -> None:
    """In the program."""
    import torch

    from popcond.vision import sam_model
    from popcond.vision.miniature import architecture as miniature

    id_, path = sys.argv[1:]
    torch.manual_seed(0)
    kinds = {kind.architecture.id: kind for kind in sam_model.KINDS}
    model = kinds[id_].build({}) if id_ in kinds else miniature.build()
    halves = {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
    torch.save({"model": halves}, path)


if __name__ == "__main__":
    main()

"""Which device the model runs on, how large it sees a frame there, and in which numbers it counts. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from popcond.errors import BadInput

DeviceName = Literal["cuda", "mps", "cpu"]
Precision = Literal["float32", "bfloat16", "float16"]

# On two cores the larger side costs 2 seconds a frame instead of half a second, and three times as much per click.
_INPUT_SIZES: dict[DeviceName, int] = {"cuda": 1024, "mps": 1024, "cpu": 512}
_STEP, _LEAST, _MOST = 32, 128, 2048  # pixels: what the windows and the pooling of the architecture allow


@dataclass(frozen=True)
class Device:
    """How the model runs."""

    name: DeviceName
    input_size: int  # pixels of the square that a frame is fitted into
    precision: Precision


def choose_device(
    available: frozenset[str], wanted: str | None = None, input_size: int | None = None, *, bfloat16: bool = False
) -> Device:
    """The fastest device that there is, or the one that is wanted. Raises BadInput with what there is.

    `bfloat16` says whether the graphics card counts in it; a frame then costs half.
    """
    name = _named(available, wanted)
    size = input_size or _INPUT_SIZES[name]
    if size % _STEP or not _LEAST <= size <= _MOST:
        raise BadInput(
            f"The model cannot see frames at {size} pixels.",
            cure=f"Choose a multiple of {_STEP} from {_LEAST} to {_MOST}.",
        )
    return Device(name, size, "bfloat16" if name == "cuda" and bfloat16 else "float32")


def _named(available: frozenset[str], wanted: str | None) -> DeviceName:
    names: tuple[DeviceName, ...] = get_args(DeviceName)
    usable = [name for name in names if name == "cpu" or name in available]
    if wanted is None:
        return usable[0]
    for name in usable:
        if name == wanted:
            return name
    raise BadInput(f"There is no device {wanted!r} here.", cure=f"Choose one of: {', '.join(usable)}.")

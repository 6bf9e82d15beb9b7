"""The architecture with its weights in it: ultralytics' modules, without ultralytics' loader.

That loader unpickles whatever a file holds, and downloads a file that is missing. Here only tensors are read, the
architecture is told by their shapes and not by the file's name, and every way in which a file can be wrong has its
sentence. Importing this module loads torch: only the process that holds the model does so.
"""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import torch
from PIL import Image
from ultralytics.models.sam import build as builders
from ultralytics.models.sam.modules.sam import SAM2Model
from ultralytics.utils import SETTINGS, patches

from popcond.errors import BadInput
from popcond.vision.miniature import architecture as miniature
from popcond.vision.sam_devices import Device, choose_device
from popcond.vision.sam_weights import BASE, LARGE, MINIATURE, SMALL, TINY, Architecture, Weights, check

Tensors = Mapping[str, torch.Tensor]

_SWITCHES_2_1_ON = "sam2.1"  # ultralytics looks for this in the name of a file
_OTHER_WEIGHTS = "Choose a file of SAM 2.1 (tiny, small, base+ or large), or leave the choice to popcond."
_FETCH_AGAIN = "Fetch it again with `popcond models fetch`."
_PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def tame_libraries(threads: int) -> None:
    """Undo what importing ultralytics did to everybody else, and set the number of threads that it took away."""
    Image.open = patches._image_open  # its own one installs packages when it meets a format that it does not know
    cv2.setNumThreads(threads)
    torch.set_num_threads(threads)
    if SETTINGS.get("sync"):
        SETTINGS.update(sync=False)  # type: ignore[no-untyped-call]  # no telemetry, even if somebody calls its predictors


def available_devices() -> frozenset[str]:
    """What torch can use here besides the processor."""
    cuda = {"cuda"} if torch.cuda.is_available() else set()
    mps = {"mps"} if torch.backends.mps.is_available() else set()
    return frozenset(cuda | mps)


def device_for(architecture: Architecture, wanted: str | None, input_size: int | None) -> Device:
    """The device that this model runs on, at the size that it was trained for where it has one."""
    bfloat16 = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
    size = input_size or architecture.input_size
    return choose_device(available_devices(), wanted, size, bfloat16=bfloat16)


# ------------------------------------------------------------------ loading


def load(weights: Weights) -> tuple[SAM2Model, Architecture]:
    """The model in evaluation mode, on the processor. Raises NotFound and BadInput, each with its cure."""
    check(weights.path, weights.architecture)
    tensors = read_tensors(weights.path)
    kind = recognised(tensors, weights)
    model = _built(kind, tensors, weights.path)
    return model.eval().requires_grad_(False), kind.architecture


def place(model: SAM2Model, device: Device) -> SAM2Model:
    """The model on its device, for frames of the device's input size: it keeps to one size from then on."""
    placed: Any = model.to(device=device.name, dtype=_PRECISIONS[device.precision])
    placed.set_binarize(True)
    placed.set_imgsz([device.input_size, device.input_size])
    return model


def read_tensors(path: Path) -> Tensors:
    """The tensors of a file and nothing else; whatever would run code is refused. Raises BadInput."""
    try:
        stored: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise BadInput(
            f"{path} holds more than numbers: loading it would run code that came with it.",
            cure="Do not use this file. Fetch the weights again from a place that you trust.",
            code="weights_hostile",
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as weights.", cure=_FETCH_AGAIN, code="weights_broken") from error
    tensors = stored.get("model", stored) if isinstance(stored, dict) else stored
    if not isinstance(tensors, dict) or not all(isinstance(value, torch.Tensor) for value in tensors.values()):
        raise BadInput(f"{path} holds no model's tensors.", cure=_OTHER_WEIGHTS, code="weights_wrong")
    return tensors


def _built(kind: Kind, tensors: Tensors, path: Path) -> SAM2Model:
    """The architecture with the tensors in it. Raises BadInput when they do not fit, or are not all there."""
    try:
        model = kind.build(tensors)
        model.load_state_dict(tensors)
    except (RuntimeError, LookupError, ValueError, ArithmeticError, TypeError) as error:
        raise BadInput(
            f"The tensors of {path} do not fit {kind.architecture.name}.", cure=_OTHER_WEIGHTS, code="weights_wrong"
        ) from error
    return model


# ------------------------------------------------------------------ telling them apart


@dataclass(frozen=True)
class Kind:
    """An architecture as its tensors show it."""

    architecture: Architecture
    channels: int  # of the trunk's first stage
    blocks: int  # of the whole trunk
    build: Callable[[Tensors], SAM2Model]  # with random weights; the tensors may say how large


def _published(builder: Callable[[str], SAM2Model]) -> Callable[[Tensors], SAM2Model]:
    def build(_tensors: Tensors) -> SAM2Model:
        with _without_checkpoint():
            return builder(_SWITCHES_2_1_ON)

    return build


KINDS = (
    Kind(TINY, 96, 12, _published(builders.build_sam2_t)),
    Kind(SMALL, 96, 16, _published(builders.build_sam2_s)),
    Kind(BASE, 112, 24, _published(builders.build_sam2_b)),
    Kind(LARGE, 144, 48, _published(builders.build_sam2_l)),
)


def _miniature(tensors: Tensors) -> SAM2Model:
    return miniature.build(shape=miniature.shape_of(tensors))


OURS = Kind(MINIATURE, 0, 0, _miniature)  # whatever has another trunk than the published ones


def recognised(tensors: Tensors, weights: Weights) -> Kind:
    """Which model these tensors are of. Raises BadInput for none of ours, SAM 2.0, or another than was expected."""
    found = _kind_of(tensors)
    if found is None:
        raise BadInput(f"{weights.path} is not of SAM 2.1.", cure=_OTHER_WEIGHTS, code="weights_wrong")
    if found.architecture is not MINIATURE and "obj_ptr_tpos_proj.weight" not in tensors:
        raise BadInput(f"{weights.path} is of SAM 2.0, not of 2.1.", cure=_OTHER_WEIGHTS, code="weights_wrong")
    if weights.architecture is not None and weights.architecture is not found.architecture:
        raise BadInput(
            f"{weights.path} holds {found.architecture.name}, not {weights.architecture.name}.",
            cure=f"Rename it to {found.architecture.file_names[0]}.",
            code="weights_wrong",
        )
    return found


def _kind_of(tensors: Tensors) -> Kind | None:
    stem = tensors.get("image_encoder.trunk.patch_embed.proj.weight")
    prefix = "image_encoder.trunk.blocks."
    blocks = {name.removeprefix(prefix).partition(".")[0] for name in tensors if name.startswith(prefix)}
    if stem is None:
        return None
    kinds = (kind for kind in KINDS if (kind.channels, kind.blocks) == (stem.shape[0], len(blocks)))
    return next(kinds, OURS)


@contextlib.contextmanager
def _without_checkpoint() -> Iterator[None]:
    """Inside, ultralytics builds architectures and reads no file: the name only says which version is meant."""
    original = builders._load_checkpoint
    builders._load_checkpoint = lambda model, _checkpoint: model
    try:
        yield
    finally:
        builders._load_checkpoint = original

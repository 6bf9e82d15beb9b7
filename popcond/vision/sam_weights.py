"""The weights that the model can run on: which there are, where they are looked for, and what is wrong with a file.

Nothing here downloads, and nothing here loads torch: a file is looked at from outside (is it there, whole, the one that
was published) before anything unpickles it. Files are recognised by their tensors when they are loaded, not by their
names, so Meta's and ultralytics' names do alike.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from popcond.errors import BadInput, NotFound
from popcond.vision import miniature

_CHUNK = 1 << 22
_LARGEST = 4 << 30  # bytes; the largest model that was published has 0.9 GB
_PUBLISHED_AT = "https://dl.fbaipublicfiles.com/segment_anything_2/092824/"
_NEEDS_TORCH = ("torch", "ultralytics")
_FETCH_AGAIN = "Fetch it again with `popcond models fetch`, or copy it here anew."


@dataclass(frozen=True)
class Published:
    """A file as its makers publish it."""

    url: str
    size: int  # bytes
    sha256: str


@dataclass(frozen=True)
class Architecture:
    """One model that weights can be for."""

    id: str  # how settings and the command line call it
    name: str  # how the screen calls it
    file_names: tuple[str, ...]  # by which its weights are looked for, the usual one first
    millions: float  # of parameters
    input_size: int | None = None  # pixels that it was trained for; None: as the device allows
    published: Published | None = None

    @property
    def least_bytes(self) -> int:
        """A file of its weights has two bytes for a parameter, or more."""
        return int(self.millions * 2e6 * 0.98)


@dataclass(frozen=True)
class Weights:
    """A file that was found, and what it is expected to hold."""

    path: Path
    architecture: Architecture | None  # None: an unusual name; it shows when the file is loaded

    @property
    def name(self) -> str:
        """What the screen calls it before it is loaded."""
        return self.architecture.name if self.architecture else self.path.name


def _meta(size: str, length: int, sha256: str) -> Published:
    return Published(f"{_PUBLISHED_AT}sam2.1_hiera_{size}.pt", length, sha256)


TINY = Architecture(
    "tiny",
    "SAM 2.1 tiny",
    ("sam2.1_t.pt", "sam2.1_hiera_tiny.pt"),
    39.0,
    published=_meta("tiny", 156_008_466, "7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69"),
)
SMALL = Architecture(
    "small",
    "SAM 2.1 small",
    ("sam2.1_s.pt", "sam2.1_hiera_small.pt"),
    46.1,
    published=_meta("small", 184_416_285, "6d1aa6f30de5c92224f8172114de081d104bbd23dd9dc5c58996f0cad5dc4d38"),
)
BASE = Architecture(
    "base+",
    "SAM 2.1 base+",
    ("sam2.1_b.pt", "sam2.1_hiera_base_plus.pt"),
    80.8,
    published=_meta("base_plus", 323_606_802, "a2345aede8715ab1d5d31b4a509fb160c5a4af1970f199d9054ccfb746c004c5"),
)
LARGE = Architecture(
    "large",
    "SAM 2.1 large",
    ("sam2.1_l.pt", "sam2.1_hiera_large.pt"),
    224.4,
    published=_meta("large", 898_083_611, "2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318"),
)
MINIATURE = Architecture(
    "mini", miniature.DISPLAY_NAME, (miniature.WEIGHTS_NAME,), 0.5, input_size=miniature.INPUT_SIZE
)
ARCHITECTURES = (TINY, SMALL, BASE, LARGE, MINIATURE)
_PREFERRED = (SMALL, TINY, BASE, LARGE)  # small is a tenth dearer than tiny and clearly better; the others cost more


def can_run() -> bool:
    """Whether the libraries that run any of this are installed. Loads none of them."""
    return all(find_spec(name) is not None for name in _NEEDS_TORCH)


def architecture_of(id_: str | None) -> Architecture | None:
    """The architecture of this id; None where there is none."""
    return next((architecture for architecture in ARCHITECTURES if architecture.id == id_), None)


# ------------------------------------------------------------------ finding


def find(folder: Path, chosen: str | None = None) -> Weights:
    """The weights to run on. Raises NotFound, and what `check` raises.

    `chosen` is an architecture's id, or the path of a file; None: the best one in `folder`, else the one that we ship.
    """
    weights = _best_in(folder) if chosen is None else _as_chosen(folder, chosen)
    check(weights.path, weights.architecture)
    return weights


def present(folder: Path) -> tuple[Weights, ...]:
    """All files of known names in the models folder, and the one that we ship; unread."""
    found = (_named(folder, architecture) for architecture in ARCHITECTURES)
    return tuple(weights for weights in found if weights is not None)


def _best_in(folder: Path) -> Weights:
    for architecture in _PREFERRED:
        weights = _named(folder, architecture)
        if weights is not None:
            return weights
    return Weights(miniature.WEIGHTS, MINIATURE)


def _as_chosen(folder: Path, chosen: str) -> Weights:
    for architecture in ARCHITECTURES:
        if chosen == architecture.id:
            weights = _named(folder, architecture)
            return weights or Weights(folder / architecture.file_names[0], architecture)
    path = Path(chosen).expanduser()
    return Weights(path, _called(path.name))


def _named(folder: Path, architecture: Architecture) -> Weights | None:
    if architecture is MINIATURE:
        return Weights(miniature.WEIGHTS, MINIATURE) if miniature.WEIGHTS.is_file() else None
    paths = (folder / name for name in architecture.file_names)
    return next((Weights(path, architecture) for path in paths if path.is_file()), None)


def _called(name: str) -> Architecture | None:
    """What a file of this name is taken for until its tensors have been seen."""
    ends = ((end, architecture) for architecture in ARCHITECTURES for end in architecture.file_names)
    return next((architecture for end, architecture in ends if name.endswith(end)), None)


# ------------------------------------------------------------------ checking


def check(path: Path, architecture: Architecture | None = None) -> None:
    """Raises NotFound (`weights_missing`) or BadInput (`weights_broken`) for what can be seen without loading it."""
    if not path.is_file():
        raise _missing(path, architecture)
    size = path.stat().st_size
    if not 0 < size <= _LARGEST:
        raise _broken(f"{path} cannot be weights: it has {size} bytes.")
    if architecture is not None and size < architecture.least_bytes:
        raise _broken(f"{path} is too small for {architecture.name}: {size / 1e6:.1f} MB.")
    _refuse_torn(path)


def _refuse_torn(path: Path) -> None:
    """A weights file is a ZIP, whose list of contents is at its end: a copy that was cut off has none."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            ends = [info.header_offset + info.compress_size for info in archive.infolist()]
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise _broken(f"{path} is cut off, or no weights file at all.") from error
    if not any(name.endswith("data.pkl") for name in names) or max(ends) > path.stat().st_size:
        raise _broken(f"{path} is a ZIP, but no weights file.")


def verify(weights: Weights) -> str:
    """The SHA-256 of a file. Raises BadInput (`weights_broken`) where it has a published file's size but not its bytes.

    A file of another size is somebody's own, or in half precision: there is nothing to compare it with.
    """
    check(weights.path, weights.architecture)
    digest = fingerprint(weights.path)
    published = weights.architecture and weights.architecture.published
    if published and weights.path.stat().st_size == published.size and digest != published.sha256:
        raise _broken(f"{weights.path} is not the file that was published: its SHA-256 is {digest}.")
    return digest


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file, by which embeddings made with it are told from others."""
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _missing(path: Path, architecture: Architecture | None) -> NotFound:
    name = architecture.name if architecture else "the model"
    cure = "Put the file there, or choose other weights."
    if architecture is not None and architecture.published is not None:
        cure = f"Run `popcond models fetch {architecture.id}`, or put the file there yourself."
    return NotFound(f"There are no weights of {name} at {path}.", cure=cure, code="weights_missing")


def _broken(message: str) -> BadInput:
    return BadInput(message, cure=_FETCH_AGAIN, code="weights_broken")

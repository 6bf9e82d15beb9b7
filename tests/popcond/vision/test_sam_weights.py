"""Weights files: found where they should be, and refused with a cure before anything loads them."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from popcond.errors import BadInput, NotFound
from popcond.vision import miniature
from popcond.vision.sam_life import environment
from popcond.vision.sam_weights import (
    ARCHITECTURES,
    MINIATURE,
    SMALL,
    TINY,
    Architecture,
    Published,
    Weights,
    can_run,
    check,
    find,
    present,
    verify,
)
from tests.random_weights import write_random_weights

needs_torch = pytest.mark.skipif(not can_run(), reason="torch and ultralytics are not installed")


def a_file(path: Path, size: int = 100_000_000) -> Path:
    """A ZIP that looks like weights from outside; its bytes are not stored, only claimed."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
        archive.writestr("archive/data/0", bytes(min(size, 4096)))
    data = path.read_bytes()
    with path.open("wb") as file:
        file.truncate(size)
        file.seek(0)
        file.write(data[:100])
        file.seek(size - len(data))
        file.write(data)
    return path


# ------------------------------------------------------------------ finding


def test_metas_and_ultralytics_names_are_found_alike(tmp_path: Path) -> None:
    for name in ("sam2.1_t.pt", "sam2.1_hiera_tiny.pt"):
        path = a_file(tmp_path / name)
        assert find(tmp_path) == Weights(path, TINY)
        path.unlink()


def test_the_better_model_is_preferred_and_another_can_be_chosen(tmp_path: Path) -> None:
    tiny, small = a_file(tmp_path / "sam2.1_t.pt"), a_file(tmp_path / "sam2.1_s.pt")
    assert find(tmp_path) == Weights(small, SMALL)
    assert find(tmp_path, "tiny") == Weights(tiny, TINY)
    assert find(tmp_path, str(tiny)) == Weights(tiny, TINY)
    assert {weights.architecture for weights in present(tmp_path)} >= {TINY, SMALL}


def test_a_file_of_any_name_can_be_chosen_by_its_path(tmp_path: Path) -> None:
    path = a_file(tmp_path / "mine.pt")
    assert find(tmp_path, str(path)) == Weights(path, None)


@pytest.mark.skipif(not miniature.WEIGHTS.is_file(), reason="the miniature is not trained yet")
def test_without_any_file_the_shipped_model_is_taken(tmp_path: Path) -> None:
    assert find(tmp_path) == Weights(miniature.WEIGHTS, MINIATURE)


def test_a_chosen_model_that_is_missing_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"SAM 2\.1 tiny") as caught:
        find(tmp_path, "tiny")
    assert caught.value.code == "weights_missing"
    assert "popcond models fetch tiny" in str(caught.value.cure)


def test_ids_names_and_file_names_are_unmistakable() -> None:
    names = [name for architecture in ARCHITECTURES for name in architecture.file_names]
    assert len(set(names)) == len(names)
    assert len({architecture.id for architecture in ARCHITECTURES}) == len(ARCHITECTURES)
    assert "SAM" not in MINIATURE.name


# ------------------------------------------------------------------ looking from outside


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"PK\x03\x04" + bytes(2000)])
def test_what_is_no_weights_file_is_refused_unread(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sam2.1_t.pt"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        check(path)
    assert (caught.value.code, bool(caught.value.cure)) == ("weights_broken", True)


def test_a_copy_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "whole.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"x" * 5000)
    check(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BadInput, match="cut off"):
        check(path)


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("01.png", b"x")
    with pytest.raises(BadInput, match="no weights file"):
        check(path)


def test_a_file_that_is_too_small_for_its_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"too small for SAM 2\.1 tiny"):
        check(a_file(tmp_path / "sam2.1_t.pt", 1_000_000), TINY)


def test_published_bytes_are_told_from_others_of_the_same_length(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"the weights")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    ours = Architecture("x", "X", ("model.pt",), 0.0, published=Published("", path.stat().st_size, digest))
    assert verify(Weights(path, ours)) == digest
    path.write_bytes(path.read_bytes().replace(b"the weights", b"othe weight"))
    with pytest.raises(BadInput, match="not the file that was published"):
        verify(Weights(path, ours))


def test_a_file_of_another_length_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"the weights in half precision")
    ours = Architecture("x", "X", ("model.pt",), 0.0, published=Published("", 5, "0" * 64))
    assert verify(Weights(path, ours)) == hashlib.sha256(path.read_bytes()).hexdigest()


# ------------------------------------------------------------------ loading

_MAKES_BAD_FILES = """
import os, pickle, sys, torch
from pathlib import Path
from popcond.vision.miniature import architecture

folder = Path(sys.argv[1])
good = torch.load(folder / "good.pt", weights_only=True)["model"]

class Hostile:
    def __reduce__(self):
        return os.system, (f"touch {folder / 'ran'}",)

torch.save({"model": good, "extra": Hostile()}, folder / "hostile.pt")
torch.save({"model": {"fc.weight": torch.zeros(3)}}, folder / "stranger.pt")
torch.save({"model": {k: v for k, v in good.items() if "memory" not in k}}, folder / "partial.pt")
torch.save([1, 2, 3], folder / "list.pt")
torch.save(good, folder / "bare.pt")
"""
_LOADS_THEM = """
import json, sys
from pathlib import Path
from popcond.errors import PopconError
from popcond.vision import sam_model
from popcond.vision.sam_weights import Weights

told = {}
for path in Path(sys.argv[1]).glob("*.pt"):
    try:
        told[path.stem] = ["loaded", sam_model.load(Weights(path, None))[1].name, ""]
    except PopconError as error:
        told[path.stem] = [error.code, error.message, error.cure]
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """A folder of files that are wrong in many ways, and what loading said about each."""
    folder = tmp_path_factory.mktemp("weights")
    write_random_weights("mini", folder / "good.pt")
    for program in (_MAKES_BAD_FILES, _LOADS_THEM):
        words = [sys.executable, "-c", program, str(folder)]
        done = subprocess.run(words, env=environment(folder, 1), capture_output=True, check=True, timeout=120)
    return folder, json.load(io.BytesIO(done.stdout))


@needs_torch
def test_good_files_load_whether_their_tensors_are_wrapped_or_bare(told: tuple[Path, dict[str, list[str]]]) -> None:
    for name in ("good", "bare"):
        assert told[1][name][:2] == ["loaded", MINIATURE.name]


@needs_torch
def test_a_file_that_would_run_code_runs_none_and_is_called_what_it_is(
    told: tuple[Path, dict[str, list[str]]],
) -> None:
    folder, answers = told
    code, message, cure = answers["hostile"]
    assert code == "weights_hostile"
    assert "run code" in message
    assert "Do not use" in cure
    assert not (folder / "ran").exists()


@needs_torch
@pytest.mark.parametrize("name", ["stranger", "partial", "list"])
def test_tensors_that_are_not_the_models_are_refused_with_a_cure(
    told: tuple[Path, dict[str, list[str]]], name: str
) -> None:
    code, _, cure = told[1][name]
    assert code == "weights_wrong"
    assert "SAM 2.1" in cure

"""The cache of embeddings: bounded, whole or not there, and never in anybody's way."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from popcond.vision.sam_embeddings import Embedding, Embeddings


def key(number: int) -> str:
    """The key of a frame."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def an_embedding(number: int = 0) -> Embedding:
    """Three small levels, 6720 bytes."""
    levels = tuple(
        np.full((1, channels, side, side), number, np.float16) for channels, side in ((8, 16), (16, 8), (18, 4))
    )
    return Embedding(levels, (480, 640))


def test_what_was_kept_survives_the_process(tmp_path: Path) -> None:
    Embeddings(tmp_path, "mini", 1 << 20, 1 << 20).put(key(1), an_embedding(7))
    found = Embeddings(tmp_path, "mini", 1 << 20, 1 << 20).get(key(1))
    assert found is not None
    assert found.frame == (480, 640)
    assert all(np.array_equal(*pair) for pair in zip(found.levels, an_embedding(7).levels, strict=True))


def test_memory_is_bounded_and_the_disk_gives_back_what_fell_out(tmp_path: Path) -> None:
    each = an_embedding().nbytes
    kept = Embeddings(tmp_path, "mini", 3 * each, 1 << 20)
    for number in range(10):
        kept.put(key(number), an_embedding(number))
        assert kept.nbytes <= 3 * each
    first = kept.get(key(0))
    assert first is not None
    assert first.levels[0].flat[0] == 0
    assert kept.nbytes <= 3 * each


def test_the_disk_is_bounded_and_loses_what_was_not_used_for_longest(tmp_path: Path) -> None:
    each = an_embedding().nbytes + 200
    kept = Embeddings(tmp_path, "mini", each, 4 * each)
    for number in range(12):
        kept.put(key(number), an_embedding(number))
        path = tmp_path / "mini" / f"{key(number)}.emb"
        os.utime(path, (number, number))
        assert sum(file.stat().st_size for file in (tmp_path / "mini").iterdir()) <= 5 * each
    assert not kept.has(key(0))
    assert kept.has(key(11))


@pytest.mark.parametrize("harm", ["cut", "flipped", "emptied", "foreign"])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, harm: str) -> None:
    Embeddings(tmp_path, "mini", 1 << 20, 1 << 20).put(key(1), an_embedding(7))
    path = tmp_path / "mini" / f"{key(1)}.emb"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[:-9], "flipped": bytes(data), "emptied": b"", "foreign": b"PNG" * 99}[harm])
    assert Embeddings(tmp_path, "mini", 1 << 20, 1 << 20).get(key(1)) is None


def test_a_folder_that_cannot_be_written_only_means_less_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    kept = Embeddings(tmp_path / "file", "mini", 1 << 20, 1 << 20)
    kept.put(key(1), an_embedding())
    assert kept.get(key(1)) is not None


def test_a_key_that_is_no_key_writes_nowhere(tmp_path: Path) -> None:
    kept = Embeddings(tmp_path / "cache", "mini", 1 << 20, 1 << 20)
    kept.put("../../escape", an_embedding())
    assert not list(tmp_path.rglob("*.emb"))
    assert kept.get("../../escape") is not None


def test_what_is_given_back_is_still_on_disk(tmp_path: Path) -> None:
    kept = Embeddings(tmp_path, "mini", 1 << 20, 1 << 20)
    kept.put(key(1), an_embedding())
    kept.forget()
    assert kept.nbytes == 0
    assert kept.get(key(1)) is not None
    assert not [path for path in (tmp_path / "mini").iterdir() if path.suffix != ".emb"]


def test_what_another_model_left_counts_and_goes_first(tmp_path: Path) -> None:
    each = an_embedding().nbytes + 200
    Embeddings(tmp_path, "old", each, 4 * each).put(key(1), an_embedding())
    os.utime(tmp_path / "old" / f"{key(1)}.emb", (1, 1))
    kept = Embeddings(tmp_path, "new", each, 4 * each)
    for number in range(5):
        kept.put(key(number), an_embedding(number))
    assert not (tmp_path / "old" / f"{key(1)}.emb").exists()
    assert kept.has(key(4))


def test_what_a_killed_process_left_half_written_is_swept_up_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "mini").mkdir()
    half, foreign = tmp_path / "mini" / ".draft-1-1", tmp_path / "mini" / "settings.json"
    half.write_bytes(b"half")
    foreign.write_bytes(b"{}")
    Embeddings(tmp_path, "mini", 1 << 20, 1 << 20).put(key(1), an_embedding())
    assert not half.exists()
    assert foreign.exists()

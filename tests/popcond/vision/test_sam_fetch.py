"""Weights are fetched from a real socket: resumed, verified, and never kept when a byte is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from popcond.errors import BadInput, ProviderUnreachable
from popcond.vision.sam_fetch import fetch, fetchable
from popcond.vision.sam_weights import TINY, Architecture, Published

DATA = bytes(range(256)) * 8192  # 2 MiB


class Mirror(HTTPServer):
    """Serves one file, as far as it is told to."""

    breaks_at: int | None = None  # bytes of the file after which the line breaks
    data = DATA
    asked: tuple[str | None, ...] = ()  # the ranges of all requests


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked += (wanted,)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(self.server.data) - start))
        self.end_headers()
        self.wfile.write(self.server.data[start : self.server.breaks_at])

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    """A mirror on this computer."""
    server = Mirror(("127.0.0.1", 0), _Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(mirror: Mirror) -> str:
    return f"http://127.0.0.1:{mirror.server_port}/weights"


@pytest.fixture
def model() -> Architecture:
    """A model whose published file is small."""
    published = Published("https://nobody.invalid/x/model.pt", len(DATA), hashlib.sha256(DATA).hexdigest())
    return replace(TINY, published=published)


def nobody(_here: int, _size: int) -> None:
    """Tells nobody."""


def test_a_file_is_fetched_once_and_whole(mirror: Mirror, model: Architecture, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    place = fetch(model, tmp_path / "models", lambda here, size: told.append((here, size)), address(mirror))
    assert place.read_bytes() == DATA
    assert told[-1] == (len(DATA), len(DATA))
    assert fetch(model, tmp_path / "models", nobody, address(mirror)) == place
    assert mirror.asked == (None,)
    assert [path.name for path in (tmp_path / "models").iterdir()] == [model.file_names[0]]


def test_a_broken_line_is_taken_up_where_it_broke(mirror: Mirror, model: Architecture, tmp_path: Path) -> None:
    mirror.breaks_at = 1_500_000
    with pytest.raises(ProviderUnreachable, match="did not arrive"):
        fetch(model, tmp_path, nobody, address(mirror))
    assert not (tmp_path / model.file_names[0]).exists()
    mirror.breaks_at = None
    assert fetch(model, tmp_path, nobody, address(mirror)).read_bytes() == DATA
    begun = mirror.asked[1]
    assert begun is not None
    assert 0 < int(begun.removeprefix("bytes=").rstrip("-")) <= 1_500_000


def test_other_bytes_of_the_same_size_are_thrown_away(mirror: Mirror, model: Architecture, tmp_path: Path) -> None:
    mirror.data = DATA[:-1] + b"!"
    with pytest.raises(BadInput, match="not the published file"):
        fetch(model, tmp_path, nobody, address(mirror))
    assert list(tmp_path.iterdir()) == []


def test_nobody_at_the_address_is_a_sentence_with_its_cure(model: Architecture, tmp_path: Path) -> None:
    with pytest.raises(ProviderUnreachable) as caught:
        fetch(model, tmp_path, nobody, "http://127.0.0.1:9/weights")
    assert "again" in (caught.value.cure or "")


def test_only_published_models_are_fetched(model: Architecture, tmp_path: Path) -> None:
    assert fetchable("tiny") is TINY
    for name in ("mini", "huge"):
        with pytest.raises(BadInput, match=name):
            fetchable(name)
    with pytest.raises(BadInput, match="no address"):
        fetch(model, tmp_path, nobody, "file:///etc/passwd")

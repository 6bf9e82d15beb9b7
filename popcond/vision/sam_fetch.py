"""Fetches published weights when a person asks for it: resumed after a break, kept only when every byte is right."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from popcond.errors import BadInput, OutOfDisk, ProviderUnreachable
from popcond.vision.sam_weights import ARCHITECTURES, Architecture, Published

_CHUNK = 1 << 20
_PATIENCE = 60.0  # seconds without a byte
_PRIVATE = 0o700

Told = Callable[[int, int], None]  # bytes that are here, of how many


def fetchable(name: str) -> Architecture:
    """The model of this name, which is published. Raises BadInput with those that are."""
    found = next((each for each in ARCHITECTURES if each.id == name and each.published), None)
    if found is None:
        names = ", ".join(each.id for each in ARCHITECTURES if each.published)
        raise BadInput(f"There is no model {name!r} to be fetched.", cure=f"Choose: {names}.", code="unknown_model")
    return found


def fetch(architecture: Architecture, folder: Path, told: Told, mirror: str | None = None) -> Path:
    """The weights in `folder`; at once when they are there already. A part of them is kept for the next try.

    `mirror` is another place with the same file names. Raises ProviderUnreachable, OutOfDisk, and BadInput for a file
    that is not the published one.
    """
    published = architecture.published
    if published is None:
        raise BadInput(f"{architecture.name} is not fetched; it is there already.")
    folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    place = folder / architecture.file_names[0]
    if place.is_file() and place.stat().st_size == published.size and _digest(place) == published.sha256:
        told(published.size, published.size)
        return place
    part = place.with_name(f".{place.name}.part")
    _refuse_without_room(folder, published.size - _size(part))
    _download(_address(published, mirror), part, published.size, told)
    _refuse_another(part, published, architecture)
    os.replace(part, place)
    return place


def _address(published: Published, mirror: str | None) -> str:
    if mirror is None:
        return published.url
    if urlsplit(mirror).scheme not in ("http", "https"):
        raise BadInput(f"{mirror!r} is no address of a mirror.", cure="Write https://HOST/FOLDER.")
    return f"{mirror.rstrip('/')}/{published.url.rpartition('/')[2]}"


def _download(address: str, part: Path, size: int, told: Told) -> None:
    """Every byte that is missing, behind those that came earlier."""
    here = _size(part)
    if here > size:
        part.unlink()
        here = 0
    if here == size:
        return
    try:
        with httpx.Client(timeout=_PATIENCE, follow_redirects=True) as client:
            _stream(client, address, part, here, size, told)
    except httpx.HTTPError as error:
        raise ProviderUnreachable(
            f"The weights did not arrive ({type(error).__name__}); {_size(part) / 1e6:.0f} MB of them are kept.",
            cure="Run the same command again: it goes on where it stopped. Offline, copy the file from elsewhere.",
        ) from error


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _refuse_without_room(folder: Path, size: int) -> None:
    if shutil.disk_usage(folder).free < size:
        raise OutOfDisk(f"The weights need {size / 1e6:.0f} MB on the disk of {folder}.", cure="Free some space.")


def _stream(client: httpx.Client, address: str, part: Path, here: int, size: int, told: Told) -> None:
    asked = {"Range": f"bytes={here}-"} if here else {}
    with client.stream("GET", address, headers=asked) as response:
        response.raise_for_status()
        is_rest = response.status_code == httpx.codes.PARTIAL_CONTENT
        here = here if is_rest else 0
        with part.open("ab" if is_rest else "wb") as file:
            for chunk in response.iter_bytes(_CHUNK):
                file.write(chunk)
                here += len(chunk)
                told(here, size)
                if here > size:
                    break
            file.flush()
            os.fsync(file.fileno())


def _refuse_another(part: Path, published: Published, architecture: Architecture) -> None:
    """What is cut off waits for the rest; what is whole and wrong goes."""
    size = part.stat().st_size
    if size < published.size:
        raise ProviderUnreachable(
            f"The file ends after {size / 1e6:.0f} of {published.size / 1e6:.0f} MB.",
            cure="Run the same command again: it goes on where it stopped.",
        )
    if size > published.size or _digest(part) != published.sha256:
        part.unlink()
        raise BadInput(
            f"What came is not the published file of {architecture.name}; it was thrown away.",
            cure="Try again, or another mirror.",
            code="weights_broken",
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Emoji art for training, cut from packages that are installed for training only and never become part of PopCon.

A package is an unpacked folder of the Iconify kind: `icons.json` with SVG bodies, `chars.json` from code points to
names, `info.json` with the licence. What is held out for evaluation is decided by the first code point, so that no
variant of a held-out emoji, in no package, is ever trained on.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.errors import PopconError
from popcond.media.raster import Rgba

SPRITE_SIDE = 192  # pixels

_HELD_OUT_SHARE = 0.12
_SKIN_TONES = {f"1f3f{tone:x}" for tone in range(0xB, 0x10)}
_FLAGS = range(0x1F1E6, 0x1F200)  # regional indicators: rectangles, which teach nothing about figures
_LETTERS = range(0x1F100, 0x1F1E6)
_KEYS = range(0x20, 0x3A)
_LEAST, _MOST = 0.12, 0.9  # share of the square that a useful drawing covers

Sprites = NDArray[np.uint8]  # (N, side, side, 4) RGBA, straight alpha


class NoArt(PopconError):
    """The art for training, or what draws it, is not here."""

    code = "no_training_art"


@dataclass(frozen=True)
class Gallery:
    """All the art of one package, as squares."""

    name: str
    sprites: Sprites
    held_out: NDArray[np.bool_]  # (N,)

    def for_training(self) -> Sprites:
        return self.sprites[~self.held_out]

    def for_evaluation(self) -> Sprites:
        return self.sprites[self.held_out]


def gallery(package: Path, cache: Path, side: int = SPRITE_SIDE) -> Gallery:
    """The package's drawings, from `cache` when they were drawn before."""
    name = package.name if side == SPRITE_SIDE else f"{package.name}-{side}"
    pictures, held = cache / f"{name}.npy", cache / f"{name}.held.npy"
    if not held.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        codes, sprites = _drawn(package, side)
        np.save(pictures, sprites)
        np.save(held, np.array([is_held_out(code) for code in codes]))
    return Gallery(package.name, np.load(pictures, mmap_mode="r"), np.load(held))


def is_held_out(code_points: str) -> bool:
    """Whether an emoji, written like `1f600-200d-2640`, is kept for evaluation."""
    first = code_points.split("-")[0]
    return int(hashlib.sha256(first.encode()).hexdigest()[:8], 16) / 2**32 < _HELD_OUT_SHARE


# ------------------------------------------------------------------ drawing


def _drawn(package: Path, side: int) -> tuple[list[str], Sprites]:
    codes, sprites = [], []
    for code, svg in _vectors(package, side):
        sprite = _rasterised(svg, side)
        if _LEAST < (sprite[..., 3] > 128).mean() < _MOST:
            codes.append(code)
            sprites.append(sprite)
    return codes, np.stack(sprites)


def _vectors(package: Path, side: int) -> Iterator[tuple[str, str]]:
    """Code points and SVG text, one of each drawing."""
    if not (package / "icons.json").is_file():
        raise NoArt(
            f"There is no icons.json in {package}.",
            cure="Unpack an Iconify package (noto, twemoji) and name its folder.",
        )
    icons = json.loads((package / "icons.json").read_text())
    names: dict[str, str] = json.loads((package / "chars.json").read_text())
    seen: set[str] = set()
    for code, name in sorted(names.items()):
        if name in icons["icons"] and name not in seen and _is_useful(code):
            seen.add(name)
            yield code, _svg(icons, icons["icons"][name], side)


def _is_useful(code_points: str) -> bool:
    parts = code_points.split("-")
    first = int(parts[0], 16)
    plain = not any(first in kind for kind in (_FLAGS, _LETTERS, _KEYS))
    return plain and not _SKIN_TONES.intersection(parts)


def _svg(icons: dict[str, Any], icon: dict[str, Any], side: int) -> str:
    left, top = icon.get("left", 0), icon.get("top", 0)
    width, height = (icon.get(name, icons.get(name, 16)) for name in ("width", "height"))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{side}" height="{side}" viewBox="{left} {top} {width} {height}">{icon["body"]}</svg>'
    )


def _rasterised(svg: str, side: int) -> Rgba:
    png = np.frombuffer(bytes(_painter().svg_to_bytes(svg_string=svg, skip_system_fonts=True)), np.uint8)
    bgra = np.asarray(cv2.imdecode(png, cv2.IMREAD_UNCHANGED))
    if bgra.dtype != np.uint8 or bgra.ndim != 3 or bgra.shape[2] != 4:
        return np.zeros((side, side, 4), np.uint8)
    return np.asarray(cv2.cvtColor(bgra, cv2.COLOR_BGRA2RGBA), np.uint8)


def _painter() -> Any:
    try:
        return importlib.import_module("resvg_py")
    except ImportError as error:
        raise NoArt(
            "Drawing the art needs the package resvg-py.", cure="Install it beside PopCon; only training needs it."
        ) from error


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw packages into a cache."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="+", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    given = parser.parse_args(arguments)
    for package in given.packages:
        gallery(package, given.cache)


if __name__ == "__main__":
    main()

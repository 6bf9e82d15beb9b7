"""The stand-in's painter: our own sample character in the colours that the words name, or the shown figure tilted.

A rehearsal's picture has what a bought one has, the ordered size, one whole figure and the plain backdrop that was
asked for. What a real model would make of the words, it cannot show.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Colour, Rgb, Rgba, flatten, png, premultiply, resize, unpremultiply
from popcond.rehearsal.drawing import figure_on
from popcond.video.sample import draw_sample

_TALLEST = 0.8  # of the square: the figure's height, and its width at most
_TILT = 5.0  # degrees
_FAINTEST = 8  # alpha that still counts as visible
_HEX = re.compile("#([0-9a-f]{6})", re.IGNORECASE)
_WORD = re.compile("[a-z]+")
_WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True)
class _Dye:
    """A colour that things may take while they keep their shading."""

    hue: int  # 0..179
    strength: float = 1.0  # of the saturation
    light: float = 1.0  # of the brightness


@dataclass(frozen=True)
class _Cloth:
    """A part of the sample, found by its own hue."""

    middle: int
    reach: int  # of hues to either side
    least: int  # saturation; paler is another part


_CLOTHES = (_Cloth(0, 5, 150), _Cloth(25, 7, 28), _Cloth(110, 12, 90))  # tub, popcorn, shoes
_DYES: Mapping[str, _Dye] = MappingProxyType(
    {
        "red": _Dye(0),
        "orange": _Dye(12),
        "brown": _Dye(12, 0.8, 0.6),
        "yellow": _Dye(27),
        "gold": _Dye(22),
        "golden": _Dye(22),
        "green": _Dye(60),
        "mint": _Dye(75, 0.6),
        "teal": _Dye(90),
        "turquoise": _Dye(90),
        "blue": _Dye(110),
        "navy": _Dye(116, 1.0, 0.5),
        "violet": _Dye(135),
        "purple": _Dye(140),
        "magenta": _Dye(150),
        "pink": _Dye(165, 0.6),
        "white": _Dye(0, 0.0, 1.15),
        "grey": _Dye(0, 0.0, 0.75),
        "gray": _Dye(0, 0.0, 0.75),
        "black": _Dye(0, 0.0, 0.35),
    }
)


def paint(prompt: str, shown: Path | None, side: int, to: Path) -> None:
    """Write the PNG of an order. Raises PopconError for a shown picture that is none."""
    figure = _tilted(figure_on(shown)[0], prompt) if shown else _dressed(prompt)
    to.write_bytes(png(_laid(figure, backdrop_named(prompt), side)))


def backdrop_named(prompt: str) -> Colour:
    """The first colour that is given in figures; white where there is none."""
    named = _HEX.search(prompt)
    if named is None:
        return _WHITE
    red, green, blue = bytes.fromhex(named[1])
    return red, green, blue


def _dressed(prompt: str) -> Rgba:
    """The sample, its parts dyed in the order in which the words name colours."""
    sample = draw_sample()
    shades = cv2.cvtColor(sample[..., :3], cv2.COLOR_RGB2HSV).astype(np.float32)
    masks = [_mask(cloth, shades) for cloth in _CLOTHES]
    for mask, dye in zip(masks, _dyes(prompt), strict=False):
        dyed = shades[mask] * (1.0, dye.strength, dye.light)
        dyed[:, 0] = dye.hue
        shades[mask] = np.clip(dyed, 0, 255)
    colours = cv2.cvtColor(np.rint(shades).astype(np.uint8), cv2.COLOR_HSV2RGB)
    return np.dstack([np.asarray(colours, np.uint8), sample[..., 3]])


def _mask(cloth: _Cloth, shades: NDArray[np.float32]) -> NDArray[np.bool_]:
    hue, saturation, value = (shades[..., channel] for channel in range(3))
    away = np.abs((hue - cloth.middle + 90) % 180 - 90)
    mask: NDArray[np.bool_] = (away <= cloth.reach) & (saturation >= cloth.least) & (value > 120)
    return mask


def _dyes(prompt: str) -> Sequence[_Dye]:
    """Those that are named behind the backdrop's; what is not named is left to chance, the same for the same words."""
    named = _HEX.search(prompt)
    words = _WORD.findall(prompt[named.end() if named else 0 :].lower())
    told = [_DYES[word] for word in dict.fromkeys(words) if word in _DYES]
    digest = hashlib.sha256(prompt.encode()).digest()
    return [*told, *(_Dye(byte * 180 // 256) for byte in digest)][: len(_CLOTHES)]


def _tilted(figure: Rgba, prompt: str) -> Rgba:
    """Leaning to one side or the other, as chance has it, the same for the same words."""
    height, width = figure.shape[:2]
    side = 1 if hashlib.sha256(prompt.encode()).digest()[0] % 2 else -1
    middle = (width / 2, height / 2)
    turn = cv2.getRotationMatrix2D(middle, side * _TILT, 0.9)
    turned = cv2.warpAffine(premultiply(figure), turn, (width, height), flags=cv2.INTER_LINEAR)
    return unpremultiply(np.asarray(turned, np.float32))


def _laid(figure: Rgba, backdrop: Colour, side: int) -> Rgb:
    """In the middle of a square of that colour."""
    square = np.empty((side, side, 3), np.uint8)
    square[:] = backdrop
    left, top, width, height = cv2.boundingRect((figure[..., 3] > _FAINTEST).astype(np.uint8))
    if not width:
        return square
    scale = side * _TALLEST / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = resize(figure[top : top + height, left : left + width], *size)
    x, y = (side - size[0]) // 2, (side - size[1]) // 2
    square[y : y + size[1], x : x + size[0]] = flatten(small, backdrop)
    return square

"""A character's picture without its background.

The picture itself is kept untouched elsewhere; this makes the clean cut-out beside it. What cannot be told apart
honestly is kept, with a note that says what a person can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from popcond.errors import NoCharacter
from popcond.media.raster import Alpha, Rgb, Rgba
from popcond.vision.backdrop import Backdrop, estimate
from popcond.vision.cutout import cut_out
from popcond.vision.keying import key
from popcond.wire import RemoveBackground

_LEAST, _MOST = 0.004, 0.985  # coverage outside of these is no cut-out of a character
_CERTAIN = 0.9  # share of the border that must show a shaded backdrop before it is keyed unasked
_SHADED = 12.0  # ΔE across the picture from which a backdrop is shaded rather than flat
_BOX = 0.985  # filled share of its bounding box from which an opaque area is a box

_ONE_COLOUR = 8  # levels between the darkest and the lightest pixel that codecs make of one colour

_ENCLOSED = 0.004  # share of the character that has the backdrop's own colour
_PALE = 0.3  # share of its edge that hardly differs from the backdrop

_NOTE_KEPT = (
    "The background was kept: it is not plain enough to be removed. "
    "Use a picture on a plain background, or one with transparency, for a cut-out character."
)
_NOTE_ENCLOSED = (
    "Places with the background's colour that the character encloses were kept, because they may be its own. "
    "Use a picture with transparency if they should be open."
)
_NOTE_PALE = (
    "Much of the character's edge is almost the colour of the background, so look at it closely. "
    "A picture on a darker or coloured plain background gives a cleaner edge."
)
_NOTHING = "Nothing stands out in this picture: it is all one colour."
_NO_BACKDROP = "The picture has no plain background that could be told from the character."
_CURE = "Use a picture with a plain background or with transparency, or set remove_background to never."


@dataclass(frozen=True)
class CharacterCutout:
    """The character's picture, as large as it was, with its background gone or kept."""

    rgba: Rgba  # (H, W, 4) straight alpha
    background: Literal["alpha", "keyed", "kept"]
    coverage: float  # share of the picture with alpha ≥ 128, 0..1
    notes: tuple[str, ...] = ()


def cut_out_character(picture: Rgba, has_alpha: bool, mode: RemoveBackground) -> CharacterCutout:
    """The cut-out of an upright sRGB picture (H, W, 4); `has_alpha` says that its transparency is meant.

    Raises NoCharacter when nothing visible is left, or when `mode` is always and there is no backdrop to remove.
    """
    if has_alpha:
        _refuse_empty(picture[..., 3])
    if mode is RemoveBackground.NEVER:
        return _kept(picture)
    return _with_alpha(picture, mode) if has_alpha else _opaque(picture, mode)


def _kept(picture: Rgba, *notes: str) -> CharacterCutout:
    return CharacterCutout(picture.copy(), "kept", _coverage(picture[..., 3]), notes)


# ------------------------------------------------------------------ pictures with alpha


def _with_alpha(picture: Rgba, mode: RemoveBackground) -> CharacterCutout:
    box = _opaque_box(picture[..., 3])
    if box is not None and (inside := _keyed_box(picture, box, mode)) is not None:
        return inside
    rgba = _cleaned(picture)
    return CharacterCutout(rgba, "alpha", _coverage(rgba[..., 3]))


def _cleaned(picture: Rgba) -> Rgba:
    """Nearly solid becomes solid, nearly empty becomes empty, and what is empty has no colour."""
    rgba = picture.copy()
    alpha = rgba[..., 3]
    alpha[alpha >= 250] = 255
    rgba[alpha <= 5] = 0
    return rgba


def _opaque_box(alpha: Alpha) -> tuple[slice, slice] | None:
    """The rectangle that the visible pixels fill, when they do fill one."""
    rows, columns = np.flatnonzero((alpha >= 128).any(axis=1)), np.flatnonzero((alpha >= 128).any(axis=0))
    box = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    fills = min(alpha[box].shape) >= 16 and float(np.mean(alpha[box] >= 128)) >= _BOX
    return box if fills else None


def _keyed_box(picture: Rgba, box: tuple[slice, slice], mode: RemoveBackground) -> CharacterCutout | None:
    """A transparent margin round an opaque box: the box's own backdrop goes."""
    inner = _keyed(np.ascontiguousarray(picture[box][..., :3]), mode)
    if inner is None:
        return None
    rgba = np.zeros_like(picture)
    rgba[box] = inner.rgba
    note = "The picture was an opaque box on a transparent margin; the box's backdrop was removed too."
    return CharacterCutout(rgba, "keyed", _coverage(rgba[..., 3]), (note, *inner.notes))


# ------------------------------------------------------------------ opaque pictures


def _opaque(picture: Rgba, mode: RemoveBackground) -> CharacterCutout:
    rgb = np.ascontiguousarray(picture[..., :3])
    keyed = _keyed(rgb, mode)
    if keyed is not None:
        return keyed
    is_one_colour = int(np.ptp(rgb, axis=(0, 1)).max()) <= _ONE_COLOUR
    if mode is RemoveBackground.ALWAYS:
        raise NoCharacter(_NOTHING if is_one_colour else _NO_BACKDROP, cure=_CURE)
    return _kept(picture, f"{_NOTHING} Nothing was removed." if is_one_colour else _NOTE_KEPT)


def _keyed(rgb: Rgb, mode: RemoveBackground) -> CharacterCutout | None:
    backdrop = estimate(rgb)
    if backdrop is None or (mode is RemoveBackground.AUTO and not _is_certain(backdrop)):
        return None
    alpha = key(rgb, backdrop)
    coverage = _coverage(alpha)
    if not _LEAST <= coverage <= _MOST:
        return None
    return CharacterCutout(cut_out(rgb, alpha), "keyed", coverage, _doubts(rgb, alpha, backdrop))


def _doubts(rgb: Rgb, alpha: Alpha, backdrop: Backdrop) -> tuple[str, ...]:
    """What a person should look at: where the character looks like its backdrop."""
    gaps = backdrop.gaps(rgb)
    like = (alpha == 255) & (gaps < backdrop.tolerance)
    inner = np.asarray(cv2.erode(alpha, np.ones((7, 7), np.uint8)))
    rim = (alpha >= 128) & (inner < 128)
    notes = []
    if np.count_nonzero(like) > _ENCLOSED * np.count_nonzero(alpha):
        notes.append(_NOTE_ENCLOSED)
    if np.count_nonzero(rim & (gaps < 3.0 * backdrop.tolerance)) > _PALE * np.count_nonzero(rim):
        notes.append(_NOTE_PALE)
    return tuple(notes)


def _is_certain(backdrop: Backdrop) -> bool:
    return backdrop.span < _SHADED or backdrop.border >= _CERTAIN


def _refuse_empty(alpha: Alpha) -> None:
    if not (alpha >= 128).any():
        raise NoCharacter(
            "The picture is empty: every pixel is transparent.", cure="Use a picture that shows something."
        )


def _coverage(alpha: Alpha) -> float:
    return float(np.count_nonzero(alpha >= 128)) / alpha.size

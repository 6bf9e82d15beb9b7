"""One picture of a whole pack: a row an emoji, a few frames of its loop, on a light ground that shows transparency."""

from __future__ import annotations

import io
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from popcond.media.raster import Rgb, Rgba, premultiply, resize
from popcond.stickers.palette import MOST_COLOURS, quantise

_CELL = 132  # pixels a side
_INSET = 8  # between a cell's edge and its picture
_GAP = 8
_MARGIN = 20
_SHOWN = 6  # frames a row
_SCALE = 2  # the sheet is drawn for dense screens
_LETTERS = 16
_LABEL_WIDTH = 110
_CORNER = 12
_DITHER = 0.4
_FAINT = 16  # alpha that does not count for the trimming
_CHECK = 11
_PAPER = (241, 242, 246)
_LIGHT, _DARK = 255, 247
_INK = (52, 54, 66)


def contact_sheet(rows: Sequence[tuple[str, Sequence[Rgba]]]) -> bytes:
    """PNG bytes: for each (label, frames of one loop, poster first) six frames spread over the loop.

    Frames of one size are trimmed by one box, so within a row they share place and scale. Raises ValueError without
    rows.
    """
    if not rows:
        raise ValueError("a contact sheet needs at least one row")
    sheet = Image.fromarray(np.full((*_sheet_size(rows), 3), _PAPER, np.uint8))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_LETTERS * _SCALE)
    for row, (label, frames) in enumerate(rows):
        top = (_MARGIN + row * (_CELL + _GAP)) * _SCALE
        middle = top + _CELL * _SCALE // 2
        draw.text((_MARGIN * _SCALE, middle), _shortened(label, font), fill=_INK, font=font, anchor="lm")
        _draw_row(sheet, _trimmed(spread(frames)), top)
    return _packed(sheet)


def _packed(sheet: Image.Image) -> bytes:
    """PNG of 256 colours: a third of the bytes, and no eye sees it on a page."""
    quantised = quantise([np.asarray(sheet.convert("RGBA"), np.uint8)], MOST_COLOURS, _DITHER)
    picture = Image.fromarray(quantised.frames[0], "P")
    picture.putpalette(quantised.palette[:, :3].tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def spread(frames: Sequence[Rgba]) -> list[Rgba]:
    """Up to six frames evenly over the loop, the first (the poster) among them."""
    shown = min(_SHOWN, len(frames))
    return [frames[place * len(frames) // shown] for place in range(shown)]


def _trimmed(frames: Sequence[Rgba]) -> list[Rgba]:
    """Without the margin that is empty in all of them."""
    if len({frame.shape for frame in frames}) > 1:
        return list(frames)
    seen = np.max([frame[..., 3] for frame in frames], axis=0) > _FAINT
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if not len(rows):
        return list(frames)
    return [frame[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] for frame in frames]


def _sheet_size(rows: Sequence[object]) -> tuple[int, int]:
    """(height, width) in pixels."""
    width = 2 * _MARGIN + _LABEL_WIDTH + _SHOWN * (_CELL + _GAP) - _GAP
    height = 2 * _MARGIN + len(rows) * (_CELL + _GAP) - _GAP
    return height * _SCALE, width * _SCALE


def _shortened(label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    room = (_LABEL_WIDTH - _GAP) * _SCALE
    if font.getlength(label) <= room:
        return label
    kept = label
    while kept and font.getlength(f"{kept}…") > room:
        kept = kept[:-1]
    return f"{kept}…"


def _draw_row(sheet: Image.Image, frames: Sequence[Rgba], top: int) -> None:
    mask = _rounded()
    for column, frame in enumerate(frames):
        left = (_MARGIN + _LABEL_WIDTH + column * (_CELL + _GAP)) * _SCALE
        sheet.paste(Image.fromarray(_cell(frame)), (left, top), mask)


def _cell(frame: Rgba) -> Rgb:
    """(side, side, 3): the frame in the middle of a checkered square."""
    side = _CELL * _SCALE
    inner = side - 2 * _INSET * _SCALE
    height, width = frame.shape[:2]
    scale = inner / max(height, width)
    across, down = max(1, round(width * scale)), max(1, round(height * scale))
    picture = premultiply(resize(frame, across, down))
    ground = _checker(side)
    left, top = (side - across) // 2, (side - down) // 2
    place = ground[top : top + down, left : left + across]
    place[:] = picture[..., :3] + place * (1 - picture[..., 3:] / 255)
    return np.asarray(np.rint(ground), np.uint8)


def _checker(side: int) -> NDArray[np.float32]:
    return np.repeat(np.where(_squares(side), _LIGHT, _DARK).astype(np.float32)[..., None], 3, axis=2)


def _squares(side: int) -> NDArray[np.bool_]:
    stripes = np.arange(side) // (_CHECK * _SCALE) % 2
    return np.asarray(stripes[:, None] == stripes[None, :], np.bool_)


def _rounded() -> Image.Image:
    """A mask with soft round corners."""
    side = _CELL * _SCALE
    large = Image.new("L", (side * 2, side * 2), 0)
    ImageDraw.Draw(large).rounded_rectangle((0, 0, side * 2 - 1, side * 2 - 1), _CORNER * _SCALE * 2, fill=255)
    return Image.fromarray(cv2.resize(np.asarray(large), (side, side), interpolation=cv2.INTER_AREA))

"""The extra pictures that a store wants beside the stickers, such as LINE's tab image.

Reviewers refuse stray half-transparent specks in a tab image, so small faint islands go before it is written.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from popcond.errors import NoCharacter
from popcond.media.raster import Rgba, resize
from popcond.stickers.apng import write_still
from popcond.stickers.compose import solid_ends
from popcond.stickers.decode import decode, first_frame
from popcond.stickers.facts import Colours
from popcond.stickers.rules import made
from popcond.stickers.source import Box, CutoutList
from popcond.stickers.sticker import make_sticker
from popcond.stickers.validate import parse, validate, verdict
from popcond.wire import ExtraPicture, LoopKind, Rule, Target, Verdict

_MARGIN = 2  # pixels
_SPECK = 6  # pixels: a smaller island is a speck …
_FAINT = 128  # … and so is one whose alpha never reaches this
_DPI = 72


def make_extras(target: Target, sticker: bytes) -> list[tuple[str, bytes]]:
    """(file name, bytes) of every extra picture of a target, made from one of its finished stickers."""
    return [(extra.file_name, _made(extra, target, sticker)) for extra in target.extra_pictures]


def _made(extra: ExtraPicture, target: Target, sticker: bytes) -> bytes:
    return _animated(extra, target, sticker) if extra.animated else still_picture(first_frame(sticker), extra)


def animated_target(extra: ExtraPicture, target: Target) -> Target:
    """The rules of an animated extra picture: those of the stickers, on a canvas of its own."""
    canvas = {"width": extra.width, "height": extra.height, "exact_canvas": True, "min_longer_side": None}
    return target.model_copy(update={"name": f"{target.name} {extra.file_name}", **canvas})


def _animated(extra: ExtraPicture, target: Target, sticker: bytes) -> bytes:
    frames = decode(sticker)
    source = CutoutList(frames, tuple(float(delay) for delay in parse(sticker).delays))
    smaller = animated_target(extra, target)
    return make_sticker(
        source, smaller, loop=LoopKind.CYCLE, exact_loop=True, poster=0.0, report=lambda _done: None
    ).data


def still_picture(cutout: Rgba, extra: ExtraPicture) -> bytes:
    """A static PNG of the cut-out, as large as the picture allows, in its middle. Raises NoCharacter."""
    clean = without_specks(cutout)
    box = _visible(clean)
    inside = clean[box.top : box.bottom, box.left : box.right]
    scale = min((extra.width - 2 * _MARGIN) / box.width, (extra.height - 2 * _MARGIN) / box.height)
    across, down = max(1, int(box.width * scale)), max(1, int(box.height * scale))
    canvas = np.zeros((extra.height, extra.width, 4), np.uint8)
    left, top = (extra.width - across) // 2, (extra.height - down) // 2
    canvas[top : top + down, left : left + across] = resize(inside, across, down)
    return write_still(without_specks(solid_ends(canvas)))


def without_specks(rgba: Rgba) -> Rgba:
    """The picture without islands that are tiny or nowhere more than half solid."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((rgba[..., 3] > 0).astype(np.uint8), connectivity=8)
    solid = np.zeros(count, np.uint8)
    np.maximum.at(solid, np.asarray(labels, np.intp).ravel(), rgba[..., 3].ravel())
    speck = (np.asarray(stats)[:, cv2.CC_STAT_AREA] < _SPECK) | (solid < _FAINT)
    result = rgba.copy()
    result[speck[labels]] = 0
    return result


def _visible(rgba: Rgba) -> Box:
    rows, columns = np.flatnonzero(rgba[..., 3].any(axis=1)), np.flatnonzero(rgba[..., 3].any(axis=0))
    if not len(rows):
        raise NoCharacter(
            "The first frame of the sticker is empty, so no still can be made of it.",
            cure="Choose another emoji for the set's picture, or refine the cut-out.",
        )
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


# ------------------------------------------------------------------ validation


def validate_extra(data: bytes, extra: ExtraPicture, target: Target) -> Verdict:
    """The verdict on an extra picture's final bytes. Never raises."""
    return validate(data, animated_target(extra, target)) if extra.animated else validate_still(data, extra)


def validate_still(data: bytes, extra: ExtraPicture) -> Verdict:
    """The verdict on a static PNG of exact size. Never raises."""
    return verdict((*_file_rules(data, extra), *_pixel_rules(data)))


def _file_rules(data: bytes, extra: ExtraPicture) -> Sequence[Rule]:
    facts = parse(data)
    again = "Make the bundle again."
    size, limit = f"{facts.width} × {facts.height}", f"{extra.width} × {extra.height}"
    flaws = [flaw.sentence for flaw in facts.flaws]
    is_still = facts.format is None and not flaws
    dpi = facts.dpi or 0.0
    return (
        made("structure", f"{len(flaws)} flaws", "whole", not flaws, flaws[0] if flaws else "", again),
        made("still", "still" if is_still else "moves", "still", is_still, "It must be a static PNG.", again),
        made("pixel_size", size, limit, size == limit, f"It measures {size} and should measure {limit}.", again),
        made(
            "colour_type",
            facts.colours or "unknown",
            Colours.RGBA,
            facts.colours is Colours.RGBA,
            "It must be true colour with alpha.",
            again,
        ),
        made("dpi", f"{dpi:.0f}", f"{_DPI} or more", round(dpi) >= _DPI, f"It states {dpi:.0f} dpi.", again),
    )


def _pixel_rules(data: bytes) -> Sequence[Rule]:
    facts = parse(data)
    if facts.flaws:
        return ()
    rgba = first_frame(data)
    specks = int(((rgba[..., 3] > 0) & (without_specks(rgba)[..., 3] == 0)).sum())
    clear = bool((rgba[..., 3] == 0).any() and (rgba[..., 3] > 0).any())
    again = "Make it from another frame, or refine the cut-out."
    return (
        made("transparency", "yes" if clear else "no", "yes", clear, "The picture is empty or opaque.", again),
        made("specks", f"{specks} pixels", "none", not specks, "Stray specks are refused by reviewers.", again),
    )

"""What an edit does to the mask of one frame, and whether an emoji may be edited at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from popcond.assets import Assets
from popcond.errors import Conflict
from popcond.media.raster import Alpha, from_png, png
from popcond.store import emojis, events, frames, jobs
from popcond.store.db import Connection
from popcond.store.edits import EditMask
from popcond.store.frames import FrameFiles, masked
from popcond.vision.edges import refined
from popcond.vision.parts import parts_of
from popcond.wire import Edited, Mode, Status

_EDITABLE = (Status.AWAITING_REFINEMENT, Status.DONE)


def refuse_unless_editable(connection: Connection, emoji_id: str) -> None:
    """Masks are edited while nobody works on them. Raises Conflict, NotFound."""
    emoji = emojis.get(connection, emoji_id)
    if jobs.is_live(connection, emoji_id):
        raise Conflict(f"This emoji is being worked on ({emoji.status.value}).", cure="Wait, or cancel it first.")
    if emoji.status not in _EDITABLE:
        raise Conflict(
            f"There is no finished cut-out to edit; the emoji is {emoji.status.value}.",
            cure="Retry it, and wait until it is awaiting_refinement or done.",
        )


def retouched(
    assets: Assets, file: FrameFiles, index: int, meant: Alpha, mode: Mode, *, attention: float = 0.0
) -> EditMask:
    """The frame's mask after an edit that means these pixels, (H, W) 0 or 255; puts an asset."""
    alpha = _mixed(assets, file, meant, mode)
    if file.own_alpha is not None:  # what the clip itself leaves empty has no picture to show
        alpha = np.minimum(alpha, from_png(assets.read(file.own_alpha)))
    return EditMask(index, assets.put(png(alpha)), parts_of(alpha), attention)


def _mixed(assets: Assets, file: FrameFiles, meant: Alpha, mode: Mode) -> Alpha:
    current = from_png(assets.read(masked(file)))
    if mode == "restore":
        return np.where(meant > 0, from_png(assets.read(file.first_mask or masked(file))), current)
    soft = refined(from_png(assets.read(file.raw)), meant)
    if mode == "add":
        return np.maximum(current, soft)
    return soft if mode == "replace" else np.minimum(current, 255 - soft)


def hard(mask: Alpha) -> Alpha:
    """The same without its soft edge, 0 or 255: as an engine takes it."""
    return np.where(mask >= 128, np.uint8(255), np.uint8(0))


def tell(connection: Connection, emoji_id: str, indices: Sequence[int]) -> Edited:
    """Write the event that carries the frames which an edit has changed, as they are now."""
    edited = Edited(emoji_id=emoji_id, frames=tuple(frames.some(connection, emoji_id, indices)))
    events.append(connection, "edit_made", edit=edited)
    return edited

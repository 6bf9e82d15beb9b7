"""Edits: masks changed by pointing, on one frame or along the clip, taken back and done again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from fastapi import APIRouter

from popcond.api.deps import Powers, Uses
from popcond.api.refine import prompt_of, still_of
from popcond.api.security import MOST_TEXT
from popcond.errors import BadInput, Conflict, NotFound
from popcond.media.raster import Alpha, from_png
from popcond.stages import retouch
from popcond.stages.propagation import Wanted
from popcond.store import edits, emojis, frames
from popcond.store.db import Connection
from popcond.store.edits import EditMask
from popcond.store.frames import FrameFiles, masked
from popcond.vision.segmenter import Prompt, refuse_bad_prompt
from popcond.wire import Apply, Edited, Frame, Propagate, Propagating

router = APIRouter(prefix="/v1/emojis/{emoji_id}", tags=["refinement"], max_body_size=MOST_TEXT)


@router.post("/sam/apply")
async def apply(powers: Uses, emoji_id: str, asked: Apply) -> Frame:
    """Change the mask of one frame by what the points mean; an edit that can be undone."""
    powers.propagations.refuse_while_running(emoji_id)
    file = await powers.database.read(partial(_editable, emoji_id=emoji_id, index=asked.frame))
    segmented = await powers.segmenter.mask(still_of(powers.assets, file), prompt_of(asked.points))
    async with powers.housekeeping.at_work():
        mask = await asyncio.to_thread(retouch.retouched, powers.assets, file, asked.frame, segmented.mask, asked.mode)
        powers.propagations.refuse_while_running(emoji_id)
        edited = await powers.database.write(partial(_applied, emoji_id=emoji_id, asked=asked, file=file, mask=mask))
    return edited.frames[0]


@router.post("/sam/propagate", status_code=202)
async def propagate(powers: Uses, emoji_id: str, asked: Propagate) -> Propagating:
    """Carry what is meant on some frames to the others, in the background; one edit, told by `edit_made`."""
    powers.propagations.refuse_while_running(emoji_id)
    files = await powers.database.read(partial(_all_editable, emoji_id=emoji_id))
    wanted = await asyncio.to_thread(_wanted, powers, emoji_id, asked, files)
    powers.propagations.begin(wanted)
    return Propagating(frames=len(wanted.files), engine=powers.segmenter.about().name)


@router.post("/sam/cancel", status_code=204)
async def cancel(powers: Uses, emoji_id: str) -> None:
    """End the propagation that runs; it has changed no mask."""
    await powers.database.read(partial(emojis.get, emoji_id=emoji_id))
    await powers.propagations.cancel(emoji_id)


@router.post("/edits/undo")
async def undo(powers: Uses, emoji_id: str) -> Edited:
    """Take the newest edit back."""
    return await _moved(powers, emoji_id, edits.undo)


@router.post("/edits/redo")
async def redo(powers: Uses, emoji_id: str) -> Edited:
    """Do again what was undone last."""
    return await _moved(powers, emoji_id, edits.redo)


async def _moved(powers: Powers, emoji_id: str, move: Callable[[Connection, str], list[int]]) -> Edited:
    powers.propagations.refuse_while_running(emoji_id)

    def write(connection: Connection) -> Edited:
        retouch.refuse_unless_editable(connection, emoji_id)
        return retouch.tell(connection, emoji_id, move(connection, emoji_id))

    return await powers.database.write(write)


def _editable(connection: Connection, emoji_id: str, index: int) -> FrameFiles:
    retouch.refuse_unless_editable(connection, emoji_id)
    return frames.file(connection, emoji_id, index)


def _all_editable(connection: Connection, emoji_id: str) -> list[FrameFiles]:
    retouch.refuse_unless_editable(connection, emoji_id)
    return frames.files(connection, emoji_id)


def _applied(connection: Connection, emoji_id: str, asked: Apply, file: FrameFiles, mask: EditMask) -> Edited:
    """The edit's rows, unless the mask on which it was computed is not the current one any more."""
    if _editable(connection, emoji_id, asked.frame) != file:
        raise Conflict("The frame's mask has been changed meanwhile.", cure="Look at it, and apply again.")
    edits.add(connection, emoji_id, "apply", asked.model_dump(mode="json"), [mask])
    return retouch.tell(connection, emoji_id, [asked.frame])


def _wanted(powers: Powers, emoji_id: str, asked: Propagate, files: list[FrameFiles]) -> Wanted:
    """Raises BadInput and NotFound for what cannot be propagated, before anything begins."""
    first, last = _span(asked, len(files))
    prompts = {}
    for index, points in asked.frames.items():
        pixels = still_of(powers.assets, files[index]).pixels()
        prompt = prompt_of(points) if points else Prompt(mask=_hard_mask(powers, files[index]))
        refuse_bad_prompt(prompt, *pixels.shape[:2])
        prompts[index - first] = prompt
    return Wanted(emoji_id, first, tuple(files[first : last + 1]), prompts, asked.model_dump(mode="json"))


def _span(asked: Propagate, count: int) -> tuple[int, int]:
    """The first and the last frame."""
    for index in (*asked.frames, *(asked.range or ())):
        if index >= count:
            raise NotFound(f"There is no frame {index} among {count}.", details={"frame": index})
    first, last = asked.range or (0, count - 1)
    strays = [index for index in asked.frames if not first <= index <= last]
    if first > last or strays:
        raise BadInput(
            f"The range {first} to {last} does not hold all frames that are pointed at.",
            cure="Give the first and the last frame, with every frame of `frames` between them.",
        )
    return first, last


def _hard_mask(powers: Powers, file: FrameFiles) -> Alpha:
    return retouch.hard(from_png(powers.assets.read(masked(file))))

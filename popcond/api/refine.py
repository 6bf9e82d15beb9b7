"""Refinement: frames prepared for clicks, and the mask that points mean. Nothing here changes an emoji."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Body, Response

from popcond import wire
from popcond.api.deps import Uses
from popcond.api.security import MOST_TEXT
from popcond.assets import Assets
from popcond.errors import NotFound
from popcond.media.raster import Alpha, png
from popcond.store import emojis, frames
from popcond.store.frames import FrameFiles
from popcond.vision.segmenter import Point, Prompt, Still
from popcond.wire import Embed, Embedding, Predict

router = APIRouter(prefix="/v1/emojis/{emoji_id}/sam", tags=["refinement"], max_body_size=MOST_TEXT)

_MASK = (64, 160, 255)  # the colour of a predicted mask, under its alpha


@router.post("/embed", status_code=202)
async def embed(powers: Uses, emoji_id: str, asked: Annotated[Embed, Body(default_factory=Embed)]) -> Embedding:
    """Prepare frames in the background, so that the first click on them is quick."""
    await powers.database.read(partial(emojis.get, emoji_id=emoji_id))
    files = await powers.database.read(partial(frames.files, emoji_id=emoji_id))
    wanted = range(len(files)) if asked.frames == "all" else asked.frames
    stills = [still_of(powers.assets, _one_of(files, index)) for index in wanted]
    powers.warm_up(stills)
    return Embedding(frames=len(stills), engine=powers.segmenter.about().name)


@router.post("/predict", response_class=Response)
async def predict(powers: Uses, emoji_id: str, asked: Predict) -> Response:
    """The mask that the points mean: PNG, RGBA, the size of the frame. It changes nothing.

    Headers: X-Popcon-Score (0..1, how sure the engine is), X-Popcon-Coverage (0..1) and X-Popcon-Engine.
    """
    file = await powers.database.read(partial(frames.file, emoji_id=emoji_id, index=asked.frame))
    segmented = await powers.segmenter.mask(still_of(powers.assets, file), prompt_of(asked.points))
    return Response(
        await asyncio.to_thread(_painted, segmented.mask),
        media_type="image/png",
        headers={
            "X-Popcon-Score": f"{segmented.score:.4f}",
            "X-Popcon-Coverage": f"{segmented.coverage:.4f}",
            "X-Popcon-Engine": segmented.engine,
        },
    )


def still_of(assets: Assets, file: FrameFiles) -> Still:
    """The frame as an engine gets it. Raises NotFound when its file is gone."""
    return Still(file.raw, assets.path(file.raw))


def _one_of(files: list[FrameFiles], index: int) -> FrameFiles:
    if not 0 <= index < len(files):
        raise NotFound(f"There is no frame {index} among {len(files)}.", details={"frame": index})
    return files[index]


def prompt_of(points: Sequence[wire.Point]) -> Prompt:
    """What these points say."""
    return Prompt(tuple(Point(point.x, point.y, point.label == 1, point.object, point.candidate) for point in points))


def _painted(mask: Alpha) -> bytes:
    """The mask as a colour with its alpha, ready to be laid over the frame."""
    painted = np.empty((*mask.shape, 4), np.uint8)
    painted[..., :3] = _MASK
    painted[..., 3] = mask
    return png(painted)

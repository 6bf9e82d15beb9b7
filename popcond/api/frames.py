"""Frames, masks and cut-outs as pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated

import cv2
import numpy as np
from fastapi import APIRouter, Query, Response
from fastapi import Path as PathParameter
from numpy.typing import NDArray

from popcond.api.deps import Powers, Uses
from popcond.media import raster
from popcond.stages.encode import cutout_of
from popcond.store import emojis, frames
from popcond.store.frames import FrameFiles, masked
from popcond.wire import Frame

router = APIRouter(prefix="/v1/emojis/{emoji_id}", tags=["frames"])

Index = Annotated[int, PathParameter(ge=0, le=1_000_000)]
Width = Annotated[int | None, Query(ge=8, le=4096, description="scales down to this many pixels")]


@router.get("/frames")
async def every(powers: Uses, emoji_id: str) -> list[Frame]:
    """All frames of the chosen take in their order; none before the clip is there."""
    await powers.database.read(partial(emojis.get, emoji_id=emoji_id))
    return await powers.database.read(partial(frames.every, emoji_id=emoji_id))


@router.get("/raw-frame/{index}", response_class=Response)
async def raw_frame(powers: Uses, emoji_id: str, index: Index, width: Width = None) -> Response:
    """One frame as it came out of the clip: PNG, RGB."""
    file = await _file(powers, emoji_id, index)
    return await _png(lambda: raster.from_png(powers.assets.read(file.raw)), width)


@router.get("/cutout/{index}", response_class=Response)
async def cutout(powers: Uses, emoji_id: str, index: Index, width: Width = None) -> Response:
    """One frame without its background: PNG, RGBA."""
    file = await _file(powers, emoji_id, index)
    return await _png(lambda: cutout_of(powers.assets, file), width)


@router.get("/mask/{index}", response_class=Response)
async def mask(powers: Uses, emoji_id: str, index: Index, width: Width = None) -> Response:
    """Which pixels belong to the character and its effects: PNG, L."""
    file = await _file(powers, emoji_id, index)
    return await _png(lambda: raster.from_png(powers.assets.read(masked(file))), width)


async def _file(powers: Powers, emoji_id: str, index: int) -> FrameFiles:
    return await powers.database.read(partial(frames.file, emoji_id=emoji_id, index=index))


async def _png(draw: Callable[[], NDArray[np.uint8]], width: int | None) -> Response:
    return Response(await asyncio.to_thread(_drawn, draw, width), media_type="image/png")


def _drawn(draw: Callable[[], NDArray[np.uint8]], width: int | None) -> bytes:
    picture = draw()
    if width is not None and width < picture.shape[1]:
        picture = _scaled(picture, width, max(1, round(picture.shape[0] * width / picture.shape[1])))
    return raster.png(picture)


def _scaled(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    if picture.ndim == 3 and picture.shape[2] == 4:
        return raster.resize(picture, width, height)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)

"""Refinement: what somebody points at on a frame, and what becomes of its mask."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from popcond.wire.base import Wire
from popcond.wire.stickers import Frame

Index = Annotated[int, Field(ge=0, le=1_000_000)]  # of a frame
Mode = Literal["replace", "add", "erase", "restore"]


class Point(Wire):
    """Where somebody pointed, in pixels of the frame; (0, 0) is the corner of the top left pixel."""

    x: float = Field(ge=0, le=100_000, allow_inf_nan=False)
    y: float = Field(ge=0, le=100_000, allow_inf_nan=False)
    label: Literal[0, 1] = 1  # 1: this belongs to the object; 0: this does not
    object: int = Field(default=0, ge=0, le=63)  # points of one number make one mask; the masks are united
    candidate: int | None = Field(default=None, ge=0, le=2)  # which reading of an object's first point; None: the best


class Predict(Wire):
    """The body of POST /v1/emojis/ID/sam/predict."""

    frame: Index
    points: tuple[Point, ...] = Field(min_length=1, max_length=128)


class Apply(Predict):
    """The body of POST /v1/emojis/ID/sam/apply."""

    mode: Mode = "replace"  # restore: what is pointed at looks again as it was cut at first


class Propagate(Wire):
    """The body of POST /v1/emojis/ID/sam/propagate."""

    frames: dict[Index, Annotated[tuple[Point, ...], Field(max_length=128)]] = Field(
        min_length=1, max_length=256
    )  # what is meant on these; without any point, the mask that the frame has
    range: tuple[Index, Index] | None = None  # the first and the last frame that get a new mask; None: all


class Embed(Wire):
    """The body of POST /v1/emojis/ID/sam/embed."""

    frames: Literal["all"] | tuple[int, ...] = "all"


class Embedding(Wire):
    """The answer to it: the frames are prepared from now on, the engine says with what."""

    frames: int
    engine: str


class Propagating(Wire):
    """The answer to a propagation: so many frames get a mask, all at once at its end."""

    frames: int
    engine: str


class Edited(Wire):
    """What an edit, or undoing or redoing one, has changed."""

    emoji_id: str
    frames: tuple[Frame, ...]  # as they are with it

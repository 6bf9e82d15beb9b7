"""Orders as they come in: every shape in which the service takes one, read into what the stand-in keeps of it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field

from popcond.video.dashscope_models import Shape, model_named
from popcond.video.dashscope_picture_models import PictureRow, PictureShape, picture_row

CLIP_PATHS = tuple(sorted({shape.path for shape in Shape}))
PICTURE_PATHS = tuple(shape.value for shape in PictureShape)

_FIXED = 5  # seconds of a clip whose order names no length


class NoSuchModel(ValueError):
    """It is not among those that are ordered there."""


@dataclass(frozen=True)
class Ordered:
    """What is to be made."""

    model: str
    prompt: str
    picture: bytes | None  # what it starts from; None: words only
    seconds: int = 0  # of a clip
    tier: int = 0  # lines of a clip
    side: int = 0  # pixels of a picture; 0: it is a clip


class _ClipInput(BaseModel):
    prompt: str = ""
    img_url: str | None = None
    first_frame_url: str | None = None
    media: tuple[dict[str, str], ...] = ()

    def picture(self) -> bytes:
        """The first frame, whichever way it came. Raises ValueError when none did."""
        frames = [item.get("url", "") for item in self.media if item.get("type") == "first_frame"]
        return _decoded(self.img_url or self.first_frame_url or next(iter(frames), ""))


class _ClipParameters(BaseModel):
    resolution: str = Field(default="1080P", pattern=r"^\d{3,4}P$")
    duration: int = Field(default=_FIXED, ge=1, le=60)


class _ClipOrder(BaseModel):
    model: str
    input: _ClipInput
    parameters: _ClipParameters = _ClipParameters()


class _Part(BaseModel):
    text: str = ""
    image: str | None = None


class _Message(BaseModel):
    content: tuple[_Part, ...]


class _PictureInput(BaseModel):
    prompt: str = ""
    images: tuple[str, ...] = ()
    messages: tuple[_Message, ...] = ()

    def words(self) -> str:
        """What is to be drawn, whichever way it is said."""
        return self.prompt or "".join(part.text for message in self.messages for part in message.content)

    def pictures(self) -> Sequence[bytes]:
        """What is shown. Raises ValueError for what is no picture."""
        parts = [part.image for message in self.messages for part in message.content if part.image is not None]
        return [_decoded(address) for address in (*self.images, *parts)]


class _PictureParameters(BaseModel):
    size: str
    n: Literal[1]  # whoever leaves it out would be billed for four


class _PictureOrder(BaseModel):
    model: str
    input: _PictureInput
    parameters: _PictureParameters


def clip_order(body: bytes, _path: str) -> Ordered:
    """An order of a clip. Raises ValueError, and NoSuchModel."""
    order = _ClipOrder.model_validate_json(body)
    if model_named(order.model) is None:
        raise NoSuchModel(order.model)
    given = order.parameters
    tier = int(given.resolution.removesuffix("P"))
    return Ordered(order.model, order.input.prompt, order.input.picture(), given.duration, tier)


def picture_order(body: bytes, path: str) -> Ordered:
    """An order of a picture. Raises ValueError, and NoSuchModel for one that is ordered elsewhere."""
    order = _PictureOrder.model_validate_json(body)
    row = picture_row(order.model)
    if row is None or row.shape.value != path:
        raise NoSuchModel(order.model)
    pictures = order.input.pictures()
    _refuse_odd(row, order, len(pictures))
    return Ordered(order.model, order.input.words(), pictures[-1] if pictures else None, side=row.side)


def _refuse_odd(row: PictureRow, order: _PictureOrder, count: int) -> None:
    if order.parameters.size != row.size or count not in row.references or not order.input.words().strip():
        raise ValueError("not as this model takes it")


def _decoded(address: str) -> bytes:
    head, _, data = address.partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64")):
        raise ValueError("not a picture")
    return base64.b64decode(data, validate=True)

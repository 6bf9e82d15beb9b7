"""What the daemon and the model's process say to each other, and how it goes through a pipe.

A message is a frame: two lengths, a JSON head, then the rasters that the head tells the shapes of, one after the other.
Nothing is ever unpickled, so a process that went wrong can only be wrong about masks. Masks travel as bits.
"""

from __future__ import annotations

import asyncio
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from popcond import errors
from popcond.errors import PopconError
from popcond.media.raster import Alpha

Raster = NDArray[np.uint8]

_LENGTHS = struct.Struct("<II")  # bytes of the head and of the rasters
_LONGEST_HEAD = 16 << 20
_LONGEST_BODY = 1 << 30


class _Note(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class StillNote(_Note):
    """A Still; its pixels are in a file, or among the rasters."""

    key: str
    path: str | None = None
    raster: int | None = None


class PointNote(_Note):
    """A Point."""

    x: float
    y: float
    is_foreground: bool
    object: int
    candidate: int | None


class PromptNote(_Note):
    """A Prompt; its mask is among the rasters."""

    points: tuple[PointNote, ...]
    raster: int | None = None


# ------------------------------------------------------------------ to the process


class Begin(_Note):
    """First of all: what to load, and what may be used."""

    kind: Literal["begin"] = "begin"
    weights: str  # a path
    architecture: str | None  # what the file is expected to hold
    cache: str  # the folder of embeddings
    device: str | None
    input_size: int | None
    threads: int
    memory: int  # bytes of embeddings in memory
    disk: int  # bytes of embeddings on disk


class Embed(_Note):
    """Make these embeddings."""

    kind: Literal["embed"] = "embed"
    id: int
    stills: tuple[StillNote, ...]
    urgency: int


class Mask(_Note):
    """Say what is meant by a prompt."""

    kind: Literal["mask"] = "mask"
    id: int
    still: StillNote
    prompt: PromptNote
    urgency: int


class Track(_Note):
    """Follow what is prompted through these stills."""

    kind: Literal["track"] = "track"
    id: int
    stills: tuple[StillNote, ...]
    prompts: dict[int, PromptNote]


class Cancel(_Note):
    """Nobody waits for this any more."""

    kind: Literal["cancel"] = "cancel"
    id: int


Request = Annotated[Begin | Embed | Mask | Track | Cancel, Field(discriminator="kind")]

# ------------------------------------------------------------------ from the process


class Ready(_Note):
    """The model is loaded."""

    kind: Literal["ready"] = "ready"
    name: str
    device: str
    input_size: int
    precision: str


class Masked(_Note):
    """The answer to Mask; rasters: the bits of the mask, then those of the candidates."""

    kind: Literal["masked"] = "masked"
    id: int
    height: int
    width: int
    score: float
    candidates: tuple[float, ...]  # their scores


class Followed(_Note):
    """One frame of a Track; raster: the bits of its mask."""

    kind: Literal["followed"] = "followed"
    id: int
    index: int
    height: int
    width: int
    score: float


class Beat(_Note):
    """A step of an Embed or of a Track was done: the process is alive."""

    kind: Literal["beat"] = "beat"
    id: int


class Done(_Note):
    """All of an Embed or of a Track was done."""

    kind: Literal["done"] = "done"
    id: int


class Refused(_Note):
    """A request ended in an error; without an id it is the loading that did, and the process ends."""

    kind: Literal["refused"] = "refused"
    id: int | None
    error: str  # the name of one of our errors
    code: str
    message: str
    cure: str | None


Reply = Annotated[Ready | Masked | Followed | Beat | Done | Refused, Field(discriminator="kind")]

_REQUESTS: TypeAdapter[Request] = TypeAdapter(Request)
_REPLIES: TypeAdapter[Reply] = TypeAdapter(Reply)


# ------------------------------------------------------------------ frames


@dataclass(frozen=True)
class Received:
    """A message's head as it came, and its rasters."""

    head: bytes
    rasters: tuple[Raster, ...]

    def request(self) -> Request:
        """The same, for the process. Raises ValueError for what is none."""
        return _REQUESTS.validate_json(self.head)

    def reply(self) -> Reply:
        """The same, for the daemon. Raises ValueError for what is none."""
        return _REPLIES.validate_json(self.head)


class _Envelope(_Note):
    shapes: tuple[tuple[int, ...], ...]


def packed(note: Request | Reply, rasters: Sequence[Raster] = ()) -> list[bytes | memoryview]:
    """The parts of a frame, to be written one after the other."""
    shapes = _Envelope(shapes=tuple(raster.shape for raster in rasters)).model_dump_json().encode()
    head = shapes + b"\n" + note.model_dump_json().encode()
    bodies = [np.ascontiguousarray(raster).data.cast("B") for raster in rasters if raster.size]
    size = sum(len(body) for body in bodies)
    if len(head) > _LONGEST_HEAD or size > _LONGEST_BODY:
        raise errors.TooLarge("This is too much for one request.", cure="Ask about fewer frames at once.")
    return [_LENGTHS.pack(len(head), size), head, *bodies]


def read_from(file: BinaryIO) -> Received | None:
    """The next message of a blocking pipe; None at its end. Raises ValueError for what is none."""
    start = file.read(_LENGTHS.size)
    if len(start) < _LENGTHS.size:
        return None
    head, body = _sizes(start)
    both = file.read(head + body)
    return _parsed(both[:head], both[head:]) if len(both) == head + body else None


async def receive(reader: asyncio.StreamReader) -> Received:
    """The next message, on the loop. Raises EOFError at the end, ValueError for what is none."""
    head, body = _sizes(await reader.readexactly(_LENGTHS.size))
    return _parsed(await reader.readexactly(head), await reader.readexactly(body) if body else b"")


def _sizes(start: bytes) -> tuple[int, int]:
    head, body = _LENGTHS.unpack(start)
    if head > _LONGEST_HEAD or body > _LONGEST_BODY:
        raise ValueError("a message of the model's process is too long")
    return head, body


def _parsed(head: bytes, body: bytes) -> Received:
    envelope, _, note = head.partition(b"\n")
    rasters, start = [], 0
    for shape in _Envelope.model_validate_json(envelope).shapes:
        end = start + math.prod(shape)
        rasters.append(np.frombuffer(body[start:end], np.uint8).reshape(shape))
        start = end
    return Received(note, tuple(rasters))


def bits(mask: Alpha) -> Raster:
    """A mask of 0 and 255 as bits."""
    return np.packbits(mask > 0)


def from_bits(raster: Raster, height: int, width: int) -> Alpha:
    """The mask (H, W), 0 or 255, again."""
    return np.unpackbits(raster, count=height * width).reshape(height, width) * np.uint8(255)


# ------------------------------------------------------------------ errors


def refusal(id_: int | None, error: PopconError) -> Refused:
    """An error, as it crosses the pipe."""
    return Refused(id=id_, error=type(error).__name__, code=error.code, message=error.message, cure=error.cure)


def as_error(refused: Refused) -> PopconError:
    """The error again, of the class that it had."""
    kind = getattr(errors, refused.error, PopconError)
    if not (isinstance(kind, type) and issubclass(kind, PopconError)):
        kind = PopconError
    return kind(refused.message, cure=refused.cure, code=refused.code)

"""What a sticker's file says about itself, read byte by byte and without trusting whoever wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from popcond.wire import StickerFormat


class Colours(StrEnum):
    """How a file stores its pixels."""

    GREY = "greyscale"
    GREY_ALPHA = "greyscale with alpha"
    RGB = "true colour without alpha"
    RGBA = "true colour with alpha"
    PALETTE = "palette"


@dataclass(frozen=True)
class Flaw:
    """Something that is wrong with the file's structure."""

    rule: str  # the name of the rule that it breaks
    sentence: str


@dataclass(frozen=True)
class FileFacts:
    """The facts of one animation (or still), and whether its structure holds."""

    format: StickerFormat | None  # None: no animation that we know
    width: int = 0
    height: int = 0
    delays: tuple[Fraction, ...] = ()  # seconds, one a frame; empty for a still
    plays: int | None = None  # 0: for ever; None: the file does not say
    colours: Colours | None = None
    bit_depth: int = 8
    interlaced: bool = False
    dpi: float | None = None  # None: the file does not say
    flaws: tuple[Flaw, ...] = ()

    @property
    def seconds(self) -> Fraction:
        """The exact length of one loop."""
        return sum(self.delays, Fraction())

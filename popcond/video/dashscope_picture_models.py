"""What DashScope draws with: its text-to-image and image-to-image models, as rows of data.

Prices are list prices of one picture. Models that only answer at once, such as qwen-image, are left out: an answer that
is lost on its way is then a picture that was paid for and lost, since no list ever names it.

Source: Alibaba's table of mid 2026, whose prices for Singapore are in yuan; in dollars as its pages for other countries
and LiteLLM's price map name them. Sizes and lengths of prompts: Alibaba's API pages. Looked up in November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from popcond.video.dashscope_models import Region
from popcond.video.pace import Limits
from popcond.wire import PictureModel


class PictureShape(StrEnum):
    """How an order carries words and pictures; the value is where it is sent to, below the base URL."""

    MESSAGES = "/services/aigc/image-generation/generation"  # one message of words and pictures
    WORDS = "/services/aigc/text2image/image-synthesis"  # input.prompt
    EDIT = "/services/aigc/image2image/image-synthesis"  # input.prompt and input.images


@dataclass(frozen=True)
class PictureRow:
    """One model that draws."""

    name: str
    label: str
    shape: PictureShape
    prices: Mapping[Region, float]  # of one picture
    longest_prompt: int  # characters; the service cuts longer ones without a word
    limits: Limits  # orders in a second, and tasks in progress: the smallest of all regions
    size: str  # the smallest square of about 1024 pixels or more, as the model wants it named
    side: int  # the same in pixels
    references: range = range(1)  # numbers of pictures that it can be shown
    rewrites: bool = True  # the service rewrites prompts unless it is told not to
    more: Mapping[str, Any] = field(default_factory=dict)  # what else has a default over there
    is_legacy: bool = False
    note: str = ""  # for a person

    def on_the_wire(self, region: Region) -> PictureModel:
        """The same, as clients see it."""
        return PictureModel(
            name=self.name,
            label=self.label,
            least_references=self.references.start,
            most_references=self.references.stop - 1,
            size=self.size,
            price=self.prices[region],
            currency=region.currency,
            is_legacy=self.is_legacy,
            note=self.note,
        )


_SLOW, _QUICK = Limits(per_second=2, at_once=2), Limits(per_second=5, at_once=5)
_TWENTY_FEN = {Region.CHINA: 0.20, Region.INTERNATIONAL: 0.03}

PICTURE_MODELS = (
    PictureRow(
        name="wan2.7-image",
        label="Wan 2.7 Image",
        shape=PictureShape.MESSAGES,
        prices=_TWENTY_FEN,
        longest_prompt=5000,
        limits=_QUICK,
        size="1K",
        side=1024,
        references=range(10),
        rewrites=False,
    ),
    PictureRow(
        name="wan2.7-image-pro",
        label="Wan 2.7 Image Pro",
        shape=PictureShape.MESSAGES,
        prices={Region.CHINA: 0.50, Region.INTERNATIONAL: 0.075},
        longest_prompt=5000,
        limits=_QUICK,
        size="1K",
        side=1024,
        references=range(10),
        rewrites=False,
    ),
    PictureRow(
        name="wan2.6-image",
        label="Wan 2.6 Image",
        shape=PictureShape.MESSAGES,
        prices=_TWENTY_FEN,
        longest_prompt=2000,
        limits=_QUICK,
        size="1K",
        side=1024,
        references=range(1, 5),
        more={"enable_interleave": False},  # text between the pictures
        is_legacy=True,
        note="Draws after a picture only, not from words alone.",
    ),
    PictureRow(
        name="wan2.6-t2i",
        label="Wan 2.6, words only",
        shape=PictureShape.MESSAGES,
        prices=_TWENTY_FEN,
        longest_prompt=2000,
        limits=Limits(per_second=1, at_once=5),  # of Beijing; Singapore allows five a second
        size="1280*1280",
        side=1280,
        is_legacy=True,
    ),
    PictureRow(
        name="wan2.5-t2i-preview",
        label="Wan 2.5, words only",
        shape=PictureShape.WORDS,
        prices=_TWENTY_FEN,
        longest_prompt=2000,
        limits=_QUICK,
        size="1280*1280",
        side=1280,
        is_legacy=True,
    ),
    PictureRow(
        name="wan2.5-i2i-preview",
        label="Wan 2.5 Edit",
        shape=PictureShape.EDIT,
        prices=_TWENTY_FEN,
        longest_prompt=2000,
        limits=_QUICK,
        size="1024*1024",
        side=1024,
        references=range(1, 4),
        is_legacy=True,
        note="Draws after a picture only, not from words alone.",
    ),
    PictureRow(
        name="wan2.2-t2i-flash",
        label="Wan 2.2 Flash, words only",
        shape=PictureShape.WORDS,
        prices={Region.CHINA: 0.14, Region.INTERNATIONAL: 0.025},
        longest_prompt=800,
        limits=_SLOW,
        size="1024*1024",
        side=1024,
        is_legacy=True,
    ),
    PictureRow(
        name="wan2.2-t2i-plus",
        label="Wan 2.2 Plus, words only",
        shape=PictureShape.WORDS,
        prices={Region.CHINA: 0.20, Region.INTERNATIONAL: 0.05},
        longest_prompt=800,
        limits=_SLOW,
        size="1024*1024",
        side=1024,
        is_legacy=True,
    ),
)


def picture_row(name: str) -> PictureRow | None:
    """The row of that name."""
    return next((row for row in PICTURE_MODELS if row.name == name), None)


def pictures_on_sale(region: Region) -> tuple[PictureRow, ...]:
    """What may be ordered there; the first is the default."""
    return tuple(row for row in PICTURE_MODELS if region in row.prices)

"""What DashScope sells: its image-to-video models, regions and prices, as rows of data.

Prices are list prices of Alibaba's table of mid 2026, for an output second of a clip as we order it: silent wherever
there is a choice. The service itself names no sums. A key, its tasks and its prices belong to one region.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import httpx

from popcond.wire import ProviderModel

BEIJING_URL = "https://dashscope.aliyuncs.com/api/v1"
SINGAPORE_URL = "https://dashscope-intl.aliyuncs.com/api/v1"

_SIDES = {480: 640, 720: 960, 1080: 1440}  # pixels of a square of a tier's area, in steps of 16


class Region(StrEnum):
    """Where a price list holds; the value is its currency."""

    CHINA = "CNY"
    INTERNATIONAL = "USD"


@dataclass(frozen=True)
class Model:
    """One image-to-video model."""

    name: str
    label: str
    seconds: tuple[int, ...]  # clip lengths on offer
    prices: Mapping[Region, Mapping[int, float]]  # by tier (lines of the picture), for a second
    longest_prompt: int  # characters; the service cuts longer ones without a word
    has_duration: bool = True  # false: the length is fixed and not named in an order
    has_audio_switch: bool = False

    def tier(self, region: Region) -> int:
        """The smallest size on offer, which is larger than any sticker."""
        return min(self.prices[region])

    def side(self, region: Region) -> int:
        """Pixels of a square start picture in that size."""
        return _SIDES[self.tier(region)]

    def length(self, seconds: float) -> int | None:
        """The shortest clip on offer that lasts at least this long."""
        return min((length for length in self.seconds if length >= seconds), default=None)

    def on_the_wire(self, region: Region) -> ProviderModel:
        """The same, as clients see it."""
        tier = self.tier(region)
        return ProviderModel(
            name=self.name,
            label=self.label,
            seconds=self.seconds,
            closes_loops=False,
            price_per_second=self.prices[region][tier],
            currency=region.value,
            resolution=f"{tier}P",
        )


MODELS = (
    Model(
        name="wan2.2-i2v-flash",
        label="Wan 2.2 Flash",
        seconds=(5,),
        prices={
            Region.CHINA: {480: 0.10, 720: 0.20, 1080: 0.48},
            Region.INTERNATIONAL: {480: 0.015, 720: 0.036},
        },
        longest_prompt=800,
        has_duration=False,
    ),
    Model(
        name="wan2.2-i2v-plus",
        label="Wan 2.2 Plus",
        seconds=(5,),
        prices={Region.CHINA: {480: 0.14, 1080: 0.70}, Region.INTERNATIONAL: {480: 0.02, 1080: 0.10}},
        longest_prompt=800,
        has_duration=False,
    ),
    Model(
        name="wan2.6-i2v-flash",
        label="Wan 2.6 Flash, silent",
        seconds=tuple(range(2, 16)),
        prices={Region.CHINA: {720: 0.15, 1080: 0.25}, Region.INTERNATIONAL: {720: 0.025, 1080: 0.0375}},
        longest_prompt=1500,
        has_audio_switch=True,
    ),
    Model(
        name="wan2.5-i2v-preview",
        label="Wan 2.5",
        seconds=(5, 10),
        prices={
            Region.CHINA: {480: 0.3, 720: 0.6, 1080: 1.0},
            Region.INTERNATIONAL: {480: 0.05, 720: 0.10, 1080: 0.15},
        },
        longest_prompt=1500,
    ),
    Model(
        name="wan2.6-i2v",
        label="Wan 2.6",
        seconds=tuple(range(2, 16)),
        prices={Region.CHINA: {720: 0.6, 1080: 1.0}, Region.INTERNATIONAL: {720: 0.10, 1080: 0.15}},
        longest_prompt=1500,
    ),
)


def model_named(name: str) -> Model | None:
    """The row of that name."""
    return next((model for model in MODELS if model.name == name), None)


def region_of(base_url: str) -> Region:
    """Whose price list holds at this address; places without a list of their own are reckoned as international."""
    host = httpx.URL(base_url).host
    chinese = host in ("dashscope.aliyuncs.com", "127.0.0.1") or ".cn-beijing." in host
    return Region.CHINA if chinese else Region.INTERNATIONAL

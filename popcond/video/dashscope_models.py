"""What DashScope sells: its image-to-video models, regions and prices, as rows of data.

Prices are list prices for an output second of a clip as we order it: silent wherever there is a choice. The service
itself names no sums. Limits are those of one account over all its keys. A key, its tasks and its prices belong to one
region; a model without prices there is not offered there.

Source: Alibaba's table of mid 2026; prices of 2.7, 3.0 and HappyHorse from LiteLLM's price map; looked up in November
2026. Virginia sells what is called `-us` there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import httpx

from popcond.video.pace import Limits
from popcond.wire import ProviderModel

BEIJING_URL = "https://dashscope.aliyuncs.com/api/v1"
SINGAPORE_URL = "https://dashscope-intl.aliyuncs.com/api/v1"

_SIDES = {480: 640, 720: 960, 1080: 1440}  # pixels of a square of a tier's area, in steps of 16


class Region(StrEnum):
    """Where a price list holds."""

    CHINA = "CNY"
    INTERNATIONAL = "USD"
    VIRGINIA = "USD-us"

    @property
    def currency(self) -> str:
        """In which prices are there."""
        return self.value.partition("-")[0]


class Shape(StrEnum):
    """How an order carries its pictures; the value is where it is sent to."""

    IMAGE = "/services/aigc/video-generation/video-synthesis"  # input.img_url
    FRAMES = "/services/aigc/image2video/video-synthesis"  # input.first_frame_url and last_frame_url
    MEDIA = "/services/aigc/video-generation/video-synthesis#media"  # input.media, a list of typed pictures

    @property
    def path(self) -> str:
        """Below the base URL."""
        return self.value.partition("#")[0]


class Sound(StrEnum):
    """Whether its clips have any."""

    NONE = "none"
    CHOICE = "choice"  # an order says that it wants none
    ALWAYS = "always"


@dataclass(frozen=True)
class Model:
    """One image-to-video model."""

    name: str
    label: str
    shape: Shape
    seconds: tuple[int, ...]  # clip lengths on offer
    prices: Mapping[Region, Mapping[int, float]]  # by tier (lines of the picture), for a second
    longest_prompt: int  # characters; the service cuts longer ones without a word
    limits: Limits  # orders in a second, and tasks in progress
    sound: Sound = Sound.NONE
    has_duration: bool = True  # false: the length is fixed and not named in an order
    takes_last_frame: bool = False
    takes_negative: bool = True  # false: what is not wanted cannot be said
    has_ratio: bool = False  # the shape of the picture is named in an order
    rewrites: bool = True  # the service rewrites prompts unless it is told not to
    is_legacy: bool = False
    is_retired: bool = False  # no longer sold; what was bought is still understood
    note: str = ""  # for a person

    def tier(self, region: Region) -> int:
        """The smallest size on offer, which is larger than any sticker."""
        return min(self.prices[region])

    def length(self, seconds: float) -> int | None:
        """The shortest clip on offer that lasts at least this long."""
        return min((length for length in self.seconds if length >= seconds), default=None)

    def on_the_wire(self, region: Region) -> ProviderModel:
        """The same, as clients see it."""
        prices, tier = self.prices[region], self.tier(region)
        return ProviderModel(
            name=self.name,
            label=self.label,
            seconds=self.seconds,
            closes_loops=self.takes_last_frame,
            price_per_second=prices[tier],
            currency=region.currency,
            resolution=size_of(tier),
            sizes={size_of(lines): prices[lines] for lines in sorted(prices)},
            is_legacy=self.is_legacy,
            note=self.note,
        )


_SLOW, _QUICK = Limits(per_second=2, at_once=2), Limits(per_second=5, at_once=5)
_TWO_TO_FIFTEEN = tuple(range(2, 16))
_LIKE_27 = {
    Region.CHINA: {720: 0.6, 1080: 1.0},
    Region.INTERNATIONAL: {720: 0.10, 1080: 0.15},
}

MODELS = (
    Model(
        name="wan2.2-i2v-flash",
        label="Wan 2.2 Flash",
        shape=Shape.IMAGE,
        seconds=(5,),
        prices={
            Region.CHINA: {480: 0.10, 720: 0.20, 1080: 0.48},
            Region.INTERNATIONAL: {480: 0.015, 720: 0.036},
        },
        longest_prompt=800,
        limits=_SLOW,  # no row of Singapore is published
        has_duration=False,
        is_legacy=True,
    ),
    Model(
        name="wan2.2-kf2v-flash",
        label="Wan 2.2 Flash, first and last frame",
        shape=Shape.FRAMES,
        seconds=(5,),
        prices={Region.CHINA: {480: 0.10, 720: 0.20, 1080: 0.48}},  # sources conflict on Singapore
        longest_prompt=800,
        limits=_SLOW,
        has_duration=False,
        takes_last_frame=True,
        is_legacy=True,
    ),
    Model(
        name="wan2.2-i2v-plus",
        label="Wan 2.2 Plus",
        shape=Shape.IMAGE,
        seconds=(5,),
        prices={Region.CHINA: {480: 0.14, 1080: 0.70}, Region.INTERNATIONAL: {480: 0.02, 1080: 0.10}},
        longest_prompt=800,
        limits=_SLOW,
        has_duration=False,
        is_legacy=True,
    ),
    Model(
        name="wan2.6-i2v-flash",
        label="Wan 2.6 Flash, silent",
        shape=Shape.IMAGE,
        seconds=_TWO_TO_FIFTEEN,
        prices={Region.CHINA: {720: 0.15, 1080: 0.25}, Region.INTERNATIONAL: {720: 0.025, 1080: 0.0375}},
        longest_prompt=1500,
        limits=_QUICK,
        sound=Sound.CHOICE,
        is_legacy=True,
    ),
    Model(
        name="wan3.0-video",
        label="Wan 3.0",
        shape=Shape.MEDIA,
        seconds=tuple(range(2, 31)),
        prices={
            Region.CHINA: {480: 0.3, 720: 0.6, 1080: 1.2},
            Region.INTERNATIONAL: {480: 0.05, 720: 0.10, 1080: 0.20},
        },
        longest_prompt=20_000,
        limits=_SLOW,  # unpublished: the smallest of its family
        sound=Sound.CHOICE,
        takes_last_frame=True,
        takes_negative=False,
        has_ratio=True,
    ),
    Model(
        name="wan2.7-i2v",
        label="Wan 2.7",
        shape=Shape.MEDIA,
        seconds=_TWO_TO_FIFTEEN,
        prices=_LIKE_27,
        longest_prompt=5000,
        limits=_QUICK,
        sound=Sound.ALWAYS,
        takes_last_frame=True,
    ),
    Model(
        name="wan3.0-video-prime",
        label="Wan 3.0 Prime",
        shape=Shape.MEDIA,
        seconds=tuple(range(2, 31)),
        prices={Region.INTERNATIONAL: {480: 0.068, 720: 0.14, 1080: 0.28}},  # in yuan its price is not established
        longest_prompt=20_000,
        limits=_SLOW,  # unpublished
        sound=Sound.CHOICE,
        takes_last_frame=True,
        takes_negative=False,
        has_ratio=True,
    ),
    Model(
        name="wan2.5-i2v-preview",
        label="Wan 2.5",
        shape=Shape.IMAGE,
        seconds=(5, 10),
        prices={
            Region.CHINA: {480: 0.3, 720: 0.6, 1080: 1.0},
            Region.INTERNATIONAL: {480: 0.05, 720: 0.10, 1080: 0.15},
        },
        longest_prompt=1500,
        limits=_QUICK,
        sound=Sound.ALWAYS,
        is_legacy=True,
    ),
    Model(
        name="wan2.6-i2v",
        label="Wan 2.6",
        shape=Shape.IMAGE,
        seconds=_TWO_TO_FIFTEEN,
        prices=_LIKE_27,
        longest_prompt=1500,
        limits=_QUICK,
        sound=Sound.ALWAYS,
        is_legacy=True,
        note="One seller lists it as ended in October 2026.",
    ),
    Model(
        name="wan2.6-i2v-us",
        label="Wan 2.6, United States",
        shape=Shape.IMAGE,
        seconds=(5, 10, 15),
        prices={Region.VIRGINIA: {720: 0.10, 1080: 0.15}},
        longest_prompt=1500,
        limits=_QUICK,
        sound=Sound.ALWAYS,
        is_legacy=True,
        note="Its price in Virginia is not established; reckoned as Singapore's for wan2.6-i2v.",
    ),
    Model(
        name="happyhorse-1.1-i2v",
        label="HappyHorse 1.1",
        shape=Shape.MEDIA,
        seconds=tuple(range(3, 16)),
        prices={  # one source knows 480P as well
            Region.CHINA: {720: 0.9, 1080: 1.2},
            Region.INTERNATIONAL: {720: 0.14, 1080: 0.18},
        },
        longest_prompt=2500,  # Chinese characters; twice as many others
        limits=Limits(per_second=10, at_once=5),
        sound=Sound.ALWAYS,
        takes_negative=False,
        rewrites=False,
        note="It is ordered as its predecessor 1.0 is known to be; whether it differs is not established.",
    ),
)


def model_named(name: str) -> Model | None:
    """The row of that name, whatever size is asked for behind it."""
    bare = name.partition("@")[0]
    return next((model for model in MODELS if model.name == bare), None)


def on_sale(region: Region) -> tuple[Model, ...]:
    """What may be ordered there; the first is the default."""
    return tuple(model for model in MODELS if region in model.prices and not model.is_retired)


def tier_named(name: str, model: Model, region: Region) -> int | None:
    """The size that is asked for behind the model's name, or the smallest; None for one that is not sold."""
    _, at, size = name.partition("@")
    if not at:
        return model.tier(region)
    return next((tier for tier in model.prices[region] if size_of(tier) == size.upper()), None)


def size_of(tier: int) -> str:
    """A tier in the service's word."""
    return f"{tier}P"


def side_of(tier: int) -> int:
    """Pixels of a square picture in that size."""
    return _SIDES[tier]


def has_side(tier: int) -> bool:
    """Whether it is a size that we know."""
    return tier in _SIDES


def region_of(base_url: str) -> Region:
    """Whose price list holds at this address; places without a list of their own are reckoned as international."""
    host = httpx.URL(base_url).host
    if host == "dashscope-us.aliyuncs.com" or ".us-east-1." in host:
        return Region.VIRGINIA
    chinese = host in ("dashscope.aliyuncs.com", "127.0.0.1") or ".cn-beijing." in host
    return Region.CHINA if chinese else Region.INTERNATIONAL

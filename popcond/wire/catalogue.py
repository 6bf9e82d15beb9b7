"""What there is to choose from: actions, targets, providers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import Field

from popcond.wire.base import Wire


class LoopKind(StrEnum):
    """How an action closes its loop."""

    CYCLE = "cycle"  # the motion itself repeats: wave, run, dance
    RETURN = "return"  # out, hold, and back to the starting pose: bow, jump


class Action(Wire):
    """What the character does. Where the body begins, its motion and the effects around it are three prompts."""

    name: str  # [a-z0-9-]+, the word users type
    label: str  # the word people read
    pose_prompt: str = ""  # how the body stands at the first moment, where the motion begins and returns to
    motion_prompt: str  # body mechanics: which limb, how far, how fast, and the way back
    effect_prompt: str = ""  # tears, hearts, sparkles …; never part of the body
    loop: LoopKind = LoopKind.RETURN
    poster: float = Field(default=0.5, ge=0.0, lt=1.0)  # where in the loop the most expressive frame is, 0..1
    performance: str  # which of the offline animator's performances plays it
    tags: tuple[str, ...] = ()
    origin: Literal["built-in", "user"] = "built-in"


class StickerFormat(StrEnum):
    """A file format of stickers."""

    APNG = "apng"
    GIF = "gif"
    WEBP = "webp"
    WEBM = "webm"


class ExtraPicture(Wire):
    """A still that a store wants beside the stickers, such as LINE's tab image."""

    file_name: str
    width: int
    height: int
    animated: bool = False  # true: an animation under the same rules as the stickers; false: one still


class Target(Wire):
    """A destination's rules as data. Every limit is checked on the final bytes."""

    name: str
    label: str
    format: StickerFormat
    width: int  # pixels; the canvas, or its largest width when `exact_canvas` is false
    height: int
    exact_canvas: bool = True  # false: the picture fits within width × height, keeping its shape
    min_longer_side: int | None = None  # pixels; at least one side is this long, so small pictures are enlarged
    even_sizes: bool = False  # width and height must be even
    max_bytes: int | None = None  # of one sticker
    advised_bytes: int | None = None  # a lower limit that some of the store's pages name; advice only
    min_frames: int = 1
    max_frames: int | None = None
    loop_seconds: tuple[int, ...] | None = None  # one loop lasts exactly one of these; None: any length
    max_seconds: float | None = None  # loop × plays where plays are counted, else one loop
    max_fps: float = 30.0
    plays: tuple[int, ...] = (
        0,
    )  # allowed numbers of plays; 0 is for ever; the most that `max_seconds` allows is taken
    allows_palette: bool = True  # false: pixels must be true colour with alpha, never indices into a palette
    needs_transparency: bool = False  # the corners must be empty
    dpi: int | None = None  # dots per inch that the file must state at least
    shows_first_frame: bool = False  # the store shows the first frame as a still, and playback rests on the last
    min_stickers: int = 1  # in one pack
    max_stickers: int | None = None
    set_sizes: tuple[int, ...] | None = None  # a set has exactly one of these numbers of stickers
    file_name: str  # a template with {number} (from 1), {action} and {name}
    extra_pictures: tuple[ExtraPicture, ...] = ()
    max_bundle_bytes: int | None = None
    official: bool = False  # the rule's source is the platform's own page or code
    source: str = ""
    source_date: str = ""
    notes: tuple[str, ...] = ()  # what the store says about AI pictures, doubts, advice


class ProviderModel(Wire):
    """One model of a provider, with what it costs and can do."""

    name: str
    label: str
    seconds: tuple[float, ...]  # clip lengths on offer
    closes_loops: bool  # the clip's end meets its beginning exactly
    price_per_second: float = 0.0
    currency: str = "USD"
    resolution: str | None = None  # the size that the price is for, in the provider's word
    sizes: Mapping[str, float] = Field(
        default={}
    )  # price per second of every size on offer; NAME@SIZE orders one of them
    is_legacy: bool = False  # its maker has announced that newer ones replace it
    note: str = ""  # what a person should know before choosing it


class PictureModel(Wire):
    """One model of a provider that draws pictures: characters from words, and start poses."""

    name: str
    label: str
    least_references: int = 0  # pictures that it must be shown
    most_references: int  # pictures that it can be shown; 0: words only
    size: str | None = None  # of its pictures, in the provider's word
    price: float = 0.0  # of one picture
    currency: str = "USD"
    is_legacy: bool = False  # its maker has announced that newer ones replace it
    note: str = ""  # what a person should know before choosing it


class Provider(Wire):
    """Somebody who makes clips."""

    name: str
    label: str
    models: tuple[ProviderModel, ...]
    picture_models: tuple[PictureModel, ...] = ()  # none: it draws neither characters nor poses
    needs_key: bool
    has_key: bool
    needs_network: bool
    region: str | None = None  # whose prices are told


class Version(Wire):
    """GET /v1/version."""

    version: str
    api: dict[str, int]  # "min" and "max": the API versions that the daemon speaks
    features: tuple[str, ...]
    schema_name: str | None = Field(default=None, alias="schema")  # the newest step of the database's schema

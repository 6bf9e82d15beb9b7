"""Characters, packs, emojis and their takes, and the orders that change them."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from popcond.wire.base import Name, Problem, Wire


class Stage(StrEnum):
    """The steps of one emoji, in their order."""

    POSE = "pose"  # a start pose is drawn for the action (cloud providers)
    ANIMATE = "animate"  # a provider makes a clip
    SLICE = "slice"  # the clip becomes numbered frames
    SEGMENT = "segment"  # every frame gets its first mask
    REFINE = "refine"  # a person looks; there is no job for this
    ENCODE = "encode"  # cut-outs become stickers


class Status(StrEnum):
    """Where an emoji stands, as a person says it."""

    QUEUED = "queued"
    GENERATING_POSE = "generating_pose"
    AWAITING_APPROVAL = "awaiting_approval"
    GENERATING_VIDEO = "generating_video"
    EXTRACTING_FRAMES = "extracting_frames"
    SEGMENTING = "segmenting"
    AWAITING_REFINEMENT = "awaiting_refinement"  # counts as generated in every progress figure
    ENCODING = "encoding"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """True when no job will change it any more by itself."""
        return self in (Status.DONE, Status.FAILED, Status.CANCELLED)


class RemoveBackground(StrEnum):
    """Whether the picture's background goes."""

    AUTO = "auto"  # when it is flat enough to be told apart, or the picture has alpha already
    ALWAYS = "always"
    NEVER = "never"


class Character(Wire):
    """One picture of somebody, kept untouched, and its clean cut-out."""

    id: str
    name: str
    status: Literal["ready", "drawing", "failed"] = "ready"
    width: int  # of the picture, pixels, upright
    height: int
    remove_background: RemoveBackground
    background: Literal["alpha", "keyed", "kept"]  # what was found: its own alpha, a keyed backdrop, or nothing removed
    coverage: float  # share of the picture that the character fills, 0..1
    notes: tuple[str, ...] = ()  # what a person should know about the cut-out
    problem: Problem | None = None
    created: float  # seconds since the epoch


class NewPack(Wire):
    """The body of POST /v1/packs and of POST /v1/quotes."""

    name: Name = "Pack"
    character_id: str
    actions: tuple[str, ...] = Field(max_length=200)
    provider: str = "puppet"
    model: str | None = None
    targets: tuple[str, ...] = ()
    auto_accept: bool = False
    approve_poses: bool = False  # for providers that draw poses
    max_spend: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)  # in the provider's currency
    awaits_clips: bool = False  # true: nothing is generated, each emoji waits for the user's own clip


class NewEmojis(Wire):
    """The body of POST /v1/packs/ID/emojis."""

    actions: tuple[str, ...] = Field(min_length=1, max_length=200)


class PackChanges(Wire):
    """The body of PATCH /v1/packs/ID; what is null stays."""

    name: Name | None = None
    targets: tuple[str, ...] | None = None
    auto_accept: bool | None = None
    max_spend: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)  # in the provider's currency


class Retry(Wire):
    """The body of POST /v1/emojis/ID/retry."""

    motion_prompt: str | None = Field(default=None, max_length=4000)
    from_stage: Stage | None = None


class ChooseTake(Wire):
    """The body of POST /v1/emojis/ID/choose-take."""

    take_id: str


class Take(Wire):
    """One generated or imported clip of an emoji."""

    id: str
    provider: str  # a provider's name, or "clip-file" for the user's own
    model: str | None = None
    motion_prompt: str = ""
    seconds: float | None = None
    created: float


class Emoji(Wire):
    """One character doing one action in a pack: the unit of progress, failure, retry and refinement."""

    id: str
    pack_id: str
    action: str
    number: int  # its place in the pack, from 1
    status: Status
    stage: Stage
    progress: float = Field(ge=0.0, le=1.0)  # of the whole emoji
    problem: Problem | None = None
    frame_count: int = 0
    fps: float = 0.0  # mean frames per second
    width: int = 0
    height: int = 0
    motion_prompt: str = ""
    takes: tuple[Take, ...] = ()
    chosen_take: str | None = None
    spend: float = 0.0
    priority: int = 0  # -100..100; the higher goes first
    notes: tuple[str, ...] = ()  # what a person should know, such as "only the first 10 s were used"
    created: float
    updated: float


class Pack(Wire):
    """A named, ordered collection of emojis of one character."""

    id: str
    name: str
    character_id: str
    provider: str
    model: str | None = None
    targets: tuple[str, ...]
    auto_accept: bool
    max_spend: float | None = None  # the most that may be spent on it; None: what the settings allow
    awaits_clips: bool = False  # its emojis wait for the user's own clips
    emojis: tuple[Emoji, ...]
    created: float

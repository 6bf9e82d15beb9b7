"""Packs, emojis, their poses and takes, and the orders that change them."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from popcond.wire.base import Name, Problem, Wire
from popcond.wire.characters import Words


class Stage(StrEnum):
    """The steps of one emoji, in their order; and DRAW, a character's only one."""

    DRAW = "draw"  # a character is drawn from words; no emoji is ever there
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


class NewPack(Wire):
    """The body of POST /v1/packs and of POST /v1/quotes."""

    name: Name = "Pack"
    character_id: str
    actions: tuple[str, ...] = Field(max_length=200)
    provider: str = "puppet"
    model: str | None = None
    targets: tuple[str, ...] = ()
    auto_accept: bool = False
    draw_poses: bool = False  # a start pose is drawn for each action, by providers that draw
    approve_poses: bool = False  # draws them, and each waits for a person before its clip is bought
    pose_model: str | None = None  # what they are drawn with; None: the provider's first
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
    approve_poses: bool | None = None
    max_spend: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)  # in the provider's currency


class Retry(Wire):
    """The body of POST /v1/emojis/ID/retry."""

    motion_prompt: Words | None = None
    pose_prompt: Words | None = None
    from_stage: Stage | None = None


class Approve(Wire):
    """The body of POST /v1/emojis/ID/approve, which may be left out."""

    motion_prompt: Words | None = None  # for the clip that is bought now


class ChoosePose(Wire):
    """The body of POST /v1/emojis/ID/choose-pose."""

    pose_id: str | None  # null: clips start from the character itself


class ChooseTake(Wire):
    """The body of POST /v1/emojis/ID/choose-take."""

    take_id: str


class Pose(Wire):
    """One picture of the character at the beginning of an action; the chosen one is where the clip starts."""

    id: str
    provider: str
    model: str
    prompt: str  # what the pose was to be
    flaws: tuple[str, ...] = ()  # what a person should look at, a sentence each
    created: float


class Take(Wire):
    """One generated or imported clip of an emoji."""

    id: str
    provider: str  # a provider's name, or "clip-file" for the user's own
    model: str | None = None
    motion_prompt: str = ""
    seconds: float | None = None
    flaws: tuple[str, ...] = ()  # what a person should look at, a sentence each
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
    pose_prompt: str = ""
    poses: tuple[Pose, ...] = ()
    chosen_pose: str | None = None  # None: clips start from the character itself
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
    draw_poses: bool = False
    approve_poses: bool = False
    pose_model: str | None = None
    max_spend: float | None = None  # the most that may be spent on it; None: what the settings allow
    awaits_clips: bool = False  # its emojis wait for the user's own clips
    emojis: tuple[Emoji, ...]
    created: float

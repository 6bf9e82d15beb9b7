"""All that crosses HTTP: the words that popcond and its clients share.

Nothing here imports anything of ours. Models are frozen: a client replaces what it holds, it never patches it. A client
ignores fields that it does not know; a change of meaning gets a new route, never a new meaning for an old field. Users'
scripts rely on these names.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

VERSION = "0.1.0"
API_MIN = 1
API_MAX = 1
FEATURES = ("puppet", "import", "apng", "gif", "contact-sheet")

# No control characters: names are printed on terminals.
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")
]


class Wire(BaseModel):
    """A frozen value that crosses the wire; unknown fields are ignored, so old clients survive new daemons."""

    model_config = ConfigDict(frozen=True, extra="ignore")


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


class Problem(Wire):
    """What went wrong, as a sentence for a person, and what to do about it."""

    code: str  # stable, snake_case; scripts may compare it
    message: str
    cure: str | None = None
    details: dict[str, Any] | None = None


# ------------------------------------------------------------------ catalogue


class LoopKind(StrEnum):
    """How an action closes its loop."""

    CYCLE = "cycle"  # the motion itself repeats: wave, run, dance
    RETURN = "return"  # out, hold, and back to the starting pose: bow, jump


class Action(Wire):
    """What the character does. The body's motion and the effects drawn around it are two prompts."""

    name: str  # [a-z0-9-]+, the word users type
    label: str  # the word people read
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


class Provider(Wire):
    """Somebody who makes clips."""

    name: str
    label: str
    models: tuple[ProviderModel, ...]
    needs_key: bool
    has_key: bool
    needs_network: bool


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


# ------------------------------------------------------------------ packs


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
    awaits_clips: bool = False  # its emojis wait for the user's own clips
    emojis: tuple[Emoji, ...]
    created: float


class Part(Wire):
    """A connected piece of a mask. Effects such as tears are parts of their own, never noise."""

    kind: Literal["character", "effect"]
    x: int  # the bounding box in frame pixels
    y: int
    width: int
    height: int
    area: int  # pixels with alpha ≥ 128


class Frame(Wire):
    """One numbered still of an emoji's clip."""

    index: int
    width: int
    height: int
    seconds: float  # how long it is shown
    mask: bool  # has a mask
    attention: float = Field(default=0.0, ge=0.0, le=1.0)  # how much a person should look
    edited: bool = False
    parts: tuple[Part, ...] = ()


class Rule(Wire):
    """One rule of a target, held against the final bytes."""

    name: str  # stable, snake_case
    value: str  # what the file has, for a person
    limit: str  # what the target wants, for a person
    ok: bool
    reason: str = ""  # a sentence when it fails (or when a person should know)
    cure: str = ""
    advice: bool = False  # true: good to know; a failing one does not make the file invalid


class Verdict(Wire):
    """Whether a file is what its target takes: one line a rule."""

    valid: bool  # every rule that is not advice holds
    rules: tuple[Rule, ...]

    @property
    def failed(self) -> tuple[Rule, ...]:
        """The rules that make the file invalid."""
        return tuple(rule for rule in self.rules if not rule.ok and not rule.advice)

    @property
    def advice(self) -> tuple[Rule, ...]:
        """What a person should know although the file is valid."""
        return tuple(rule for rule in self.rules if not rule.ok and rule.advice)


class Sticker(Wire):
    """One encoded file of an emoji for one target."""

    id: str
    emoji_id: str
    target: str
    file_name: str  # as the store wants it
    bytes: int
    width: int
    height: int
    frames: int
    seconds: float  # one loop
    plays: int  # 0: for ever
    seam: float  # last→first step over the median step; at most 1 is not seen
    trace: str  # what was given up to fit, for a person
    verdict: Verdict


class Quote(Wire):
    """What a pack would cost; nothing is bought."""

    currency: str
    amount: float
    per_emoji: tuple[float, ...]
    seconds_estimate: float  # wall time until every clip is there
    ceiling: float | None = None


class Event(Wire):
    """A past-tense fact with the whole changed thing; `seq` is the id of the SSE message."""

    seq: int
    at: float
    type: Literal[
        "character_added",
        "character_removed",
        "pack_added",
        "pack_changed",
        "pack_removed",
        "emoji_changed",
        "emoji_progressed",  # kept in memory only; has the seq of the last stored event
        "stickers_made",
        "reset",  # the asked id is too old: read everything again
        "bye",  # the daemon stops
    ]
    character: Character | None = None
    pack: Pack | None = None
    emoji: Emoji | None = None
    id: str | None = None  # of what was removed


class Version(Wire):
    """GET /v1/version."""

    version: str
    api: dict[str, int]
    features: tuple[str, ...]

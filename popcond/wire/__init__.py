"""All that crosses HTTP: the words that popcond and its clients share.

Nothing here imports anything of ours. Models are frozen: a client replaces what it holds, it never patches it. A client
ignores fields that it does not know; a change of meaning gets a new route, never a new meaning for an old field. Users'
scripts rely on these names.
"""

from __future__ import annotations

from popcond.wire.base import Name, Problem, Wire
from popcond.wire.catalogue import (
    Action,
    ExtraPicture,
    LoopKind,
    PictureModel,
    Provider,
    ProviderModel,
    StickerFormat,
    Target,
    Version,
)
from popcond.wire.characters import (
    Character,
    CharacterChanges,
    ChooseDrawing,
    Drawing,
    NewDrawing,
    Redraw,
    ReferenceUse,
    RemoveBackground,
)
from popcond.wire.events import Event
from popcond.wire.handshake import CLIENT_HEADER, Speaker, disagreement
from popcond.wire.health import Check, Readiness
from popcond.wire.money import (
    Adopt,
    DaySpend,
    PackSpend,
    Purchase,
    PurchaseKind,
    PurchaseState,
    Quote,
    Spend,
    Usage,
    sum_of_money,
)
from popcond.wire.packs import (
    Approve,
    ChoosePose,
    ChooseTake,
    Emoji,
    NewEmojis,
    NewPack,
    Pack,
    PackChanges,
    Pose,
    Retry,
    Stage,
    Status,
    Take,
)
from popcond.wire.queue import (
    JobRow,
    JobState,
    Move,
    Prioritise,
    Priority,
    Prune,
    Pruned,
    Queue,
    QueueLane,
)
from popcond.wire.refine import Apply, Edited, Embed, Embedding, Mode, Point, Predict, Propagate, Propagating
from popcond.wire.stickers import Frame, Part, Rule, Sticker, Verdict

VERSION = "0.1.0"
API_MIN = 1
API_MAX = 1
FEATURES = (
    "puppet",
    "dashscope",
    "characters",
    "poses",
    "sam-predict",
    "edits",
    "import",
    "apng",
    "gif",
    "contact-sheet",
    "readyz",
    "token-rotation",
    "unix-socket",
)

__all__ = [
    "API_MAX",
    "API_MIN",
    "CLIENT_HEADER",
    "FEATURES",
    "VERSION",
    "Action",
    "Adopt",
    "Apply",
    "Approve",
    "Character",
    "CharacterChanges",
    "Check",
    "ChooseDrawing",
    "ChoosePose",
    "ChooseTake",
    "DaySpend",
    "Drawing",
    "Edited",
    "Embed",
    "Embedding",
    "Emoji",
    "Event",
    "ExtraPicture",
    "Frame",
    "JobRow",
    "JobState",
    "LoopKind",
    "Mode",
    "Move",
    "Name",
    "NewDrawing",
    "NewEmojis",
    "NewPack",
    "Pack",
    "PackChanges",
    "PackSpend",
    "Part",
    "PictureModel",
    "Point",
    "Pose",
    "Predict",
    "Prioritise",
    "Priority",
    "Problem",
    "Propagate",
    "Propagating",
    "Provider",
    "ProviderModel",
    "Prune",
    "Pruned",
    "Purchase",
    "PurchaseKind",
    "PurchaseState",
    "Queue",
    "QueueLane",
    "Quote",
    "Readiness",
    "Redraw",
    "ReferenceUse",
    "RemoveBackground",
    "Retry",
    "Rule",
    "Speaker",
    "Spend",
    "Stage",
    "Status",
    "Sticker",
    "StickerFormat",
    "Take",
    "Target",
    "Usage",
    "Verdict",
    "Version",
    "Wire",
    "disagreement",
    "sum_of_money",
]

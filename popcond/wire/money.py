"""What things cost, and what has been bought."""

from __future__ import annotations

from enum import StrEnum

from popcond.wire.base import Problem, Wire


def sum_of_money(amount: float, currency: str) -> str:
    """As a person reads it: cents, and further digits only where a price has them."""
    digits = f"{amount:.4f}".rstrip("0")
    whole, _, part = digits.partition(".")
    return f"{whole}.{part:0<2} {currency}"


class Quote(Wire):
    """What a pack would cost; nothing is bought."""

    currency: str
    amount: float
    per_emoji: tuple[float, ...]
    per_pose: float = 0.0  # of that, for the start pose of one emoji
    amount_at_most: float = 0.0  # when every clip comes back without motion and is bought a second time
    seconds_estimate: float  # wall time until every clip is there
    ceiling: float | None = None  # the most that may be spent on the pack; None: no limit


class PurchaseState(StrEnum):
    """How far a purchase is. The first three are open: the same work cannot be bought again meanwhile."""

    INTENT = "intent"  # written down before the provider is asked
    SUBMITTED = "submitted"  # accepted; the remote task's id is known
    UNKNOWN = "unknown"  # maybe bought: no answer came, and the provider's own list has not settled it
    COLLECTED = "collected"  # what was bought is here
    REFUSED = "refused"  # the provider said no; nothing was bought
    FAILED = "failed"  # it failed, or was cancelled, at the provider; nothing is billed
    RELEASED = "released"  # settled: it was never bought
    EXPIRED = "expired"  # bought, and the provider no longer has it
    ABANDONED = "abandoned"  # bought, and nobody wants it any more: its emoji is gone

    @property
    def is_open(self) -> bool:
        """Whether it still holds its place."""
        return self in (PurchaseState.INTENT, PurchaseState.SUBMITTED, PurchaseState.UNKNOWN)

    @property
    def costs_nothing(self) -> bool:
        """Whether it is known that nothing is billed for it."""
        return self in (PurchaseState.REFUSED, PurchaseState.FAILED, PurchaseState.RELEASED)


class PurchaseKind(StrEnum):
    """What is bought."""

    CLIP = "clip"  # a take of an emoji
    POSE = "pose"  # where an emoji's clip starts
    DRAWING = "drawing"  # a picture of a character


class Purchase(Wire):
    """What was asked of a provider for money, written down before it was asked. It outlives its pack."""

    id: str
    kind: PurchaseKind = PurchaseKind.CLIP
    state: PurchaseState
    provider: str
    model: str
    remote_task: str | None = None  # the provider's id
    pack_id: str | None = None  # None for a character's drawing
    pack_name: str  # as it was then; the character's name for its drawing
    emoji_id: str | None = None
    character_id: str | None = None  # of a drawing
    action: str
    region: str | None = None  # of the provider: where its prices hold
    resolution: str | None = None  # in the provider's word
    seconds: float | None = None  # of a clip, as ordered
    unit_price: float | None = None  # of one second, or of one picture
    request_id: str | None = None  # of the order, for the provider's support
    amount: float  # in `currency`; 0 when nothing is billed
    is_estimate: bool  # true until the provider has said what it billed
    currency: str
    problem: Problem | None = None  # what a person should know, with the choices
    intent_at: float  # seconds since the epoch
    submitted_at: float | None = None
    settled_at: float | None = None


class Adopt(Wire):
    """The body of POST /v1/purchases/ID/adopt."""

    remote_task: str  # the provider's id of what was bought


class Spend(Wire):
    """A sum in one currency."""

    currency: str
    amount: float  # billed, or as good as
    reserved: float  # of that: still open, by estimate
    purchases: int


class PackSpend(Spend):
    """What one pack has cost, or all drawings of characters together."""

    pack_id: str | None = None
    pack_name: str


class DaySpend(Spend):
    """What one day has cost."""

    day: str  # YYYY-MM-DD, by the daemon's clock and time zone


class Usage(Wire):
    """Everything that was bought, by pack and by day."""

    totals: tuple[Spend, ...]
    by_pack: tuple[PackSpend, ...]
    by_day: tuple[DaySpend, ...]
    purchases: tuple[Purchase, ...]  # the newest first, those without a price left out
    max_spend_per_pack: float | None = None  # ceilings of the settings, in the provider's currency
    max_spend_per_day: float | None = None

"""Frames on their way to stickers, and what became of them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from popcond.wire.base import Wire


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

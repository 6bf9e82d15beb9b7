"""Characters: pictures that were brought, and those that are drawn from words."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from popcond.wire.base import Name, Problem, Wire

Words = Annotated[str, Field(max_length=4000)]


class RemoveBackground(StrEnum):
    """Whether the picture's background goes."""

    AUTO = "auto"  # when it is flat enough to be told apart, or the picture has alpha already
    ALWAYS = "always"
    NEVER = "never"


class ReferenceUse(StrEnum):
    """What a reference picture is for."""

    VARIATION = "variation"  # the same character, changed as the words say
    STYLE = "style"  # another character, drawn in the same way


class Drawing(Wire):
    """One picture of a character that a provider drew; a character keeps all of them and has one chosen."""

    id: str
    provider: str
    model: str
    prompt: str  # the user's words
    width: int
    height: int
    flaws: tuple[str, ...] = ()  # what a person should look at, a sentence each
    created: float  # seconds since the epoch


class Character(Wire):
    """One picture of somebody, kept untouched, and its clean cut-out."""

    id: str
    name: str
    status: Literal["ready", "drawing", "failed"] = "ready"  # failed: there is no picture
    width: int = 0  # of the picture, pixels, upright
    height: int = 0
    remove_background: RemoveBackground
    background: Literal["alpha", "keyed", "kept"] = "kept"  # its own alpha, a keyed backdrop, or nothing removed
    coverage: float = 0.0  # share of the picture that the character fills, 0..1
    notes: tuple[str, ...] = ()  # what a person should know about the cut-out
    problem: Problem | None = None  # why the last drawing failed; an earlier one stays
    prompt: str = ""  # the words that it is drawn from; empty for a picture that was brought
    provider: str | None = None  # who draws it
    model: str | None = None  # with what; None: the provider's first
    drawings: tuple[Drawing, ...] = ()
    chosen_drawing: str | None = None
    spend: float = 0.0  # on its drawings, in the provider's currency
    created: float  # seconds since the epoch


class NewDrawing(Wire):
    """The body of POST /v1/characters/generate."""

    prompt: str = Field(min_length=1, max_length=4000)
    name: Name | None = None
    reference_character_id: str | None = None  # whose picture is shown to the model
    reference_use: ReferenceUse = ReferenceUse.VARIATION
    provider: str = "dashscope"
    model: str | None = None


class Redraw(Wire):
    """The body of POST /v1/characters/ID/regenerate; what is null stays."""

    prompt: str | None = Field(default=None, min_length=1, max_length=4000)
    model: str | None = None


class ChooseDrawing(Wire):
    """The body of POST /v1/characters/ID/choose-drawing."""

    drawing_id: str


class CharacterChanges(Wire):
    """The body of PATCH /v1/characters/ID; what is null stays."""

    name: Name | None = None

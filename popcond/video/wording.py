"""What a picture or video model is told, in whole prompts.

The staging comes first and the user's words come last, verbatim and in whatever language: a service that cuts a long
prompt cuts at its end, and a figure without feet cannot be used, however well it is described. What is staged here is
not what a model then draws: that is looked at in `vision.full_body`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from popcond.media.raster import Colour

LONGEST = 799  # characters; from 800 on the older models cut

DRAWN_ON: Colour = (128, 128, 128)  # as far from a white shirt as from a black outline

_ONE = "Exactly one character, full body, front view, standing in the centre of a square picture."
_WHOLE = (
    "Wholly inside the frame, with an empty margin on all four sides: the top of the head with hair, ears or hat, "
    "both hands, both legs, both feet with their soles."
)
_PLAIN = "Plain flat background of one colour, {colour}, up to every border: no shadow, no floor."
_ALONE = (
    "One view only: no character sheet, no second figure, no text, no frame, no props but those that are asked for."
)
_LARGE = "The figure takes up three quarters of the picture's height."

_REFERENCES: Mapping[str, str] = MappingProxyType(
    {
        "variation": "It is the character of the shown picture: same face, proportions, colours and style, "
        "changed only as told.",
        "style": "The shown picture gives the drawing style only, its lines, shading and colours; "
        "the character is another one.",
    }
)
_AGAIN = "The last drawing could not be used."
_MOST_REMEDIES = 3  # a longer list is followed less well, and leaves no room

_SAME = (
    "The character of the shown picture once more, unchanged: same face, proportions, size, colours, clothes and "
    "style, seen from the same side."
)
_NO_EFFECTS = "One figure in one view: no second pose, no effects, no motion lines, no text."
_MOMENT = "Only its pose is another, the first moment of a movement:"
_BEFORE = "Only its pose is another, the moment in which this movement begins:"

_STRONGER = "Large, lively movement that begins at once and goes on in every moment, never a frozen picture."

_NAMED_COLOURS: Mapping[str, Colour] = MappingProxyType(
    {
        "white": (255, 255, 255),
        "light grey": (208, 208, 208),
        "mid grey": (128, 128, 128),
        "dark grey": (64, 64, 64),
        "black": (0, 0, 0),
        "red": (210, 40, 40),
        "dusty red": (165, 85, 80),
        "dark red": (95, 30, 30),
        "pink": (240, 160, 185),
        "dusty pink": (175, 120, 135),
        "orange": (235, 140, 40),
        "brown": (120, 80, 50),
        "beige": (215, 195, 155),
        "ochre": (175, 140, 70),
        "yellow": (240, 220, 60),
        "olive green": (110, 115, 60),
        "green": (60, 160, 65),
        "sage green": (125, 160, 125),
        "dark green": (35, 85, 45),
        "mint green": (160, 225, 190),
        "teal": (40, 130, 130),
        "turquoise": (60, 200, 205),
        "sky blue": (130, 185, 230),
        "blue": (50, 90, 200),
        "slate blue": (95, 115, 155),
        "navy blue": (30, 40, 90),
        "violet": (125, 75, 190),
        "lavender": (180, 165, 220),
        "mauve": (140, 105, 145),
        "magenta": (205, 60, 170),
    }
)


def character_prompt(
    words: str, *, reference: Literal["variation", "style"] | None = None, backdrop: Colour = DRAWN_ON
) -> str:
    """All that a model is told to draw a character from a person's words; `reference` says what a shown picture is."""
    staging = [_ONE, *_shown(reference), _WHOLE, _plain(backdrop), _ALONE]
    return _prompt(staging, _described(words), spare=[_LARGE])


def redraw_prompt(
    words: str,
    remedies: Sequence[str],
    *,
    reference: Literal["variation", "style"] | None = None,
    backdrop: Colour = DRAWN_ON,
) -> str:
    """The same for a second attempt: `remedies` say what was wrong with the first one, gravest first."""
    wrong = [_AGAIN, *remedies[:_MOST_REMEDIES]] if remedies else []
    staging = [_ONE, *wrong, *_shown(reference), _WHOLE, _plain(backdrop)]
    return _prompt(staging, _described(words), spare=[_ALONE, _LARGE])


def pose_prompt(action_pose: str, motion_prompt: str, *, backdrop: Colour) -> str:
    """All that a model is told to draw the shown character as it stands when an action begins.

    Where nobody described that pose, the motion itself says where it begins.
    """
    pose = f"{_MOMENT} {action_pose.strip()}" if action_pose.strip() else f"{_BEFORE} {motion_prompt.strip()}"
    return _prompt([_SAME, _WHOLE, _plain(backdrop), _NO_EFFECTS], pose)


def stronger_motion(motion_prompt: str) -> str:
    """The motion for a second purchase, after a clip in which nothing moved. A strong one stays as it is."""
    return motion_prompt if motion_prompt.startswith(_STRONGER) else f"{_STRONGER} {motion_prompt}"


def colour_in_words(colour: Colour) -> str:
    """Such as "slate blue (#5f739b)": the word for a model that reads, the number for one that measures."""
    name = min(_NAMED_COLOURS, key=lambda each: _apart(colour, _NAMED_COLOURS[each]))
    return f"{name} (#{bytes(colour).hex()})"


def _apart(one: Colour, other: Colour) -> float:
    """How different two colours look, roughly: the squared "redmean" distance."""
    warm = (one[0] + other[0]) / 512.0
    red, green, blue = (a - b for a, b in zip(one, other, strict=True))
    return (2.0 + warm) * red * red + 4.0 * green * green + (3.0 - warm) * blue * blue


def _plain(backdrop: Colour) -> str:
    return _PLAIN.format(colour=colour_in_words(backdrop))


def _shown(reference: str | None) -> list[str]:
    return [_REFERENCES[reference]] if reference else []


def _described(words: str) -> str:
    return f"The character: {words.strip()}" if words.strip() else ""


def _prompt(staging: Sequence[str], subject: str, *, spare: Sequence[str] = ()) -> str:
    """The staging, as much of `spare` as there is room for, and the subject."""
    said = list(staging)
    for sentence in spare:
        if len(" ".join([*said, sentence, subject])) <= LONGEST:
            said.append(sentence)
    return " ".join([*said, subject]).strip()

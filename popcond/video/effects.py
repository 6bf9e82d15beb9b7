"""The effects that the offline animator draws around a character: their names, and how they are put on a frame.

Effects are solid signs with dark rims that repeat exactly: phase 0 and phase 1 give the same pixels. They follow the
anchors, scale with the head, and stay within the frame. The body itself is none of this module's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from popcond.errors import UnknownName
from popcond.media.raster import Colour, Rgb
from popcond.video import effect_face, effect_lines, effect_signs, effect_talk
from popcond.video.anchors import Anchors
from popcond.video.curves import wrap
from popcond.video.effect_brush import RIM, Brush

Layer = Literal["behind", "front"]
Draw = Callable[[Brush, float], None]


@dataclass(frozen=True)
class Effect:
    """One effect: what it paints behind the body, what in front, and in which substantial colours."""

    colours: tuple[Colour, ...]
    front: Draw | None = None
    behind: Draw | None = None


_EFFECTS: dict[str, Effect] = {
    "tears": Effect((effect_face.WATER,), effect_face.tears),
    "hearts": Effect((effect_signs.CRIMSON,), effect_signs.hearts),
    "sparkles": Effect((effect_signs.GOLD,), effect_signs.sparkles),
    "anger": Effect((effect_signs.SCARLET,), effect_signs.anger),
    "sweat": Effect((effect_face.WATER,), effect_face.sweat),
    "motion-lines": Effect((effect_lines.CHALK,), effect_lines.motion_lines),
    "zzz": Effect((effect_signs.VIOLET,), effect_signs.zzz),
    "question": Effect((effect_signs.AMBER,), effect_signs.question_marks),
    "confetti": Effect(effect_signs.CONFETTI, None, effect_signs.confetti),
    "blush": Effect((effect_face.ROSE,), effect_face.blush),
    "shock-lines": Effect((effect_lines.SUN,), None, effect_lines.shock_lines),
    "notes": Effect(effect_signs.NOTES, effect_signs.notes),
    "stars": Effect(
        (effect_signs.GOLD,),
        partial(effect_signs.stars, in_front=True),
        partial(effect_signs.stars, in_front=False),
    ),
    "puff": Effect((effect_face.BREATH,), effect_face.puff),
    "exclaim": Effect((effect_signs.SCARLET,), effect_signs.exclamations),
    "leap-dust": Effect((effect_face.BREATH, effect_lines.CHALK), None, effect_lines.leap_dust),
    "yes": Effect((effect_signs.SKY,), effect_talk.yes),
    "no": Effect((effect_signs.SCARLET,), effect_talk.no),
    "hello": Effect((effect_lines.CHALK,), effect_talk.hello),
    "flowers": Effect((effect_talk.PINK, effect_signs.GOLD), effect_talk.flowers),
    "wink-star": Effect((effect_signs.GOLD,), effect_talk.wink_star),
    "speed-lines": Effect((effect_lines.CHALK, effect_face.BREATH), None, effect_lines.speed_lines),
}

EFFECTS: tuple[str, ...] = tuple(_EFFECTS)


def draw_effects(canvas: Rgb, effects: Sequence[str], phase: float, anchors: Anchors, layer: Layer) -> None:
    """Paint one layer of the effects on the frame, in place.

    `canvas` is uint8 (H, W, 3); `phase` is the place in the loop, where n and n + 1 are the same. Call it
    with "behind", draw the body, and call it with "front". Raises UnknownName for a name that is not in EFFECTS.
    """
    brush = Brush(canvas, anchors)
    for name in effects:
        effect = _effect(name)
        draw = effect.front if layer == "front" else effect.behind
        if draw is not None:
            draw(brush, wrap(phase))


def effect_colours(effects: Sequence[str]) -> tuple[Colour, ...]:
    """The substantial colours of these effects, each once, the dark rim last; a backdrop keeps clear of them."""
    colours = [colour for name in effects for colour in _effect(name).colours]
    return tuple(dict.fromkeys([*colours, RIM])) if colours else ()


def _effect(name: str) -> Effect:
    if name not in _EFFECTS:
        known = ", ".join(EFFECTS)
        raise UnknownName(f"There is no effect called “{name}”.", cure=f"Known effects: {known}.")
    return _EFFECTS[name]

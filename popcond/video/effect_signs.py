"""Signs that float around the head: hearts, sparkles, stars, marks, letters, notes and confetti."""

from __future__ import annotations

from math import copysign, cos, pi, sin

from popcond.media.raster import Colour
from popcond.video.curves import sway
from popcond.video.effect_brush import Brush
from popcond.video.effect_shapes import (
    anger_mark,
    beamed_notes,
    exclamation,
    heart,
    letter_z,
    note,
    question,
    scrap,
    star,
    twinkle,
)
from popcond.video.effect_timing import bloom, ease, life, pulse

CRIMSON: Colour = (245, 66, 92)
GOLD: Colour = (255, 205, 62)
AMBER: Colour = (255, 176, 46)
SCARLET: Colour = (232, 38, 48)
VIOLET: Colour = (142, 124, 255)
SKY: Colour = (76, 170, 250)
CREAM: Colour = (255, 240, 206)
CONFETTI: tuple[Colour, ...] = (CRIMSON, GOLD, SKY, VIOLET, CREAM)
NOTES: tuple[Colour, ...] = (VIOLET, CRIMSON, SKY, AMBER)

# Where things start, in reaches from the head's centre: x, y.
_HEARTS = (  # x, y, size, offset of its life: two follow each other on either side, small ones rise farther out
    (-1.32, 0.6, 0.34, 0.0),
    (-1.32, 0.6, 0.3, 0.5),
    (1.34, 0.6, 0.34, 0.27),
    (1.34, 0.6, 0.3, 0.77),
    (-1.86, 0.35, 0.22, 0.103),
    (1.86, 0.35, 0.22, 0.373),
)
_TWINKLES = ((-1.35, -0.75, 0.42), (1.38, -0.55, 0.5), (-1.55, 0.55, 0.3), (1.6, 0.7, 0.34), (-0.62, -1.42, 0.3))
_TWINKLES_LOW = ((1.42, 1.7, 0.3), (-1.5, 1.6, 0.36), (0.78, -1.38, 0.24))


def hearts(brush: Brush, phase: float) -> None:
    """Hearts that rise on both sides, swinging, and pop."""
    for x, y, size, offset in _HEARTS:
        lived = life(phase, offset)
        swing = 0.09 * sway(lived, 2, offset)
        burst = 1.0 + 0.3 * ease((lived - 0.78) / 0.1)
        at = brush.by_head(x + swing, y - 1.7 * lived)
        brush.paint(heart(), at, size * bloom(lived, 0.16, 0.12) * burst, CRIMSON, turn=1.8 * swing)


def sparkles(brush: Brush, phase: float) -> None:
    """Four-point stars that twinkle, each in its turn."""
    for number, (x, y, size) in enumerate(_TWINKLES + _TWINKLES_LOW):
        lived = life(phase, number * 0.382, 2)
        glow = sin(pi * lived) ** 1.3
        turn = 0.5 * (lived - 0.5)
        brush.paint(twinkle(), brush.by_head(x, y), size * glow, GOLD, turn=turn, rim=0.06)


def stars(brush: Brush, phase: float, *, in_front: bool) -> None:
    """Stars that circle around the crown; half of the way they are behind it."""
    for number in range(4):
        angle = 2 * pi * (phase + number / 4)
        if (sin(angle) >= 0) != in_front:
            continue
        at = brush.by_head(1.34 * cos(angle), -0.96 + 0.34 * sin(angle))
        size = 0.28 + 0.06 * sin(angle)
        brush.paint(star(), at, size, GOLD, turn=0.35 * sway(phase, 2, number / 4), rim=0.065)


def anger(brush: Brush, phase: float) -> None:
    """The bulging-vein mark on the temple, throbbing, and a smaller one across."""
    for x, y, size, offset in ((1.0, -0.82, 0.46, 0.0), (-1.12, -0.66, 0.3, 0.45)):
        throb = 0.84 + 0.26 * pulse(phase, offset, 3)
        turn = 0.12 + 0.07 * sway(phase, 3, offset) + brush.anchors.upright
        brush.paint(anger_mark(), brush.by_head(x, y), size * throb, SCARLET, turn=turn, rim=0.055)


def zzz(brush: Brush, phase: float) -> None:
    """Letters that leave the sleeper's head one after the other, growing."""
    for number in range(3):
        lived = life(phase, number / 3)
        at = brush.by_head(1.02 + 1.0 * lived + 0.07 * sway(lived, 2), -0.2 - 1.55 * lived)
        size = (0.15 + 0.2 * lived) * bloom(lived, 0.15, 0.14)
        brush.paint(letter_z(), at, size, VIOLET, turn=0.22 * sway(lived, 1, 0.25), rim=0.07)


def question_marks(brush: Brush, phase: float) -> None:
    """A large question mark that nods beside the crown, and a small one on the other side."""
    bob = 0.07 * sway(phase, 2)
    tilt = 0.2 + 0.16 * sway(phase, 2, 0.125)
    beat = 1.0 + 0.07 * sway(phase, 2, 0.1)
    brush.paint(question(), brush.by_head(1.18, -1.08 + bob), 0.52 * beat, AMBER, turn=tilt)
    at = brush.by_head(-1.3, -0.72 - bob)
    brush.paint(question(), at, 0.33 * (1.0 - 0.12 * sway(phase, 2, 0.1)), AMBER, turn=-0.25 - 0.7 * (tilt - 0.2))


def exclamations(brush: Brush, phase: float) -> None:
    """Two exclamation marks that jump up together, twice a loop."""
    for x, size, lean, offset in ((1.2, 0.54, 0.2, 0.0), (1.7, 0.44, 0.34, 0.92)):
        hop = pulse(phase, offset, 2)
        at = brush.by_head(x, -1.0 - 0.2 * hop)
        stretch = 1.0 - 0.1 * hop, 0.88 + 0.2 * hop
        brush.paint(exclamation(), at, size, SCARLET, turn=lean + 0.05 * sway(phase, 6, offset), stretch=stretch)


def notes(brush: Brush, phase: float) -> None:
    """Music that drifts up on both sides, swinging."""
    for number in range(4):
        side = -1 if number % 2 else 1
        lived = life(phase, number / 4)
        at = brush.by_head(side * (1.2 + 0.4 * lived) + 0.1 * sway(lived, 2), 0.25 - 1.45 * lived)
        glyph = note() if number % 3 else beamed_notes()
        turn = 0.28 * sway(lived, 2, 0.125)
        brush.paint(glyph, at, 0.34 * bloom(lived, 0.16, 0.16), NOTES[number], turn=turn, rim=0.06)


def confetti(brush: Brush, phase: float) -> None:
    """Paper scraps that flutter down beside the character, over the whole height of the frame."""
    height, width = brush.canvas.shape[:2]
    for number in range(20):
        lived = life(phase, number * 0.5698)  # two strides that never fall into step, so that no rows show
        column = (number * 0.7549 + 0.03) % 1.0
        x = width * _towards_the_sides(column) + 0.22 * brush.unit * sway(lived, 2, column)
        y = height * (0.03 + 0.94 * lived)
        flip = cos(2 * pi * (2 * lived + column))
        stretch = (1.0, 0.35 + 0.65 * abs(flip))
        size = 0.17 * bloom(lived, 0.1, 0.12)
        brush.paint(scrap(), (x, y), size, CONFETTI[number % 5], turn=5.0 * lived + number, stretch=stretch, rim=0.05)


def _towards_the_sides(column: float) -> float:
    """0..1 mapped to 0.04..0.96 with few places in the middle, where the character stands."""
    away = 2 * column - 1
    return 0.5 + 0.46 * copysign(abs(away) ** 0.55, away)

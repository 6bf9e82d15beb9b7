"""Effects that speak: yes, no, hello, thank you, and the star of a wink."""

from __future__ import annotations

from math import pi

from popcond.media.raster import Colour
from popcond.video.curves import sway
from popcond.video.effect_brush import RIM, Brush
from popcond.video.effect_lines import CHALK
from popcond.video.effect_shapes import bubble, check, cross, dot, flower, hi, star
from popcond.video.effect_signs import GOLD, SCARLET, SKY
from popcond.video.effect_timing import WINK, bloom, burst, life, pulse

PINK: Colour = (255, 132, 168)

_FLOWERS = ((-1.35, 0.75, 0.36), (1.38, 0.62, 0.4), (-1.5, -0.3, 0.3), (1.5, -0.42, 0.32), (0.72, -1.32, 0.28))


def yes(brush: Brush, phase: float) -> None:
    """A tick that springs up beside the crown with every nod."""
    beat = pulse(phase, 0.86, 3)
    brush.paint(check(), brush.by_head(1.36, -1.0 + 0.14 * beat), 0.5 + 0.06 * beat, SKY, turn=0.1 * sway(phase, 3))


def no(brush: Brush, phase: float) -> None:
    """A cross that swings beside the crown against the head."""
    swing = sway(phase, 3)
    at = brush.by_head(1.38 + 0.05 * swing, -1.0)
    brush.paint(cross(), at, 0.5 + 0.05 * sway(phase, 6), SCARLET, turn=0.22 * swing)


def hello(brush: Brush, phase: float) -> None:
    """A speech bubble that says hi, on the side where no hand is raised; it breathes."""
    side = brush.anchors.side
    at = brush.by_head(-side * 1.56, -1.2 + 0.05 * sway(phase, 2))
    size = 0.66 + 0.05 * sway(phase, 3, 0.1)
    turn = 0.08 * sway(phase, 2, 0.2)
    brush.paint(bubble(), at, size, CHALK, turn=turn, stretch=(side, 1.0))
    word = at[0], at[1] - 0.13 * size * brush.unit
    brush.paint(hi(), word, 0.78 * size, RIM, turn=turn, rim=0.01)


def flowers(brush: Brush, phase: float) -> None:
    """Flowers that open around the head, one after the other, turning."""
    for number, (x, y, size) in enumerate(_FLOWERS):
        lived = life(phase, number * 0.382)
        grown = size * bloom(lived, 0.22, 0.25)
        at = brush.by_head(x, y - 0.3 * lived)
        brush.paint(flower(), at, grown, PINK, turn=0.8 * (lived - 0.5), rim=0.06)
        brush.paint(dot(), at, 0.4 * grown, GOLD, rim=0.03)


def wink_star(brush: Brush, phase: float) -> None:
    """A star that a winking eye throws up and out, and two small ones after it."""
    anchors = brush.anchors
    eye = anchors.right_eye if anchors.side > 0 else anchors.left_eye
    for number, (lean, size) in enumerate(((0.0, 0.46), (-0.5, 0.26), (0.45, 0.26))):
        lived = burst(phase, WINK + 0.05 * number, 0.5)
        far = (0.5 + 1.5 * lived * (2.0 - lived)) * brush.reach
        up = far * (0.5 + 0.3 * lean) - 0.5 * brush.reach * lived * lived
        at = eye[0] + anchors.side * far * (0.8 - 0.25 * lean), eye[1] - up
        brush.paint(star(), at, size * bloom(lived, 0.18, 0.3), GOLD, turn=0.5 * pi * lived, rim=0.06)

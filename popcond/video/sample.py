"""PopCon's own character: Pop, a child with popcorn for hair in a striped tub. Drawn by code, so that it comes with the
program, in any size, without anybody's rights but ours.

The figure stands full length with its feet inside the frame, its arms apart from the body and its legs apart from each
other, so that everything about it may be bent.
"""

from __future__ import annotations

from popcond.media.raster import Rgba
from popcond.video.sample_body import draw_leg, draw_neck, draw_resting_arm, draw_tub, draw_waving_arm
from popcond.video.sample_head import draw_head
from popcond.video.sample_ink import Ink

SAMPLE_NAME = "Pop"

_MIDDLE = (550.0, 497.0)  # units: between the figure's outermost points


def draw_sample(size: int = 1024) -> Rgba:
    """The sample character, (size, size, 4), straight alpha on a transparent background; the same pixels every time."""
    ink = Ink(size, middle=_MIDDLE, zoom=0.95)
    for side in (-1, 1):
        draw_leg(ink, side)
    draw_resting_arm(ink)
    draw_waving_arm(ink)
    draw_neck(ink)
    draw_tub(ink)
    draw_head(ink)
    return ink.picture()

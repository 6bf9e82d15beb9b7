"""Where a character's parts are on a frame, so that effects sit where they belong and move along."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]  # x, y in pixels of the frame, origin at the top left


@dataclass(frozen=True)
class Anchors:
    """Estimated places of one posed character. Every picture has them, also one without a face."""

    crown: Point  # the top of the head
    head: Point  # the head's centre
    head_radius: float  # pixels; the unit by which effects are scaled
    left_eye: Point  # the eye at the viewer's left
    right_eye: Point
    mouth: Point
    chest: Point
    ground: Point  # below the feet, at the lowest row of the character
    left: Point  # the silhouette's leftmost place at chest height
    right: Point
    upright: float = 0.0  # radians the head leans, clockwise as seen
    lifted: float = 0.0  # pixels by which the feet are off the floor
    side: int = 1  # where a raised hand is: 1 is the viewer's right

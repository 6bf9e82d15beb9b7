"""How parts of an effect come, move and go within one loop. Pure functions of the phase; all repeat exactly.

A life runs from 0 to 1 and starts anew; whatever lives is invisible at both ends, so that nothing jumps at the seam.
"""

from __future__ import annotations

TAKE_OFF, LANDING = 0.26, 0.7  # when the feet of a single high leap leave the ground and meet it again
WINK = 0.32  # when a winking eye is shut


def life(phase: float, offset: float, turns: int = 1) -> float:
    """How far a part is in its life, 0..1, when `turns` lives fit into one loop and it was born at −offset."""
    return (phase * turns + offset) % 1.0


def bloom(lived: float, grow: float = 0.2, fade: float = 0.2) -> float:
    """Size over a life: swells a little past 1 while it grows, stays 1, and shrinks to 0."""
    if lived < grow:
        t = lived / grow
        return t * (1.0 + 0.9 * (1.0 - t) * (2.0 * t))
    if lived > 1.0 - fade:
        return ease((1.0 - lived) / fade)
    return 1.0


def ease(t: float) -> float:
    """From 0 to 1 with a soft start and a soft end."""
    t = min(max(t, 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


def pulse(phase: float, offset: float = 0.0, turns: int = 1) -> float:
    """A beat over the loop, 0..1: quick up, slow down."""
    t = life(phase, offset, turns)
    return ease(t / 0.3) if t < 0.3 else ease((1.0 - t) / 0.7)


def burst(phase: float, start: float, lasts: float) -> float:
    """How far something is, 0..1, that happens once a loop, from `start` on; 1 also means that it is not there."""
    lived = ((phase - start) % 1.0) / lasts
    return min(lived, 1.0)

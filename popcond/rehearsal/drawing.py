"""The stand-in's model: the figure on the picture that came with an order, moved by the puppet as its prompt says.

A rehearsal's clip has what a bought one has, the ordered seconds and the picture's size, and shows the user's own
character. How well a real model moves it, it cannot show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np

from popcond.media.raster import Colour, Rgb, Rgba, from_png
from popcond.media.video_file import write_h264
from popcond.video.puppet_clip import render
from popcond.vision.backdrop import estimate
from popcond.vision.character import cut_out_character
from popcond.wire import Action, RemoveBackground

FPS = 30
_ANY = "happy"  # a performance that suits whatever is asked for
_PLAY = 2.5  # seconds of one performance, about; a longer clip repeats it
_WORD = re.compile(r"[a-z]+")
_WHITE: Colour = (255, 255, 255)


def draw(picture: Path, prompt: str, seconds: int, actions: Sequence[Action], to: Path) -> None:
    """Write the clip of an order. Raises PopconError for a picture that is none."""
    figure, colour = figure_on(picture)
    played = performance_for(prompt, actions)
    write_h264(_performed(figure, played, colour, min(figure.shape[:2]), seconds), fps=FPS, to=to)


def figure_on(picture: Path) -> tuple[Rgba, Colour]:
    """The figure of a picture, which keeps its size, and the colour behind it. Raises PopconError."""
    rgb = _opaque(from_png(picture.read_bytes()))
    backdrop = estimate(rgb)
    figure = cut_out_character(_with_alpha(rgb), False, RemoveBackground.AUTO)
    return figure.rgba, backdrop.colour if backdrop else _WHITE


def performance_for(prompt: str, actions: Sequence[Action]) -> str:
    """The performance of the action whose motion is asked for; else of one whose name or tag is in the prompt."""
    told = [action for action in actions if action.motion_prompt and action.motion_prompt.strip() in prompt]
    if told:
        return max(told, key=lambda action: len(action.motion_prompt)).performance
    words = frozenset(_WORD.findall(prompt.lower()))
    named = (action.performance for action in actions if words & {*action.name.split("-"), *action.tags})
    return next(named, _ANY)


def _performed(figure: Rgba, played: str, backdrop: Colour, size: int, seconds: int) -> Iterator[Rgb]:
    """The performance as often as it goes into the clip, slowed or hurried a little so that it fills it."""
    times = max(1, round(seconds / _PLAY))
    return chain.from_iterable(
        render(figure, played, backdrop=backdrop, size=size, seconds=seconds / times, fps=FPS) for _ in range(times)
    )


def _opaque(picture: Rgb | Rgba) -> Rgb:
    if picture.ndim == 2:
        return np.ascontiguousarray(np.dstack([picture] * 3))
    return np.ascontiguousarray(picture[..., :3])


def _with_alpha(rgb: Rgb) -> Rgba:
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])

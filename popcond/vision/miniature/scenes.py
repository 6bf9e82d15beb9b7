"""Training scenes with known alpha: figures on a backdrop, as a still or as a clip.

Two figures of every scene are asked for, the main one and, where there is one, another that shows; so the same picture
means different masks for different points. Everything comes from one generator: equal seeds make equal scenes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.media.raster import Floats, Rgb, Rgba
from popcond.vision.miniature.art import Sprites
from popcond.vision.miniature.backdrops import any_kind, backdrop
from popcond.vision.miniature.staging import Layer, Place, dressed, placed, smeared
from popcond.vision.miniature.wear import worn

OBJECTS = 2  # masks of every scene
_SHOWS = 0.005  # share of the picture from which another figure can be asked for
_LEAST = 0.01  # … and from which the main one can
_GREY = 114.0  # what frames that are not square are padded with


@dataclass(frozen=True)
class Cast:
    """Who may perform: pools of figures, each as likely as its weight. A figure is a sprite or a strip of poses."""

    pools: tuple[tuple[float, Sequence[Rgba] | Sprites], ...]

    def any_figure(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """A still sprite (side, side, 4), or a performance (poses, side, side, 4)."""
        weights = np.array([weight for weight, _ in self.pools])
        _, pool = self.pools[int(rng.choice(len(self.pools), p=weights / weights.sum()))]
        return np.asarray(pool[int(rng.integers(len(pool)))])

    def any_still(self, rng: np.random.Generator) -> Rgba:
        figure = self.any_figure(rng)
        return figure if figure.ndim == 3 else np.asarray(figure[int(rng.integers(len(figure)))])


@dataclass(frozen=True)
class Scene:
    """What is seen, and what it is made of."""

    frames: NDArray[np.uint8]  # (T, side, side, 3) RGB
    alphas: NDArray[np.uint8]  # (T, OBJECTS, side, side)


@dataclass(frozen=True)
class Wish:
    """What kind of scene is wanted."""

    side: int
    frames: int = 1
    kind: str | None = None  # of backdrop; None: any
    company: bool = True  # other figures, behind and in front
    smallest: float = 0.3  # scale of the main figure
    pace: float = 1.0  # of whatever moves


def scene(cast: Cast, wish: Wish, rng: np.random.Generator) -> Scene:
    """A scene in which the main figure shows in the first frame."""
    while True:
        made = _attempt(cast, wish, rng)
        if (made.alphas[0, 0] > 127).mean() >= _LEAST:
            return made


# ------------------------------------------------------------------ who stands where


@dataclass(frozen=True)
class _Actor:
    poses: NDArray[np.uint8]  # (poses, side, side, 4)
    start: Place
    speed: Place  # what is added every frame; scale is a factor
    beat: float  # poses, or waves, every frame
    is_smeared: bool

    def layer(self, time: int, side: int) -> Layer:
        figure = self.poses[int(time * self.beat) % len(self.poses)] if len(self.poses) > 1 else self.poses[0]
        if self.is_smeared:
            return smeared(figure, self.at(time - 0.3), self.at(time + 0.3), side)
        return placed(figure, self.at(time), side)

    def at(self, time: float) -> Place:
        start, speed = self.start, self.speed
        swing = np.sin(2 * np.pi * (start.phase + 0.11 * time))
        return replace(
            start,
            x=start.x + speed.x * time,
            y=start.y + speed.y * time,
            turn=start.turn + speed.turn * time,
            scale=start.scale * speed.scale**time,
            wide=start.wide * (1 + speed.wide * swing),
            high=start.high * (1 - speed.high * swing),
            sway=start.sway + speed.sway * swing,
            phase=start.phase + 0.07 * time,
        )


def _main(cast: Cast, wish: Wish, rng: np.random.Generator) -> _Actor:
    scale = float(rng.uniform(wish.smallest, 1.0))
    room = 0.5 * (1 - scale) + 0.1
    x, y = 0.5 + rng.uniform(-room, room, 2)
    return _actor(cast, wish, rng, scale, float(x), float(y))


def _extra(cast: Cast, wish: Wish, rng: np.random.Generator) -> _Actor:
    x, y = rng.uniform(0, 1, 2)
    return _actor(cast, wish, rng, float(rng.uniform(0.12, 0.6)), float(x), float(y))


def _actor(cast: Cast, wish: Wish, rng: np.random.Generator, scale: float, x: float, y: float) -> _Actor:
    moves = wish.frames > 1
    figure = cast.any_figure(rng)
    strip = figure if figure.ndim == 4 else figure[None]
    seed = int(rng.integers(2**31))
    first = int(rng.integers(len(strip)))
    wanted = np.roll(strip, -first, axis=0)[: 24 if moves else 1]
    poses = np.stack([dressed(pose, np.random.default_rng(seed)) for pose in wanted])
    start = Place(
        x,
        y,
        scale,
        turn=float(rng.normal(0, 12)) if rng.random() < 0.85 else float(rng.uniform(-180, 180)),
        wide=float(rng.uniform(0.85, 1.15)) * float(rng.choice([-1, 1])),
        high=float(rng.uniform(0.85, 1.15)),
        wave=float(rng.uniform(0.01, 0.06)) if rng.random() < 0.4 else 0.0,
        phase=float(rng.random()),
    )
    return _Actor(
        poses, start, _speed(rng, wish), float(rng.choice([0.5, 1, 2])) * wish.pace, bool(rng.random() < 0.12)
    )


def _speed(rng: np.random.Generator, wish: Wish) -> Place:
    if wish.frames == 1:
        return Place(float(rng.normal(0, 0.03)), float(rng.normal(0, 0.03)), 1.0, float(rng.normal(0, 4)), 0, 0)
    fast = float(rng.choice([0.3, 1.0, 2.0])) * wish.pace
    return Place(
        x=float(rng.normal(0, 0.03)) * fast,
        y=float(rng.normal(0, 0.025)) * fast,
        scale=1.0 + float(rng.uniform(-0.04, 0.04)) * wish.pace,
        turn=float(rng.normal(0, 5)) * fast,
        wide=float(rng.uniform(0, 0.12)),
        high=float(rng.uniform(0, 0.12)),
        sway=float(rng.uniform(0, 0.12)),
    )


# ------------------------------------------------------------------ the picture


def _attempt(cast: Cast, wish: Wish, rng: np.random.Generator) -> Scene:
    main = _main(cast, wish, rng)
    count = int(rng.choice([0, 1, 2, 3, 4], p=[0.35, 0.25, 0.2, 0.12, 0.08])) if wish.company else 0
    behind = [_extra(cast, wish, rng) for _ in range(count)]
    in_front = [_extra(cast, wish, rng)] if wish.company and rng.random() < 0.12 else []
    world = _world(wish, rng)
    pan = rng.normal(0, 2.0, 2) if wish.frames > 1 and rng.random() < 0.35 else np.zeros(2)
    drawn = [
        _frame(np.roll(world, tuple(int(v) for v in pan * time), axis=(0, 1)), behind, main, in_front, time)
        for time in range(wish.frames)
    ]
    asked = _asked(np.stack([covers for _, covers in drawn]), len(behind), rng)
    pictures, asked = _padded([picture for picture, _ in drawn], asked, rng)
    frames: list[Rgb] = worn(pictures, rng)
    return Scene(np.stack(frames), np.asarray(np.rint(asked * 255), np.uint8))


def _world(wish: Wish, rng: np.random.Generator) -> Floats:
    return backdrop(wish.kind or any_kind(rng), rng, wish.side)


def _frame(
    picture: Floats, behind: Sequence[_Actor], main: _Actor, in_front: Sequence[_Actor], time: int
) -> tuple[Floats, Floats]:
    """The picture, and (actors, side, side) how much of each actor is seen."""
    seen: list[Floats] = []
    for actor in (*behind, main, *in_front):
        layer = actor.layer(time, picture.shape[0])
        picture = layer.over(picture)
        seen = [cover * (1 - layer.cover) for cover in seen] + [layer.cover]
    return picture, np.stack(seen)


def _asked(covers: Floats, main: int, rng: np.random.Generator) -> Floats:
    """(T, OBJECTS, side, side): the main figure and another one that shows in the first frame."""
    shows = [n for n in range(covers.shape[1]) if n != main and (covers[0, n] > 0.5).mean() > _SHOWS]
    other = int(rng.choice(shows)) if shows else main
    return covers[:, [main, other]]


def _padded(pictures: list[Floats], asked: Floats, rng: np.random.Generator) -> tuple[list[Floats], Floats]:
    """Sometimes the frame was not square: the right or the lower side is grey."""
    if rng.random() > 0.12:
        return pictures, asked
    side = pictures[0].shape[0]
    cut = int(side * rng.uniform(0.55, 0.95))
    window = (slice(cut, None), slice(None)) if rng.random() < 0.5 else (slice(None), slice(cut, None))
    for picture in pictures:
        picture[window] = _GREY
    asked = asked.copy()
    asked[(..., *window)] = 0.0
    return pictures, asked


def scaled(frame: Rgb, side: int) -> Rgb:
    """A square frame at another size."""
    return np.asarray(cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA), np.uint8)

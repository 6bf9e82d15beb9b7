"""One figure placed in a picture: moved, turned, squashed, bent, recoloured, blurred by its own speed.

Coordinates are shares of the picture's side, angles degrees. Colours are premultiplied until a figure is laid down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from popcond.media.raster import Floats, Rgba

_SHUTTER = 5  # moments that an open shutter is made of


@dataclass(frozen=True)
class Place:
    """Where a figure is and how it is bent."""

    x: float
    y: float
    scale: float  # of the picture's side
    turn: float = 0.0
    wide: float = 1.0  # squash and stretch; negative mirrors
    high: float = 1.0
    sway: float = 0.0  # how far the top leans, as a share of the figure
    wave: float = 0.0  # how far the outline swings, as a share of the figure
    phase: float = 0.0

    def towards(self, other: Place, share: float) -> Place:
        """Between this place and another one."""
        mixed = {name: (1 - share) * value + share * getattr(other, name) for name, value in vars(self).items()}
        return replace(self, **mixed)


@dataclass(frozen=True)
class Layer:
    """A figure on a transparent picture."""

    colour: Floats  # (side, side, 3) 0..255, premultiplied
    cover: Floats  # (side, side) 0..1

    def over(self, picture: Floats) -> Floats:
        """(side, side, 3): the picture with the figure on it."""
        return np.asarray(picture * (1 - self.cover[..., None]) + self.colour, np.float32)


def placed(figure: Rgba, place: Place, side: int) -> Layer:
    """The figure in a picture of that side."""
    pixels = figure
    if place.wave:
        pixels = _waved(pixels, place.wave, place.phase)
    floats = pixels.astype(np.float32)
    floats[..., :3] *= floats[..., 3:] / 255.0
    shrunk = place.scale * side / figure.shape[0]
    if shrunk < 0.6:
        floats = np.asarray(cv2.GaussianBlur(floats, (0, 0), 0.35 / max(shrunk, 0.1)), np.float32)
    warped = np.asarray(cv2.warpAffine(floats, _matrix(place, figure.shape[0], side), (side, side)), np.float32)
    return Layer(warped[..., :3], warped[..., 3] / 255.0)


def smeared(figure: Rgba, start: Place, end: Place, side: int) -> Layer:
    """What an open shutter sees of the figure on its way."""
    moments = [placed(figure, start.towards(end, share), side) for share in np.linspace(0, 1, _SHUTTER)]
    colour = np.mean([moment.colour for moment in moments], axis=0)
    cover = np.mean([moment.cover for moment in moments], axis=0)
    return Layer(np.asarray(colour, np.float32), np.asarray(cover, np.float32))


def _matrix(place: Place, figure_side: int, side: int) -> Floats:
    """From pixels of the figure to pixels of the picture."""
    half = figure_side / 2
    angle = np.deg2rad(place.turn)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    lean = np.array([[1.0, -place.sway], [0.0, 1.0]])
    stretch = np.diag([place.wide, place.high])
    linear = turn @ lean @ stretch * (place.scale * side / figure_side)
    shift = np.array([place.x, place.y]) * side - linear @ [half, half]
    return np.asarray(np.column_stack([linear, shift]), np.float32)


def _waved(pixels: Rgba, amount: float, phase: float) -> Rgba:
    """The figure bent along sine waves: limbs swing, lines boil."""
    side = pixels.shape[0]
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    swing = amount * side
    away_x = swing * np.sin(2 * np.pi * (y / side * 1.3 + phase))
    away_y = 0.5 * swing * np.sin(2 * np.pi * (x / side * 1.1 - phase))
    to_x, to_y = (x + away_x).astype(np.float32), (y + away_y).astype(np.float32)
    return np.asarray(cv2.remap(pixels, to_x, to_y, cv2.INTER_LINEAR), np.uint8)


# ------------------------------------------------------------------ dressing


def dressed(figure: Rgba, rng: np.random.Generator) -> Rgba:
    """The figure in other colours, sometimes with an outline, as stickers have them."""
    dressed_up = figure
    if rng.random() < 0.5:
        dressed_up = _recoloured(dressed_up, rng)
    if rng.random() < 0.22:
        dressed_up = _outlined(dressed_up, rng)
    if rng.random() < 0.15:
        dressed_up = _shaded(dressed_up, rng)
    return dressed_up


def _recoloured(figure: Rgba, rng: np.random.Generator) -> Rgba:
    mixing = np.eye(3) * rng.uniform(0.75, 1.15) + rng.normal(0, 0.12, (3, 3))
    if rng.random() < 0.3:
        mixing = mixing[rng.permutation(3)]
    if rng.random() < 0.1:
        mixing = np.full((3, 3), 1 / 3) + 0.2 * (mixing - 1 / 3)  # nearly grey, as line drawings are
    colours = figure[..., :3].astype(np.float32) @ mixing.T.astype(np.float32) + rng.uniform(-25, 25)
    return np.dstack([np.clip(colours, 0, 255).astype(np.uint8), figure[..., 3]])


def _outlined(figure: Rgba, rng: np.random.Generator) -> Rgba:
    width = int(rng.integers(2, max(3, figure.shape[0] // 24)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    grown = np.asarray(cv2.GaussianBlur(cv2.dilate(figure[..., 3], disc), (0, 0), 0.7), np.float32)
    ink = rng.choice([rng.uniform(0, 50), rng.uniform(225, 255)]) + rng.uniform(-15, 15, 3)
    solid = figure[..., 3:].astype(np.float32) / 255
    colours = figure[..., :3] * solid + np.clip(ink, 0, 255) * (1 - solid)
    return np.dstack([np.clip(colours, 0, 255), np.maximum(grown, figure[..., 3])]).astype(np.uint8)


def _shaded(figure: Rgba, rng: np.random.Generator) -> Rgba:
    """Lit from one side, as drawings with volume are."""
    inside = np.asarray(cv2.distanceTransform((figure[..., 3] > 128).astype(np.uint8), cv2.DIST_L2, 3), np.float32)
    height = np.asarray(cv2.GaussianBlur(np.minimum(inside, figure.shape[0] / 8), (0, 0), 4), np.float32)
    slope_y, slope_x = np.gradient(height)
    turn = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0.15, 0.5) * (np.cos(turn) * slope_x + np.sin(turn) * slope_y)
    lit = np.clip(figure[..., :3] * light[..., None], 0, 255)
    return np.dstack([lit.astype(np.uint8), figure[..., 3]])

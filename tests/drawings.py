"""Pictures as an image model draws them when it is asked for one whole figure, and as it draws them when it errs.

The figures of `tests.figures` stand on plain or slightly shaded backdrops; then they are cut off, doubled, shrunk or
set before something that is not plain. Everything is deterministic, and drawn when it is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle

import cv2
import numpy as np

from popcond.media.raster import Rgb, Rgba, resize
from popcond.vision.full_body import Flaw
from tests.composites import Behind, as_jpeg, laid_on
from tests.figures import RED, figures, made_up, whole_figures

BACKDROPS: tuple[Behind, ...] = (
    Behind((128, 128, 128)),
    Behind((250, 250, 250), grain=0.8),
    Behind((196, 206, 214), vignette=12.0),
    Behind((120, 150, 124), slope=14.0, vignette=8.0),
    Behind((150, 132, 170), vignette=20.0, grain=1.2),
    Behind((128, 128, 128), shadow=0.3),
)
Finish = Callable[[Rgba], Rgb]


@dataclass(frozen=True)
class Drawing:
    """A picture, and the flaw that it has."""

    name: str
    flaw: Flaw | None
    draw: Callable[[], Rgb]


def good() -> Iterator[Drawing]:
    """Every figure whole and alone, in three places and sizes, on changing backdrops, as PNG and as JPEG."""
    finish = _finishes()
    for name, figure in figures().items():
        for tall, x, y in ((0.76, 0.5, 0.5), (0.62, 0.47, 0.54), (0.9, 0.51, 0.505)):
            yield Drawing(name, None, partial(_drawn, next(finish), figure, tall=tall, x=x, y=y))


def held_out() -> Iterator[Drawing]:
    """Figures of chance, whole and alone; no threshold was set on them."""
    for seed, finish in zip(range(200), _finishes(), strict=False):
        yield Drawing(f"made up {seed}", None, partial(_made_up, finish, seed))


def held_out_sheets() -> Iterator[Drawing]:
    """The same several times in a picture."""
    finish = _finishes()
    for seed in range(0, 200, 4):
        for kind in SHEETS:
            drawn = partial(_made_up_sheet, next(finish), seed, kind)
            yield Drawing(f"made up {seed}, {kind}", Flaw.MORE_THAN_ONE, drawn)


def cut_off() -> Iterator[Drawing]:
    """Every figure moved over each border, a little or far."""
    finish, far = _finishes(), cycle((0.05, 0.12, 0.22))
    for name, figure in whole_figures().items():
        high, wide = _size(figure, 0.8)
        for flaw, dx, dy in (
            (Flaw.CUT_OFF_BOTTOM, 0, 1),
            (Flaw.CUT_OFF_TOP, 0, -1),
            (Flaw.CUT_OFF_LEFT, -1, 0),
            (Flaw.CUT_OFF_RIGHT, 1, 0),
        ):
            over = next(far)
            x, y = 0.5 + dx * (0.5 - wide / 2 + over * wide), 0.5 + dy * (0.5 - high / 2 + over * high)
            yield Drawing(f"{name} {over}", flaw, partial(_drawn, next(finish), figure, tall=0.8, x=x, y=y))


def several() -> Iterator[Drawing]:
    """Every figure that is not wide, several times in one picture."""
    finish = _finishes()
    for name, figure in figures().items():
        for kind in SHEETS if figure.shape[1] <= 1.1 * figure.shape[0] else ():
            yield Drawing(f"{name}, {kind}", Flaw.MORE_THAN_ONE, partial(_sheet, next(finish), figure, kind))


def too_small() -> Iterator[Drawing]:
    """Every figure that is not wide, small somewhere in the picture."""
    finish, sizes = _finishes(), cycle((0.18, 0.3, 0.4))
    for name, figure in figures().items():
        if figure.shape[1] <= 1.5 * figure.shape[0]:
            tall = next(sizes)
            drawn = partial(_drawn, next(finish), figure, tall=tall, x=0.52, y=0.6)
            yield Drawing(f"{name} {tall}", Flaw.TOO_SMALL, drawn)


def not_plain() -> Iterator[Drawing]:
    """Every figure before a texture, a room, a landscape and stripes."""
    for seed, (name, figure) in enumerate(figures().items()):
        for kind in SCENERY:
            yield Drawing(f"{name}, {kind}", Flaw.NOT_PLAIN, partial(_before, figure, kind, seed))


def nothing() -> Iterator[Drawing]:
    """Plain paper, and a speck on it."""
    speck = np.zeros((512, 512, 4), np.uint8)
    cv2.circle(speck, (240, 300), 9, (*RED, 255), -1)
    for finish in (_finish(behind, quality) for quality in (None, 78) for behind in BACKDROPS if not behind.shadow):
        yield Drawing("empty", Flaw.NOTHING, partial(finish, np.zeros((512, 512, 4), np.uint8)))
        yield Drawing("speck", Flaw.NOTHING, partial(finish, speck))


# ------------------------------------------------------------------ on paper


def _drawn(finish: Finish, figure: Rgba, *, tall: float, x: float, y: float) -> Rgb:
    return finish(placed(figure, tall=tall, x=x, y=y))


def _made_up(finish: Finish, seed: int) -> Rgb:
    return finish(placed(made_up(seed), tall=0.6 + 0.0016 * seed))


def placed(figure: Rgba, *, tall: float, x: float = 0.5, y: float = 0.5, side: int = 512) -> Rgba:
    """(side, side, 4): the figure `tall` of the picture, or as much as fits its width; its middle at x, y."""
    canvas = np.zeros((side, side, 4), np.uint8)
    scale = min(tall * side / figure.shape[0], max(tall, 0.86) * side / figure.shape[1])
    small = resize(figure, max(2, round(figure.shape[1] * scale)), max(2, round(figure.shape[0] * scale)))
    left, top = round(x * side - small.shape[1] / 2), round(y * side - small.shape[0] / 2)
    rows = slice(max(top, 0), min(top + small.shape[0], side))
    columns = slice(max(left, 0), min(left + small.shape[1], side))
    canvas[rows, columns] = small[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return canvas


def joined(*layers: Rgba) -> Rgba:
    """Several figures in one picture, the later before the earlier."""
    whole = layers[0].copy()
    for layer in layers[1:]:
        whole = np.where(layer[..., 3:] >= 128, layer, whole)
    return whole


def _size(figure: Rgba, tall: float) -> tuple[float, float]:
    """Height and width, as shares of the picture, that `placed` gives a figure."""
    scale = min(tall / figure.shape[0], max(tall, 0.86) / figure.shape[1])
    return figure.shape[0] * scale, figure.shape[1] * scale


def _finishes() -> Iterator[Finish]:
    """Backdrops and codecs in turn."""
    return cycle([_finish(behind, quality) for quality in (None, 92, 78) for behind in BACKDROPS])


def _finish(behind: Behind, quality: int | None) -> Finish:
    def finished(rgba: Rgba) -> Rgb:
        rgb = laid_on(rgba, behind)
        return rgb if quality is None else as_jpeg(rgb, quality)

    return finished


# ------------------------------------------------------------------ several times


SHEETS = ("twice", "smaller", "views", "touching", "grid", "heads")


def _made_up_sheet(finish: Finish, seed: int, kind: str) -> Rgb:
    return _sheet(finish, made_up(seed), kind)


def _sheet(finish: Finish, figure: Rgba, kind: str) -> Rgb:
    return finish(joined(*_figures_of(figure, kind)))


def _figures_of(figure: Rgba, kind: str) -> Sequence[Rgba]:
    """Twice the same, a mirrored and smaller one, three views, joined hands, a grid, a figure with its heads."""
    shape = figure.shape[0] / figure.shape[1]
    tall, third = min(0.75, 0.44 * shape), min(0.6, 0.28 * shape)
    half = tall / shape / 2
    mirrored = np.ascontiguousarray(figure[:, ::-1])
    match kind:
        case "twice":
            return [placed(figure, tall=tall, x=0.26), placed(figure, tall=tall, x=0.74)]
        case "smaller":
            return [placed(figure, tall=tall, x=0.27), placed(mirrored, tall=0.75 * tall, x=0.74, y=0.5 + tall / 8)]
        case "views":
            narrow = resize(figure, max(2, round(0.7 * figure.shape[1])), figure.shape[0])
            return [placed(each, tall=third, x=x) for each, x in ((figure, 0.18), (narrow, 0.5), (mirrored, 0.82))]
        case "touching":
            return [placed(figure, tall=tall, x=0.505 - half), placed(mirrored, tall=tall, x=0.495 + half)]
        case "grid":
            return [placed(figure, tall=0.6 * tall, x=x, y=y) for x in (0.25, 0.75) for y in (0.27, 0.73)]
        case _:
            head = np.ascontiguousarray(figure[: round(0.42 * figure.shape[0])])
            heads = [placed(head, tall=0.42 * tall, x=0.75, y=y) for y in (0.2, 0.5, 0.8)]
            return [placed(figure, tall=tall, x=0.28), *heads]


# ------------------------------------------------------------------ scenery


SCENERY = ("texture", "room", "landscape", "stripes")


def _before(figure: Rgba, kind: str, seed: int) -> Rgb:
    drawn = placed(figure, tall=0.76)
    solid = drawn[..., 3:].astype(np.float32) / 255.0
    return np.asarray(np.rint(drawn[..., :3] * solid + _scenery(kind, 512, seed) * (1.0 - solid)), np.uint8)


def _scenery(kind: str, side: int, seed: int) -> Rgb:
    match kind:
        case "texture":
            coarse = np.random.default_rng(seed).integers(0, 256, (14, 14, 3), dtype=np.uint8)
            return np.asarray(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
        case "room":
            room = np.full((side, side, 3), (214, 196, 170), np.uint8)
            room[round(0.72 * side) :] = (130, 96, 70)
            return room
        case "landscape":
            sky = np.linspace((120, 180, 240), (226, 238, 250), side)[:, None]
            landscape = np.ascontiguousarray(sky.repeat(side, axis=1).astype(np.uint8))
            landscape[round(0.8 * side) :] = (96, 160, 80)
            cv2.circle(landscape, (round(0.2 * side), round(0.2 * side)), 40, (250, 230, 120), -1)
            return landscape
        case _:
            stripes = np.full((side, side, 3), (236, 200, 210), np.uint8)
            for at in range(0, side, 48):
                stripes[:, at : at + 24] = (190, 220, 236)
            return stripes

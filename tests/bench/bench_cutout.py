"""How good the automatic cut-out is, on generated clips with known alpha: `python -m tests.bench.bench_cutout`.

Every style of character on its own chosen backdrop, with all effects, through H.264 at three qualities; then every
style as an imported clip, on white, off-white and grey that nobody told, with a shadow under its feet and a brighter
first frame; and every style as a still on white, as PNG and as JPEG.

The thresholds were set on the styles of STYLES (and on pictures that are not in this repository). Those of HELD_OUT
were drawn afterwards and no threshold was set on them: their means, given apart, say what to expect of a new character.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from popcond.media.raster import Alpha, Colour, Rgb
from popcond.vision.backdrop import choose_backdrop
from popcond.vision.character import cut_out_character
from popcond.vision.cutout import cut_out
from popcond.vision.first_mask import first_masks
from popcond.wire import RemoveBackground
from tests.composites import (
    EFFECTS,
    HELD_OUT,
    STYLES,
    Behind,
    Scene,
    alpha_error,
    as_h264,
    as_jpeg,
    edge_error,
    iou,
    laid_on,
    on_flat,
    phases,
    scene,
    share_kept,
)

SIZE, FRAMES = 512, 8
TEAR, HEART, SPARKLE, LINE = (96, 184, 250), (238, 60, 96), (255, 222, 90), (60, 60, 60)
CRFS = (18, 23, 26)
UNTOLD: dict[str, Colour] = {"white": (254, 254, 254), "off-white": (246, 246, 244), "grey": (128, 128, 128)}


@dataclass(frozen=True)
class Row:
    """Figures of one clip, means over its frames."""

    name: str
    iou: float
    worst_iou: float
    alpha_error: float
    edge_error: float
    effects_kept: float
    flicker: float  # share of the frame whose alpha differs from the truth's change by more than half
    mask_ms: float  # CPU milliseconds a frame
    cutout_ms: float

    def __str__(self) -> str:
        return (
            f"{self.name:17} {self.iou:7.4f} {self.worst_iou:7.4f} {self.alpha_error:8.4f} {self.edge_error:8.4f} "
            f"{self.effects_kept:7.1%} {self.flicker:8.5f} {self.mask_ms:8.1f} {self.cutout_ms:8.1f}"
        )


TITLES = ("IoU", "worst", "alpha", "edge", "effects", "flicker", "mask ms", "cut ms")
WIDTHS = (7, 7, 8, 8, 7, 8, 8, 8)
HEAD = " ".join([f"{'clip':17}", *(f"{title:>{width}}" for title, width in zip(TITLES, WIDTHS, strict=True))])


def chosen(styles: Sequence[str]) -> Iterator[Row]:
    """One row a clip of ours: the backdrop was chosen, and is told."""
    for style in styles:
        scenes = _scenes(style)
        backdrop = choose_backdrop(scene(style, size=SIZE).rgba, [TEAR, HEART, SPARKLE, LINE])
        behind = Behind(backdrop, drift=4.0, vignette=14.0, slope=4.0, grain=1.5)
        laid = [laid_on(s.rgba, behind, n / FRAMES, seed=n) for n, s in enumerate(scenes)]
        for crf in CRFS:
            yield _row(f"{style} crf {crf}", scenes, as_h264(laid, crf=crf), backdrop)


def imported(styles: Sequence[str]) -> Iterator[Row]:
    """One row a clip of somebody else's: nobody tells the backdrop."""
    for style in styles:
        scenes = _scenes(style)
        for name, colour in UNTOLD.items():
            behind = Behind(colour, drift=3.0, vignette=6.0, grain=0.8, first=5.0, shadow=0.3)
            laid = [laid_on(s.rgba, behind, n / FRAMES, seed=n) for n, s in enumerate(scenes)]
            yield _row(f"{style} {name}", scenes, as_h264(laid, crf=23), None)


def _scenes(style: str) -> list[Scene]:
    return [scene(style, phase, size=SIZE, effects=EFFECTS) for phase in phases(FRAMES)]


def _row(name: str, scenes: list[Scene], frames: list[Rgb], backdrop: Colour | None) -> Row:
    start = time.process_time()
    found = [mask.alpha for mask in first_masks([(frame, None) for frame in frames], backdrop)]
    masked = time.process_time()
    for frame, alpha in zip(frames, found, strict=True):
        cut_out(frame, alpha)
    done = time.process_time()
    true = [s.rgba[..., 3] for s in scenes]
    pairs = list(zip(found, true, strict=True))
    return Row(
        name,
        iou=float(np.mean([iou(*pair) for pair in pairs])),
        worst_iou=min(iou(*pair) for pair in pairs),
        alpha_error=float(np.mean([alpha_error(*pair) for pair in pairs])),
        edge_error=float(np.mean([edge_error(*pair) for pair in pairs])),
        effects_kept=float(np.mean([share_kept(alpha, s.effects) for alpha, s in zip(found, scenes, strict=True)])),
        flicker=_flicker(found, true),
        mask_ms=(masked - start) * 1000 / len(frames),
        cutout_ms=(done - masked) * 1000 / len(frames),
    )


def _flicker(found: list[Alpha], true: list[Alpha]) -> float:
    """Share of pixels whose alpha jumps between two frames by half or more, though the truth does not."""
    steps = zip(np.diff(np.asarray(found, np.int16), axis=0), np.diff(np.asarray(true, np.int16), axis=0), strict=True)
    return float(np.mean([np.mean(np.abs(one - other) > 127) for one, other in steps]))


def stills() -> Iterator[str]:
    """One line a still on white: without a codec, and as JPEG."""
    for style in (*STYLES, *HELD_OUT):
        drawn = scene(style, 0.1, size=SIZE).rgba
        white = on_flat(drawn, (255, 255, 255))
        solid = np.full((SIZE, SIZE, 1), 255, np.uint8)
        for name, rgb in (("png", white), ("jpeg 90", as_jpeg(white, 90)), ("jpeg 75", as_jpeg(white, 75))):
            cut = cut_out_character(np.concatenate([rgb, solid], axis=2), False, RemoveBackground.AUTO)
            alpha = cut.rgba[..., 3]
            yield f"{style + ' ' + name:17} {iou(alpha, drawn[..., 3]):7.4f} {edge_error(alpha, drawn[..., 3]):8.4f}"


def main() -> None:
    """Print the tables."""
    print(f"{'chosen backdrop':17}{HEAD[17:]}")
    _print(chosen(STYLES), "mean")
    _print(chosen(HELD_OUT), "mean held out")
    print(f"\n{'import, untold':17}{HEAD[17:]}")
    _print(imported(STYLES), "mean")
    _print(imported(HELD_OUT), "mean held out")
    print(f"\n{'still on white':17} {'IoU':>7} {'edge':>8}   (the view under the arm stays white: see Enclosed)")
    for line in stills():
        print(line, flush=True)


def _print(rows: Iterator[Row], name: str) -> None:
    table = []
    for row in rows:
        table.append(row)
        print(row, flush=True)
    numbers = np.array([[value for key, value in vars(row).items() if key != "name"] for row in table])
    print(Row(name, *(float(value) for value in numbers.mean(axis=0))))


if __name__ == "__main__":
    main()

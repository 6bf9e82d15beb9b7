"""Strips with alpha of our own character, and of figures that our code draws, in the offline animator's performances.

    python -m tests.puppets --out FOLDER

writes what the miniature is trained on and evaluated with. It stands here because `vision` does not know `video`, and
the miniature should see what the animator makes. Some performances are never trained on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from popcond.errors import PopconError
from popcond.media.raster import Rgba
from popcond.video.performances import PERFORMANCES
from popcond.video.puppet_clip import place
from popcond.video.sample import draw_sample
from popcond.vision.miniature.art import SPRITE_SIDE
from popcond.vision.miniature.figures import draw_figures

POSES = 12  # of every strip: one loop
HELD_OUT = ("bow", "cheer", "jump", "wave")

_DRAWN_PERFORM = ("clap", "dance", "run", "shake", "shock", "spin", "think", "celebrate")
_STAGE = 300  # pixels of the frame that is performed in
_SEED, _HELD_OUT_SEED = 20_261, 90_417  # of the drawn figures

Strips = NDArray[np.uint8]  # (N, POSES, side, side, 4), straight alpha


def main(arguments: Sequence[str] | None = None) -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "strips.npy", for_training())
    np.save(out / "strips-held-out.npy", for_evaluation())


def for_training() -> Strips:
    """Everything but what is held out."""
    ours = perform([sample()], [name for name in sorted(PERFORMANCES) if name not in HELD_OUT])
    return np.concatenate([ours, perform(list(draw_figures(16, _SEED)), _DRAWN_PERFORM)])


def for_evaluation() -> Strips:
    """The held-out performances, by our character and by figures that are never trained on."""
    return perform([sample(), *draw_figures(8, _HELD_OUT_SEED)], HELD_OUT)


def sample() -> Rgba:
    """Our own character."""
    return draw_sample(512)


def perform(performers: Sequence[Rgba], names: Sequence[str]) -> Strips:
    """Every performer in every performance that its anatomy allows."""
    return np.stack(list(_strips(performers, names)))


def _strips(performers: Sequence[Rgba], names: Sequence[str]) -> Iterator[NDArray[np.uint8]]:
    for performer in performers:
        for name in names:
            try:
                yield _cropped(_performed(performer, name))
            except PopconError:
                continue  # a figure that cannot be bent does not perform


def _performed(performer: Rgba, name: str) -> NDArray[np.uint8]:
    """(POSES, stage, stage, 4): drawn on black and on white, which tells how solid every pixel is."""
    played = PERFORMANCES[name]
    figure = place(performer, played, _STAGE)
    poses = []
    for index in range(POSES):
        on_black = np.zeros((_STAGE, _STAGE, 3), np.uint8)
        on_white = np.full((_STAGE, _STAGE, 3), 255, np.uint8)
        for canvas in (on_black, on_white):
            figure.draw(canvas, played.at(index / POSES))
        poses.append(_taken_apart(on_black, on_white))
    return np.stack(poses)


def _taken_apart(on_black: NDArray[np.uint8], on_white: NDArray[np.uint8]) -> Rgba:
    difference = on_white.astype(np.float32) - on_black.astype(np.float32)
    alpha = np.clip(255.0 - difference.mean(axis=2), 0, 255)[..., None]
    colours = np.where(alpha > 2, on_black * 255.0 / np.maximum(alpha, 1), 0)
    return np.dstack([np.clip(colours, 0, 255), alpha]).astype(np.uint8)


def _cropped(poses: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The square around everything that any pose covers, at the size of sprites."""
    x, y, wide, high = cv2.boundingRect((poses[..., 3].max(axis=0) > 8).astype(np.uint8))
    side = max(wide, high) + 4
    left = int(np.clip(x + wide // 2 - side // 2, 0, max(0, _STAGE - side)))
    top = int(np.clip(y + high // 2 - side // 2, 0, max(0, _STAGE - side)))
    window = poses[:, top : top + side, left : left + side]
    small = [cv2.resize(pose, (SPRITE_SIDE, SPRITE_SIDE), interpolation=cv2.INTER_AREA) for pose in window]
    return np.stack([np.asarray(pose, np.uint8) for pose in small])


if __name__ == "__main__":
    main()

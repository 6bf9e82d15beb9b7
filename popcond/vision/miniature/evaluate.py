"""Measures the miniature on figures that it never saw.

    python -m popcond.vision.miniature.evaluate --art NOTO TWEMOJI --strips FILE --work FOLDER --count 4 --clips 8

Three ways, each by backdrop and by source: `raw` is the model's own mask; `fitted` is what its likelihood becomes once
it is fitted to the picture; `paired` is what users get, the model together with the classical engine, which also
follows the clips. `cases.py` says who asks what.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from popcond.media.raster import Alpha, Floats, Rgb
from popcond.vision.classical_cut import fitted
from popcond.vision.miniature import INPUT_SIZE, WEIGHTS, cases
from popcond.vision.miniature.cases import POINTS, Case, Figures, Region, first_point, iou, next_point, of_clip, table
from popcond.vision.miniature.casting import evaluation_casts
from popcond.vision.miniature.evaluate_pair import paired_figures
from popcond.vision.sam_devices import Device
from popcond.vision.sam_embeddings import Embedding
from popcond.vision.sam_engine import Engine
from popcond.vision.sam_guess import Guess, Logits
from popcond.vision.sam_model import load, place, tame_libraries
from popcond.vision.sam_weights import Weights
from popcond.vision.segmenter import Point

_STRONGEST = 32.0  # logits beyond mean nothing more

Finish = Callable[[Rgb, Logits], Alpha]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and leave the tables in the work folder as JSON."""
    given = _parser().parse_args(arguments)
    casts = evaluation_casts(given.art, given.strips, given.work / "art")
    pictures, films = list(cases.stills(casts, given.count)), list(islice(cases.clips(casts), given.clips))
    engine = engine_of(given.weights, given.side, given.threads)
    report: dict[str, object] = {"side": given.side, "stills": len(pictures), "clips": len(films)}
    with torch.inference_mode():
        for name, finish in FINISHES.items():
            report[f"stills, {name}"] = table(_of_stills(engine, finish, pictures))
        followed_all = [(case, followed(engine, case.frames, case.truth[0])) for case in films]
    for name, finish in FINISHES.items():
        report[f"clips, {name}"] = table(_of_clips(finish, followed_all))
    if given.pair:
        report |= asyncio.run(paired_figures(given.weights, given.side, given.work, pictures, films))
    (given.work / f"evaluation-{given.side}.json").write_text(json.dumps(report, indent=1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--art", nargs="*", type=Path, default=[], help="unpacked Iconify packages of emoji")
    parser.add_argument("--strips", nargs="*", type=Path, default=[], help="performances, as tests.puppets writes them")
    parser.add_argument("--work", type=Path, required=True, help="folder with the drawn art, and for the tables")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--side", type=int, default=INPUT_SIZE, help="pixels that the model sees")
    parser.add_argument("--count", type=int, default=4, help="stills of every source on every backdrop")
    parser.add_argument("--clips", type=int, default=0, help="clips, the sources taking turns on the backdrops")
    parser.add_argument("--pair", action="store_true", help="together with the classical engine, too")
    parser.add_argument("--threads", type=int, default=1)
    return parser


def engine_of(weights: Path, side: int, threads: int = 1) -> Engine:
    """The users' engine with these weights, on the processor."""
    tame_libraries(threads)
    model, _ = load(Weights(weights, None))
    device = Device("cpu", side, "float32")
    return Engine(place(model, device), device)


# ------------------------------------------------------------------ what is shown of a guess


def raw(rgb: Rgb, logits: Logits) -> Alpha:
    """The mask as the model gives it."""
    return np.asarray(_enlarged(logits, rgb) > 0, np.uint8) * np.uint8(255)


def fitted_to_picture(rgb: Rgb, logits: Logits) -> Alpha:
    """The mask with its outline moved to where the picture has one."""
    odds = np.exp(np.clip(_enlarged(logits, rgb), -_STRONGEST, _STRONGEST))
    return fitted(rgb, np.asarray(odds / (1 + odds), np.float32))


def _enlarged(logits: Logits, rgb: Rgb) -> Floats:
    size = rgb.shape[1], rgb.shape[0]
    return np.asarray(cv2.resize(np.ascontiguousarray(logits), size, interpolation=cv2.INTER_LINEAR), np.float32)


FINISHES: dict[str, Finish] = {"raw": raw, "fitted": fitted_to_picture}


# ------------------------------------------------------------------ stills


def _of_stills(engine: Engine, finish: Finish, pictures: Iterable[Case]) -> Iterator[tuple[Case, Figures]]:
    """IoU after one, two and three points."""
    for case in pictures:
        yield case, pointed(engine, finish, case.frames[0], case.truth[0])


def pointed(engine: Engine, finish: Finish, rgb: Rgb, truth: Region) -> Figures:
    """IoU after each point of a person who sees the finished mask."""
    embedding = engine.encode(rgb)
    points, guess, overlaps = [first_point(truth)], None, []
    for _ in range(POINTS):
        guess = _best(engine, embedding, points, guess)
        shown = finish(rgb, guess.logits) > 127
        overlaps.append(iou(shown, truth))
        correction = next_point(shown, truth)
        points += [] if correction is None else [correction]
    return overlaps


def _best(engine: Engine, embedding: Embedding, points: Sequence[Point], before: Guess | None) -> Guess:
    guesses = engine.decode(embedding, points, None if before is None else before.logits)
    return max(guesses, key=lambda guess: guess.score)


# ------------------------------------------------------------------ clips


def _of_clips(finish: Finish, films: Iterable[tuple[Case, list[Guess]]]) -> Iterator[tuple[Case, Figures]]:
    for case, guesses in films:
        shown = [finish(rgb, guess.logits) > 127 for rgb, guess in zip(case.frames, guesses, strict=True)]
        yield case, of_clip(shown, case.truth)


def followed(engine: Engine, frames: NDArray[np.uint8], truth: Region) -> list[Guess]:
    """What the model makes of every frame, from one point in the first."""
    embeddings = [engine.encode(frame) for frame in frames]
    first = _best(engine, embeddings[0], [first_point(truth)], None)
    tracker = engine.tracker(len(frames))
    tracker.remember(0, embeddings[0], first)
    later = (tracker.follow(index, embeddings[index], backwards=False) for index in range(1, len(frames)))
    return [first, *later]


if __name__ == "__main__":
    main()

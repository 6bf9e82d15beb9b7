"""Measures the miniature as users have it: in its own process, paired with the classical engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from popcond.vision.classical import ClassicalSegmenter
from popcond.vision.classical_pair import Paired
from popcond.vision.miniature.cases import POINTS, Case, Figures, Region, first_point, iou, next_point, of_clip, table
from popcond.vision.sam import Sam, SamOptions
from popcond.vision.sam_weights import Weights
from popcond.vision.segmenter import Prompt, Still


async def paired_figures(
    weights: Path, side: int, work: Path, pictures: Sequence[Case], films: Sequence[Case]
) -> dict[str, dict[str, Figures]]:
    """The tables of stills and of clips."""
    async with _pair(weights, side, work) as pair:
        return {
            "stills, paired": table([(case, await _pointed(pair, case)) for case in pictures]),
            "clips, paired": table([(case, await _followed(pair, case)) for case in films]),
        }


@asynccontextmanager
async def _pair(weights: Path, side: int, work: Path) -> AsyncIterator[Paired]:
    model = Sam(Weights(weights, None), SamOptions(work / "embeddings", "cpu", side, threads=1))
    pair = Paired(model, ClassicalSegmenter())
    try:
        yield pair
    finally:
        await pair.close()


async def _pointed(pair: Paired, case: Case) -> Figures:
    """IoU after each point of a person who sees the pair's mask."""
    still, truth = Still.of(case.frames[0]), case.truth[0]
    points, overlaps = [first_point(truth)], []
    for _ in range(POINTS):
        shown = (await pair.mask(still, Prompt(tuple(points)))).mask > 127
        overlaps.append(iou(shown, truth))
        correction = next_point(shown, truth)
        points += [] if correction is None else [correction]
    return overlaps


async def _followed(pair: Paired, case: Case) -> Figures:
    """From one point in the first frame."""
    prompts = {0: Prompt((first_point(case.truth[0]),))}
    masks: dict[int, Region] = {}
    async with aclosing(pair.track([Still.of(frame) for frame in case.frames], prompts)) as steps:
        async for step in steps:
            masks[step.index] = step.mask > 127
    return of_clip([masks[index] for index in range(len(case.frames))], case.truth)

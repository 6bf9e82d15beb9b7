"""A small model that understands points, paired with the classical engine that knows edges and movement.

A small model finds what is meant, with a ragged outline, and loses it over a clip. GrabCut fits the outline to the
picture; the clip is followed by colours and flow. Behind the seam the two are one segmenter.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

import numpy as np

from popcond.media.raster import Alpha, Rgb
from popcond.vision.classical import ClassicalSegmenter
from popcond.vision.classical_cut import depth, enlarged, reduced_mask, seeds_from, small, solved
from popcond.vision.segmenter import (
    About,
    Candidate,
    Prompt,
    Segmented,
    Segmenter,
    Still,
    Tracked,
    Urgency,
    refuse_bad_prompts,
)

_SURE = 0.9  # what the classical engine expects of itself when it has keyed what is meant, and not before
_DOUBT = 3.0  # pixels of the small picture from the outline at which the model's word is worth one step of log odds


class Paired:
    """A Segmenter of two: `pointer` says what is meant, `classical` where it ends and where it goes. Owns both."""

    def __init__(self, pointer: Segmenter, classical: ClassicalSegmenter) -> None:
        self._pointer = pointer
        self._classical = classical

    def about(self) -> About:
        """What the model is."""
        return self._pointer.about()

    async def embed(self, stills: Sequence[Still], urgency: Urgency = Urgency.BACKGROUND) -> None:
        """Prepare the frames in both."""
        await self._pointer.embed(stills, urgency)
        await self._classical.embed(stills, urgency)

    async def mask(self, still: Still, prompt: Prompt, urgency: Urgency = Urgency.CLICK) -> Segmented:
        """The model's mask with its outline fitted to the picture. Raises BadInput."""
        if not prompt.points:
            return await self._pointer.mask(still, prompt, urgency)
        unchosen = replace(prompt, points=tuple(replace(point, candidate=None) for point in prompt.points))
        keyed = await self._classical.mask(still, unchosen, urgency)
        if keyed.score > _SURE:  # before a plain backdrop nothing is more exact, whichever candidate is taken
            return keyed if unchosen == prompt else await self._classical.mask(still, prompt, urgency)
        answer = await self._pointer.mask(still, prompt, urgency)
        pixels = await asyncio.to_thread(still.pixels)
        mask = await asyncio.to_thread(outlined, pixels, answer.mask)
        candidates = tuple(
            [Candidate(await asyncio.to_thread(outlined, pixels, one.mask), one.score) for one in answer.candidates]
        )
        if not prompt.points[-1].is_foreground and (earlier := _without_last(prompt)) is not None:
            mask = mask & (await self.mask(still, earlier, urgency)).mask  # a background point never adds a pixel
        return replace(answer, mask=mask, candidates=candidates)

    async def track(self, stills: Sequence[Still], prompts: Mapping[int, Prompt]) -> AsyncGenerator[Tracked, None]:
        """All frames, from the fitted masks of the prompted ones. Raises BadInput."""
        refuse_bad_prompts(prompts, len(stills))
        known = {n: await self._drawn(stills[n], prompts[n]) for n in sorted(prompts)}
        async with aclosing(self._classical.track(stills, known)) as steps:
            async for step in steps:
                yield step

    async def _drawn(self, still: Still, prompt: Prompt) -> Prompt:
        """The prompt as a mask; background points alone stay points, which correct what arrives there."""
        if prompt.mask is None and not any(point.is_foreground for point in prompt.points):
            return Prompt(tuple(replace(point, object=0) for point in prompt.points))
        return Prompt(mask=(await self.mask(still, prompt, Urgency.TRACKING)).mask)

    async def close(self) -> None:
        """Close both."""
        await self._pointer.close()
        await self._classical.close()


def outlined(rgb: Rgb, mask: Alpha) -> Alpha:
    """(H, W; 0 or 255): a mask whose outline is only about right, fitted to the picture's edges."""
    reduced = small(rgb)
    inside = reduced_mask(mask, reduced.shape)
    if not inside.any() or inside.all():
        return mask
    likely = 1.0 / (1.0 + np.exp(-np.clip(depth(inside) / _DOUBT, -30.0, 30.0)))
    return enlarged(solved(reduced, seeds_from(np.asarray(likely, np.float32))), rgb.shape)


def _without_last(prompt: Prompt) -> Prompt | None:
    """What was said before the last point; None when that was nothing."""
    earlier = replace(prompt, points=prompt.points[:-1])
    return earlier if earlier.points or earlier.mask is not None else None

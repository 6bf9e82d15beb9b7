"""Alibaba's DashScope (Wan image-to-video) as a VideoProvider: clips for money.

The character is laid on the chosen backdrop, and a model moves it. Prices and lengths are rows (see dashscope_models);
what is the same for clips and pictures is in dashscope_maker and dashscope_account.
"""

from __future__ import annotations

from pathlib import Path

from popcond.video.dashscope_account import NAME
from popcond.video.dashscope_answers import TaskAnswer, Usage
from popcond.video.dashscope_maker import DashScopeMaker, Made, Order
from popcond.video.dashscope_models import Model, has_side, model_named, on_sale, side_of
from popcond.video.dashscope_order import choice, order
from popcond.video.dashscope_picture_models import pictures_on_sale
from popcond.video.dashscope_refusals import CLIP
from popcond.video.provider import ClipRequest
from popcond.video.verify import ExpectedClip, verify_clip
from popcond.wire import Provider

__all__ = ["NAME", "DashScope"]


class DashScope(DashScopeMaker[ClipRequest, ExpectedClip]):
    """Clips made by Wan models."""

    wording = CLIP

    def describe(self) -> Provider:
        """All models with the prices of the region; the first is the default."""
        region = self._account.region
        return Provider(
            name=NAME,
            label=self._account.label,
            models=tuple(model.on_the_wire(region) for model in on_sale(region)),
            picture_models=tuple(model.on_the_wire(region) for model in pictures_on_sale(region)),
            needs_key=True,
            has_key=self._account.has_key,
            needs_network=self._account.is_outside,
            region=region.name.lower(),
        )

    def _order(self, request: ClipRequest) -> Order[ExpectedClip]:
        chosen = choice(request, self._account.region)
        expected = ExpectedClip(chosen.seconds, side_of(chosen.tier))
        return Order(chosen.model.name, chosen.model.shape.path, order(chosen, request), expected)

    def _made(self, answer: TaskAnswer, model: str | None) -> Made[ExpectedClip]:
        usage = answer.billed()
        return Made(
            answer.output.video_url or None,
            expected=_expected(usage) if usage else None,
            billed=self._sum(model_named(model or ""), usage) if usage else None,
            prompt=answer.output.orig_prompt,
        )

    async def _verify(self, draft: Path, expected: ExpectedClip | None) -> None:
        await verify_clip(draft, expected, self._account.workers)

    def _sum(self, model: Model | None, usage: Usage) -> float | None:
        """Seconds × price of the size that was made; None for what is on no price list of ours."""
        if model is None or usage.seconds is None:
            return None
        region = self._account.region
        price = model.prices.get(region, {}).get(usage.tier or model.tier(region))
        return round(price * usage.seconds * usage.video_count, 6) if price is not None else None


def _expected(usage: Usage) -> ExpectedClip | None:
    """What is billed is what the clip must be, whatever was ordered."""
    if usage.seconds is None or usage.tier is None or not has_side(usage.tier):
        return None
    return ExpectedClip(usage.seconds, side_of(usage.tier))

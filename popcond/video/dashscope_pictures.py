"""Alibaba's DashScope (Wan text-to-image and image-to-image) as a PictureProvider: characters and poses for money.

It draws on the account on which clips are bought. Prices and sizes are rows (see dashscope_picture_models).
"""

from __future__ import annotations

from pathlib import Path

from popcond.video.dashscope_answers import Drawn, TaskAnswer
from popcond.video.dashscope_maker import DashScopeMaker, Made, Order
from popcond.video.dashscope_picture_models import PictureRow, picture_row, pictures_on_sale
from popcond.video.dashscope_picture_order import picture_choice, picture_order
from popcond.video.dashscope_refusals import PICTURE, failure
from popcond.video.provider import PictureRequest
from popcond.video.verify import ExpectedPicture, verify_picture
from popcond.wire import PictureModel


class DashScopePictures(DashScopeMaker[PictureRequest, ExpectedPicture]):
    """Pictures drawn by Wan models."""

    wording = PICTURE

    def picture_models(self) -> tuple[PictureModel, ...]:
        """All models with the prices of the region; the first is the default."""
        region = self._account.region
        return tuple(row.on_the_wire(region) for row in pictures_on_sale(region))

    def _order(self, request: PictureRequest) -> Order[ExpectedPicture]:
        row = picture_choice(request, self._account.region)
        return Order(row.name, row.shape.value, picture_order(row, request), ExpectedPicture(row.side))

    def _made(self, answer: TaskAnswer, model: str | None) -> Made[ExpectedPicture]:
        """A task SUCCEEDED when any of its pictures did; of those that were ordered by others the first is taken."""
        drawn = answer.output.drawn()
        row, usage = picture_row(model or ""), answer.billed()
        return Made(
            next((each.url for each in drawn if each.url), None),
            expected=ExpectedPicture(row.side) if row else None,
            billed=self._sum(row, usage.image_count) if usage else None,
            prompt=answer.output.orig_prompt or next((each.orig_prompt for each in drawn if each.orig_prompt), None),
            failure=_why_none(drawn),
        )

    async def _verify(self, draft: Path, expected: ExpectedPicture | None) -> None:
        await verify_picture(draft, expected, self._account.workers)

    def _sum(self, row: PictureRow | None, count: int | None) -> float | None:
        """Pictures × price; None for what is on no price list of ours."""
        price = row.prices.get(self._account.region) if row else None
        return round(price * count, 6) if price is not None and count is not None else None


def _why_none(drawn: tuple[Drawn, ...]) -> str:
    """Why a task that SUCCEEDED has no picture, where it says so."""
    failed = next((each for each in drawn if each.code or each.message), None)
    return failure(failed.code, failed.message, PICTURE) if failed else ""

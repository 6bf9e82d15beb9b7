"""DRAW: a provider draws a character from words, head to toe; one with flaws is drawn once more, and flagged."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from popcond.stages import paint
from popcond.stages.pose import digest
from popcond.stages.prices import painter_of, picture_model_of, region_of
from popcond.stages.purchase import Bid, Shop
from popcond.stages.studio import Studio
from popcond.stages.trade import Commission, made
from popcond.stages.work import Finish, Sitting
from popcond.store import characters
from popcond.store.characters import Reference, Sketch
from popcond.store.db import Connection
from popcond.store.purchases import Entry, Order, OrderFacts
from popcond.video.provider import Maker, PictureRequest, TaskStatus
from popcond.video.wording import DRAWN_ON, character_prompt, redraw_prompt
from popcond.wire import Character, Drawing, PictureModel, PurchaseKind

DRAWER = "dashscope"  # who draws a character whose row does not say


@dataclass(frozen=True)
class Drawings:
    """Drawings of characters, as a Trade."""

    studio: Studio
    kind = PurchaseKind.DRAWING

    def maker(self, provider: str) -> Maker[PictureRequest] | None:
        """Who draws for the provider of that name."""
        return self.studio.painters.get(provider)

    async def fetched(self, entry: Entry, status: TaskStatus) -> Sketch:
        """Downloaded and cut out. Raises ProviderUnreachable, ProviderFailed and OutOfDisk."""
        return await paint.fetched(self.studio, entry, status)

    def exists(self, connection: Connection, subject: str) -> bool:
        """Whether the character is still there."""
        return characters.exists(connection, subject)

    def has_chosen(self, connection: Connection, subject: str) -> bool:
        """Whether there is one already."""
        return characters.get(connection, subject).width > 0

    def keep(self, connection: Connection, entry: Entry, goods: Sketch, *, choose: bool) -> None:
        """It becomes a drawing of its character; the second of two is chosen unless it is the worse one."""
        order = entry.order
        before = characters.get(connection, order.subject)
        drawing = Drawing(
            id=uuid.uuid4().hex,
            provider=order.provider,
            model=order.model,
            prompt=order.facts.words,
            width=goods.width,
            height=goods.height,
            flaws=goods.flaws,
            created=time.time(),
        )
        characters.add_drawing(connection, order.subject, drawing, goods)
        if choose and not (order.facts.is_second and _is_worse(goods, before)):
            characters.choose_drawing(connection, order.subject, drawing.id)

    def go_on(self, connection: Connection, entry: Entry) -> None:
        """The character is ready after all."""
        characters.place(connection, entry.order.subject, "ready")


def _is_worse(sketch: Sketch, character: Character) -> bool:
    """Whether the drawing that the character goes by has lighter flaws."""
    chosen = next((each for each in character.drawings if each.id == character.chosen_drawing), None)
    return chosen is not None and paint.gravity(chosen.flaws) < paint.gravity(sketch.flaws)


async def draw(studio: Studio, sitting: Sitting) -> Finish:
    """Buy the drawing. Raises ProviderFailed with the provider's reason, MaybeBought and OverBudget."""
    character = sitting.character
    shop = Shop(studio.database, painter_of(studio.painters, character.provider or DRAWER), studio.ceilings)
    reference = await studio.database.read(partial(characters.reference, character_id=character.id))
    first = _bid(studio, sitting, reference)

    async def second() -> Bid[PictureRequest]:
        drawn = await studio.database.read(partial(characters.get, character_id=character.id))
        return _again(first, character, reference, drawn.drawings[-1].flaws)

    return await made(Commission(Drawings(studio), shop, sitting.job, first, second))


def _bid(studio: Studio, sitting: Sitting, reference: Reference | None) -> Bid[PictureRequest]:
    character = sitting.character
    provider = character.provider or DRAWER
    model = picture_model_of(studio.painters, provider, character.model, references=1 if reference else 0)
    request = PictureRequest(
        prompt=character_prompt(character.prompt, reference=_use(reference)),
        model=model.name,
        references=(studio.assets.path(reference.picture),) if reference else (),
        backdrop=DRAWN_ON,
    )
    order = _order(sitting, model, request, provider)
    return Bid(request, model.name, replace(order, region=region_of(studio.providers, provider)))


def _use(reference: Reference | None) -> Literal["variation", "style"] | None:
    return reference.use.value if reference else None


def _again(
    bid: Bid[PictureRequest], character: Character, reference: Reference | None, flaws: tuple[str, ...]
) -> Bid[PictureRequest]:
    """The same, with what went wrong."""
    request = replace(
        bid.request, prompt=redraw_prompt(character.prompt, paint.remedies(flaws), reference=_use(reference))
    )
    facts = replace(bid.order.facts, prompt=request.prompt, is_second=True)
    order = replace(bid.order, request=digest(bid.order.provider, request), facts=facts)
    return replace(bid, request=request, order=order)


def _order(sitting: Sitting, model: PictureModel, request: PictureRequest, provider: str) -> Order:
    character = sitting.character
    return Order(
        kind=PurchaseKind.DRAWING,
        subject=character.id,
        request=digest(provider, request),
        provider=provider,
        model=model.name,
        pack_id=None,
        pack_name=character.name,
        action="draw",
        price=model.price,
        currency=model.currency,
        facts=OrderFacts(request.prompt, request.backdrop, words=character.prompt),
        job=sitting.job.id,
        resolution=model.size,
        unit_price=model.price,
    )

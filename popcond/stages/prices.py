"""What a clip or a picture of a provider's model costs: one place for quotes, budgets and orders. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from popcond.errors import BadInput, UnknownName
from popcond.video.provider import PictureProvider, VideoProvider, price_of
from popcond.wire import NewPack, Pack, PictureModel, ProviderModel

P = TypeVar("P")

_SECONDS = 2.0  # plenty for a sticker


def provider_of(providers: Mapping[str, P], name: str) -> P:
    """Raises UnknownName with the names that there are."""
    if name not in providers:
        raise UnknownName(f"There is no provider {name!r}.", cure=f"Choose one of: {', '.join(providers)}.")
    return providers[name]


def region_of(providers: Mapping[str, VideoProvider], name: str) -> str | None:
    """Where a provider's prices hold; None where it has but one place."""
    provider = providers.get(name)
    return provider.describe().region if provider else None


def model_of(providers: Mapping[str, VideoProvider], provider: str, model: str | None) -> ProviderModel:
    """The named model; the provider's first when there is no name. `NAME@SIZE` is one in that size.

    Raises UnknownName.
    """
    models = {each.name: each for each in provider_of(providers, provider).describe().models}
    name, at, size = (model or next(iter(models))).partition("@")
    if name not in models:
        raise UnknownName(f"{provider} has no model {name!r}.", cure=f"Choose: {', '.join(models)}.")
    return _in_size(models[name], size) if at else models[name]


def painter_of(painters: Mapping[str, PictureProvider], name: str) -> PictureProvider:
    """Who draws for a provider. Raises BadInput when it draws nothing."""
    if name not in painters:
        raise BadInput(
            f"{name} draws no pictures.",
            cure=f"Choose one that does: {', '.join(painters) or 'there is none'}.",
            code="draws_nothing",
        )
    return painters[name]


def picture_model_of(
    painters: Mapping[str, PictureProvider], provider: str, model: str | None, *, references: int
) -> PictureModel:
    """The named model, or the first that can be shown so many pictures. Raises UnknownName and BadInput."""
    models = {each.name: each for each in painter_of(painters, provider).picture_models()}
    able = [name for name, each in models.items() if each.least_references <= references <= each.most_references]
    if model is None and able:
        return models[able[0]]
    if model is None or model not in models:
        raise UnknownName(f"{provider} has no picture model {model!r}.", cure=f"Choose: {', '.join(able)}.")
    if model not in able:
        wants = "cannot be shown a picture" if references else "needs a picture to go by"
        raise BadInput(f"{model} {wants}.", cure=f"Choose: {', '.join(able)}.", code="wrong_model")
    return models[model]


def row_name(model: ProviderModel) -> str:
    """The model's name in its provider's own lists, whatever its size."""
    return model.name.partition("@")[0]


@dataclass(frozen=True)
class EmojiPrice:
    """What one emoji of a pack costs, in `currency`."""

    clip: float
    pose: float
    currency: str
    is_retried: bool  # a clip without motion is bought a second time

    @property
    def whole(self) -> float:
        """Everything, bought once."""
        return self.clip + self.pose

    @property
    def at_most(self) -> float:
        """When the clip is bought twice."""
        return self.whole + (self.clip if self.is_retried else 0.0)


def emoji_price(
    providers: Mapping[str, VideoProvider], painters: Mapping[str, PictureProvider], pack: Pack | NewPack
) -> EmojiPrice:
    """For any emoji of the pack. Raises UnknownName, and BadInput when poses are wanted of who draws none."""
    model = model_of(providers, pack.provider, pack.model)
    clip = 0.0 if pack.awaits_clips else clip_price(model)
    pose = picture_model_of(painters, pack.provider, pack.pose_model, references=1) if pack.draw_poses else None
    return EmojiPrice(clip, pose.price if pose else 0.0, model.currency, is_retried=clip > 0)


def clip_seconds(model: ProviderModel) -> float:
    """How long a clip is asked for: of what the model offers, the nearest to two seconds."""
    return min(model.seconds, key=lambda seconds: abs(seconds - _SECONDS))


def clip_price(model: ProviderModel) -> float:
    """What one clip costs, in the model's currency."""
    return price_of(model, clip_seconds(model))


def _in_size(model: ProviderModel, size: str) -> ProviderModel:
    resolution = size.upper()
    if resolution not in model.sizes:
        sizes = ", ".join(f"{model.name}@{each}" for each in model.sizes) or model.name
        raise UnknownName(f"{model.name} has no size {size!r}.", cure=f"Choose: {sizes}.")
    price = model.sizes[resolution]
    named = f"{model.name}@{resolution}"
    return model.model_copy(update={"name": named, "resolution": resolution, "price_per_second": price})

"""What a clip of a provider's model costs: one place for quotes, budgets and orders. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from popcond.errors import UnknownName
from popcond.video.provider import VideoProvider, price_of
from popcond.wire import ProviderModel

_SECONDS = 2.0  # plenty for a sticker


def provider_of(providers: Mapping[str, VideoProvider], name: str) -> VideoProvider:
    """Raises UnknownName with the names that there are."""
    if name not in providers:
        raise UnknownName(f"There is no provider {name!r}.", cure=f"Choose one of: {', '.join(providers)}.")
    return providers[name]


def model_of(providers: Mapping[str, VideoProvider], provider: str, model: str | None) -> ProviderModel:
    """The named model; the provider's first when there is no name. `NAME@SIZE` is one in that size.

    Raises UnknownName.
    """
    models = {each.name: each for each in provider_of(providers, provider).describe().models}
    name, at, size = (model or next(iter(models))).partition("@")
    if name not in models:
        raise UnknownName(f"{provider} has no model {name!r}.", cure=f"Choose: {', '.join(models)}.")
    return _in_size(models[name], size) if at else models[name]


def row_name(model: ProviderModel) -> str:
    """The model's name in its provider's own lists, whatever its size."""
    return model.name.partition("@")[0]


def _in_size(model: ProviderModel, size: str) -> ProviderModel:
    resolution = size.upper()
    if resolution not in model.sizes:
        sizes = ", ".join(f"{model.name}@{each}" for each in model.sizes) or model.name
        raise UnknownName(f"{model.name} has no size {size!r}.", cure=f"Choose: {sizes}.")
    price = model.sizes[resolution]
    named = f"{model.name}@{resolution}"
    return model.model_copy(update={"name": named, "resolution": resolution, "price_per_second": price})


def clip_seconds(model: ProviderModel) -> float:
    """How long a clip is asked for: of what the model offers, the nearest to two seconds."""
    return min(model.seconds, key=lambda seconds: abs(seconds - _SECONDS))


def clip_price(model: ProviderModel) -> float:
    """What one clip costs, in the model's currency."""
    return price_of(model, clip_seconds(model))

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
    """The named model; the provider's first when there is no name. Raises UnknownName."""
    models = {each.name: each for each in provider_of(providers, provider).describe().models}
    name = model or next(iter(models))
    if name not in models:
        raise UnknownName(f"{provider} has no model {name!r}.", cure=f"Choose: {', '.join(models)}.")
    return models[name]


def clip_seconds(model: ProviderModel) -> float:
    """How long a clip is asked for: of what the model offers, the nearest to two seconds."""
    return min(model.seconds, key=lambda seconds: abs(seconds - _SECONDS))


def clip_price(model: ProviderModel) -> float:
    """What one clip costs, in the model's currency."""
    return price_of(model, clip_seconds(model))

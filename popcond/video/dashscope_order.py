"""An order as the service wants it: everything that has a default over there is said, since defaults cost and change.

Text and pictures differ by model, as its row says. What no model can do is refused here, where it costs nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from popcond.errors import ProviderFailed
from popcond.media.raster import Rgb, from_png, png
from popcond.video.dashscope_models import (
    Model,
    Region,
    Shape,
    Sound,
    model_named,
    on_sale,
    side_of,
    size_of,
    tier_named,
)
from popcond.video.provider import ClipRequest
from popcond.video.start_picture import start_picture

_STAGING = (
    "The whole body stays in the frame. Fixed camera, no zoom, no cuts. "
    "Plain flat background of one colour; nothing else appears."
)
_SILENCE = "No dialogue, no music."
_STEADY = (
    "Generate single shot. The character keeps its face, proportions and colours. "
    "Sharp picture without flicker, text or watermark; no shadow on the background."
)
_UNWANTED = (
    "static picture, frozen, jitter, flicker, blur, distortion, extra limbs, text, watermark, "
    "shadow on the background, cluttered background, camera movement, zoom"
)


@dataclass(frozen=True)
class Choice:
    """What is bought: a model, one of its sizes, one of its lengths."""

    model: Model
    tier: int  # lines
    seconds: int


def choice(request: ClipRequest, region: Region) -> Choice:
    """The row that fits a request. Raises ProviderFailed with what there is."""
    sold = on_sale(region)
    model = model_named(request.model)
    if model not in sold:
        raise ProviderFailed(
            f"There is no DashScope model {request.model!r} in this region.",
            cure=f"Choose: {', '.join(row.name for row in sold)}.",
            details={"stops": "model"},
        )
    tier = tier_named(request.model, model, region)
    if tier is None:
        sizes = ", ".join(f"{model.name}@{size_of(each)}" for each in sorted(model.prices[region]))
        raise ProviderFailed(f"{request.model} is not on sale.", cure=f"Choose: {sizes}.")
    seconds = model.length(request.seconds)
    if seconds is None:
        raise ProviderFailed(
            f"{model.name} makes clips of {max(model.seconds)} seconds at most.", cure="Ask for a shorter clip."
        )
    return Choice(model, tier, seconds)


def order(chosen: Choice, request: ClipRequest) -> dict[str, Any]:
    """The body of a create. Reads and draws a picture: run it beside the loop. Raises ProviderFailed."""
    words = _words(chosen.model, request)
    picture = data_uri(_start(request, side_of(chosen.tier)))
    return {
        "model": chosen.model.name,
        "input": {**words, **_pictures(chosen.model, picture)},
        "parameters": _parameters(chosen),
    }


def data_uri(picture: Rgb) -> str:
    """The picture itself in the place of its address, so that it is put nowhere where others might find it."""
    return f"data:image/png;base64,{base64.b64encode(png(picture)).decode('ascii')}"


def _parameters(chosen: Choice) -> Mapping[str, Any]:
    model = chosen.model
    parameters: dict[str, Any] = {"resolution": size_of(chosen.tier), "watermark": False}
    if model.rewrites:
        parameters["prompt_extend"] = False
    if model.has_duration:
        parameters["duration"] = chosen.seconds
    if model.sound is Sound.CHOICE:
        parameters["audio"] = False
    if model.has_ratio:
        parameters["ratio"] = "1:1"  # of the start picture
    return parameters


def _words(model: Model, request: ClipRequest) -> Mapping[str, str]:
    """Motion, effects, staging. Raises ProviderFailed for a prompt that the service would cut."""
    parts = [request.motion_prompt.strip(), request.action.effect_prompt.strip(), _STAGING]
    if model.sound is not Sound.NONE:
        parts.append(_SILENCE)
    if model.shape is Shape.MEDIA:
        parts.append(_STEADY)
    prompt = " ".join(part for part in parts if part)
    if len(prompt) > model.longest_prompt:
        raise ProviderFailed(
            f"The prompt is {len(prompt) - model.longest_prompt} characters too long for {model.name}.",
            cure="Shorten the motion prompt, or choose another model.",
        )
    return {"prompt": prompt, "negative_prompt": _UNWANTED} if model.takes_negative else {"prompt": prompt}


def _pictures(model: Model, picture: str) -> Mapping[str, Any]:
    """The start picture, and the same as the last one where that is possible: so the loop is closed."""
    match model.shape:
        case Shape.IMAGE:
            return {"img_url": picture}
        case Shape.FRAMES:
            return {"first_frame_url": picture, "last_frame_url": picture}
        case Shape.MEDIA:
            frames = ("first_frame", "last_frame") if model.takes_last_frame else ("first_frame",)
            return {"media": [{"type": frame, "url": picture} for frame in frames]}


def _start(request: ClipRequest, side: int) -> Rgb:
    try:
        figure = from_png(request.cutout.read_bytes())
    except FileNotFoundError as error:
        raise ProviderFailed("The character's cut-out is gone.", cure="Add the character again.") from error
    return start_picture(figure, request.backdrop, side)

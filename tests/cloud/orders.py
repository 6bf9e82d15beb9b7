"""Orders of clips as the stand-in reads them: which model takes which shape, and what would be said against one."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any

from popcond.errors import UnreadablePicture
from popcond.media.raster import from_png
from tests.cloud.account import PRICES, Line, new_id

_SERVICES = "/services/aigc"
VIDEO, FRAMES = f"{_SERVICES}/video-generation/video-synthesis", f"{_SERVICES}/image2video/video-synthesis"

_MOST_PROMPT = {"wan2.2": 800, "wan2.5": 1500, "wan2.6": 1500, "wan2.7": 5000, "wan3.0": 20_000, "happyh": 2500}
_PARAMETERS = {"resolution", "prompt_extend", "watermark", "seed"}
_MEDIA = ("wan2.7", "wan3.0", "happyhorse")


def mistake(path: str, order: Mapping[str, Any]) -> str | None:
    """What the service would say against an order, as CODE: message."""
    model, given = str(order.get("model")), order.get("parameters") or {}
    if model not in PRICES or path != (FRAMES if "kf2v" in model else VIDEO):
        return "ModelNotFound: Model can not be found."
    if set(order) != {"model", "input", "parameters"} or set(given) - _parameters(model):
        return "InvalidParameter: unknown fields"
    if tier_of(given) not in PRICES[model]:
        return "InvalidParameter: The resolution is not match"
    if len(order["input"].get("prompt", "")) > _MOST_PROMPT[model[:6]]:
        return "InvalidParameter: the prompt is too long"
    try:
        frames = pictures(order)
    except (ValueError, KeyError, UnreadablePicture):
        return "InvalidParameter: url error, please check url!"
    return next(filter(None, map(picture_mistake, frames)), None)


def line_of(order: Mapping[str, Any], key: str) -> Line:
    """As the ledger has it."""
    given = order["parameters"]
    seconds, tier = float(given.get("duration", 5)), tier_of(given)
    cost = round(PRICES[order["model"]][tier] * seconds, 6)
    return Line(
        at=time.time(),
        id=new_id(),
        model=order["model"],
        prompt=order["input"]["prompt"],
        key=key,
        seconds=seconds,
        tier=tier,
        cost=cost,
        parameters=given,
        frames=len(pictures(order)),
        is_closed=len(set(pictures(order))) < len(pictures(order)),
        negative=order["input"].get("negative_prompt"),
    )


def tier_of(parameters: Mapping[str, Any]) -> int:
    """Lines of the picture."""
    return int(str(parameters.get("resolution", "1080P")).rstrip("P"))


def pictures(order: Mapping[str, Any]) -> list[bytes]:
    """The first frame and, where there is one, the last. Raises ValueError and KeyError for another shape."""
    model, given = str(order["model"]), order["input"]
    texts = {"prompt", "negative_prompt"}
    if "kf2v" in model:
        expected, addresses = {"first_frame_url", "last_frame_url"}, [given["first_frame_url"], given["last_frame_url"]]
    elif model.startswith(_MEDIA):
        expected, media = {"media"}, given["media"]
        addresses = [picture["url"] for picture in media]
        if [picture["type"] for picture in media] != ["first_frame", "last_frame"][: len(media)]:
            raise ValueError(media)
        if model.startswith("happyhorse") and len(media) != 1:
            raise ValueError(media)
        if not model.startswith("wan2.7"):
            texts.remove("negative_prompt")
    else:
        expected, addresses = {"img_url"}, [given["img_url"]]
    if set(given) - texts != expected:
        raise ValueError(sorted(given))
    return [decoded(address) for address in addresses]


def decoded(address: str) -> bytes:
    """The PNG of a data URI. Raises ValueError."""
    head, _, data = address.partition(",")
    if head != "data:image/png;base64":
        raise ValueError(head)
    return base64.b64decode(data, validate=True)


def _parameters(model: str) -> set[str]:
    if model.startswith("happyhorse"):
        return _PARAMETERS - {"prompt_extend"} | {"duration"}
    more = set() if model.startswith("wan2.2") else {"duration"}
    if model == "wan2.6-i2v-flash" or model.startswith("wan3.0"):
        more.add("audio")
    if model.startswith("wan3.0"):
        more.add("ratio")
    return _PARAMETERS | more


def picture_mistake(encoded: bytes, least: int = 360) -> str | None:
    """What the service would say against a picture that came with an order. Raises UnreadablePicture."""
    picture = from_png(encoded)
    sides = picture.shape[:2]
    if picture.ndim != 3 or picture.shape[2] != 3 or not least <= min(sides) <= max(sides) <= 2000:
        return "InvalidParameter: the picture has an alpha channel or a size that is not allowed"
    return None

"""The stand-in is as strict with orders of pictures as the service says that it is, so that ours can be trusted."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from popcond.media.raster import png
from tests.cloud.picture_orders import EDIT, MESSAGES, WORDS, line_of, mistake


def uri(height: int = 400, width: int = 400, channels: int = 3) -> str:
    picture = png(np.full((height, width, channels), 90, np.uint8))
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def message(*pictures: str, model: str = "wan2.7-image", words: str = "A cat.", **parameters: Any) -> dict[str, Any]:
    content = [{"text": words}, *({"image": picture} for picture in pictures)]
    given = {"messages": [{"role": "user", "content": content}]}
    return {"model": model, "input": given, "parameters": {"n": 1, **parameters}}


def words_only(model: str = "wan2.2-t2i-flash", words: str = "A cat.", **parameters: Any) -> dict[str, Any]:
    return {"model": model, "input": {"prompt": words}, "parameters": {"n": 1, **parameters}}


@pytest.mark.parametrize(
    ("path", "order"),
    [
        (MESSAGES, message(size="1K")),
        (MESSAGES, message(*[uri()] * 9, size="1024*1024")),
        (MESSAGES, message(uri(), model="wan2.6-image", prompt_extend=False, enable_interleave=False)),
        (WORDS, words_only(size="1024*1024", prompt_extend=False, watermark=False)),
        (EDIT, {"model": "wan2.5-i2i-preview", "input": {"prompt": "A cat.", "images": [uri()]}, "parameters": {}}),
    ],
)
def test_a_documented_order_is_taken(path: str, order: dict[str, Any]) -> None:
    assert mistake(path, order) is None


@pytest.mark.parametrize(
    ("path", "order"),
    [
        (WORDS, message()),  # the model is ordered elsewhere
        (MESSAGES, message(model="qwen-image")),
        (MESSAGES, message(*[uri()] * 10)),
        (MESSAGES, message(model="wan2.6-image")),
        (MESSAGES, message(uri(channels=4))),
        (MESSAGES, message(uri(300, 400))),
        (MESSAGES, message("https://example.com/a.png")),
        (MESSAGES, message("data:image/png;base64,AAAA")),
        (MESSAGES, message(words="")),
        (MESSAGES, message(words="a" * 5001)),
        (MESSAGES, message(size="16K")),
        (MESSAGES, message(n=5)),
        (MESSAGES, message(prompt_extend=False)),  # 2.7 has no such parameter
        (MESSAGES, message(model="wan2.6-t2i", size="1024*1024")),
        (WORDS, words_only(size="256*256")),
        (WORDS, words_only(words="a" * 801)),
        (WORDS, {**words_only(), "input": {"prompt": "A cat.", "images": [uri()]}}),
    ],
)
def test_any_other_is_refused(path: str, order: dict[str, Any]) -> None:
    assert mistake(path, order)


def test_who_does_not_say_how_many_pays_for_four() -> None:
    order = words_only()
    assert line_of(order, "7890").cost == pytest.approx(0.14)
    del order["parameters"]["n"]
    assert line_of(order, "7890").drawn == 4
    assert line_of(order, "7890").cost == pytest.approx(0.56)

"""The soft shadow under a character goes; a pale character that looks much like one stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from popcond.media.raster import Alpha, Colour, Rgb
from popcond.vision.backdrop import estimate
from popcond.vision.keying import key
from tests.composites import Behind, as_h264, iou, laid_on, scene

SIZE = 448
BESIDE_THE_FEET = (slice(408, 420), slice(144, 164))


def _keyed(rgb: Rgb) -> Alpha:
    backdrop = estimate(rgb)
    assert backdrop is not None
    return key(rgb, backdrop)


def _standing(style: str, colour: Colour, size: int = SIZE) -> tuple[Rgb, Alpha]:
    drawn = scene(style, 0.1, size=size).rgba
    laid = [laid_on(drawn, Behind(colour, grain=0.5, shadow=0.3), n / 8, seed=n) for n in (1, 2)]
    return as_h264(laid, crf=22)[-1], drawn[..., 3]


@pytest.mark.parametrize("colour", [(255, 255, 255), (246, 246, 244), (225, 215, 245), (90, 180, 120)])
def test_the_shadow_under_the_feet_goes(colour: Colour) -> None:
    frame, truth = _standing("flat", colour)
    alpha = _keyed(frame)
    assert not alpha[BESIDE_THE_FEET].any()
    assert iou(alpha, truth) > 0.97


def test_a_pale_disc_keeps_its_lower_half() -> None:
    picture = np.full((200, 200, 3), 255, np.uint8)
    cv2.circle(picture, (100, 100), 60, (242, 243, 246), -1)
    alpha = _keyed(picture)
    assert (alpha[120:150, 90:110] == 255).all()


@pytest.mark.parametrize("size", [256, SIZE])
def test_a_white_character_that_is_darker_below_keeps_its_feet(size: int) -> None:
    frame, truth = _standing("white", (255, 255, 255), size)
    deep = cv2.erode(truth, np.ones((7, 7), np.uint8)) == 255
    assert float(np.mean(_keyed(frame)[deep] == 255)) > 0.999

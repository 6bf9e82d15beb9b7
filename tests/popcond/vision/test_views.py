"""Views through a character go, its own white stays, when nobody told the backdrop."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from popcond.media.raster import Alpha, Colour, Rgb
from popcond.vision.backdrop import estimate
from popcond.vision.keying import key
from tests.composites import Behind, as_h264, laid_on, scene

ARM = (slice(160, 170), slice(84, 92))  # between the bent arm and the body
BELLY = (slice(156, 168), slice(124, 132))


def _keyed(rgb: Rgb, hint: Colour | None = None) -> Alpha:
    backdrop = estimate(rgb, hint)
    assert backdrop is not None
    return key(rgb, backdrop)


def _filmed(style: str, colour: Colour, *, crf: int = 20) -> Rgb:
    drawn = scene(style, 0.1, size=256).rgba
    return as_h264([laid_on(drawn, Behind(colour, drift=2.0, grain=0.5), n / 8, seed=n) for n in range(3)], crf=crf)[-1]


@pytest.mark.parametrize("colour", [(242, 242, 240), (128, 128, 128)])
def test_the_view_under_the_arm_goes_where_it_can_be_told_from_white_paint(colour: Colour) -> None:
    alpha = _keyed(_filmed("thin", colour))
    assert not alpha[ARM].any()
    assert (alpha[BELLY] == 255).all()


def test_on_plain_white_what_is_enclosed_stays() -> None:
    alpha = _keyed(_filmed("thin", (255, 255, 255)))
    assert (alpha[BELLY] == 255).all()
    assert (alpha[ARM] == 255).all()


@pytest.mark.parametrize("colour", [(255, 255, 255), (252, 252, 252), (249, 249, 249)])
def test_no_white_character_gets_a_hole_on_white(colour: Colour) -> None:
    for style in ("white", "line"):
        drawn = scene(style, 0.1, size=256).rgba[..., 3]
        deep = cv2.erode(drawn, np.ones((7, 7), np.uint8)) == 255
        assert float(np.mean(_keyed(_filmed(style, colour))[deep] == 255)) > 0.999


def test_a_white_character_keeps_its_belly_when_white_was_told() -> None:
    frame = _filmed("line", (250, 250, 250))
    assert (_keyed(frame, (250, 250, 250))[BELLY] == 255).all()


def test_a_grey_character_that_passes_through_the_grey_of_its_backdrop_gets_no_hole() -> None:
    ramp = np.linspace(70, 190, 120).astype(np.uint8)
    picture = np.full((256, 256, 3), 128, np.uint8)
    cv2.rectangle(picture, (60, 60), (195, 195), (20, 20, 24), -1)
    picture[68:188, 68:188] = ramp[None, :, None]
    assert (_keyed(picture)[68:188, 68:188] == 255).all()

"""HDR and wide-gamut colours against values worked out from the standards, not from our own code."""

from __future__ import annotations

import numpy as np
import pytest
from av.video.reformatter import ColorPrimaries, ColorTrc

from popcond.media.light import Light, needs_light

PQ, HLG, SDR = ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67, ColorTrc.BT709


def shown(light: Light, *code: float) -> list[int]:
    rgb = np.rint(np.array([[code]]) * 65_535).astype(np.uint16)
    return [int(value) for value in light.to_srgb(rgb)[0, 0]]


@pytest.mark.parametrize(
    ("transfer", "code", "srgb"),
    [
        (HLG, 0.0, 0),
        (HLG, 0.5, 137),  # scene light 1/12
        (HLG, 0.75, 255),  # reference white
        (HLG, 1.0, 255),  # highlights are cut off
        (PQ, 0.0, 0),
        (PQ, 0.5, 180),  # 92.2 cd/m²
        (PQ, 0.5807, 255),  # 203 cd/m²
        (PQ, 1.0, 255),
        (SDR, 0.5, 128),
    ],
)
def test_greys_are_as_light_as_the_standards_say(transfer: int, code: float, srgb: int) -> None:
    light = Light(transfer, ColorPrimaries.BT2020)
    assert max(abs(value - srgb) for value in shown(light, code, code, code)) <= 1


def test_colours_of_a_wider_gamut_become_more_vivid() -> None:
    red, green, _ = shown(Light(SDR, ColorPrimaries.SMPTE432), 0.8, 0.4, 0.4)
    assert red > 0.8 * 255 + 5
    assert green < 0.4 * 255


def test_a_gamut_that_is_ours_already_is_kept() -> None:
    assert shown(Light(SDR, ColorPrimaries.BT709), 0.8, 0.4, 0.2) == [204, 102, 51]
    assert not needs_light(SDR, ColorPrimaries.BT709)

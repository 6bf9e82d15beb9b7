"""What codecs leave around edges and along borders is no character, and pale parts are no leavings."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from popcond.media.raster import Alpha, Colour, Rgb
from popcond.vision.backdrop import estimate
from popcond.vision.keying import key
from tests.composites import EFFECTS, Behind, Scene, as_h264, laid_on, phases, scene, share_kept


def _keyed(rgb: Rgb) -> Alpha:
    backdrop = estimate(rgb)
    assert backdrop is not None
    return key(rgb, backdrop)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [scene("shaded", phase, size=512, effects=EFFECTS) for phase in list(phases(8))[:2]]


@pytest.mark.parametrize("colour", [(255, 255, 255), (246, 246, 244), (128, 128, 128)])
def test_a_grainy_clip_of_low_quality_leaves_no_rags(colour: Colour, scenes: list[Scene]) -> None:
    behind = Behind(colour, drift=4.0, vignette=10.0, grain=1.5)
    frames = as_h264([laid_on(s.rgba, behind, n / 8, seed=n) for n, s in enumerate(scenes)], crf=26)
    alpha, truth = _keyed(frames[-1]), scenes[-1]
    away = cv2.dilate(truth.rgba[..., 3], np.ones((9, 9), np.uint8)) == 0
    away[200:400, 100:200] = False  # the view under the arm is another question
    assert np.count_nonzero(alpha[away] >= 128) < 0.012 * np.count_nonzero(truth.rgba[..., 3] >= 128)
    assert share_kept(alpha, truth.effects) == 1.0


def test_a_pale_drop_alone_on_white_is_kept() -> None:
    picture = np.full((256, 256, 3), 255, np.uint8)
    cv2.circle(picture, (128, 140), 50, (40, 80, 190), -1)
    cv2.circle(picture, (40, 40), 9, (228, 238, 250), -1, cv2.LINE_AA)
    assert (_keyed(picture)[36:45, 36:45] == 255).all()


def test_lines_along_two_borders_go_together() -> None:
    picture = laid_on(scene("flat", 0.1, size=256).rgba, Behind((250, 225, 228)))
    picture[:1] = 30
    picture[:, -2:] = picture[:, -2:] // 2
    alpha = _keyed(picture)
    assert not alpha[:3].any()
    assert not alpha[:, -4:].any()

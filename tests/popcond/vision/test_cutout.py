"""Cut-outs carry the character's own colours, whatever made the mask."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from popcond.media.raster import Alpha, Colour, Rgba, flatten
from popcond.vision.cutout import cut_out
from tests.composites import STYLES, iou, on_flat, scene

GREEN = (78, 200, 60)


def _fringe(cutout: Rgba, truth: Rgba, shown_on: Colour) -> float:
    """Root mean square error, levels, of what a person sees along the edge on another backdrop."""
    edge = (truth[..., 3] > 8) & (truth[..., 3] < 248)
    gap = flatten(cutout, shown_on)[edge].astype(np.float64) - flatten(truth, shown_on)[edge]
    return float(np.sqrt(np.mean(gap**2)))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("shown_on", [(0, 0, 0), (255, 255, 255)])
def test_the_old_backdrop_leaves_the_edge(style: str, shown_on: Colour) -> None:
    truth = scene(style, 0.1, size=256).rgba
    picture = on_flat(truth, GREEN)
    contaminated = np.dstack([picture, truth[..., 3]])
    cleaned = cut_out(picture, truth[..., 3])
    assert _fringe(cleaned, truth, shown_on) < 0.6 * _fringe(contaminated, truth, shown_on)


def test_transparent_pixels_have_no_colour() -> None:
    truth = scene("flat", size=160).rgba
    cutout = cut_out(on_flat(truth, GREEN), truth[..., 3])
    assert not cutout[truth[..., 3] == 0].any()


def test_alpha_is_taken_as_it_is() -> None:
    truth = scene("soft", size=160).rgba
    assert (cut_out(on_flat(truth, GREEN), truth[..., 3])[..., 3] == truth[..., 3]).all()


def test_a_hard_mask_loses_its_green_rim() -> None:
    truth = scene("shaded", 0.1, size=256).rgba
    hard = np.where(truth[..., 3] >= 40, 255, 0).astype(np.uint8)
    picture = on_flat(truth, GREEN)
    cutout = cut_out(picture, hard)
    rim = (hard == 255) & (truth[..., 3] < 128)
    greener = picture[rim][:, 1].astype(int) - picture[rim][:, 0]
    left = cutout[rim][:, 1].astype(int) - cutout[rim][:, 0]
    assert float(greener.mean()) > 20.0
    assert float(left.mean()) < -20.0


def test_a_thin_line_keeps_its_own_colour() -> None:
    picture = np.full((64, 64, 3), GREEN, np.uint8)
    alpha = np.zeros((64, 64), np.uint8)
    cv2.line(alpha, (8, 8), (56, 40), 255, 1, cv2.LINE_AA)
    solid = alpha[..., None] / 255.0
    picture = np.rint(solid * np.array([230, 40, 40]) + (1 - solid) * picture).astype(np.uint8)
    seen = alpha >= 128
    assert np.abs(cut_out(picture, alpha)[seen][:, :3].astype(int) - [230, 40, 40]).mean() < 24.0


def test_inside_pixels_are_untouched() -> None:
    truth = scene("flat", 0.1, size=200).rgba
    picture = on_flat(truth, GREEN)
    deep = cv2.erode(truth[..., 3], np.ones((7, 7), np.uint8)) == 255
    assert (cut_out(picture, truth[..., 3])[deep][:, :3] == picture[deep]).all()


@pytest.mark.parametrize("value", [0, 1, 128, 255])
def test_masks_of_one_value_are_no_trouble(value: int) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    alpha: Alpha = np.full((40, 50), value, np.uint8)
    cutout = cut_out(picture, alpha)
    assert (cutout[..., 3] == value).all()
    assert (cutout[..., :3] == (picture if value else 0)).all()


def test_one_pixel_is_cut_out() -> None:
    alpha = np.zeros((9, 9), np.uint8)
    alpha[4, 4] = 255
    cutout = cut_out(np.full((9, 9, 3), 90, np.uint8), alpha)
    assert cutout[4, 4].tolist() == [90, 90, 90, 255]
    assert iou(cutout[..., 3], alpha) == 1.0

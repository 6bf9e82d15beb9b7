"""Edges are as soft as they are in the picture: sharp ones sharp, moving ones soft, outlines solid."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from popcond.media.raster import Alpha, Colour, Rgb
from popcond.vision.backdrop import estimate
from popcond.vision.edges import refined, steadied, trimap, unmixed
from popcond.vision.keying import key
from tests.composites import Behind, edge_error, laid_on, on_flat, scene

SIZE = 256


def _keyed(rgb: Rgb) -> Alpha:
    backdrop = estimate(rgb)
    assert backdrop is not None
    return key(rgb, backdrop)


def _disc(softness: float) -> Alpha:
    fine = np.zeros((4 * SIZE, 4 * SIZE), np.uint8)
    cv2.circle(fine, (2 * SIZE, 2 * SIZE), SIZE, 255, -1)
    small = cv2.resize(fine, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), softness) if softness else small, np.uint8)


@pytest.mark.parametrize("behind", [(255, 255, 255), (245, 245, 243), (60, 160, 90)])
@pytest.mark.parametrize("softness", [0.0, 1.5, 3.0])
def test_alpha_follows_the_softness_of_an_edge_whoever_chose_the_backdrop(softness: float, behind: Colour) -> None:
    truth = _disc(softness)
    drawn = np.dstack([np.full((SIZE, SIZE, 3), (200, 60, 70), np.uint8), truth])
    assert edge_error(_keyed(on_flat(drawn, behind)), truth) < 0.08


def test_a_pale_outline_before_a_darker_backdrop_is_solid() -> None:
    drawn = scene("white", 0.1, size=SIZE).rgba
    alpha = _keyed(laid_on(drawn, Behind((32, 101, 32))))
    inside = cv2.erode(drawn[..., 3], np.ones((3, 3), np.uint8)) == 255
    assert float(np.mean(alpha[inside] >= 128)) > 0.995


def test_the_inner_side_of_a_dark_outline_is_solid() -> None:
    picture = np.full((SIZE, SIZE, 3), 255, np.uint8)
    cv2.circle(picture, (128, 128), 80, (20, 20, 24), -1, cv2.LINE_AA)
    cv2.circle(picture, (128, 128), 75, (250, 248, 240), -1, cv2.LINE_AA)
    disc = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(disc, (128, 128), 78, 1, -1)
    assert (_keyed(picture)[disc > 0] == 255).all()


def test_a_mixture_is_taken_apart_and_a_third_colour_is_no_mixture() -> None:
    inner, outer = np.array([[200, 40, 40]], np.float32), np.array([[250, 250, 250]], np.float32)
    for share in (0.25, 0.5, 0.75):
        found, is_mixed = unmixed(share * inner + (1 - share) * outer, inner, outer)
        assert found[0] == pytest.approx(share, abs=0.01)
        assert is_mixed[0]
    assert not unmixed(np.array([[20, 20, 24]], np.float32), inner, outer)[1][0]


# ------------------------------------------------------------------ round anybody's mask


def _busy_disc() -> tuple[Rgb, Alpha, Alpha]:
    """A soft red disc before blobs; its true alpha; and a mask of it whose outline is two pixels off."""
    truth = _disc(1.0)
    behind = cv2.resize(
        np.random.default_rng(4).integers(0, 120, (9, 9, 3), dtype=np.uint8),
        (SIZE, SIZE),
        interpolation=cv2.INTER_CUBIC,
    )
    solid = truth[..., None] / 255.0
    rgb = np.asarray(np.rint((215, 60, 70) * solid + behind * (1.0 - solid)), np.uint8)
    return rgb, truth, np.asarray(np.roll((truth >= 128) * np.uint8(255), 2, axis=1), np.uint8)


def test_a_mask_that_is_a_little_off_follows_the_pictures_edge() -> None:
    rgb, truth, mask = _busy_disc()
    assert edge_error(refined(rgb, mask), truth) < 0.7 * edge_error(mask, truth)


def test_a_mask_keeps_its_word_away_from_its_outline() -> None:
    rgb, _, mask = _busy_disc()
    alpha, asked = refined(rgb, mask), trimap(mask, 3)
    assert (alpha[asked == 255] == 255).all()
    assert (alpha[asked == 0] == 0).all()


def test_an_empty_mask_and_a_full_one_stay_what_they_are() -> None:
    rgb, _, mask = _busy_disc()
    assert not refined(rgb, np.zeros_like(mask)).any()
    assert (refined(rgb, np.full_like(mask, 255)) == 255).all()


def test_a_character_that_is_cut_by_the_frame_is_solid_there() -> None:
    rgb, _, mask = _busy_disc()
    cut_rgb, cut_mask = np.ascontiguousarray(rgb[:, 128:]), np.ascontiguousarray(mask[:, 128:])
    assert (refined(cut_rgb, cut_mask)[100:150, 0] == 255).all()


class _Halves:
    """A matting model that finds everything half solid."""

    def refine(self, frame: Rgb, mask: Alpha, trimap: Alpha) -> Alpha:
        """What is asked for, and all the rest too."""
        assert frame.shape[:2] == mask.shape == trimap.shape
        return np.full_like(mask, 128)


def test_a_matting_model_is_asked_about_the_band_and_nothing_else() -> None:
    rgb, _, mask = _busy_disc()
    alpha, asked = refined(rgb, mask, _Halves()), trimap(mask, 3)
    assert (alpha[asked == 128] == 128).all()
    assert (alpha[asked != 128] == asked[asked != 128]).all()


def test_a_soft_edge_shimmers_less_and_a_real_change_stays() -> None:
    alpha, before = np.zeros((4, 4), np.uint8), np.zeros((4, 4), np.uint8)
    alpha[0], before[0] = 100, 140  # shimmer
    alpha[1], before[1] = 100, 255  # something moved away
    alpha[2], before[2] = 255, 220  # solid
    steady = steadied(alpha, before)
    assert (steady[0] == 112).all()
    assert (steady[1:] == alpha[1:]).all()

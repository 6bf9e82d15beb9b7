"""The colour behind a character: chosen far away, and found again in what a codec left."""

from __future__ import annotations

import numpy as np
import pytest

from popcond.errors import NoCharacter
from popcond.media.raster import Colour
from popcond.vision.backdrop import Backdrop, choose_backdrop, estimate
from popcond.vision.colours import distance, exact_lab, lab_of
from tests.composites import EFFECTS, STYLES, Behind, as_jpeg, laid_on, scene

TEAR, HEART = (96, 184, 250), (238, 60, 96)


def _found(behind: Behind, *, style: str = "shaded", hint: Colour | None = None, quality: int = 90) -> Backdrop:
    found = estimate(as_jpeg(laid_on(scene(style, 0.1, size=192).rgba, behind, 0.1), quality), hint)
    assert found is not None
    return found


def _farthest(found: Backdrop, behind: Behind, phase: float) -> float:
    """ΔE between the found and the true field where they differ most."""
    one, other = found.field(96, 96), behind.field(96, phase)
    return float(distance(exact_lab(one.reshape(-1, 3)), exact_lab(other.reshape(-1, 3))).max())


# ------------------------------------------------------------------ choosing


@pytest.mark.parametrize("style", STYLES)
def test_the_chosen_colour_is_far_from_the_character_and_its_effects(style: str) -> None:
    drawn = scene(style, size=160, effects=EFFECTS).rgba
    chosen = lab_of([choose_backdrop(drawn, [TEAR, HEART])])
    solid = drawn[drawn[..., 3] == 255][:, :3].astype(np.float32)
    near = distance(exact_lab(solid), chosen) < 20.0
    assert float(np.mean(near)) < 0.004
    assert float(distance(lab_of([TEAR, HEART]), chosen).min()) > 25.0


def test_the_same_character_gets_the_same_colour_again() -> None:
    drawn = scene("flat", size=128).rgba
    assert choose_backdrop(drawn, [TEAR]) == choose_backdrop(drawn.copy(), [TEAR])


def test_a_colour_that_effects_have_is_left_to_them() -> None:
    drawn = scene("dark", size=128).rgba
    alone = choose_backdrop(drawn)
    assert float(distance(lab_of([alone]), lab_of([choose_backdrop(drawn, [alone])]))[0]) > 25.0


@pytest.mark.parametrize("style", ["white", "dark", "line"])
def test_a_colourless_character_gets_a_calm_colour(style: str) -> None:
    chosen = lab_of([choose_backdrop(scene(style, size=128).rgba)])[0]
    assert float(np.hypot(chosen[1], chosen[2])) < 60.0


def test_an_empty_cutout_has_no_backdrop() -> None:
    with pytest.raises(NoCharacter):
        choose_backdrop(np.zeros((32, 32, 4), np.uint8))


def test_a_speck_of_a_character_still_gets_a_colour() -> None:
    speck = np.zeros((700, 700, 4), np.uint8)
    speck[349, 351] = (200, 40, 40, 255)
    assert float(distance(lab_of([choose_backdrop(speck)]), lab_of([(200, 40, 40)]))[0]) > 40.0


# ------------------------------------------------------------------ estimating


def test_a_drifted_and_vignetted_backdrop_is_followed() -> None:
    behind = Behind((120, 150, 90), drift=6.0, vignette=16.0, slope=8.0, grain=1.0)
    assert _farthest(_found(behind), behind, 0.1) < 2.5


def test_white_that_is_not_white_is_found() -> None:
    behind = Behind((243, 243, 244), vignette=5.0)
    found = _found(behind)
    assert _farthest(found, behind, 0.1) < 2.0
    assert not found.is_colourful


def test_noise_is_measured() -> None:
    quiet, loud = (_found(Behind((90, 130, 120), grain=grain)).noise for grain in (0.5, 6.0))
    assert quiet < 1.0 < loud


def test_a_character_that_is_cut_by_the_border_does_not_bend_the_backdrop() -> None:
    behind = Behind((70, 140, 140))
    picture = laid_on(scene("shaded", size=192).rgba, behind)
    picture[120:, 30:170] = (242, 170, 60)
    found = estimate(picture)
    assert found is not None
    assert _farthest(found, behind, 0.0) < 1.5
    assert found.border < 0.9


def test_a_hint_that_the_picture_does_not_show_is_dropped() -> None:
    found = _found(Behind((240, 240, 240)), hint=(0, 90, 200))
    assert not found.chosen
    assert found.colour == pytest.approx((240, 240, 240), abs=2)


def test_a_hint_finds_its_backdrop_though_most_of_the_border_is_hidden() -> None:
    picture = laid_on(scene("shaded", size=192).rgba, Behind((60, 60, 110)))
    picture[90:] = (250, 240, 230)
    found = estimate(picture, (66, 62, 104))
    assert found is not None
    assert found.chosen
    assert found.colour == pytest.approx((60, 60, 110), abs=3)


def test_texture_is_no_backdrop() -> None:
    texture = np.random.default_rng(3).integers(0, 256, (160, 160, 3), dtype=np.uint8)
    assert estimate(texture) is None


def test_lines_at_the_very_border_are_not_taken_for_the_backdrop() -> None:
    picture = laid_on(scene("flat", size=192).rgba, Behind((230, 230, 230)))
    picture[:1] = picture[-1:] = 0
    picture[:, :1] = picture[:, -1:] = 0
    found = estimate(picture)
    assert found is not None
    assert found.colour == pytest.approx((230, 230, 230), abs=1)


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (16, 16)])
def test_a_tiny_picture_breaks_nothing(shape: tuple[int, int]) -> None:
    found = estimate(np.full((*shape, 3), 200, np.uint8))
    assert found is None or found.colour == pytest.approx((200, 200, 200), abs=1)

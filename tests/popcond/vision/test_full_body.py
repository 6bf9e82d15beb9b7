"""A drawing is whole, alone, large and on plain paper, or it is said what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import cv2
import numpy as np
import pytest

from popcond.media.raster import Rgb
from popcond.vision.character import cut_out_character
from popcond.vision.full_body import Flaw, flaws
from popcond.wire import RemoveBackground
from tests.composites import Behind, laid_on, scene
from tests.drawings import (
    Drawing,
    cut_off,
    good,
    held_out,
    joined,
    not_plain,
    nothing,
    placed,
    several,
    too_small,
)
from tests.figures import figures
from tests.popcond.video.puppet_cast import twins

GREY = Behind((128, 128, 128))


def _looked_at(rgb: Rgb) -> tuple[Flaw, ...]:
    cut = cut_out_character(np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)]), False, RemoveBackground.AUTO)
    return flaws(cut.rgba, cut.background)


def _some(drawings: Iterator[Drawing], step: int) -> list[Drawing]:
    return list(islice(drawings, 0, None, step))


def _wrong(drawings: list[Drawing]) -> list[str]:
    seen = [(drawing, _looked_at(drawing.draw())) for drawing in drawings]
    return [
        f"{drawing.name}: {found}"
        for drawing, found in seen
        if (drawing.flaw not in found if drawing.flaw else found != ())
    ]


def test_whole_figures_of_every_build_are_fine() -> None:
    assert _wrong(_some(good(), 4)) == []


def test_figures_that_no_threshold_was_set_on_are_fine() -> None:
    drawings = _some(held_out(), 12)
    assert len(_wrong(drawings)) <= 1


def test_a_figure_that_leaves_the_picture_is_cut_off_on_that_side() -> None:
    drawings = _some(cut_off(), 5)
    assert {drawing.flaw for drawing in drawings} >= set(Flaw) - {
        *(Flaw.NOTHING, Flaw.NOT_PLAIN, Flaw.MORE_THAN_ONE, Flaw.TOO_SMALL)
    }
    assert _wrong([drawing for drawing in drawings if not drawing.name.startswith("thin")]) == []


def test_two_figures_and_sheets_are_more_than_one() -> None:
    apart = [drawing for drawing in _some(several(), 5) if "touching" not in drawing.name]
    assert _wrong(apart) == []


def test_two_figures_that_hold_hands_are_still_two() -> None:
    touching = [drawing for drawing in several() if drawing.name in ("person, touching", "flat, touching")]
    assert len(touching) == 2
    assert _wrong(touching) == []


def test_a_small_figure_is_said_to_be_small() -> None:
    assert _wrong(_some(too_small(), 5)) == []


def test_scenery_is_no_plain_background() -> None:
    assert _wrong(_some(not_plain(), 11)) == []


def test_an_empty_picture_shows_nothing() -> None:
    assert _wrong(list(nothing())) == []


def test_the_gravest_flaw_comes_first() -> None:
    figure = figures()["person"]
    two = joined(placed(figure, tall=0.7, x=0.28, y=0.75), placed(figure, tall=0.7, x=0.72, y=0.75))
    assert _looked_at(laid_on(two, GREY)) == (Flaw.MORE_THAN_ONE, Flaw.CUT_OFF_BOTTOM)


def test_two_heads_that_do_not_touch_are_two_figures() -> None:
    assert _looked_at(laid_on(placed(twins(), tall=0.8), GREY)) == (Flaw.MORE_THAN_ONE,)


def test_effects_that_leave_the_picture_do_not_cut_the_figure_off() -> None:
    drawn = scene("flat", 0.1, size=256).rgba
    for x, y in ((0, 60), (255, 120), (40, 0)):
        cv2.circle(drawn, (x, y), 9, (238, 60, 96, 255), -1)
    assert _looked_at(laid_on(drawn, GREY)) == ()


def test_a_crocodile_is_low_but_not_small() -> None:
    low = placed(figures()["crocodile"], tall=0.8)
    assert (low[..., 3] >= 128).any(axis=1).mean() < 0.4
    assert _looked_at(laid_on(low, GREY)) == ()


def test_a_drawing_with_alpha_of_its_own_is_judged_the_same() -> None:
    whole = placed(figures()["person"], tall=0.8)
    assert flaws(whole, "alpha") == ()
    assert flaws(np.roll(whole, 90, axis=0)[90:], "alpha") == (Flaw.CUT_OFF_BOTTOM,)
    assert flaws(np.zeros_like(whole), "alpha") == (Flaw.NOTHING,)


@pytest.mark.parametrize("side", [256, 1280])
def test_the_size_of_the_picture_makes_no_difference(side: int) -> None:
    figure = figures()["sample"]
    whole = placed(figure, tall=0.8, side=side)
    cut = placed(figure, tall=0.8, y=0.66, side=side)
    assert _looked_at(laid_on(whole, GREY)) == ()
    assert _looked_at(laid_on(cut, GREY)) == (Flaw.CUT_OFF_BOTTOM,)


def test_every_flaw_is_a_sentence_and_says_what_to_draw_otherwise() -> None:
    for flaw in Flaw:
        assert flaw.sentence.endswith(".")
        assert flaw.remedy.endswith(".")
        assert Flaw(flaw.value) is flaw
